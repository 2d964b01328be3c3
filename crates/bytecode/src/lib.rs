//! The chunk model, its codecs, strip levels and listing.

mod codec;
mod compare;
mod cursor;
mod debug;
mod error;
mod header;
mod layout;
mod lineinfo;
mod listing;
mod model;
mod nodemcu51;
mod nodemcu53;
mod number;
mod number_model;
mod opcodes;
pub mod packed;
mod printable;
mod puc51;
mod puc53;
mod reference_lines;
mod sink;
mod strip;
mod values51;
mod values53;
mod varint;

/// The parts of the codecs, for other containers of functions than dumps.
pub mod stream {
    pub use crate::cursor::Cursor;
    pub use crate::lineinfo::{FULL_51, read_lines};
    pub use crate::nodemcu53::{
        image_header, read_functions, read_string, write_functions, write_string,
    };
    pub use crate::sink::Sink;
    pub use crate::varint::{read_typed, read_varint, write_typed, write_varint};
}

pub use codec::{
    candidates, packed_lines, read, read_any, read_once, reference_lines, write, write_as_loaded,
    write_as_reference,
};
pub use compare::{Difference, List, Part, compare};
pub use error::{ReadError, ReadErrorKind, WriteError, WriteErrorKind};
pub use header::{dump_in, is_bytecode};
pub use layout::{Format, Layout};
pub use lineinfo::line_info;
pub use listing::instruction_text;
pub use model::{
    Chunk, Constant, Function, FunctionPath, Local, MAX_NESTING, PackedLines, Upvalue,
};
pub use number_model::{Dialect, NumberModel};
pub use opcodes::{Instruction, Mode, Op, Opcode, Operand, opcodes, rk_constant};
pub use printable::{is_obeyed, printable, printable_name};
pub use reference_lines::{LineNote, reference_line_info};
pub use strip::Strip;
