//! The vendored Lua compilers, one for each number model, in one process: source to chunk, and a
//! chunk back into a core.
//!
//! Lua 5.1.5 and 5.3.6 come from `fastlua-cores`, unchanged but for two calls in `lcode.c`, which note
//! the lines that it gives instructions. Each of the six cores is one C unit (`csrc/core.c`) whose
//! functions are static, so that they do not clash.

mod core;

use std::ffi::{CStr, CString};

use bstr::{BString, ByteSlice};
use fastlua_bytecode::{
    Chunk, Dialect, Difference, Function, Layout, LineNote, ReadError, WriteError, compare,
    dump_in, read, read_once, write, write_as_loaded,
};

use crate::core::{Core, Refused};

/// Bytes of heap that one compilation or load may take, unless the caller says otherwise.
pub const HEAP_LIMIT: usize = 64 << 20;

/// Why a source did not become a chunk. Displays as Lua prints it, file and line first.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// There is no core with this number model.
    #[error("no vendored core has the number model of {0}")]
    NoCore(Layout),
    /// The chunk name holds a NUL.
    #[error("chunk name {0:?} contains a zero byte")]
    Name(BString),
    /// The input is bytecode.
    #[error("{0}: this is bytecode (it starts with ESC); give the source it was compiled from")]
    Bytecode(BString),
    /// Lua's own message, which begins with file and line.
    #[error("{message}")]
    Lua {
        /// The message.
        message: BString,
        /// The line that it names.
        line: Option<u32>,
    },
    /// The compiler needed more than the limit.
    #[error("{name}: not enough memory: compiling takes more than {limit} bytes of heap")]
    Memory {
        /// Name of the chunk, as Lua would print it.
        name: BString,
        /// The limit in bytes.
        limit: usize,
    },
    /// The core's dump could not be read, a fault of ours.
    #[error("{name}: the compiler's own dump can't be read: {error}")]
    Dump {
        /// Name of the chunk.
        name: BString,
        /// What is wrong with it.
        error: ReadError,
    },
}

/// Compiles `source` with the core that has the number model of `layout`.
///
/// `chunk_name` is what Lua calls the chunk name: `@` and the path for a file. Of the source,
/// what [`loaded_text`] skips does not count. The chunk carries all debug data and has the layout asked for. `heap_limit` is
/// in bytes ([`HEAP_LIMIT`]).
pub fn compile(
    layout: &Layout,
    chunk_name: &[u8],
    source: &[u8],
    heap_limit: usize,
) -> Result<Chunk, CompileError> {
    let core = Core::of(layout).ok_or(CompileError::NoCore(*layout))?;
    let dump = run_compiler(&core, chunk_name, source, heap_limit, Core::run)?;
    let chunk = read_once(&dump, &core.layout).map_err(|error| CompileError::Dump {
        name: shown(chunk_name),
        error,
    })?;
    Ok(Chunk {
        layout: *layout,
        ..chunk
    })
}

impl CompileError {
    /// The line, where the error has one.
    pub fn line(&self) -> Option<u32> {
        match self {
            CompileError::Lua { line, .. } => *line,
            _ => None,
        }
    }

    /// The token that the error stands at, where Lua's message ends with it.
    pub fn near(&self) -> Option<&[u8]> {
        let CompileError::Lua { message, .. } = self else {
            return None;
        };
        let (_, token) = message.split_once_str(" near '")?;
        token.strip_suffix(b"'")
    }
}

/// The first number between colons: Lua's messages begin with `file:line:`.
fn line_of(message: &[u8]) -> Option<u32> {
    let mut parts = message.split(|b| *b == b':').skip(1);
    parts.find_map(|part| part.to_str().ok()?.parse().ok())
}

/// Every line that the compiler gives an instruction of `source` while it compiles it as [`compile`] does,
/// for each function, outer ones first: what [`write_as_reference`](fastlua_bytecode::write_as_reference)
/// wants.
///
/// # Errors
/// Those of [`compile`].
pub fn line_notes(
    layout: &Layout,
    chunk_name: &[u8],
    source: &[u8],
    heap_limit: usize,
) -> Result<Vec<Vec<LineNote>>, CompileError> {
    let core = Core::of(layout).ok_or(CompileError::NoCore(*layout))?;
    run_compiler(&core, chunk_name, source, heap_limit, Core::lines)
}

fn run_compiler<T>(
    core: &Core,
    chunk_name: &[u8],
    source: &[u8],
    heap_limit: usize,
    run: impl Fn(&Core, &CStr, &[u8], usize) -> Result<T, Refused>,
) -> Result<T, CompileError> {
    let name = CString::new(chunk_name).map_err(|_| CompileError::Name(chunk_name.into()))?;
    let text = loaded_text(source);
    if dump_in(source).is_some() {
        return Err(CompileError::Bytecode(shown(chunk_name)));
    }
    run(core, &name, text, heap_limit).map_err(|refused| match refused.status {
        4 => CompileError::Memory {
            name: shown(chunk_name),
            limit: heap_limit,
        },
        _ => {
            let message = complete(refused.message, &shown(chunk_name));
            let line = line_of(&message);
            CompileError::Lua { message, line }
        }
    })
}

/// Lua's message with the chunk's name before it, where Lua gives no place, and without the most of a long token.
fn complete(message: Vec<u8>, name: &BString) -> BString {
    const LONGEST: usize = 300;
    let message = match line_of(&message) {
        Some(_) => message,
        None => [name, &b": "[..], &message].concat(),
    };
    match message.len() > LONGEST {
        true => [
            &message[..LONGEST - 50],
            b"...",
            &message[message.len() - 50..],
        ]
        .concat(),
        false => message,
    }
    .into()
}

/// The name of a chunk, as Lua would print it.
fn shown(chunk_name: &[u8]) -> BString {
    chunk_name.strip_prefix(b"@").unwrap_or(chunk_name).into()
}

/// What 5.3's `luaL_loadfile` gives the parser: not a UTF-8 byte order mark, nor a first line that begins
/// with `#`, whose newline stays.
///
/// 5.1's `luaL_loadfile` does not skip the mark, and refuses it. Here it is skipped for both, so that one
/// file compiles for all variants. On the chip `lua_load` gets neither.
pub fn loaded_text(source: &[u8]) -> &[u8] {
    let text = source.strip_prefix(b"\xef\xbb\xbf").unwrap_or(source);
    if !text.starts_with(b"#") {
        return text;
    }
    match text.find_byte(b'\n') {
        Some(end) => &text[end..],
        None => b"\n",
    }
}

/// Why a dump does not come back as it was written.
#[derive(Debug, thiserror::Error)]
pub enum LoadBackError {
    /// There is no core with this number model.
    #[error("no vendored core has the number model of {0}")]
    NoCore(Layout),
    /// The dump is damaged, or is not of the layout.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The chunk can't be written for the core.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The core refused it, in Lua's words.
    #[error("the Lua core refuses it: {0}")]
    Refused(BString),
    /// The core's dump can't be read.
    #[error("the core's dump of it can't be read: {0}")]
    Dump(ReadError),
    /// The core holds something else.
    #[error("the core loads a different chunk: {0}")]
    Differs(Difference),
}

/// Proves that `dump` loads: it is read strictly, encoded anew for the vendored core with the same
/// number model, loaded by that core's own undump, dumped by it and compared, instruction by
/// instruction and constant by constant. Returns the chunk.
pub fn load_back(dump: &[u8], layout: &Layout, heap_limit: usize) -> Result<Chunk, LoadBackError> {
    let core = Core::of(layout).ok_or(LoadBackError::NoCore(*layout))?;
    loads_back(read(dump, layout)?, &core, heap_limit)
}

/// The same for a dump that this program has just written.
///
/// # Errors
/// Those of [`load_back`].
pub fn load_back_own(
    dump: &[u8],
    layout: &Layout,
    heap_limit: usize,
) -> Result<Chunk, LoadBackError> {
    let core = Core::of(layout).ok_or(LoadBackError::NoCore(*layout))?;
    loads_back(read_once(dump, layout)?, &core, heap_limit)
}

/// Gives the chunk back once the core holds the same.
fn loads_back(chunk: Chunk, core: &Core, heap_limit: usize) -> Result<Chunk, LoadBackError> {
    let layout = chunk.layout;
    let names = sources(&chunk.main);
    let mut stock = for_core(chunk, core);
    if stock.main.source.is_none() && layout.dialect() == Dialect::Lua51 {
        // 5.1 names a nameless main function so
        stock.main.source = Some("=?".into());
    }
    let given = write_as_loaded(&stock)?;
    let again = core
        .run(c"=load-back", &given, heap_limit)
        .map_err(|refused| LoadBackError::Refused(refused.message.into()))?;
    if again != given {
        // some things have several forms in a dump
        let again = read(&again, &core.layout).map_err(LoadBackError::Dump)?;
        compare(&stock.main, &again.main).map_err(LoadBackError::Differs)?;
    }
    let mut main = stock.main;
    let mut names = names.into_iter();
    main.for_each_mut(&mut |function| function.source = names.next().flatten());
    Ok(Chunk { layout, main })
}

/// The source name of each function, outer ones first.
fn sources(main: &Function) -> Vec<Option<BString>> {
    let mut names = Vec::new();
    main.for_each(&mut |_, function| names.push(function.source.clone()));
    names
}

/// The chunk as a core's own dump has it.
fn for_core(chunk: Chunk, core: &Core) -> Chunk {
    let mut stock = Chunk {
        layout: core.layout,
        ..chunk
    };
    inherit_sources(&mut stock.main, None);
    stock
}

/// What loading a chunk asks of the heap on this machine, in bytes that were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeapUse {
    /// Blocks that were asked for, those of `realloc` included.
    pub allocations: usize,
    /// Most bytes over those before, garbage included, as if `realloc` always moved.
    pub peak: usize,
    /// Bytes more than before, after two full collections with the function alive.
    pub kept: isize,
}

/// What is loaded to see what that takes.
#[derive(Debug, Clone, Copy)]
pub enum Loaded<'a> {
    /// A text, and its chunk name.
    Source(&'a [u8], &'a str),
    /// A dump of the layout.
    Dump(&'a [u8]),
}

/// Loads a chunk with the core that has the number model of `layout`, in a state that has loaded an
/// empty chunk before, after two full collections and with the collector stopped. The figures
/// depend on the input and on the width of this machine's pointers only.
///
/// # Errors
/// Those of [`load_back`] as far as they concern the load.
pub fn heap_use(
    layout: &Layout,
    input: Loaded<'_>,
    heap_limit: usize,
) -> Result<HeapUse, LoadBackError> {
    let core = Core::of(layout).ok_or(LoadBackError::NoCore(*layout))?;
    let cost = |name: &str, input: &[u8]| {
        let refused = |message: Vec<u8>| LoadBackError::Refused(message.into());
        let name = CString::new(name).map_err(|_| refused(b"a zero byte in its name".to_vec()))?;
        core.load_cost(&name, input, heap_limit)
            .map_err(|error| refused(error.message))
    };
    let [allocations, peak, kept] = match input {
        Loaded::Source(text, name) => cost(name, loaded_text(text))?,
        Loaded::Dump(dump) => cost("=?", &write(&for_core(read(dump, layout)?, &core))?)?,
    };
    Ok(HeapUse {
        allocations: allocations.unsigned_abs(),
        peak: peak.unsigned_abs(),
        kept,
    })
}

/// Drops each source name that equals the enclosing function's, as the core's dump does.
fn inherit_sources(function: &mut Function, parent: Option<&BString>) {
    if function.source.as_ref() == parent {
        function.source = None;
    }
    let own = function.source.clone();
    let source = own.as_ref().or(parent);
    for child in &mut function.functions {
        inherit_sources(child, source);
    }
}
