//! `fastlua run`

use std::env;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use fastlua_simulator::{
    self as simulator, Ended, Image, Interrupt, LUA, Restart, Simulator, Until,
};

mod image;
mod other_lua;
mod watch;

use image::image_of;
use watch::State;

use crate::args::modules;
use crate::args::variants::{Heap, Known};
use crate::args::with_details;
use crate::io::output;
use crate::io::target::is_stdout;
use crate::io::temporary::{self, Temporary};
use crate::report::print;

const EXAMPLE: &str = "Example:
  fastlua run --with provisioning --fs . --port-map 21:2121 -e \"fast.ftp():open('user','pwd','ssid','key')\"";

/// Run modules on a simulated NodeMCU, with real sockets and a folder as its file system
#[derive(clap::Args)]
#[command(after_help = EXAMPLE, after_long_help = with_details(EXAMPLE, "serves this folder by FTP at port 2121 until you stop it. Without -e and --script there is a prompt."))]
pub struct Args {
    #[command(flatten)]
    modules: modules::Modules,
    /// The Lua of the firmware: 51 or 53
    #[arg(long, value_name = "51|53", value_parser = ["51", "53"])]
    lua: Option<String>,
    /// Folder for the flash file system [default: an empty one that is deleted at the end]
    #[arg(long, value_name = "DIR")]
    fs: Option<PathBuf>,
    /// Map a port of the device to a port of the PC (may be given several times)
    ///
    /// By default ports are the same, plus 8000 for those below 1024.
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
    /// Record the actions of modules on the pins in this file, - for standard output
    #[arg(long, value_name = "FILE")]
    pins: Option<PathBuf>,
    /// File with inputs of the pins
    #[arg(long, value_name = "FILE")]
    pin_inputs: Option<PathBuf>,
    /// Restart the device with the new modules, and run the code again, whenever one of the given files changes
    #[arg(long)]
    watch: bool,
    /// Give the prompt after the code
    #[arg(short, long)]
    interactive: bool,
    /// File that keeps boot command, partition table and station
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Restart on node.restart() instead of ending
    #[arg(long)]
    reboot: bool,
    /// Networks that the station can join [default: any]
    #[arg(long, value_name = "SSID:KEY", value_parser = network)]
    network: Vec<(String, String)>,
    /// Let file.format() delete the files of DIR
    #[arg(long)]
    allow_format: bool,
    /// Allow connections and DNS queries to other machines
    #[arg(long)]
    allow_network: bool,
    /// Make it an error to send before the `sent` event of the previous send
    #[arg(long)]
    strict_send: bool,
    /// Give Lua `simulator.skip(MS)`, which moves the clock
    ///
    /// When nothing else remains to do, the clock jumps to the next timer, if that is due within this many
    /// milliseconds.
    #[arg(long)]
    can_skip: bool,
    /// End after this many seconds
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<f64>,
    #[command(flatten)]
    known: Known,
    #[command(flatten)]
    heap: Heap,
}

fn ports(text: &str) -> Result<(u16, u16)> {
    let (device, pc) = text.split_once(':').context("write it as 21:2121")?;
    Ok((device.parse()?, pc.parse()?))
}

fn network(text: &str) -> Result<(String, String)> {
    let (ssid, key) = text.split_once(':').context("write it as ssid:key")?;
    Ok((ssid.to_owned(), key.to_owned()))
}

pub fn run(args: &Args) -> Result<()> {
    let this = LUA.replace('.', "");
    if let Some(lua) = args.lua.as_deref().filter(|lua| *lua != this) {
        return other_lua::run(lua);
    }
    if args.settings.as_deref().is_some_and(is_stdout) {
        return Err(print::misused(
            "--settings needs a file, not standard output: it is read too",
        ));
    }
    let temporary;
    let root = match &args.fs {
        Some(folder) => folder.clone(),
        None => {
            temporary = Temporary::folder().context("can't create a folder for the file system")?;
            temporary.path().to_owned()
        }
    };
    let mut options = simulator::Options::new(root);
    options.port_map = args.port_map.clone();
    options.listen = args.listen;
    options.networks = args.network.clone();
    options.settings = args.settings.clone();
    options.write_settings = Box::new(|path, bytes| {
        output::write(path, bytes).map_err(|error| io::Error::other(format!("{:#}", error)))
    });
    options.restart = match args.reboot {
        true => Restart::Reboot,
        false => Restart::End,
    };
    options.allow_format = args.allow_format;
    options.allow_network = args.allow_network;
    options.strict_send = args.strict_send;
    options.can_skip = args.can_skip;
    options.history = history();
    if let Some(path) = &args.pin_inputs {
        let text = output::read(path)?;
        let inputs = simulator::read_pin_inputs(&String::from_utf8_lossy(&text));
        options.pin_inputs =
            inputs.map_err(|(line, text)| anyhow!("{}:{line}: {text}", print::path(path)))?;
    }
    let (mut state, image) = image(args)?;
    if let Some(path) = &args.pins {
        output::refuse_source(path, &print::path(path))?;
        let what = || format!("{} can't be written", print::path(path));
        let trace: Box<dyn Write> = match is_stdout(path) {
            true => Box::new(io::stdout()),
            false => Box::new(File::create(path).with_context(what)?),
        };
        options.pin_trace = Some(Box::new(BufWriter::new(trace)));
    }
    options.listening = Some(Box::new(|port, address| {
        print::note(&format!("port {port} is {address} on this PC"));
    }));
    let only_prompt = args.code.is_empty() && args.script.is_none() && !args.boot;
    let is_typed_at = args.interactive || only_prompt;
    let has_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    let has_prompt = is_typed_at && has_terminal;
    let seconds = args.seconds.map(Duration::try_from_secs_f64).transpose()?;
    options.interrupt = (has_prompt || seconds.is_some()).then(Interrupt::default);
    let interrupt = options.interrupt.clone();
    let mut simulator = Simulator::new(options)?;
    simulator.open_fast(image)?;
    let end = seconds.and_then(|seconds| Instant::now().checked_add(seconds));
    if let (Some(seconds), Some(interrupt), false) = (seconds, &interrupt, is_typed_at) {
        interrupt_after(seconds, interrupt.clone())?;
    }
    if args.boot {
        simulator.boot()?;
    }
    if is_typed_at {
        let mut greeting = format!("NodeMCU on a PC, Lua {LUA}");
        if let Some(interrupt) = interrupt.clone().filter(|_| has_prompt) {
            greeting += "; Ctrl-C stops running code, Ctrl-D exits";
            temporary::on_interrupt(Box::new(move || interrupt.ask()));
        }
        print::report(format!("{greeting}\n"))?;
    }
    if !args.watch {
        return live(args, &mut simulator, is_typed_at, end).map(drop);
    }
    if state.is_empty() {
        bail!("--watch: no files to watch; give modules or --script");
    }
    loop {
        let handle = simulator.handle();
        let change = state.clone().watch(move || handle.stop())?;
        match live(args, &mut simulator, is_typed_at, end) {
            Ok(Ended::Left | Ended::Restart | Ended::Time) => return Ok(()),
            Ok(Ended::Asked) => {}
            Ok(Ended::Idle | Ended::InputEnd) => change.recv()?,
            Err(error) if print::is_broken_pipe(&error) => return Err(error),
            Err(error) => {
                print::note(&format!("error: {error:#}"));
                change.recv()?;
            }
        }
        let image;
        (state, image) = reload(args, state)?;
        print::note("files changed: restarting");
        simulator.restart_with(image)?;
    }
}

/// The image, and the state of its source files and of the script.
fn image(args: &Args) -> Result<(State, Image)> {
    let inputs = args.modules.read_named()?;
    let paths = inputs.files.iter().chain(&inputs.folders);
    let state = State::of(paths.chain(&args.script));
    let image = image_of(inputs.project, args.known.load()?, args.heap.bytes())?;
    Ok((state, image))
}

/// Builds the image again. On an error, prints it and waits for the next change.
fn reload(args: &Args, mut state: State) -> Result<(State, Image)> {
    loop {
        // Taken before the files are read, so that no later change is missed.
        state = state.now();
        match image(args) {
            Ok((new, image)) => return Ok((new.seen(&state), image)),
            Err(error) => print::note(&format!("error: {error:#}")),
        }
        state.clone().watch(|| ())?.recv()?;
    }
}

/// Runs the code of `-e`, then the script.
fn run_code(args: &Args, simulator: &mut Simulator) -> Result<()> {
    for code in &args.code {
        simulator.exec("=-e", code.as_bytes())?;
    }
    if let Some(script) = &args.script {
        let name = format!("@{}", print::path(script));
        simulator.exec(&name, &output::read(script)?)?;
    }
    Ok(())
}

/// Interrupts running code after this time: the event loop checks the time only between callbacks.
fn interrupt_after(seconds: Duration, interrupt: Interrupt) -> Result<()> {
    let work = move || {
        thread::sleep(seconds);
        interrupt.ask();
    };
    let thread = thread::Builder::new()
        .name("seconds".to_owned())
        .spawn(work);
    thread
        .map(drop)
        .context("can't start the timer of --seconds")
}

/// Runs the code and then the device, until it ends.
fn live(
    args: &Args,
    simulator: &mut Simulator,
    is_typed_at: bool,
    end: Option<Instant>,
) -> Result<Ended> {
    if let Err(error) = run_code(args, simulator) {
        // At the end of the time the error is only the interruption.
        if end.is_none_or(|end| Instant::now() < end) {
            return Err(error);
        }
        print::note(&format!("the time is up: {error:#}"));
        return Ok(Ended::Time);
    }
    if is_typed_at {
        let ended = simulator.prompt()?;
        if ended != Ended::InputEnd {
            return Ok(ended);
        }
    }
    Ok(simulator.run(end.map_or(Until::Idle, Until::Time))?)
}

/// The file with the history of the prompt: `FASTLUA_HISTORY`, or one in the system's folder for such files.
fn history() -> Option<PathBuf> {
    let folder = |name: &str| env::var_os(name).filter(|path| !path.is_empty());
    if let Some(path) = env::var_os("FASTLUA_HISTORY") {
        return (!path.is_empty()).then(|| path.into());
    }
    let state = if cfg!(windows) {
        PathBuf::from(folder("LOCALAPPDATA")?)
    } else if let Some(state) = folder("XDG_STATE_HOME") {
        PathBuf::from(state)
    } else {
        PathBuf::from(folder("HOME")?).join(".local/state")
    };
    Some(state.join("fastlua/history"))
}
