//! Runs Lua code on a simulated NodeMCU.
//!
//! `fast` is a stand-in here, for trying modules: `fast.load(name)` and `fast.<name>` load the chunks given with
//! `--module`. The real one comes with `fastlua run`.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use clap::Parser;
use fastlua_simulator::{Ended, LUA, Options, Restart, Simulator, Until};
use fastlua_source::split::{Loader, split};
use mlua::{Function, Lua, Table};

/// Runs Lua code on a simulated NodeMCU
#[derive(Parser)]
#[command(
    after_help = "Example: run --fs flash --port-map 21:2121 --module ftp.lua -e \"fast.ftp():open('u','p')\""
)]
struct Arguments {
    /// The folder that is the flash file system [default: an empty one that is deleted at the end]
    #[arg(long, value_name = "DIR")]
    fs: Option<PathBuf>,
    /// Open port PC where a module listens on port DEVICE
    #[arg(long, value_name = "DEVICE:PC", value_parser = port_pair)]
    port_map: Vec<(u16, u16)>,
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    listen: Ipv4Addr,
    /// A module for `fast`, by its file name without the suffix
    #[arg(long, value_name = "FILE")]
    module: Vec<PathBuf>,
    /// Cut the modules into chunks at their SPLIT markers
    #[arg(long)]
    split: bool,
    /// A network that the station can join [default: any]
    #[arg(long, value_name = "SSID:KEY", value_parser = text_pair)]
    network: Vec<(String, String)>,
    /// Where boot command, partition table and station are kept
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Start again on node.restart() instead of ending
    #[arg(long)]
    reboot: bool,
    /// Let file.format() delete the files of DIR
    #[arg(long)]
    allow_format: bool,
    /// Make a send before the 'sent' event of the send before an error
    #[arg(long)]
    strict_send: bool,
    /// End after so many seconds
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<f64>,
    /// Give the prompt at standard input afterwards
    #[arg(short, long)]
    interactive: bool,
    /// Run the boot command or init.lua first
    #[arg(long)]
    boot: bool,
    /// Lua code to run
    #[arg(short = 'e', value_name = "CODE")]
    code: Vec<String>,
    /// A Lua file to run
    script: Option<PathBuf>,
}

fn port_pair(text: &str) -> Result<(u16, u16)> {
    let (device, pc) = text.split_once(':').context("write it as 21:2121")?;
    Ok((device.parse()?, pc.parse()?))
}

fn text_pair(text: &str) -> Result<(String, String)> {
    let (name, key) = text.split_once(':').context("write it as name:key")?;
    Ok((name.to_owned(), key.to_owned()))
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let is_it = |cause: &io::Error| cause.kind() == io::ErrorKind::BrokenPipe;
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref())
        .any(is_it)
}

fn run(arguments: Arguments) -> Result<()> {
    let temporary;
    let root = match arguments.fs {
        Some(root) => root,
        None => {
            temporary = tempfile::tempdir()?;
            temporary.path().to_owned()
        }
    };
    let mut options = Options::new(root);
    options.port_map = arguments.port_map;
    options.listen = arguments.listen;
    options.networks = arguments.network;
    options.settings = arguments.settings;
    options.restart = if arguments.reboot {
        Restart::Reboot
    } else {
        Restart::End
    };
    options.allow_format = arguments.allow_format;
    options.strict_send = arguments.strict_send;
    let mut simulator = Simulator::new(options)?;
    let chunks = Rc::new(chunks(&arguments.module, arguments.split)?);
    simulator.extend(move |lua| open_fast(lua, &chunks))?;

    if arguments.boot {
        simulator.boot()?;
    }
    for code in &arguments.code {
        simulator.exec("=-e", code.as_bytes())?;
    }
    if let Some(script) = &arguments.script {
        let source =
            fs::read(script).with_context(|| format!("cannot read {}", script.display()))?;
        simulator.exec(&format!("@{}", script.display()), &source)?;
    }
    let until = match arguments.seconds {
        Some(seconds) => Until::Time(Instant::now() + Duration::from_secs_f64(seconds)),
        None => Until::Idle,
    };
    if arguments.interactive
        || (arguments.code.is_empty() && arguments.script.is_none() && !arguments.boot)
    {
        println!("NodeMCU simulator, Lua {LUA}");
        if simulator.prompt()? == Ended::Restart {
            return Ok(());
        }
    }
    simulator.run(until)?;
    Ok(())
}

fn chunks(files: &[PathBuf], is_split: bool) -> Result<HashMap<String, Vec<u8>>> {
    let mut chunks = HashMap::new();
    for file in files {
        let source = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let pieces = if is_split {
            split(&source, Loader::Fast)
        } else {
            Ok(None)
        };
        if let Some(pieces) = pieces.with_context(|| file.display().to_string())? {
            chunks.extend(pieces.into_iter().map(|piece| (piece.name, piece.text)));
            continue;
        }
        let name = file
            .file_stem()
            .map(Path::new)
            .context("a module needs a name")?
            .display()
            .to_string();
        if chunks.insert(name.clone(), source).is_some() {
            return Err(anyhow!("two modules have the name {name}"));
        }
    }
    Ok(chunks)
}

fn open_fast(lua: &Lua, chunks: &Rc<HashMap<String, Vec<u8>>>) -> mlua::Result<()> {
    let fast = lua.create_table()?;
    let loaded = Rc::clone(chunks);
    let load = lua.create_function(move |lua, name: String| match loaded.get(&name) {
        Some(chunk) => lua
            .load(chunk.as_slice())
            .set_name(format!("@{name}.lua"))
            .into_function()
            .map(Some),
        None => Ok(None),
    })?;
    let mut names: Vec<_> = chunks.keys().cloned().collect();
    names.sort();
    fast.raw_set("list", lua.create_function(move |_, ()| Ok(names.clone()))?)?;
    let meta = lua.create_table()?;
    let index = load.clone();
    meta.raw_set(
        "__index",
        lua.create_function(move |_, (_, name): (Table, String)| {
            index.call::<Option<Function>>(name)
        })?,
    )?;
    fast.raw_set("load", load)?;
    fast.set_metatable(Some(meta))?;
    lua.globals().raw_set("fast", fast)
}
