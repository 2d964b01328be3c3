//! What whole-program tests share: the built command, folders of their own, C compilers.

#![allow(dead_code)] // each test uses its part

pub mod docs;
pub mod firmware;
#[cfg(unix)]
pub mod held;
pub mod hosting;
pub mod job;
pub mod parts;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use fastlua_bytecode::{Dialect, NumberModel};
use fastlua_cores::edits::released;
use fastlua_cores::emergency::collect_in_emergencies;
use fastlua_cores::packed_lines::pack_lines;
use fastlua_cores::read_only::{START_C, read_only_sources};

/// The command `fastlua`, to be run in `folder`.
pub fn fastlua(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fastlua"));
    command.current_dir(folder);
    command
}

/// The same with these arguments, a blank between any two.
pub fn call(folder: &Path, arguments: &str) -> Command {
    let mut command = fastlua(folder);
    command.args(arguments.split(' '));
    command
}

/// Runs a command that has to succeed and returns its standard output.
pub fn succeed(command: &mut Command) -> String {
    let output = run(command);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("output is UTF-8")
}

/// Runs a command that has to fail with exit status 1 and returns its standard error.
pub fn fail(command: &mut Command) -> String {
    ends_with(1, command)
}

/// The same with exit status 2: something is wrong with the command line.
pub fn misuse(command: &mut Command) -> String {
    ends_with(2, command)
}

fn ends_with(status: i32, command: &mut Command) -> String {
    let output = run(command);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(status), "{command:?}: {errors}");
    errors
}

/// Runs a command, whatever comes of it.
pub fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| {
        panic!("{command:?} can't be run: {error}; scripts/test installs what the tests need")
    })
}

/// The repository's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file below `folder`, with this content.
pub fn put(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    path
}

/// What NodeMCU's firmware of a number model defines.
pub fn firmware_flags(model: &NumberModel) -> &'static [&'static str] {
    match model.name().as_str() {
        "51-int" => &["-DLUA_USE_ESP", "-DLUA_NUMBER_INTEGRAL"],
        "53-int64-float64" => &["-DLUA_USE_ESP", "-DLUA_NUMBER_64BITS"],
        "53-int64-float32" => &["-DESP_PLATFORM", "-DCONFIG_LUA_NUMBER_INT64"],
        "53-int32-float64" => &["-DESP_PLATFORM", "-DCONFIG_LUA_NUMBER_DOUBLE"],
        _ => &["-DLUA_USE_ESP"],
    }
}

/// How what we generate is compiled: no warning, the number model before all else.
pub const STRICT: [&str; 6] = [
    "-Wall",
    "-Wextra",
    "-Wundef",
    "-Werror",
    "-include",
    "numbers.h",
];

/// Writes the sources of stock Lua, with what goes beside them, into `folder`.
pub fn stock_lua(folder: &Path, dialect: Dialect) {
    for (name, text) in fastlua_cores::sources(dialect)
        .iter()
        .chain(fastlua_firmware::STOCK)
        .chain(&fastlua_cores::HEADERS)
    {
        put(folder, name, text);
    }
}

/// The same for Lua with packed line info, which loads NodeMCU's dumps, and with the modes of NodeMCU's collector. A
/// state begins without a mode; with `-DFASTLUA_BOOT` it begins in that of a chip that boots.
pub fn packed_lua(folder: &Path, dialect: Dialect) {
    stock_lua(folder, dialect);
    let sources = pack_lines(released(dialect), dialect).unwrap();
    for (name, text) in collect_in_emergencies(sources, dialect).unwrap() {
        put(folder, name, text.as_bytes());
    }
}

/// The same with read-only objects, which runs NodeMCU's frozen chunks; `start.c` has to be linked.
pub fn freezing_lua(folder: &Path, dialect: Dialect) {
    stock_lua(folder, dialect);
    let sources = pack_lines(read_only_sources(dialect).unwrap(), dialect).unwrap();
    for (name, text) in collect_in_emergencies(sources, dialect).unwrap() {
        put(folder, name, text.as_bytes());
    }
    put(folder, "start.c", START_C);
}

/// A C compiler told of a number model and the stock sources in `stock`.
pub fn cc(compiler: &str, stock: &Path, model: &NumberModel) -> Command {
    let mut command = Command::new(compiler);
    command.arg("-std=gnu11").args(model.flags());
    command.arg("-I").arg(stock);
    command
}

/// Name of the variant of stock Lua on this machine with a number model.
pub fn stock_variant(model: &NumberModel) -> String {
    format!("puc{}-{}bit", model.name(), usize::BITS)
}

/// Name of NodeMCU's variant with a number model.
pub fn nodemcu_variant(model: &NumberModel) -> String {
    format!("lua{}", model.name())
}
