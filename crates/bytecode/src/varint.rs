//! The variable-length numbers of NodeMCU 5.3: 7 bits a byte, most significant group first, the top bit
//! set on all but the last. A typed one holds a type in bits 4 to 6 of its first byte.

use crate::cursor::{self, Cursor};
use crate::error::ReadErrorKind;
use crate::sink::Sink;

/// A number up to 2^31 - 1, in 5 bytes at most.
pub fn read_varint(cursor: &mut Cursor, what: &'static str) -> cursor::Result<u32> {
    let start = cursor.offset();
    let mut byte = cursor.byte(what)?;
    if byte == 0x80 {
        return cursor.fail(start, ReadErrorKind::Overlong { what });
    }
    let mut value = u32::from(byte & 0x7f);
    while byte & 0x80 != 0 {
        byte = cursor.byte(what)?;
        if value > i32::MAX as u32 >> 7 {
            return cursor.fail(start, ReadErrorKind::Range { what });
        }
        value = value << 7 | u32::from(byte & 0x7f);
    }
    Ok(value)
}

/// `value` is at most 2^31 - 1.
pub fn write_varint(sink: &mut Sink, value: u32) {
    let last = groups(value.into()) - 1;
    write_groups(sink, value.into(), last);
    sink.byte(value as u8 & 0x7f);
}

/// The type, in bits 4 to 6, and a number up to `limit`, which is one less than a power of two.
pub fn read_typed(
    cursor: &mut Cursor,
    what: &'static str,
    limit: u64,
) -> cursor::Result<(u8, u64)> {
    let start = cursor.offset();
    let first = cursor.byte(what)?;
    let mut value = u64::from(first & 0x0f);
    let mut byte = first;
    while byte & 0x80 != 0 {
        byte = cursor.byte(what)?;
        // A first byte without value is there only for a group that fills more than its 4 bits.
        if value == 0 && byte & 0x7f < 0x10 {
            return cursor.fail(start, ReadErrorKind::Overlong { what });
        }
        if value > limit >> 7 {
            return cursor.fail(start, ReadErrorKind::Range { what });
        }
        value = value << 7 | u64::from(byte & 0x7f);
    }
    Ok((first & 0x70, value))
}

/// `kind` has bits 4 to 6 only.
pub fn write_typed(sink: &mut Sink, kind: u8, value: u64) {
    let mut after = groups(value) - 1;
    let leading = (value >> (7 * after)) as u8;
    if leading < 0x10 {
        let more = if after > 0 { 0x80 } else { 0 };
        sink.byte(more | kind | leading);
    } else {
        sink.byte(0x80 | kind);
        after += 1;
    }
    if after > 0 {
        write_groups(sink, value, after - 1);
        sink.byte(value as u8 & 0x7f);
    }
}

/// How many groups of 7 bits `value` takes, at least 1.
fn groups(value: u64) -> u32 {
    (64 - value.leading_zeros()).div_ceil(7).max(1)
}

/// The `count` groups above the last.
fn write_groups(sink: &mut Sink, value: u64, count: u32) {
    for group in (1..=count).rev() {
        sink.byte(0x80 | (value >> (7 * group)) as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn varint(value: u32) -> Vec<u8> {
        let mut sink = Sink::default();
        write_varint(&mut sink, value);
        sink.into_bytes()
    }

    fn typed(kind: u8, value: u64) -> Vec<u8> {
        let mut sink = Sink::default();
        write_typed(&mut sink, kind, value);
        sink.into_bytes()
    }

    /// Each power of two with its neighbours.
    fn edges(bits: u32) -> impl Iterator<Item = u64> {
        (0..bits)
            .flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1])
            .chain([(1 << bits) - 1])
    }

    #[test]
    fn varints_come_back() {
        for value in edges(31).map(|value| value as u32) {
            let bytes = varint(value);
            let mut cursor = Cursor::checking(&bytes);
            assert_eq!(read_varint(&mut cursor, "number").unwrap(), value);
            assert_eq!(cursor.left(), 0);
        }
        assert_eq!(varint(300), [0x82, 0x2c]);
        assert_eq!(varint(i32::MAX as u32).len(), 5);
    }

    #[test]
    fn typed_varints_come_back() {
        let limit = i64::MAX as u64;
        for value in edges(63) {
            let bytes = typed(0x40, value);
            let mut cursor = Cursor::checking(&bytes);
            assert_eq!(
                read_typed(&mut cursor, "number", limit).unwrap(),
                (0x40, value)
            );
            assert_eq!(cursor.left(), 0);
        }
        assert_eq!(typed(0x30, 15), [0x3f]);
        assert_eq!(typed(0x30, 16), [0xb0, 0x10]);
        assert_eq!(typed(0x30, 128), [0xb1, 0x00]);
        assert_eq!(typed(0x30, limit).len(), 10);
    }

    #[test]
    fn longer_forms_and_higher_values_are_refused() {
        let read = |bytes: &[u8]| {
            read_varint(&mut Cursor::checking(bytes), "n")
                .unwrap_err()
                .kind
        };
        assert_eq!(read(&[0x80, 0x01]), ReadErrorKind::Overlong { what: "n" });
        assert_eq!(
            read(&[0x88, 0x80, 0x80, 0x80, 0]),
            ReadErrorKind::Range { what: "n" }
        );
        assert_eq!(
            read(&[0x81, 0x80, 0x80, 0x80, 0x80, 0]),
            ReadErrorKind::Range { what: "n" }
        );

        let limit = i32::MAX as u64;
        let read = |bytes: &[u8]| {
            read_typed(&mut Cursor::checking(bytes), "n", limit)
                .unwrap_err()
                .kind
        };
        assert_eq!(read(&[0xb0, 0x0f]), ReadErrorKind::Overlong { what: "n" });
        assert_eq!(
            read(&[0xb0, 0x80, 0x01]),
            ReadErrorKind::Overlong { what: "n" }
        );
        assert_eq!(
            read(&[0xb8, 0x80, 0x80, 0x80, 0]),
            ReadErrorKind::Range { what: "n" }
        );
    }
}
