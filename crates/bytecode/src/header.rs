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
