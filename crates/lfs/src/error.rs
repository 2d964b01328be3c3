//! What can be wrong with an image, or with what is to become one.

use std::fmt;

use bstr::BString;
use fastlua_bytecode::{Layout, ReadErrorKind};

/// Why an image is refused, and the place.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("offset {offset:#x}{}: {damage}", Contents(*contents))]
pub struct ReadError {
    /// Bytes from the start to the field that is wrong.
    pub offset: usize,
    /// Whether that is the start of what is compressed, not of the file.
    pub contents: bool,
    /// What is wrong.
    pub damage: Damage,
}

/// What is wrong with an image.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Damage {
    /// A field or an object is invalid.
    #[error("{0}")]
    Field(&'static str),
    /// A function of a module, or data in the same encoding.
    #[error("{0}")]
    Bytecode(ReadErrorKind),
    /// A module that no dump can hold.
    #[error("module {name}: {reason}")]
    Module {
        /// Its name.
        name: BString,
        /// Why.
        reason: fastlua_bytecode::WriteError,
    },
}

impl ReadError {
    pub(crate) fn at(offset: usize, what: &'static str) -> ReadError {
        ReadError::damaged(offset, Damage::Field(what))
    }

    pub(crate) fn damaged(offset: usize, damage: Damage) -> ReadError {
        ReadError {
            offset,
            contents: false,
            damage,
        }
    }

    pub(crate) fn in_contents(self) -> ReadError {
        ReadError {
            contents: true,
            ..self
        }
    }
}

impl From<fastlua_bytecode::ReadError> for ReadError {
    fn from(error: fastlua_bytecode::ReadError) -> ReadError {
        ReadError::damaged(error.offset, Damage::Bytecode(error.kind))
    }
}

struct Contents(bool);

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            true => f.write_str(" of the decompressed image"),
            false => Ok(()),
        }
    }
}

/// Why modules do not become an image.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WriteError {
    /// Not NodeMCU's.
    #[error("LFS images of {0} do not exist")]
    Layout(Layout),
    /// A module has another layout than the image.
    #[error("module {0} is for another variant than the image")]
    Mixed(BString),
    /// No modules.
    #[error("an image needs a module")]
    Empty,
    /// Two modules of one name.
    #[error("two modules are named {0}; rename one")]
    Twice(BString),
    /// An invalid name.
    #[error("{0:?} is not a valid module name in an image")]
    Name(BString),
    /// 5.1: a module's main function has upvalues, and the function that finds modules would have to make them.
    #[error(
        "module {0} has upvalues (made by string.dump), which an image of Lua 5.1 can't hold; \
         put its source into the image, or use fast"
    )]
    Upvalues(BString),
    /// More modules than the function that finds them can tell apart.
    #[error("{0} modules, more than the {1} that an image can hold")]
    Modules(usize, usize),
    /// A name of 5.3 by which the chip does not find its module.
    #[error(
        "the chip would not find module {0}: names that begin with __ must come before all others"
    )]
    Hidden(BString),
    /// No address of mapped flash.
    #[error("{0:#x} is not a valid address for an image: it must be a multiple of 4 from {from:#x} to {to:#x}, where flash is mapped",
        from = crate::MAPPED.start(), to = crate::MAPPED.end())]
    Address(u32),
    /// An image of 5.3 for an address.
    #[error(
        "an image of Lua 5.3 has no address: the chip builds its memory when it loads the image"
    )]
    Stream,
    /// It is too long for any region.
    #[error("the image takes {0} bytes, more than the {max} of the largest region", max = crate::LONGEST)]
    Long(usize),
    /// A function can't be written.
    #[error("module {module}: {error}")]
    Function {
        /// The module.
        module: BString,
        /// The function, and why.
        error: fastlua_bytecode::WriteError,
    },
}
