//! The forms in which a chunk can be carried.

use std::fmt::{self, Display, Formatter};

use fastlua_bundle::{Input, Representation};
use fastlua_bytecode::Strip;
use fastlua_emulator::Core;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A form of a chunk. In text and JSON it has the name of [`Form::name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// The source as it is.
    Source,
    /// The source, squashed.
    Squashed,
    /// Bytecode with all debug data.
    Bytecode0,
    /// Bytecode with line numbers.
    Bytecode1,
    /// Bytecode without debug data.
    Bytecode2,
    /// Constant objects of the core's own, in firmware that is linked with the start-up hook.
    Frozen,
    /// The same without the hook: the first load makes the shadows that it needs, which stay.
    FrozenShadow,
    /// The same without the hook, loaded once more.
    ShadowAgain,
}

const ALL: [Form; 8] = [
    Form::Source,
    Form::Squashed,
    Form::Bytecode0,
    Form::Bytecode1,
    Form::Bytecode2,
    Form::Frozen,
    Form::FrozenShadow,
    Form::ShadowAgain,
];

/// What every bench measures.
pub(crate) const USUAL: [Form; 7] = [
    Form::Source,
    Form::Squashed,
    Form::Bytecode1,
    Form::Bytecode2,
    Form::Frozen,
    Form::FrozenShadow,
    Form::ShadowAgain,
];

impl Form {
    /// Its name, such as `bytecode-2`.
    pub fn name(self) -> &'static str {
        match self {
            Form::Source => "source",
            Form::Squashed => "squashed",
            Form::Bytecode0 => "bytecode-0",
            Form::Bytecode1 => "bytecode-1",
            Form::Bytecode2 => "bytecode-2",
            Form::Frozen => "frozen",
            Form::FrozenShadow => "frozen-shadow",
            Form::ShadowAgain => "shadow-again",
        }
    }

    /// The form that `fastlua build` gives this input. `hook` is whether the firmware is linked with
    /// the start-up hook of frozen chunks.
    pub fn built(input: &Input, hook: bool) -> Form {
        match (input.representation, input.strip) {
            (Representation::Source, _) => Form::Squashed,
            (Representation::Frozen | Representation::FrozenAlone, _) if hook => Form::Frozen,
            (Representation::Frozen | Representation::FrozenAlone, _) => Form::FrozenShadow,
            (Representation::Bytecode, Strip::Keep) => Form::Bytecode0,
            (Representation::Bytecode, Strip::Names) => Form::Bytecode1,
            (Representation::Bytecode, Strip::Lines) => Form::Bytecode2,
        }
    }

    /// Whether it is constant objects.
    pub fn is_frozen(self) -> bool {
        matches!(self, Form::Frozen | Form::FrozenShadow | Form::ShadowAgain)
    }

    /// The form whose image it is loaded from.
    pub(crate) fn image(self) -> Form {
        match self {
            Form::ShadowAgain => Form::FrozenShadow,
            form => form,
        }
    }

    /// The core that loads it.
    pub(crate) fn core(self) -> Core {
        match self {
            Form::Frozen => Core::Hooked,
            Form::FrozenShadow | Form::ShadowAgain => Core::ReadOnly,
            _ => Core::Stock,
        }
    }

    /// The input as `fastlua build` has to get it to give this form; as bytecode for plain source,
    /// which it does not build. What is built frozen keeps its options. Of the rest `Frozen` is
    /// carried alone, and with its bytecode where there is no hook: 5.3 may be better off with that.
    pub(crate) fn input(self, input: &Input) -> Input {
        let (representation, strip) = match self {
            Form::Source | Form::Bytecode2 => (Representation::Bytecode, Strip::Lines),
            Form::Squashed => (Representation::Source, Strip::Lines),
            Form::Bytecode0 => (Representation::Bytecode, Strip::Keep),
            Form::Bytecode1 => (Representation::Bytecode, Strip::Names),
            _ if input.representation.is_frozen() => (input.representation, input.strip),
            Form::Frozen => (Representation::FrozenAlone, Strip::Lines),
            Form::FrozenShadow | Form::ShadowAgain => (Representation::Frozen, Strip::Lines),
        };
        Input {
            representation,
            strip,
            ..input.clone()
        }
    }
}

impl Display for Form {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Form {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Form {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Form, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = ALL.into_iter().find(|form| form.name() == name);
        known.ok_or_else(|| D::Error::custom(format!("no form is named {name:?}")))
    }
}
