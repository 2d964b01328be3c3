//! Which layouts a dump's header stands for.

use crate::cursor::{self, Cursor};
use crate::error::ReadErrorKind;
use crate::layout::{Format, Layout};
use crate::sink::Sink;
use crate::{nodemcu53, puc53, values51};

/// The bytes of a header, at most 33 of them (stock 5.3 with 64-bit numbers).
pub(crate) struct Header {
    bytes: [u8; 33],
    length: usize,
}

impl Header {
    fn of(layout: &Layout) -> Header {
        let mut header = Header {
            bytes: [0; 33],
            length: 0,
        };
        match layout.format {
            Format::NodeMcu51 | Format::Puc51 => values51::header(&mut header, layout),
            Format::NodeMcu53 => nodemcu53::header(&mut header, layout),
            Format::Puc53 => puc53::header(&mut header, layout),
        }
        header
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

/// The layouts whose header `bytes` begins with; only the header is looked at. None where it is no dump
/// of Lua 5.1 or 5.3, or one for another byte order or instruction width. The two 5.1 formats have one
/// header, so that both are listed, NodeMCU's first.
pub fn candidates(bytes: &[u8]) -> Vec<Layout> {
    Layout::all()
        .filter(|layout| bytes.starts_with(Header::of(layout).bytes()))
        .collect()
}

pub(crate) fn read_header(cursor: &mut Cursor, layout: &Layout) -> cursor::Result<()> {
    let header = Header::of(layout);
    let wanted = header.bytes();
    let found = cursor.dump();
    match wanted
        .iter()
        .zip(found)
        .position(|(wanted, found)| wanted != found)
    {
        Some(offset) => {
            let found = candidates(found);
            cursor.fail(
                offset,
                ReadErrorKind::Header {
                    expected: *layout,
                    found,
                },
            )
        }
        None => cursor.take("header", wanted.len()).map(drop),
    }
}

pub(crate) fn write_header(sink: &mut Sink, layout: &Layout) {
    sink.bytes(Header::of(layout).bytes());
}
