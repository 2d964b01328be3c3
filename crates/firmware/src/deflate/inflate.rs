//! Inflate, as strict as a chip's.
//!
//! It is not the other half of the crate that compresses, so that a stream is not proved by what made it.

use super::Memory;

/// What is wrong, and at which byte of the input.
pub type Wrong = (usize, &'static str);

/// The order in which lengths of the codes of lengths are given.
const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// Inflates a whole deflate stream of up to `limit` bytes with a chip's window. Also gives the end of the stream.
///
/// # Errors
/// An invalid stream, or one that the chip could not inflate.
pub fn inflate(bytes: &[u8], limit: usize, memory: Memory) -> Result<(Vec<u8>, usize), Wrong> {
    let mut inflater = Inflater {
        bytes,
        at: 0,
        held: 0,
        count: 0,
        out: Vec::new(),
        limit,
        memory,
    };
    loop {
        let last = inflater.bits(1)? == 1;
        match inflater.bits(2)? {
            0 => inflater.stored()?,
            1 => inflater.block(&Code::fixed_lengths(), &Code::fixed_distances())?,
            2 => {
                let (lengths, distances) = inflater.codes()?;
                inflater.block(&lengths, &distances)?;
            }
            _ => return inflater.wrong("invalid block type"),
        }
        if last {
            break;
        }
    }
    if inflater.held != 0 {
        return inflater.wrong("the bits after the compressed data are not 0");
    }
    Ok((inflater.out, inflater.at))
}

struct Inflater<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Bits of the last byte that are not used yet.
    held: u32,
    count: u32,
    out: Vec<u8>,
    limit: usize,
    memory: Memory,
}

impl Inflater<'_> {
    fn wrong<T>(&self, what: &'static str) -> Result<T, Wrong> {
        Err((self.at.saturating_sub(1), what))
    }

    fn bits(&mut self, count: u32) -> Result<u32, Wrong> {
        while self.count < count {
            let Some(byte) = self.bytes.get(self.at) else {
                return Err((self.at, "the compressed data ends too early"));
            };
            self.held |= u32::from(*byte) << self.count;
            self.count += 8;
            self.at += 1;
        }
        let bits = self.held & ((1 << count) - 1);
        self.held >>= count;
        self.count -= count;
        Ok(bits)
    }

    fn push(&mut self, byte: u8) -> Result<(), Wrong> {
        if self.out.len() == self.limit {
            return self.wrong("the contents are too long");
        }
        self.out.push(byte);
        Ok(())
    }

    fn stored(&mut self) -> Result<(), Wrong> {
        if self.held != 0 {
            return self.wrong("the bits before a stored block are not 0");
        }
        self.count = 0;
        let length = self.bits(16)?;
        if self.bits(16)? != !length & 0xffff {
            return self.wrong("wrong length of a stored block");
        }
        for _ in 0..length {
            let byte = self.bits(8)? as u8;
            self.push(byte)?;
        }
        Ok(())
    }

    fn symbol(&mut self, code: &Code) -> Result<usize, Wrong> {
        let (mut value, mut first, mut index) = (0, 0, 0);
        for &count in &code.counts[1..] {
            value |= self.bits(1)? as usize;
            if value < first + count {
                return Ok(code.symbols[index + value - first]);
            }
            index += count;
            first = (first + count) << 1;
            value <<= 1;
        }
        self.wrong("invalid code")
    }

    fn codes(&mut self) -> Result<(Code, Code), Wrong> {
        let literals = self.bits(5)? as usize + 257;
        let distances = self.bits(5)? as usize + 1;
        let given = self.bits(4)? as usize + 4;
        if literals > 286 || distances > 30 {
            return self.wrong("too many codes");
        }
        let mut lengths = [0; 19];
        for &place in &ORDER[..given] {
            lengths[place] = self.bits(3)? as u8;
        }
        let code = self.code(&lengths, false)?;
        let mut lengths = Vec::new();
        while lengths.len() < literals + distances {
            let (length, times) = match self.symbol(&code)? {
                16 => match lengths.last() {
                    Some(&last) => (last, 3 + self.bits(2)?),
                    None => return self.wrong("a code length is repeated before the first"),
                },
                17 => (0, 3 + self.bits(3)?),
                18 => (0, 11 + self.bits(7)?),
                length => (length as u8, 1),
            };
            lengths.extend((0..times).map(|_| length));
        }
        if lengths.len() > literals + distances {
            return self.wrong("more code lengths than codes");
        }
        if lengths[256] == 0 {
            return self.wrong("no end-of-block code");
        }
        let (literals, distances) = lengths.split_at(literals);
        Ok((self.code(literals, false)?, self.code(distances, true)?))
    }

    /// A code of these lengths. One of distances may be empty, or have one symbol.
    fn code(&self, lengths: &[u8], few: bool) -> Result<Code, Wrong> {
        let code = Code::new(lengths);
        let mut left = 1i32;
        for &count in &code.counts[1..] {
            left = (left << 1) - count as i32;
            if left < 0 {
                return self.wrong("oversubscribed code lengths");
            }
        }
        let allowed =
            few && (code.symbols.is_empty() || code.counts[1] == 1 && code.symbols.len() == 1);
        match left == 0 || allowed {
            true => Ok(code),
            false => self.wrong("bits that match no code"),
        }
    }

    fn block(&mut self, literals: &Code, distances: &Code) -> Result<(), Wrong> {
        loop {
            let symbol = self.symbol(literals)?;
            if let Ok(byte) = u8::try_from(symbol) {
                self.push(byte)?;
                continue;
            }
            if symbol == 256 {
                return Ok(());
            }
            let length = match symbol - 257 {
                28 => 258,
                n @ 0..8 => n + 3,
                n @ 8..28 => {
                    let bits = n as u32 / 4 - 1;
                    3 + ((4 + n % 4) << bits) + self.bits(bits)? as usize
                }
                _ => return self.wrong("invalid length code"),
            };
            let distance = match self.symbol(distances)? {
                n @ 0..4 => n + 1,
                n @ 4..30 => {
                    let bits = n as u32 / 2 - 1;
                    1 + ((2 + n % 2) << bits) + self.bits(bits)? as usize
                }
                _ => return self.wrong("invalid distance code"),
            };
            self.copy(length, distance)?;
        }
    }

    fn copy(&mut self, length: usize, distance: usize) -> Result<(), Wrong> {
        if distance > self.memory.window {
            return self.wrong("a distance beyond the chip's window");
        }
        let lost = usize::from(!self.memory.first);
        for _ in 0..length {
            if distance + lost > self.out.len() {
                return self.wrong(
                    "a distance to before the contents, or to a first byte outside of the chip's window",
                );
            }
            let byte = self.out[self.out.len() - distance];
            self.push(byte)?;
        }
        Ok(())
    }
}

/// A code: how many symbols there are of each length, and the symbols by their codes.
struct Code {
    counts: [usize; 16],
    symbols: Vec<usize>,
}

impl Code {
    fn new(lengths: &[u8]) -> Code {
        let mut counts = [0; 16];
        let mut symbols = Vec::new();
        for length in 1..16u8 {
            let before = symbols.len();
            let of_it = lengths.iter().enumerate().filter(|(_, l)| **l == length);
            symbols.extend(of_it.map(|(symbol, _)| symbol));
            counts[usize::from(length)] = symbols.len() - before;
        }
        Code { counts, symbols }
    }

    fn fixed_lengths() -> Code {
        let mut lengths = [8; 288];
        lengths[144..256].fill(9);
        lengths[256..280].fill(7);
        Code::new(&lengths)
    }

    fn fixed_distances() -> Code {
        Code::new(&[5; 32])
    }
}
