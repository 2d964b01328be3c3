//! Writes the sources of a Lua with read-only objects into a folder:
//! `cargo run -p fastlua-cores --example read_only -- 51|53 FOLDER`.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use fastlua_bytecode::Dialect;
use fastlua_cores::emergency::collect_in_emergencies;
use fastlua_cores::read_only::{START_C, read_only_sources};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (dialect, folder) = match &arguments[..] {
        [lua, folder] if lua == "51" => (Dialect::Lua51, Path::new(folder)),
        [lua, folder] if lua == "53" => (Dialect::Lua53, Path::new(folder)),
        _ => return Err("give 51 or 53 and a folder".into()),
    };
    fs::create_dir_all(folder)?;
    for (name, text) in collect_in_emergencies(read_only_sources(dialect)?, dialect)? {
        fs::write(folder.join(name), text.as_bytes())?;
    }
    fs::write(folder.join("start.c"), START_C)?;
    Ok(())
}
