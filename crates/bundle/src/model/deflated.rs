//! Deflated source: a word with the bytes of the text, and a deflate stream of it for the window that the chip has.

use fastlua_firmware::deflate::{Memory, inflate, smallest, stored};

/// Bytes of the word.
const WORD: usize = 4;

/// `FAST_WINDOW`: the bytes of text that the chip remembers.
pub(crate) const WINDOW: usize = 2048;

/// Windows of the compressor that are tried, as powers of 2: the chip's, and for short texts larger ones, if no copy comes
/// from farther than the chip's window.
fn tried(text: &[u8]) -> std::ops::RangeInclusive<i32> {
    const SHORT: usize = 32 << 10;
    match text.len() <= SHORT {
        true => 11..=13,
        false => 11..=11,
    }
}

const MEMORY: Memory = Memory {
    window: WINDOW,
    first: true,
};

/// Why bytes are not deflated source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InflateError {
    /// They end within the word.
    #[error("ends before the length of the text")]
    Short,
    /// The stream has a fault.
    #[error("at byte {offset}: {what}")]
    Stream {
        /// Where.
        offset: usize,
        /// Its kind.
        what: &'static str,
    },
    /// The text has another length than the word says.
    #[error("the text should have {said} bytes, but has {have}")]
    Length {
        /// The length in the word.
        said: usize,
        /// The real length.
        have: usize,
    },
    /// Bytes follow the stream.
    #[error("trailing bytes")]
    More,
}

/// A text as the chip inflates it; none if the compressor fails, or the text has 4 GiB or more.
pub(crate) fn deflated(text: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(text.len()).ok()?;
    let stream = smallest(text, tried(text), MEMORY).or_else(|| stored(text))?;
    let bytes = [&length.to_le_bytes()[..], &stream].concat();
    (inflated(&bytes).as_deref() == Ok(text)).then_some(bytes)
}

/// The text of a deflated source, exactly if the chip would compile the same.
///
/// # Errors
/// The chip would find it damaged.
pub fn inflated(bytes: &[u8]) -> Result<Vec<u8>, InflateError> {
    let (length, stream) = bytes.split_at_checked(WORD).ok_or(InflateError::Short)?;
    let said = length_of(length);
    let (text, end) = inflate(stream, said, MEMORY).map_err(|(at, what)| InflateError::Stream {
        offset: WORD + at,
        what,
    })?;
    let have = text.len();
    match end == stream.len() {
        _ if have != said => Err(InflateError::Length { said, have }),
        false => Err(InflateError::More),
        true => Ok(text),
    }
}

/// Bytes of the window with which the chip inflates this.
pub(crate) fn window(bytes: &[u8]) -> usize {
    let length = bytes.first_chunk::<WORD>();
    length.map_or(0, |length| length_of(length).clamp(1, WINDOW))
}

fn length_of(word: &[u8]) -> usize {
    word.iter()
        .rev()
        .fold(0, |n, byte| n << 8 | usize::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_back_and_its_parts_do_not() {
        for text in [&b""[..], b"x", b"local a,b,c,a,b,c=1,1,1,1", &[0x80; 5000]] {
            let bytes = deflated(text).unwrap();
            assert_eq!(inflated(&bytes).as_deref(), Ok(text));
            assert_eq!(window(&bytes), text.len().clamp(1, 2048));
            for end in 0..bytes.len() {
                assert!(inflated(&bytes[..end]).is_err(), "{end} of {text:?}");
            }
            let more = [&bytes[..], b"\0"].concat();
            assert_eq!(inflated(&more), Err(InflateError::More));
        }
    }

    #[test]
    fn another_length_is_told() {
        let mut bytes = deflated(b"return 1").unwrap();
        bytes[0] += 1;
        let error = inflated(&bytes).unwrap_err();
        assert_eq!(error, InflateError::Length { said: 9, have: 8 });
        bytes[0] -= 2;
        assert!(matches!(inflated(&bytes), Err(InflateError::Stream { .. })));
    }
}
