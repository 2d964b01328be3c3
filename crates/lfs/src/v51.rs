//! Images of 5.1 (`lflashimg.c` of nodemcu-firmware): the region's memory itself, word by word.
//!
//! It is what a serial allocator makes: the header, the table of strings, the strings in the order of [`Table`],
//! then the functions, inner ones first, each behind its vectors. Addresses are words counted from the start, and
//! a bitmap behind the memory tells which words are addresses; an image for one address has that added, and no
//! bitmap.

mod memory;
mod read;
mod write;

pub(crate) use memory::relocate;
pub(crate) use read::read;
pub(crate) use write::{strings, write};

use fastlua_bytecode::{Format, Layout};

/// Words of the header: signature, bytes of memory, main function, table of strings, number of strings, words of
/// the table, and two of 0.
const HEADER: usize = 8;
/// Words of a string in front of its text: next in its chain, type and mark, hash, length.
const STRING: usize = 4;
/// Words of a function, `Proto`.
const FUNCTION: usize = 18;
/// Words of a local: name, first and last instruction.
const LOCAL: usize = 3;
/// Type of a string, and the mark of what lies in flash.
const STRING_MARK: u32 = 4 | 0x40 << 8;

/// `FLASH_SIG` with the version of the format.
const SIGNATURE: u32 = 0xfafa_a150;
const ABSOLUTE: u32 = 1;
const INTEGRAL: u32 = 2;
const PACKED: u32 = 4;

const NIL: u32 = 0;
const BOOLEAN: u32 = 1;
const NUMBER: u32 = 3;
const TEXT: u32 = 4;

/// Whether bytes begin as an image for one address does.
pub(crate) fn is_absolute(bytes: &[u8]) -> bool {
    let flags = INTEGRAL | PACKED;
    bytes
        .first_chunk()
        .is_some_and(|word| u32::from_le_bytes(*word) & !flags == SIGNATURE | ABSOLUTE)
}

/// The layout that a signature tells, and whether values take 16 bytes; none where it is no signature.
fn layout(signature: u32) -> Option<(Layout, bool)> {
    let (integer, float, aligned) = match signature & !ABSOLUTE & !SIGNATURE {
        0 => (0, 8, true),
        INTEGRAL => (4, 0, false),
        PACKED => (0, 8, false),
        _ => return None,
    };
    let layout = Layout {
        format: Format::NodeMcu51,
        integer,
        float,
        size_t: 4,
    };
    (signature & SIGNATURE == SIGNATURE).then_some((layout, aligned))
}

/// The signature of an image that may lie anywhere; none where a layout has none.
fn signature(layout: &Layout, aligned: bool) -> Option<u32> {
    let all = [0, INTEGRAL, PACKED].map(|flags| SIGNATURE | flags);
    all.into_iter()
        .find(|signature| self::layout(*signature) == Some((*layout, aligned)))
}

/// Words of a value: its number, and its type; the second is where the type lies.
fn value_words(layout: &Layout, aligned: bool) -> (usize, usize) {
    match (layout.float, aligned) {
        (0, _) => (2, 1),
        (_, false) => (3, 2),
        (_, true) => (4, 2),
    }
}

#[cfg(test)]
mod tests {
    use fastlua_bytecode::{Chunk, Function, PackedLines};

    use crate::{Image, Module, Place};

    /// `luac.cross -f a/net.lua b/net.lua` writes an image, of which the chip finds the first module.
    #[test]
    fn two_modules_of_one_name_are_read() {
        let (layout, aligned) = super::layout(super::SIGNATURE | super::PACKED).unwrap();
        let module = |source: &str| Module {
            name: "net".into(),
            chunk: Chunk {
                layout,
                main: Function {
                    source: Some(source.into()),
                    vararg: 2,
                    max_stack: 2,
                    code: vec![30 | 1 << 23],
                    ..Function::default()
                },
            },
        };
        let image = Image {
            layout,
            place: Place::Anywhere,
            aligned,
            timestamp: 0,
            seed: None,
            modules: vec![module("@a/net.lua"), module("@b/net.lua")],
        };
        let (contents, _) = super::write(&image, &PackedLines::new()).unwrap();
        assert_eq!(super::read(&contents).unwrap().image, image);
        assert!(crate::write(&image).is_err());
    }
}
