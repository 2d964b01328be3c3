//! What the tests of this crate share.
#![allow(dead_code)]

use std::path::{Path, PathBuf};

use fastlua_bytecode::{Function, Layout, NumberModel};
use fastlua_compiler::{CompileError, HEAP_LIMIT};

/// The chunk that `text` is for `target`, without lines and names.
pub fn compile(text: &[u8], target: &NumberModel) -> Result<Function, CompileError> {
    let mut main = compile_with_lines(text, target)?;
    strip(&mut main);
    Ok(main)
}

pub fn compile_with_lines(text: &[u8], target: &NumberModel) -> Result<Function, CompileError> {
    let layout = Layout::stock(*target, 4);
    Ok(fastlua_compiler::compile(&layout, b"=test", text, HEAP_LIMIT)?.main)
}

fn strip(function: &mut Function) {
    function.source = None;
    function.line_defined = 0;
    function.last_line_defined = 0;
    function.lines.clear();
    function.locals.clear();
    function
        .upvalues
        .iter_mut()
        .for_each(|upvalue| upvalue.name = None);
    function.functions.iter_mut().for_each(strip);
}

/// The `.lua` files of a folder under `tests`, at least one.
pub fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(folder);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "lua"))
        .collect();
    assert!(!files.is_empty(), "{}: no .lua files", folder.display());
    files.sort();
    files
}
