//! Each file of `tests/scripts` is a test: a script that runs until nothing is left to do.
//!
//! Its lines that begin with `-->` are the output that it must give. Lines that begin with `--!` are settings:
//! `--! only 5.1`, `--! strict_send`, `--! allow_format`, `--! reboot`, `--! network NAME KEY`, `--! input TEXT` (typed
//! before the script's callbacks run), and `--! ends TEXT`: the run ends with this error, or with `restart`.

use std::cell::RefCell;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use fastlua_simulator::{Ended, Error, LUA, Options, Restart, Simulator, Until};

#[derive(Clone, Default)]
struct Output(Rc<RefCell<Vec<u8>>>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Default)]
struct Expected {
    lines: String,
    ends: String,
    input: String,
}

/// What the script says of itself, or None where it is for the other Lua.
fn read_script(text: &str, options: &mut Options) -> Option<Expected> {
    let mut expected = Expected::default();
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
            "only" if rest != LUA => return None,
            "only" => {}
            "strict_send" => options.strict_send = true,
            "allow_format" => options.allow_format = true,
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
    Some(expected)
}

fn run(simulator: &mut Simulator, name: &str, source: &str, input: &str) -> Result<Ended, Error> {
    simulator.exec(&format!("@{name}"), source.as_bytes())?;
    simulator.input(input.as_bytes());
    simulator.run(Until::Time(Instant::now() + Duration::from_secs(20)))
}

/// What is wrong with a script's run, if anything.
fn check(path: &Path) -> Option<String> {
    let source = fs::read_to_string(path).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let output = Output::default();
    let mut options = Options::new(folder.path());
    options.output = Box::new(output.clone());
    options.join_after = Duration::from_millis(30);
    let expected = read_script(&source, &mut options)?;
    let mut simulator = Simulator::new(options).unwrap();
    let ended = match run(&mut simulator, name, &source, &expected.input) {
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
        return Some(format!(
            "{name}: ended with {ended:?}, not {:?}, after this output:\n{output}",
            expected.ends
        ));
    }
    (output.trim_end() != expected.lines.trim_end()).then(|| {
        format!(
            "{name}: expected\n{}but the output is\n{output}",
            expected.lines
        )
    })
}

#[test]
fn scripts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let mut scripts: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    scripts.sort();
    assert!(!scripts.is_empty());
    let faults: Vec<_> = scripts.iter().filter_map(|script| check(script)).collect();
    assert!(
        faults.is_empty(),
        "{} of {} scripts fail:\n{}",
        faults.len(),
        scripts.len(),
        faults.join("\n")
    );
}
