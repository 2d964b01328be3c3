//! The bytes of a dump's header, which each format fills in.

use crate::layout::Layout;

/// The bytes of a header, at most 33 of them (stock 5.3 with 64-bit numbers).
pub(crate) struct Header {
    bytes: [u8; 33],
    length: usize,
}

impl Header {
    pub fn new() -> Self {
        Header {
            bytes: [0; 33],
            length: 0,
        }
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }

    /// The float `value` in the layout's width.
    pub fn push_float(&mut self, layout: &Layout, value: f32) {
        match layout.float {
            4 => self.push(&value.to_le_bytes()),
            _ => self.push(&f64::from(value).to_le_bytes()),
        }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// Whether it begins as all bytecode does: with ESC, by which Lua's loaders tell it from source.
pub fn is_bytecode(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0x1b)
}

/// The dump in a file, as `luaL_loadfile` finds it: it may stand behind a byte order mark and a first line that begins
/// with `#`. None where the file is source.
pub fn dump_in(file: &[u8]) -> Option<&[u8]> {
    let mut dump = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    if dump.starts_with(b"#") {
        let end = dump.iter().position(|byte| *byte == b'\n')?;
        dump = &dump[end + 1..];
    }
    is_bytecode(dump).then_some(dump)
}
