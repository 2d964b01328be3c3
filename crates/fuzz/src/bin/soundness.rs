//! `scripts/fuzz soundness`: the verifier on trial.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use clap::Parser;
use fastlua_bytecode::{Chunk, Dialect, Layout, NumberModel, Strip, write};
use fastlua_compiler::{HEAP_LIMIT, compile};
use fastlua_fuzz::soundness::{CoreProcess, CrashFound, SoundnessFuzzer, Tally};
use fastlua_testing::luac::{dumps, join};
use fastlua_verifier::Rule;

/// Lua files of this repository that mutants are made of.
const FOLDERS: [&str; 5] = [
    "crates/firmware/lua",
    "crates/source/tests/squash",
    "crates/fuzz/seeds",
    "tests/frozen",
    "tests/golden/src",
];

/// Bytes of the longest dumps of which others are made.
const SHORT: usize = 3000;

/// Crashes after which it stops.
const ENOUGH: usize = 10;

/// Run mutants that the verifier accepts on the cores, under sanitizers
#[derive(Parser)]
#[command(name = "soundness", after_help = "Exit status 1 if a core crashed.")]
struct Args {
    /// How long
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u64,
    /// The first walk; a run goes on from there, and the same walks give the same mutants
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// How many walks; otherwise as many as there is time for
    #[arg(long, value_name = "N")]
    walks: Option<u64>,
    /// How many mutants to accept and run, at least; otherwise as many as there is time for
    #[arg(long, value_name = "N")]
    accepted: Option<u64>,
    /// Print the figures so far every N seconds
    #[arg(long, value_name = "N")]
    progress: Option<u64>,
    /// How many at a time
    #[arg(long, value_name = "N", default_value_t = 1)]
    jobs: usize,
    /// Leave this rule out: the fuzzer has to find what it lets through
    #[arg(long, value_name = "RULE", value_parser = rule)]
    hole: Option<Rule>,
    /// Where chunks go that crash a core
    #[arg(short, value_name = "DIR", default_value = "target/soundness")]
    output: PathBuf,
    /// More Lua files to make mutants of
    #[arg(value_name = "FILE.lua")]
    files: Vec<PathBuf>,
}

fn rule(name: &str) -> Result<Rule, String> {
    let found = Rule::ALL.iter().find(|rule| rule.name() == name);
    found.copied().ok_or_else(|| {
        let names: Vec<_> = Rule::ALL.iter().map(|rule| rule.name()).collect();
        format!("the rules are {}", names.join(", "))
    })
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let args = Args::parse();
    let texts = texts(&args.files)?;
    let folder = tempfile::tempdir()?;
    let seeds: Vec<(NumberModel, Vec<Chunk>)> = NumberModel::ALL
        .iter()
        .map(|model| (*model, chunks(model, &texts)))
        .collect();
    for (model, _) in &seeds {
        CoreProcess::new(*model, folder.path())?;
    }
    let trial = Trial {
        args: &args,
        folder: folder.path(),
        seeds: &seeds,
        next: AtomicU64::new(args.seed),
        begin: Instant::now(),
        end: Instant::now() + Duration::from_secs(args.seconds),
        found: Mutex::default(),
    };
    let outcomes: Vec<Result<(), String>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..args.jobs)
            .map(|_| scope.spawn(|| trial.work().map_err(|error| error.to_string())))
            .collect();
        let joined = workers.into_iter().map(|worker| worker.join());
        joined
            .map(|outcome| outcome.unwrap_or_else(|_| Err("a worker panicked".into())))
            .collect()
    });
    outcomes.into_iter().collect::<Result<(), String>>()?;
    let (begin, found) = (trial.begin, trial.found);
    let found = found.into_inner().map_err(|error| error.to_string())?;
    report(&found, trial.next.into_inner(), begin.elapsed());
    Ok(match found.crashes {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

#[derive(Default)]
struct Found {
    tallies: BTreeMap<String, Tally>,
    crashes: usize,
    /// How often figures were printed.
    printed: u64,
}

impl Found {
    fn all(&self) -> Tally {
        let mut all = Tally::default();
        self.tallies.values().for_each(|tally| all.add(tally));
        all
    }
}

struct Trial<'a> {
    args: &'a Args,
    folder: &'a Path,
    seeds: &'a [(NumberModel, Vec<Chunk>)],
    next: AtomicU64,
    begin: Instant,
    end: Instant,
    found: Mutex<Found>,
}

impl Trial<'_> {
    fn work(&self) -> Result<(), Box<dyn Error>> {
        let cores = self.seeds.iter();
        let cores = cores.map(|(model, _)| CoreProcess::new(*model, self.folder));
        let mut cores: Vec<CoreProcess> = cores.collect::<Result<_, _>>()?;
        let fuzzer = SoundnessFuzzer {
            hole: self.args.hole,
        };
        let last = self.args.walks.map(|walks| self.args.seed + walks);
        while Instant::now() < self.end && !self.is_enough() {
            let walk = self.next.fetch_add(1, Ordering::Relaxed);
            if last.is_some_and(|last| walk >= last) {
                break;
            }
            let which = (walk % cores.len() as u64) as usize;
            let (model, chunks) = &self.seeds[which];
            let chunk = &chunks[(walk / cores.len() as u64) as usize % chunks.len()];
            let mut tally = Tally::default();
            let crash = fuzzer.walk(&mut cores[which], chunk, walk, &mut tally)?;
            let mut found = self.found.lock().map_err(|error| error.to_string())?;
            found.tallies.entry(model.name()).or_default().add(&tally);
            if let Some(crash) = crash {
                found.crashes += 1;
                self.keep(&crash, model, walk)?;
            }
            let time = self.begin.elapsed().as_secs();
            if self
                .args
                .progress
                .is_some_and(|every| time / every.max(1) > found.printed)
            {
                found.printed += 1;
                line(
                    &format!("after {time} seconds, {} crashes", found.crashes),
                    &found.all(),
                );
            }
        }
        Ok(())
    }

    fn is_enough(&self) -> bool {
        let accepted = self.args.accepted.unwrap_or(u64::MAX);
        let found = self.found.lock();
        found.map_or(true, |f| {
            f.crashes >= ENOUGH || f.all().accepted >= accepted
        })
    }

    fn keep(
        &self,
        found: &CrashFound,
        model: &NumberModel,
        walk: u64,
    ) -> Result<(), Box<dyn Error>> {
        fs::create_dir_all(&self.args.output)?;
        let path = self.args.output.join(format!("{}-{walk}.lc", model.name()));
        fs::write(&path, write(&found.chunk)?)?;
        fs::write(path.with_extension("txt"), &found.crash.report)?;
        let loader = if found.fast {
            "fast_undump"
        } else {
            "the core"
        };
        let report = found.crash.report.lines();
        let telling = |line: &&str| line.contains("ERROR:") || line.contains("runtime error:");
        let said = report.clone().find(telling).or(report.clone().next());
        println!(
            "{}: crash, loaded by {loader}: {}",
            path.display(),
            said.unwrap_or_default()
        );
        Ok(())
    }
}

fn report(found: &Found, next: u64, time: Duration) {
    for (model, tally) in &found.tallies {
        line(model, tally);
    }
    line("all", &found.all());
    println!(
        "{} crashes in {} seconds; the next walk is {next}",
        found.crashes,
        time.as_secs()
    );
}

fn line(what: &str, tally: &Tally) {
    println!(
        "{what}: {} mutants, {} accepted and run: {} to the end, {} to the limit, {} too long, \
         {} refused by the core",
        tally.made, tally.accepted, tally.ran, tally.limit, tally.late, tally.refused
    );
}

/// The texts of the Lua files, in the order of their names.
fn texts(more: &[PathBuf]) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut paths = more.to_vec();
    for folder in FOLDERS {
        for entry in fs::read_dir(root.join(folder))? {
            paths.push(entry?.path());
        }
    }
    paths.retain(|path| path.extension().is_some_and(|e| e == "lua"));
    paths.sort();
    let read = |path: &PathBuf| fs::read(path).map_err(|e| format!("{}: {e}", path.display()));
    Ok(paths.iter().map(read).collect::<Result<_, _>>()?)
}

/// What a core's compiler makes of them, with and without debug data, and what Lua's own tools make of that.
fn chunks(model: &NumberModel, texts: &[Vec<u8>]) -> Vec<Chunk> {
    let layout = Layout::stock(*model, 8);
    let mut chunks = Vec::new();
    for text in texts {
        let Ok(mut chunk) = compile(&layout, b"@c.lua", text, HEAP_LIMIT) else {
            continue; // another dialect, or numbers that it has not
        };
        chunks.push(chunk.clone());
        chunk.strip(Strip::Lines);
        chunks.push(chunk);
    }
    let short = |chunk: &&Chunk| write(chunk).is_ok_and(|dump| dump.len() <= SHORT);
    let short: Vec<Chunk> = chunks.iter().filter(short).cloned().collect();
    chunks.extend(short.chunks(2).flat_map(|two| luac(layout, two)));
    chunks
}

/// Several chunks in one, with few registers, and dumps of functions with upvalues.
fn luac(layout: Layout, chunks: &[Chunk]) -> Vec<Chunk> {
    const DUMPS: usize = 3;
    let mut joined = join(layout, chunks);
    joined.main.max_stack = 1;
    let mut dumped: Vec<Chunk> = chunks.iter().flat_map(dumps).collect();
    let least = match layout.dialect() {
        Dialect::Lua51 => 1,
        Dialect::Lua53 => 2,
    };
    dumped.retain(|chunk| chunk.main.upvalues.len() >= least);
    let step = dumped.len() / DUMPS + 1;
    let mut made = vec![joined];
    made.extend(dumped.into_iter().step_by(step));
    made
}
