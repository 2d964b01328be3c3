//! Deflate, as small as it gets.

use std::ops::RangeInclusive;

use zlib_rs::{DeflateConfig, Method, ReturnCode, Strategy, compress_bound, compress_slice};

use super::{Memory, inflate};

/// Sizes of the compressor's memory that are tried, which tell how long blocks are: each has codes of its own. The
/// shortest outcome is taken.
const TRIED: RangeInclusive<i32> = 5..=9;

/// The shortest stream of these contents that a chip inflates. Tried are windows of the compressor of 2 to the power of each
/// of `windows`, from 9 to 15; a larger one than the chip's may do for short contents. None if there is no such stream.
pub fn smallest(contents: &[u8], windows: RangeInclusive<i32>, memory: Memory) -> Option<Vec<u8>> {
    let each = windows.flat_map(|window| TRIED.map(move |size| (window, size)));
    let streams = each.filter_map(|(window, size)| deflate(contents, 9, window, size));
    let mut streams: Vec<Vec<u8>> = streams.collect();
    streams.sort_by_key(Vec::len);
    // what the chip would not inflate is left out
    let right = |stream: &Vec<u8>| {
        inflate(stream, contents.len(), memory)
            .is_ok_and(|(bytes, end)| bytes == contents && end == stream.len())
    };
    streams.into_iter().find(right)
}

/// A stream of these contents as they are. None if the compressor fails.
pub fn stored(contents: &[u8]) -> Option<Vec<u8>> {
    deflate(contents, 0, 14, 8)
}

fn deflate(contents: &[u8], level: i32, window: i32, memory: i32) -> Option<Vec<u8>> {
    let config = DeflateConfig {
        level,
        method: Method::Deflated,
        // negative: without a header
        window_bits: -window,
        mem_level: memory,
        strategy: Strategy::Default,
    };
    let mut room = vec![0; compress_bound(contents.len()) + 1024];
    match compress_slice(&mut room, contents, config) {
        (bytes, ReturnCode::Ok) => Some(bytes.to_vec()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pseudorandom numbers below a limit.
    fn numbers(mut state: u32) -> impl FnMut(u32) -> u32 {
        move |limit| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) % limit
        }
    }

    #[test]
    fn what_is_compressed_comes_back() {
        let mut below = numbers(7);
        for window in [256, 2048, 16_384] {
            let memory = Memory {
                window,
                first: window != 16_384,
            };
            for length in [0, 1, 2, 200, 3000, 40_000] {
                // words of few bits: matches of every distance
                let mut contents: Vec<u8> = (0..length).map(|_| below(3) as u8).collect();
                contents.extend([7; 400]);
                let copy = contents.len().min(17_000);
                contents.extend_from_within(contents.len() - copy..);
                let stream = smallest(&contents, 9..=14, memory);
                let stream = stream.or_else(|| stored(&contents)).unwrap();
                let back = inflate(&stream, contents.len(), memory);
                assert_eq!(back, Ok((contents, stream.len())));
            }
        }
    }

    #[test]
    fn a_window_is_kept_to() {
        let mut below = numbers(8);
        let contents: Vec<u8> = (0..3000).map(|_| below(256) as u8).collect();
        let twice = [&contents[..], &contents].concat();
        let far = deflate(&twice, 9, 15, 9).unwrap();
        let memory = |window| Memory {
            window,
            first: true,
        };
        assert!(inflate(&far, twice.len(), memory(3000)).is_ok());
        let (_, what) = inflate(&far, twice.len(), memory(2999)).unwrap_err();
        assert!(what.contains("window"), "{what}");
        let near = smallest(&twice, 9..=15, memory(2048)).unwrap();
        assert!(near.len() > 6000 && far.len() < 3500);
    }
}
