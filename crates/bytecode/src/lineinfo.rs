//! NodeMCU's packed line info: runs of `[delta] count` from line 0 on, ended by a zero byte.
//!
//! A count byte is the number of instructions of one line. Without a delta the line goes up by one. A
//! delta is `1s nnnnnn`, then `1 nnnnnnn` for more bits, low bits first: the line moves by n + 2 where s
//! is 0, by -n where it is 1. A run that fills its count goes on with delta 0. 5.1 and 5.3 differ in
//! the highest count only.
//!
//! NodeMCU's own compilers split runs before they are full, and give wrong lines, even negative ones
//! (`reference_lines.rs`). All of it reads; [`write`](crate::write) gives the shortest form.

use crate::cursor::{self, Cursor};
use crate::debug::check_lines;
use crate::error::ReadErrorKind;
use crate::layout::Format;
use crate::model::Function;
use crate::sink::{self, Sink};

/// Highest count byte in 5.1, where `7F` is a filler.
pub const FULL_51: u8 = 126;
/// Highest count byte in 5.3.
pub(crate) const FULL_53: u8 = 127;

/// Mark of a byte of a delta.
pub(crate) const DELTA: u8 = 0x80;
/// Mark of a move back, in the first byte of a delta.
pub(crate) const BACK: u8 = 0x40;

/// The lines of `code` instructions, packed in `length` bytes; no lines where that is 0. `full` is the highest
/// count byte.
pub fn read_lines(
    cursor: &mut Cursor,
    length: usize,
    code: usize,
    full: u8,
) -> cursor::Result<Vec<i32>> {
    if length == 0 {
        return Ok(Vec::new());
    }
    let end = cursor.offset() + length;
    let mut runs = Runs { line: 0, end, full };
    let mut run = (0, 0);
    let start = cursor.offset();
    let mut covered = 0;
    let lines = cursor.list(code, |cursor, index| {
        if run.1 == 0 {
            run = runs.read(cursor)?.ok_or_else(|| {
                cursor.error(start, ReadErrorKind::LineCount { lines: index, code })
            })?;
            covered += usize::from(run.1);
        }
        run.1 -= 1;
        Ok(run.0)
    })?;
    if covered != code || code == 0 {
        return cursor.fail(
            start,
            ReadErrorKind::LineCount {
                lines: covered,
                code,
            },
        );
    }
    match runs.read(cursor)? {
        None => {
            cursor.note_line_info(start);
            Ok(lines)
        }
        Some((_, count)) => {
            let lines = covered + usize::from(count);
            cursor.fail(start, ReadErrorKind::LineCount { lines, code })
        }
    }
}

/// The line info of `function`, without its length.
pub(crate) fn pack_lines(sink: &Sink, function: &Function, full: u8) -> sink::Result<Vec<u8>> {
    check_lines(sink, function)?;
    Ok(match sink.line_info() {
        Some(packed) if !function.lines.is_empty() => packed.clone(),
        _ => pack(&function.lines, full),
    })
}

fn pack(lines: &[i32], full: u8) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut line = 0;
    for run in lines.chunk_by(|a, b| a == b) {
        for part in run.chunks(full.into()) {
            let next = i64::from(run[0]);
            pack_delta(&mut packed, next - line);
            packed.push(part.len() as u8);
            line = next;
        }
    }
    if !lines.is_empty() {
        packed.push(0);
    }
    packed
}

/// Line info as the core holds it once a function is loaded: packed by NodeMCU's cores, a
/// little-endian `int` for each instruction in stock Lua; none where it is stripped.
pub fn line_info(format: Format, function: &Function) -> Vec<u8> {
    let lines = &function.lines;
    match format {
        Format::NodeMcu51 => pack(lines, FULL_51),
        Format::NodeMcu53 => pack(lines, FULL_53),
        Format::Puc51 | Format::Puc53 => lines.iter().flat_map(|l| l.to_le_bytes()).collect(),
    }
}

/// The place in the packed bytes, which end at offset `end`.
struct Runs {
    line: i64,
    end: usize,
    full: u8,
}

impl Runs {
    /// The next line and its count, or none at the final zero.
    fn read(&mut self, cursor: &mut Cursor) -> cursor::Result<Option<(i32, u8)>> {
        let start = cursor.offset();
        let mut byte = self.byte(cursor)?;
        if byte == 0 {
            return match cursor.offset() == self.end {
                true => Ok(None),
                false => cursor.fail(start, ReadErrorKind::LineEnd),
            };
        }
        let mut delta = 1;
        if byte & DELTA != 0 {
            let back = byte & BACK != 0;
            (delta, byte) = self.delta(cursor, byte)?;
            delta = if back { -delta } else { delta + 2 };
        }
        if byte == 0 || byte > self.full {
            return cursor.fail(cursor.offset() - 1, ReadErrorKind::LineRun(byte));
        }
        self.line += delta;
        match i32::try_from(self.line) {
            Ok(line) => Ok(Some((line, byte))),
            Err(_) => cursor.fail(start, ReadErrorKind::Line(self.line)),
        }
    }

    /// The n of the delta that begins with `first`, and the byte behind it.
    fn delta(&self, cursor: &mut Cursor, first: u8) -> cursor::Result<(i64, u8)> {
        const WHAT: &str = "line delta";
        let start = cursor.offset() - 1;
        let mut n = i64::from(first & 0x3f);
        let mut last = None;
        let mut shift = 6;
        loop {
            let byte = self.byte(cursor)?;
            if byte & DELTA == 0 {
                return match last {
                    Some(DELTA) => cursor.fail(start, ReadErrorKind::Overlong { what: WHAT }),
                    _ => Ok((n, byte)),
                };
            }
            if shift > 31 {
                return cursor.fail(start, ReadErrorKind::Range { what: WHAT });
            }
            n |= i64::from(byte & 0x7f) << shift;
            shift += 7;
            last = Some(byte);
        }
    }

    fn byte(&self, cursor: &mut Cursor) -> cursor::Result<u8> {
        if cursor.offset() == self.end {
            return cursor.fail(self.end - 1, ReadErrorKind::LineEnd);
        }
        cursor.byte("line info")
    }
}

pub(crate) fn pack_delta(packed: &mut Vec<u8>, delta: i64) {
    if delta == 1 {
        return;
    }
    let (sign, mut n) = if delta > 0 {
        (0, delta - 2)
    } else {
        (BACK, -delta)
    };
    packed.push(DELTA | sign | (n & 0x3f) as u8);
    n >>= 6;
    while n > 0 {
        packed.push(DELTA | (n & 0x7f) as u8);
        n >>= 7;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(packed: &[u8], code: usize) -> Result<Vec<i32>, ReadErrorKind> {
        let mut cursor = Cursor::keeping(packed);
        read_lines(&mut cursor, packed.len(), code, FULL_51).map_err(|error| error.kind)
    }

    #[test]
    fn lines_come_back() {
        let (min, max) = (i32::MIN, i32::MAX);
        let lines = [
            1, 1, 2, 1, 1, 66, 67, 133, 70, 6, 9000, 800, 0, 0, max, 0, max, 1, -1, -130, 2, min,
            max,
        ];
        for full in [FULL_51, FULL_53] {
            let packed = pack(&lines, full);
            let mut cursor = Cursor::keeping(&packed);
            assert_eq!(
                read_lines(&mut cursor, packed.len(), lines.len(), full).unwrap(),
                lines
            );
            assert_eq!(cursor.left(), 0);
        }
    }

    #[test]
    fn the_form_is_the_shortest() {
        assert_eq!(pack(&[1, 1, 1], FULL_51), [3, 0]);
        assert_eq!(pack(&[1, 2, 4, 3], FULL_51), [1, 1, 0x80, 1, 0xc1, 1, 0]);
        assert_eq!(pack(&[67], FULL_51), [0x80 | 1, 0x81, 1, 0]);
        assert_eq!(pack(&[5; 130], FULL_51), [0x83, 126, 0xc0, 4, 0]);
        assert_eq!(pack(&[5; 130], FULL_53), [0x83, 127, 0xc0, 3, 0]);
        assert_eq!(pack(&[0], FULL_53), [0xc0, 1, 0]);
        assert!(pack(&[], FULL_51).is_empty());
    }

    #[test]
    fn a_split_run_reads() {
        assert_eq!(read(&[1, 0xc0, 1, 0], 2), Ok(vec![1, 1]));
    }

    #[test]
    fn damage_is_refused() {
        use ReadErrorKind::*;
        assert_eq!(read(&[2], 2), Err(LineEnd));
        assert_eq!(read(&[1, 0, 0], 1), Err(LineEnd));
        assert_eq!(read(&[0x81], 1), Err(LineEnd));
        assert_eq!(read(&[0], 0), Err(LineCount { lines: 0, code: 0 }));
        assert_eq!(read(&[1, 0], 2), Err(LineCount { lines: 1, code: 2 }));
        assert_eq!(read(&[3, 0], 2), Err(LineCount { lines: 3, code: 2 }));
        assert_eq!(read(&[1, 1, 0], 1), Err(LineCount { lines: 2, code: 1 }));
        assert_eq!(read(&[127, 0], 127), Err(LineRun(127)));
        assert_eq!(read(&[0x81, 0], 1), Err(LineRun(0)));
        assert_eq!(
            read(&[0x81, 0x80, 1, 0], 1),
            Err(Overlong { what: "line delta" })
        );
        let high = [0xbf, 0xff, 0xff, 0xff, 0xff, 1, 0];
        assert!(matches!(read(&high, 1), Err(Line(line)) if line > 1 << 31));
        let low = [0xff, 0xff, 0xff, 0xff, 0xff, 1, 0];
        assert!(matches!(read(&low, 1), Err(Line(line)) if line < -1 << 31));
        let endless = [0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0];
        assert_eq!(read(&endless, 1), Err(Range { what: "line delta" }));
    }
}
