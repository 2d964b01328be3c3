//! `fastlua run`

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use fastlua::Options;
use fastlua_bytecode::{Dialect, Layout, NumberModel};
use fastlua_simulator::{
    self as simulator, Ended, ImageChunk, ImageKind, LUA, Restart, Simulator, Until,
};

use crate::temporary::Temporary;
use crate::variant_args::{Heap, Known};
use crate::{build, inputs, output, print};

/// Run modules on a simulated NodeMCU, with real sockets and a folder as its file system
#[derive(clap::Args)]
#[command(after_help = "Example:
  fastlua run --with provisioning --fs . --port-map 21:2121 -e \"fast.ftp():open('user','pwd','ssid','key')\"

serves this folder by FTP at port 2121 until it is stopped. Without -e and --script there is a prompt.")]
pub struct Args {
    #[command(flatten)]
    modules: inputs::Modules,
    /// The Lua of the firmware: 51 or 53
    #[arg(long, value_name = "51|53", value_parser = ["51", "53"])]
    lua: Option<String>,
    /// Folder that is the flash file system [default: an empty one that is deleted at the end]
    #[arg(long, value_name = "DIR")]
    fs: Option<PathBuf>,
    /// Open the PC's port where a module listens on the device's (may be given several times)
    #[arg(long, value_name = "DEVICE:PC", value_parser = ports)]
    port_map: Vec<(u16, u16)>,
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    listen: Ipv4Addr,
    /// Lua code to run (may be given several times)
    #[arg(short = 'e', value_name = "CODE")]
    code: Vec<String>,
    /// Lua file to run, after the code
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Run the boot command or init.lua first
    #[arg(long)]
    boot: bool,
    /// Give the prompt after the code
    #[arg(short, long)]
    interactive: bool,
    /// File that keeps boot command, partition table and station
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Start again on node.restart() instead of ending
    #[arg(long)]
    reboot: bool,
    /// Networks that the station can join [default: any]
    #[arg(long, value_name = "SSID:KEY", value_parser = network)]
    network: Vec<(String, String)>,
    /// Let file.format() delete the files of DIR
    #[arg(long)]
    allow_format: bool,
    /// Let connections and questions for names leave this PC
    #[arg(long)]
    allow_network: bool,
    /// Make it an error to send before the `sent` of the send before
    #[arg(long)]
    strict_send: bool,
    /// Give Lua `simulator.skip(MS)`: once nothing else is to be done, the clock goes straight to the next timer, if
    /// that is due within so many milliseconds
    #[arg(long)]
    can_skip: bool,
    /// End after so many seconds
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<f64>,
    #[command(flatten)]
    known: Known,
    #[command(flatten)]
    heap: Heap,
}

/// The numbers of the Lua that mlua links.
const MODEL: NumberModel = match LUA.as_bytes() {
    b"5.1" => NumberModel {
        dialect: Dialect::Lua51,
        integer: 0,
        float: 8,
    },
    _ => NumberModel {
        dialect: Dialect::Lua53,
        integer: 8,
        float: 8,
    },
};

fn ports(text: &str) -> Result<(u16, u16)> {
    let (device, pc) = text.split_once(':').context("write it as 21:2121")?;
    Ok((device.parse()?, pc.parse()?))
}

fn network(text: &str) -> Result<(String, String)> {
    let (ssid, key) = text.split_once(':').context("write it as ssid:key")?;
    Ok((ssid.to_owned(), key.to_owned()))
}

pub fn run(args: &Args) -> Result<()> {
    if let Some(lua) = args
        .lua
        .as_deref()
        .filter(|lua| *lua != LUA.replace('.', ""))
    {
        bail!(
            "this fastlua runs Lua {LUA}; for the other one build it with `cargo build --release \
             --no-default-features --features lua{lua}`"
        );
    }
    let temporary;
    let root = match &args.fs {
        Some(folder) => folder.clone(),
        None => {
            temporary = Temporary::folder().context("no folder for the file system")?;
            temporary.path().to_owned()
        }
    };
    let mut options = simulator::Options::new(root);
    options.port_map = args.port_map.clone();
    options.listen = args.listen;
    options.networks = args.network.clone();
    options.settings = args.settings.clone();
    options.restart = match args.reboot {
        true => Restart::Reboot,
        false => Restart::End,
    };
    options.allow_format = args.allow_format;
    options.allow_network = args.allow_network;
    options.strict_send = args.strict_send;
    options.can_skip = args.can_skip;
    let mut simulator = Simulator::new(options)?;
    let (chunks, variant, bundle) = image(args)?;
    let about = [env!("CARGO_PKG_VERSION"), &variant, &bundle];
    simulator.open_fast(chunks, about)?;
    if args.boot {
        simulator.boot()?;
    }
    for code in &args.code {
        simulator.exec("=-e", code.as_bytes())?;
    }
    if let Some(script) = &args.script {
        let name = format!("@{}", print::path(script));
        simulator.exec(&name, &output::read(script)?)?;
    }
    let only_prompt = args.code.is_empty() && args.script.is_none() && !args.boot;
    if args.interactive || only_prompt {
        print::report(format!("NodeMCU on a PC, Lua {LUA}\n"))?;
        if simulator.prompt()? == Ended::Restart {
            return Ok(());
        }
    }
    let until = match args.seconds {
        Some(seconds) => Until::Time(Instant::now() + Duration::try_from_secs_f64(seconds)?),
        None => Until::Idle,
    };
    simulator.run(until)?;
    Ok(())
}

/// The modules as a bundle for stock Lua on this machine, its variant and its name.
fn image(args: &Args) -> Result<(Vec<ImageChunk>, String, String)> {
    let known = args.known.load()?;
    let layout = Layout::stock(MODEL, size_of::<usize>() as u8);
    let variant = known.iter().find(|v| v.layout == layout);
    let variant = variant
        .context("no variant is stock Lua on this machine")?
        .name
        .clone();
    let project = args.modules.read_named()?.project;
    if project.is_empty() {
        return Ok((Vec::new(), variant, String::new()));
    }
    let options = Options {
        variants: Some(vec![variant.clone()]),
        heap_limit: args.heap.bytes(),
        known,
    };
    let plan = project.plan(&options).map_err(print::explained)?;
    let bundle = build::build(&plan, None)?;
    let chunks = bundle.of_variant(0).map(|(chunk, dump)| ImageChunk {
        name: chunk.name.clone(),
        bytes: dump.bytes.clone(),
        kind: match chunk.form {
            form if form.is_data() => ImageKind::Data,
            form if form.is_source() => ImageKind::Source,
            _ => ImageKind::Bytecode,
        },
        xxh32: dump.xxh32,
    });
    Ok((chunks.collect(), variant, bundle.name()))
}
