//! Runs each file of `tests/cases` in a folder of its own and compares what the commands print with what the file says.
//! `SNAPSHOTS=overwrite cargo test --test cases` writes down what they print now. CONTRIBUTING.md explains the files.

mod support;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use support::firmware::{head, raw};
use support::{fastlua, put, root};
use tryfn::{Case, Data, Harness};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What begins a line of output: standard output, standard error, an end without a newline, the exit status, and files
/// that are new, changed or gone.
const MARKS: [&str; 7] = [">", "!", "\\", "?", "+", "~", "-"];

fn main() {
    let setup = |fixture: PathBuf| Case {
        name: fixture.file_stem().unwrap().to_string_lossy().into_owned(),
        // Every character counts; snapbox has wildcards otherwise.
        expected: Data::read_from(&fixture, None).raw(),
        fixture,
    };
    Harness::new(root().join("tests/cases"), setup, run_case)
        .select(["*.case"])
        .test();
}

/// The text of a case with what its commands print now.
fn run_case(case: &Path) -> Result<String> {
    let text = fs::read_to_string(case)?;
    let (script, files) = text.split_at(first_file(&text));
    let folder = tempfile::tempdir()?;
    write_files(folder.path(), files);
    let mut now = String::new();
    let mut commands = 0;
    for line in script.lines() {
        let is_output = MARKS.contains(&line.split(' ').next().unwrap_or(""));
        if !is_output {
            writeln!(now, "{line}")?;
        }
        if let Some(command) = line.strip_prefix("$ ") {
            commands += 1;
            let result = run_line(folder.path(), command);
            now += &result.map_err(|error| format!("{command}: {error}"))?;
        }
    }
    match commands {
        0 => Err("no line begins with `$ `".into()),
        _ => Ok(now + files),
    }
}

/// The name in a line `-- NAME --`.
fn file_name(line: &str) -> Option<&str> {
    line.trim_end().strip_prefix("-- ")?.strip_suffix(" --")
}

fn first_file(text: &str) -> usize {
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        if file_name(line).is_some() {
            break;
        }
        offset += line.len();
    }
    offset
}

/// Writes the input files. A name that ends in a slash is a folder.
fn write_files(folder: &Path, text: &str) {
    let mut files: Vec<(&str, String)> = Vec::new();
    for line in text.split_inclusive('\n') {
        match (file_name(line), files.last_mut()) {
            (Some(name), _) => files.push((name, String::new())),
            (None, Some((_, content))) => content.push_str(line),
            (None, None) => unreachable!("the text begins with a file"),
        }
    }
    for (name, content) in files {
        match name.strip_suffix('/') {
            Some(name) => fs::create_dir_all(folder.join(name)).unwrap(),
            None => drop(put(folder, name, content)),
        }
    }
}

/// The words of a command line; quotes hold a word together.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (None, ' ') => words.extend(word.take()),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(q), _) if q == c => quote = None,
            _ => word.get_or_insert_with(String::new).push(c),
        }
    }
    assert_eq!(quote, None, "a quote is open: {line}");
    words.extend(word);
    words
}

/// Runs a command line: its output, status, and the files that it changed.
fn run_line(folder: &Path, line: &str) -> Result<String> {
    let before = files_in(folder);
    let words = words(line);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut shown = String::new();
    match words[..] {
        ["cat", name] => show(&mut shown, ">", &fs::read_to_string(folder.join(name))?)?,
        ["shipped", name] => {
            let module = root().join("crates/firmware/lua").join(name);
            put(folder, name, fs::read(module)?);
        }
        ["firmware", variant, kilobytes, name] => {
            let capacity = kilobytes.parse::<u32>()? << 10;
            put(folder, name, raw(&[head(variant, capacity)]));
        }
        _ => {
            let output = run_fastlua(folder, &words)?;
            for (mark, text) in [(">", output.stdout), ("!", output.stderr)] {
                let text = String::from_utf8(text)?;
                let text = match cfg!(windows) {
                    true => as_on_unix(folder, &text),
                    false => text,
                };
                show(&mut shown, mark, &text)?;
            }
            match output.status.code() {
                Some(0) => (),
                Some(status) => writeln!(shown, "? {status}")?,
                None => return Err(output.status.to_string().into()),
            }
        }
    }
    let after = files_in(folder);
    for (name, content) in &after {
        match before.get(name) {
            None => writeln!(shown, "+ {name}")?,
            Some(old) if old != content => writeln!(shown, "~ {name}")?,
            Some(_) => (),
        }
    }
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        writeln!(shown, "- {name}")?;
    }
    Ok(shown)
}

/// `[NAME=VALUE]... fastlua ARGUMENT... [< FILE]`, with nothing of the environment but what Windows needs.
fn run_fastlua(folder: &Path, words: &[&str]) -> Result<Output> {
    let start = words.iter().position(|word| *word == "fastlua");
    let start = start.ok_or("fastlua, cat, shipped and firmware are the commands")?;
    let (arguments, input) = match &words[start + 1..] {
        [arguments @ .., "<", name] => (arguments, Stdio::from(File::open(folder.join(name))?)),
        arguments => (arguments, Stdio::null()),
    };
    let mut command: Command = fastlua(folder);
    command.env_clear();
    for name in ["SystemRoot", "TEMP"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    for setting in &words[..start] {
        let (name, value) = setting.split_once('=').ok_or("not NAME=VALUE")?;
        command.env(name, value);
    }
    Ok(command.args(arguments).stdin(input).output()?)
}

/// Lines of output behind their mark; control characters as they are written in Rust.
fn show(shown: &mut String, mark: &str, text: &str) -> Result<()> {
    for line in text.split_inclusive('\n') {
        let (line, is_whole) = match line.strip_suffix('\n') {
            Some(line) => (line, true),
            None => (line, false),
        };
        shown.push_str(mark);
        shown.push_str(if line.is_empty() { "" } else { " " });
        for c in line.chars() {
            match c {
                '\t' => shown.push(c),
                c if c.is_control() => shown.extend(c.escape_default()),
                c => shown.push(c),
            }
        }
        shown.push('\n');
        if !is_whole {
            shown.push_str("\\ no newline\n");
        }
    }
    Ok(())
}

/// What the command prints on Windows, as it would be elsewhere: the program's name, paths, and what the system says of a
/// file that is not there.
fn as_on_unix(folder: &Path, text: &str) -> String {
    let mut text = text.replace("fastlua.exe", "fastlua");
    for name in files_in(folder).keys() {
        for (slash, _) in name.match_indices('/') {
            for (end, _) in name.match_indices('/').chain([(name.len(), "")]) {
                let (start, rest) = name[..end].split_at(slash.min(end));
                for separator in ["\\", "\\\\"] {
                    let path = rest.replacen('/', separator, 1);
                    text = text.replace(&format!("{start}{path}"), &name[..end]);
                }
            }
        }
    }
    let is_missing = |line: &str| line.contains("(os error 2)") || line.contains("(os error 3)");
    let mut plain = String::new();
    for line in text.split_inclusive('\n') {
        let line = match line.strip_prefix(".\\") {
            Some(path) => format!("./{path}"),
            None => line.into(),
        };
        match line.split_once("can't be ") {
            Some((start, end)) if is_missing(end) => {
                let verb = end.split(':').next().unwrap_or("");
                let rest = end.split_once(')').map_or("", |(_, rest)| rest);
                plain += start;
                plain += &format!("can't be {verb}: No such file or directory (os error 2){rest}");
            }
            _ => plain += &line,
        }
    }
    plain
}

/// Names, with slashes, and contents of all files below a folder.
fn files_in(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn add(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type().unwrap().is_dir() {
                add(&entry.path(), &format!("{name}/"), files);
            } else {
                files.insert(name, fs::read(entry.path()).unwrap());
            }
        }
    }
    let mut files = BTreeMap::new();
    add(folder, "", &mut files);
    files
}
