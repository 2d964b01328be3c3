//! Programs on the PC, to compare with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use fastlua_bytecode::Layout;

/// Runs a command that has to succeed, and returns its standard output.
pub fn succeed(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{command:?}: {error}; scripts/test installs what tests need")
    });
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    output.stdout
}

/// A C file of `tests/c`.
pub fn c_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/c")
        .join(name)
}

/// Compiles a C file of `tests/c` for the PC.
pub fn compile(folder: &Path, name: &str, arguments: &[String]) -> PathBuf {
    let program = folder.join("program");
    succeed(
        Command::new("gcc")
            .args(["-std=gnu11", "-O1", "-w", "-ffp-contract=off", "-o"])
            .arg(&program)
            .args(arguments)
            .arg(c_file(name))
            .arg("-lm"),
    );
    program
}

/// Stock Lua of a number model for the PC.
pub fn lua(folder: &Path, layout: &Layout) -> PathBuf {
    let put = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    let sources = fastlua_cores::sources(layout.dialect());
    sources
        .iter()
        .chain(fastlua_firmware::STOCK)
        .chain(&fastlua_cores::HEADERS)
        .for_each(|(name, text)| put(name, text));
    let include = format!("-I{}", folder.display());
    let flags = layout.numbers().flags().into_iter();
    let arguments: Vec<String> = flags.chain([include]).collect();
    compile(folder, "host.c", &arguments)
}
