//! The forms in which a chunk can be carried.

use std::fmt::{self, Display, Formatter};

use fastlua_bundle::{Input, Representation};
use fastlua_bytecode::Strip;
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
    /// Constant objects of the core's own.
    Frozen,
}

const ALL: [Form; 6] = [
    Form::Source,
    Form::Squashed,
    Form::Bytecode0,
    Form::Bytecode1,
    Form::Bytecode2,
    Form::Frozen,
];

/// What every bench measures.
pub(crate) const USUAL: [Form; 4] = [
    Form::Source,
    Form::Squashed,
    Form::Bytecode1,
    Form::Bytecode2,
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
        }
    }

    /// The form that `fastlua build` gives this input.
    pub fn built(input: &Input) -> Form {
        match (input.representation, input.strip) {
            (Representation::Source, _) => Form::Squashed,
            (Representation::Frozen | Representation::FrozenAlone, _) => Form::Frozen,
            (Representation::Bytecode, Strip::Keep) => Form::Bytecode0,
            (Representation::Bytecode, Strip::Names) => Form::Bytecode1,
            (Representation::Bytecode, Strip::Lines) => Form::Bytecode2,
        }
    }

    /// Whether the emulated chip can load it: stock Lua has no objects that its collector leaves
    /// alone, so it can't run frozen ones.
    pub fn is_measured(self) -> bool {
        self != Form::Frozen
    }

    /// What makes `fastlua build` give this form; nothing for plain source, which it does not build.
    pub(crate) fn options(self) -> Option<(Representation, Strip)> {
        match self {
            Form::Source => None,
            Form::Squashed => Some((Representation::Source, Strip::Lines)),
            Form::Bytecode0 => Some((Representation::Bytecode, Strip::Keep)),
            Form::Bytecode1 => Some((Representation::Bytecode, Strip::Names)),
            Form::Bytecode2 => Some((Representation::Bytecode, Strip::Lines)),
            Form::Frozen => Some((Representation::FrozenAlone, Strip::Lines)),
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
