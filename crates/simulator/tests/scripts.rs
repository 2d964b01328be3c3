//! Each file of `tests/scripts` is a test of that name: a script that runs until nothing is left to do.
//!
//! Its lines that begin with `-->` are the output that it must give. Lines that begin with `--!` are settings:
//! `--! only 5.1`, `--! strict_send`, `--! allow_format`, `--! can_skip`,
//! `--! reboot`, `--! network NAME KEY`, `--! pin EVENT` (a line of inputs for the pins), `--! input TEXT` (typed before the script's callbacks run), and
//! `--! ends TEXT`: the run ends with this error, or with `restart`.

mod support;

use std::error::Error;
use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use fastlua_simulator::{Ended, LUA, Options, Restart, Simulator, Until, read_pin_inputs};
use libtest_mimic::{Arguments, Failed, Trial};
use support::Output;

#[derive(Default)]
struct Expected {
    lines: String,
    ends: String,
    input: String,
}

/// The Lua that the script is for, where it is not for both.
fn only(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("--! only "))
}

/// What the script says of itself.
fn read_script(text: &str, options: &mut Options) -> Expected {
    let mut expected = Expected::default();
    let mut pins = "fastlua-pins 1\n".to_owned();
    for line in text.lines() {
        if let Some(line) = line.strip_prefix("-->") {
            expected.lines += line.strip_prefix(' ').unwrap_or(line);
            expected.lines += "\n";
        }
        let Some(setting) = line.strip_prefix("--! ") else {
            continue;
        };
        let (word, rest) = setting.split_once(' ').unwrap_or((setting, ""));
        match word {
            "only" => assert!(["5.1", "5.3"].contains(&rest), "unknown Lua {rest}"),
            "strict_send" => options.strict_send = true,
            "can_skip" => options.can_skip = true,
            "allow_format" => options.allow_format = true,
            "pin" => pins += &format!("{rest}\n"),
            "reboot" => options.restart = Restart::Reboot,
            "network" => {
                let (name, key) = rest.split_once(' ').unwrap_or((rest, ""));
                options.networks.push((name.to_owned(), key.to_owned()));
            }
            "input" => expected.input += &format!("{rest}\n"),
            "ends" => expected.ends = rest.to_owned(),
            other => panic!("unknown setting {other}"),
        }
    }
    options.pin_inputs = read_pin_inputs(&pins).expect("inputs are right");
    expected
}

fn run(
    simulator: &mut Simulator,
    name: &str,
    source: &str,
    input: &str,
) -> Result<Ended, fastlua_simulator::Error> {
    simulator.exec(&format!("@{name}"), source.as_bytes())?;
    simulator.input(input.as_bytes());
    simulator.run(Until::Time(Instant::now() + Duration::from_secs(20)))
}

fn check(name: &str, source: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let output = Output::default();
    let mut options = Options::new(folder.path());
    options.output = Box::new(output.clone());
    options.join_after = Duration::from_millis(30);
    let expected = read_script(source, &mut options);
    let mut simulator = Simulator::new(options)?;
    let ended = match run(&mut simulator, name, source, &expected.input) {
        Ok(Ended::Idle) => String::new(),
        Ok(ended) => format!("{ended:?}").to_lowercase(),
        Err(error) => error
            .to_string()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned(),
    };
    let output = String::from_utf8_lossy(&output.0.borrow()).into_owned();
    if ended != expected.ends {
        let wanted = expected.ends;
        return Err(format!("ended with {ended:?}, not {wanted:?}, after\n{output}").into());
    }
    if output.trim_end() != expected.lines.trim_end() {
        let wanted = expected.lines;
        return Err(format!("expected\n{wanted}but the output is\n{output}").into());
    }
    Ok(())
}

/// The test of a file, unless the script is for the other Lua.
fn trial(path: &Path) -> Result<Option<Trial>, Box<dyn Error>> {
    let source = fs::read_to_string(path)?;
    if only(&source).is_some_and(|lua| lua != LUA) {
        return Ok(None);
    }
    let name = path.file_name().ok_or("no file name")?;
    let name = name.to_str().ok_or("a file name is not UTF-8")?.to_owned();
    let stem = name.trim_end_matches(".lua").to_owned();
    Ok(Some(Trial::test(stem, move || check(&name, &source))))
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments = Arguments::from_args();
    let mut paths = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    let trials = paths.iter().filter_map(|path| trial(path).transpose());
    Ok(libtest_mimic::run(&arguments, trials.collect::<Result<_, _>>()?).exit_code())
}
