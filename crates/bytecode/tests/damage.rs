//! Damaged chunks: cut at every length, every bit flipped. Reading them never panics and refuses all that
//! the strict rules can tell. What is refused allocates less than its own length in all; what is read
//! makes no allocation over four times its length.

// The one file that lifts the workspace's lint: a global allocator is an unsafe trait.
#![allow(unsafe_code)]

mod common;

use std::alloc::{GlobalAlloc, Layout as Block, System};
use std::cell::Cell;

use common::golden;
use fastlua_bytecode::{Chunk, Format, Layout, ReadError, read, read_any, write};

thread_local! {
    /// Bytes that this thread has allocated, freed ones included.
    static TOTAL: Cell<usize> = const { Cell::new(0) };
    /// The largest single allocation.
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, block: Block) -> *mut u8 {
        TOTAL.set(TOTAL.get() + block.size());
        LARGEST.set(LARGEST.get().max(block.size()));
        unsafe { System.alloc(block) }
    }

    unsafe fn dealloc(&self, address: *mut u8, block: Block) {
        unsafe { System.dealloc(address, block) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Reads `bytes`, and checks what that allocates.
fn read_counted(bytes: &[u8], layout: &Layout, place: &str) -> Result<Chunk, ReadError> {
    TOTAL.set(0);
    LARGEST.set(0);
    let result = read(bytes, layout);
    let (total, largest, length) = (TOTAL.get(), LARGEST.get(), bytes.len());
    if result.is_err() {
        // An error itself takes a few bytes for the function's path.
        assert!(
            total <= length.max(16),
            "{place}: {total} bytes allocated for {length}"
        );
    }
    assert!(
        largest <= 4 * length,
        "{place}: {largest} bytes at once for {length}"
    );
    result
}

/// The smallest golden chunks of every format, the stock ones made from NodeMCU's.
fn small_chunks(format: Format) -> Vec<(String, Layout, Vec<u8>)> {
    let base = match format {
        Format::NodeMcu51 | Format::Puc51 => Format::NodeMcu51,
        Format::NodeMcu53 | Format::Puc53 => Format::NodeMcu53,
    };
    let mut chunks: Vec<_> = golden()
        .into_iter()
        .filter(|chunk| chunk.layout.format == base && chunk.length < 450)
        .map(|chunk| {
            let bytes = chunk.bytes.expect("small chunks are stored");
            let main = read(&bytes, &chunk.layout).unwrap().main;
            let layout = Layout {
                format,
                ..chunk.layout
            };
            (chunk.name, layout, write(&Chunk { layout, main }).unwrap())
        })
        .collect();
    // A few of each variant and strip level, of all sizes.
    let every = chunks.len() / 24;
    let mut index = 0;
    chunks.retain(|_| {
        index += 1;
        index % every == 0
    });
    assert!(chunks.len() >= 20, "{} chunks", chunks.len());
    chunks
}

/// Bytes of the header; in 5.3 with the upvalue count, which the main function repeats.
fn header_length(layout: &Layout) -> usize {
    match layout.format {
        Format::NodeMcu51 | Format::Puc51 => 12,
        Format::NodeMcu53 => 18 + usize::from(layout.float),
        Format::Puc53 => 18 + usize::from(layout.integer + layout.float),
    }
}

fn check(format: Format) {
    let (mut flips, mut accepted) = (0, 0);
    for (name, layout, bytes) in small_chunks(format) {
        for length in 0..bytes.len() {
            let place = format!("{name} as {layout}, cut at {length}");
            let cut = &bytes[..length];
            let error = read_counted(cut, &layout, &place).expect_err(&place);
            assert!(error.offset <= length, "{place}: {error}");
            check_cut(cut, &bytes, &layout, &place);
        }
        for bit in 0..bytes.len() * 8 {
            let place = format!("{name} as {layout}, bit {bit}");
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            flips += 1;
            let Ok(chunk) = read_counted(&damaged, &layout, &place) else {
                continue;
            };
            accepted += 1;
            assert!(bit / 8 >= header_length(&layout), "{place}: read");
            check_rewritten(&chunk, &damaged, &place);
        }
    }
    println!("{format:?}: {flips} flips, {accepted} read, and come back the same");
}

/// A cut dump is none of another layout either. The one exception: NodeMCU 5.1's without debug data, cut
/// where only its padding makes it longer than stock Lua's, is just that.
fn check_cut(cut: &[u8], bytes: &[u8], layout: &Layout, place: &str) {
    if let Ok(chunk) = read_any(cut) {
        assert_eq!(layout.format, Format::NodeMcu51, "{place}");
        assert_eq!(chunk.layout.format, Format::Puc51, "{place}");
        assert!(chunk.main == read(bytes, layout).unwrap().main, "{place}");
    }
}

/// What is read comes back the same. Three things have several forms, of which one is written: packed line
/// info that splits a run, in NodeMCU's 5.3, whether names of upvalues follow where there are none, and in stock 5.3 the
/// tag of a string constant.
fn check_rewritten(chunk: &Chunk, damaged: &[u8], place: &str) {
    let rewritten = write(chunk).unwrap();
    if rewritten != damaged {
        let shorter = rewritten.len() < damaged.len();
        let mut differing = rewritten.iter().zip(damaged).filter(|(a, b)| a != b);
        let allowed = match chunk.layout.format {
            Format::NodeMcu51 => shorter && !chunk.main.lines.is_empty(),
            Format::NodeMcu53 => shorter || differing.eq([(&0, &1)]),
            Format::Puc51 => false,
            Format::Puc53 => {
                !shorter && differing.all(|(a, b)| matches!((a, b), (4, 20) | (20, 4)))
            }
        };
        assert!(allowed, "{place}");
        assert!(
            read(&rewritten, &chunk.layout).unwrap() == *chunk,
            "{place}"
        );
    }
}

#[test]
fn damaged_nodemcu51() {
    check(Format::NodeMcu51);
}

#[test]
fn damaged_nodemcu53() {
    check(Format::NodeMcu53);
}

#[test]
fn damaged_puc51() {
    check(Format::Puc51);
}

#[test]
fn damaged_puc53() {
    check(Format::Puc53);
}
