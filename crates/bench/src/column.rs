//! What is measured of a chunk: the columns of a comparison, one for each form, strip level and way
//! to load.

use std::fmt::{self, Display, Formatter};

use fastlua_bundle::{Form, Input};
use fastlua_bytecode::Strip;
use fastlua_emulator::Core;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A form of a chunk as it is measured. In text and JSON it has the name of [`Column::name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// The source as it is.
    Source,
    /// The source, squashed.
    Squashed,
    /// The same, deflated.
    Deflated,
    /// Bytecode without debug data, packed.
    Packed,
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
    /// Functions of an image for LFS, with line numbers, as `fastlua lfs` makes it.
    Lfs,
}

/// What a column stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    column: Column,
    name: &'static str,
    form: Form,
    strip: Strip,
    /// The core that loads it.
    core: Core,
    /// Whether the chunk has been loaded before.
    again: bool,
    /// Whether every bench measures it.
    usual: bool,
}

const ALONE: Form = Form::Frozen { fallback: false };
const WITH_BYTECODE: Form = Form::Frozen { fallback: true };

/// In the order of [`Column`]. Of frozen chunks those without the hook are carried with their
/// bytecode, as 5.3 may be better off with that.
#[rustfmt::skip]
const ROWS: [Row; 11] = [
    row(Column::Source, "source", Form::Plain, Strip::Lines, Core::Stock),
    row(Column::Squashed, "squashed", Form::Squashed, Strip::Lines, Core::Stock),
    row(Column::Deflated, "deflated", Form::Deflated, Strip::Lines, Core::Stock),
    row(Column::Packed, "packed", Form::Packed, Strip::Lines, Core::Stock),
    Row { usual: false, ..row(Column::Bytecode0, "bytecode-0", Form::Bytecode, Strip::Keep, Core::Stock) },
    row(Column::Bytecode1, "bytecode-1", Form::Bytecode, Strip::Names, Core::Stock),
    row(Column::Bytecode2, "bytecode-2", Form::Bytecode, Strip::Lines, Core::Stock),
    row(Column::Frozen, "frozen", ALONE, Strip::Lines, Core::Hooked),
    row(Column::FrozenShadow, "frozen-shadow", WITH_BYTECODE, Strip::Lines, Core::ReadOnly),
    Row { again: true, ..row(Column::ShadowAgain, "shadow-again", WITH_BYTECODE, Strip::Lines, Core::ReadOnly) },
    row(Column::Lfs, "lfs", Form::Bytecode, Strip::Names, Core::Lfs),
];

const fn row(column: Column, name: &'static str, form: Form, strip: Strip, core: Core) -> Row {
    Row {
        column,
        name,
        form,
        strip,
        core,
        again: false,
        usual: true,
    }
}

impl Row {
    /// Whether a build stores an input in this form. Only for bytecode does the strip level matter.
    fn is_of(&self, input: &Input, hook: bool) -> bool {
        let is_form = self.form.name() == input.form.name() && !self.again;
        match self.form {
            Form::Frozen { .. } => is_form && hook == (self.core == Core::Hooked),
            Form::Bytecode => is_form && self.strip == input.strip && self.core == Core::Stock,
            _ => is_form,
        }
    }
}

impl Column {
    fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// Its name, such as `bytecode-2`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// All of them, in the order in which they are shown.
    pub(crate) fn all() -> impl Iterator<Item = Column> {
        ROWS.iter().map(|row| row.column)
    }

    /// What every bench measures.
    pub(crate) fn usual() -> impl Iterator<Item = Column> {
        ROWS.iter().filter(|row| row.usual).map(|row| row.column)
    }

    /// Whether every bench measures it.
    pub(crate) fn is_usual(self) -> bool {
        self.row().usual
    }

    /// The column of this input as it is built. `hook` is whether the firmware is linked with the
    /// start-up hook of frozen chunks.
    pub fn built(input: &Input, hook: bool) -> Column {
        let found = ROWS.iter().find(|row| row.is_of(input, hook));
        found.map_or(Column::Bytecode2, |row| row.column)
    }

    /// Whether the chip compiles it.
    pub fn is_source(self) -> bool {
        self.row().form.is_source()
    }

    /// Whether it is constant objects.
    pub fn is_frozen(self) -> bool {
        self.row().form.is_frozen()
    }

    /// Whether it is in an image for LFS.
    pub(crate) fn is_lfs(self) -> bool {
        self.core() == Core::Lfs
    }

    /// Whether the chunk has been loaded before.
    pub(crate) fn is_again(self) -> bool {
        self.row().again
    }

    /// Whether both are loaded from one image.
    pub(crate) fn shares_image(self, other: Column) -> bool {
        let image = |row: &Row| (row.form, row.strip, row.core);
        image(self.row()) == image(other.row())
    }

    /// The core that loads it.
    pub(crate) fn core(self) -> Core {
        self.row().core
    }

    /// The input as it has to be built for this column. What is built frozen keeps its options.
    pub(crate) fn input(self, input: &Input) -> Input {
        let row = self.row();
        let (form, strip) = match self.is_frozen() && input.form.is_frozen() {
            true => (input.form, input.strip),
            false => (row.form, row.strip),
        };
        Input {
            form,
            strip,
            ..input.clone()
        }
    }
}

impl Display for Column {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Column {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Column, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = ROWS.iter().find(|row| row.name == name);
        known
            .map(|row| row.column)
            .ok_or_else(|| D::Error::custom(format!("unknown form {name:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_the_columns() {
        for (i, row) in ROWS.iter().enumerate() {
            assert_eq!(row.column as usize, i);
        }
    }
}
