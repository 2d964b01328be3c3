//! The one place that calls into C: a compiled-in Lua core, run on one input.

#![allow(unsafe_code)]

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int, c_void};

use fastlua_bytecode::{Layout, LineNote, NumberModel};

type Sink = unsafe extern "C" fn(*mut c_void, *const c_void, usize);
type Run = unsafe extern "C" fn(
    *const c_char,
    *const c_char,
    usize,
    usize,
    c_int,
    *mut c_char,
    usize,
    Sink,
    *mut c_void,
) -> c_int;

/// Bytes in which most runs have room.
const ROOM: usize = 256 << 10;

thread_local! {
    /// Memory that runs use one after another. Its elements have the alignment of malloc.
    static MEMORY: RefCell<Vec<u128>> = const { RefCell::new(Vec::new()) };
}

include!(concat!(env!("OUT_DIR"), "/cores.rs"));

/// A vendored Lua core with one number model. Every run makes a Lua state of its own, so a
/// core may be used by any number of threads at once.
#[derive(Clone, Copy)]
pub(crate) struct Core {
    run: Run,
    /// Layout of the dumps that the core writes and loads.
    pub(crate) layout: Layout,
}

/// What a run is to give, as `core.c` numbers it.
enum Wanted {
    Dump = 0,
    Cost = 1,
    Lines = 2,
}

/// What Lua said instead of a dump.
pub(crate) struct Refused {
    /// Lua's status code: 3 a syntax error, 4 out of memory, in both versions.
    pub(crate) status: i32,
    pub(crate) message: Vec<u8>,
}

impl Core {
    /// The core with the number model of `layout`, if there is one.
    pub(crate) fn of(layout: &Layout) -> Option<Core> {
        let numbers = layout.numbers();
        let place = NumberModel::ALL
            .iter()
            .position(|model| *model == numbers)?;
        Some(Core {
            run: CORES[place],
            layout: Layout::stock(numbers, size_of::<usize>() as u8),
        })
    }

    /// Loads source or a dump and returns the unstripped dump. `heap_limit` is in bytes.
    pub(crate) fn run(
        &self,
        name: &CStr,
        input: &[u8],
        heap_limit: usize,
    ) -> Result<Vec<u8>, Refused> {
        self.call(name, input, heap_limit, Wanted::Dump)
    }

    /// Loads source or a dump, and returns the blocks that were asked for, bytes at the peak, and
    /// bytes kept.
    pub(crate) fn load_cost(
        &self,
        name: &CStr,
        input: &[u8],
        heap_limit: usize,
    ) -> Result<[isize; 3], Refused> {
        let bytes = self.call(name, input, heap_limit, Wanted::Cost)?;
        let mut words = bytes.chunks_exact(size_of::<isize>()).map(|word| {
            let mut bytes = [0; size_of::<isize>()];
            bytes.copy_from_slice(word);
            isize::from_ne_bytes(bytes)
        });
        Ok([(); 3].map(|()| words.next().unwrap_or_default()))
    }

    /// Compiles source and returns, for each function, outer ones first, every line that the compiler gave
    /// an instruction, in the order in which it did.
    pub(crate) fn lines(
        &self,
        name: &CStr,
        input: &[u8],
        heap_limit: usize,
    ) -> Result<Vec<Vec<LineNote>>, Refused> {
        let bytes = self.call(name, input, heap_limit, Wanted::Lines)?;
        Ok(sort_lines(&bytes))
    }

    fn call(
        &self,
        name: &CStr,
        input: &[u8],
        heap_limit: usize,
        wanted: Wanted,
    ) -> Result<Vec<u8>, Refused> {
        let mut output = Vec::with_capacity(input.len());
        let status = MEMORY.with_borrow_mut(|memory| {
            memory.reserve_exact(ROOM / size_of::<u128>());
            // SAFETY: the pointers are valid for the call, which keeps none of them; `memory` has room for as many bytes and
            // is borrowed until the call ends; `collect` is the only user of `ud`; Lua's errors (longjmp) start and end
            // inside the C function, since `collect` does not call back into Lua and never unwinds.
            unsafe {
                (self.run)(
                    name.as_ptr(),
                    input.as_ptr().cast(),
                    input.len(),
                    heap_limit,
                    wanted as c_int,
                    memory.as_mut_ptr().cast(),
                    ROOM,
                    collect,
                    (&raw mut output).cast(),
                )
            }
        });
        match status {
            0 => Ok(output),
            status => Err(Refused {
                status,
                message: output,
            }),
        }
    }
}

/// The lines of each function, from what `core.c` hands over: the functions' addresses up to a null, then
/// address, pc and line of each note.
fn sort_lines(bytes: &[u8]) -> Vec<Vec<LineNote>> {
    const ADDRESS: usize = size_of::<usize>();
    let end = bytes
        .chunks_exact(ADDRESS)
        .position(|address| address == [0; ADDRESS])
        .unwrap_or_default();
    let (functions, notes) = bytes.split_at(end * ADDRESS);
    let numbers: HashMap<&[u8], usize> = functions.chunks_exact(ADDRESS).zip(0..).collect();
    let mut lines = vec![Vec::new(); numbers.len()];
    for note in notes
        .get(ADDRESS..)
        .unwrap_or_default()
        .chunks_exact(ADDRESS + 8)
    {
        let (function, note) = note.split_at(ADDRESS);
        let int = |bytes: &[u8]| i32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        if let Some(&number) = numbers.get(function) {
            lines[number].push(LineNote {
                pc: int(note) as u32,
                line: int(&note[4..]),
            });
        }
    }
    lines
}

unsafe extern "C" fn collect(ud: *mut c_void, p: *const c_void, n: usize) {
    // SAFETY: `ud` is the vector that `Core::run` passed; the core hands over n > 0 readable bytes.
    let (output, bytes) = unsafe {
        (
            &mut *ud.cast::<Vec<u8>>(),
            std::slice::from_raw_parts(p.cast::<u8>(), n),
        )
    };
    output.extend_from_slice(bytes);
}
