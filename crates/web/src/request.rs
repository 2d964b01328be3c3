//! What the page asks for.

use fastlua::{Form, Options, Overrides, Strip};
use serde::Deserialize;

/// A request. Its files are those that the user gave.
#[derive(Debug, Deserialize)]
pub(crate) struct Request {
    #[serde(flatten)]
    pub(crate) what: Task,
    #[serde(default)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub(crate) enum Task {
    /// What there is to choose from.
    About,
    /// The files that are modules.
    Modules,
    /// What the chunks of a module cost in each form.
    Costs {
        /// The module's file.
        file: String,
        #[serde(flatten)]
        asked: Asked,
    },
    /// What is in a firmware.
    Firmware {
        /// Its file.
        file: String,
    },
    /// Files to download.
    Make { output: Output },
}

/// A part of the costs, so that two workers can share them.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    /// The forms; all if it is missing.
    pub(crate) forms: Option<Vec<Form>>,
    /// Whether the messages about the file belong to it.
    #[serde(default = "yes")]
    pub(crate) messages: bool,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Output {
    /// A `.lc` file of each module.
    Lc,
    /// An LFS image.
    Lfs,
    /// `fast.c` and `fast_chunks.h`.
    C,
    /// The firmware with the modules in its slot.
    Patch,
}

/// What the command line has options for. What is not said is as it is there.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) variants: Option<Vec<String>>,
    #[serde(rename = "as")]
    pub(crate) form: Option<Form>,
    pub(crate) strip: Option<u8>,
    pub(crate) whole: bool,
    /// Shipped modules, or `provisioning`.
    pub(crate) with: Vec<String>,
    /// The firmware among the files, which is no module.
    pub(crate) firmware: Option<String>,
    /// Which of its slots, from 1 on.
    pub(crate) slot: Option<usize>,
}

impl Settings {
    pub(crate) fn strip(&self) -> Option<Strip> {
        self.strip.and_then(Strip::from_level)
    }

    pub(crate) fn overrides(&self) -> Overrides {
        Overrides {
            form: self.form,
            strip: self.strip(),
            whole: self.whole,
            replace: true,
            ..Overrides::default()
        }
    }

    pub(crate) fn options(&self) -> Options {
        Options {
            variants: self.variants.clone(),
            ..Options::default()
        }
    }
}
