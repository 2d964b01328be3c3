//! The documentation: its pages, their fenced blocks, and commands with the output that they show.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{root, succeed};

/// Every page, sorted.
pub fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = fs::read_dir(root().join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .collect();
    pages.sort();
    let others = [
        "README.md",
        "CONTRIBUTING.md",
        "crates/README.md",
        "crates/firmware/lua/README.md",
    ];
    pages.extend(others.map(|page| root().join(page)));
    pages
}

/// The fenced blocks of a page, each with its language, and the text around them.
pub fn blocks(page: &str) -> (Vec<(String, String)>, String) {
    let (mut blocks, mut prose) = (Vec::new(), String::new());
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        match line.strip_prefix("```") {
            None => prose += &format!("{line}\n"),
            Some(language) => {
                let inside = lines.by_ref().take_while(|line| *line != "```");
                let text = inside.map(|line| format!("{line}\n")).collect();
                blocks.push((language.to_owned(), text));
            }
        }
    }
    (blocks, prose)
}

/// A command of fastlua as a page shows it.
pub struct Example {
    /// What is typed, where it is installed.
    pub command: String,
    /// What comes; a line `…` stands for any lines.
    pub shown: String,
}

/// The examples of a page, in their order.
pub fn examples(page: &Path) -> Vec<Example> {
    let mut found = Vec::new();
    for (language, text) in blocks(&fs::read_to_string(page).unwrap()).0 {
        if language != "console" {
            continue;
        }
        for part in format!("\n{text}").split("\n$ ").skip(1) {
            let (command, shown) = part.split_once('\n').unwrap_or((part, ""));
            let command = command.replace("cargo run --release --", "fastlua");
            if command.starts_with("fastlua ") {
                let shown = format!("{}\n", shown.trim_end_matches('\n'));
                let shown = shown.trim_start_matches('\n').to_owned();
                found.push(Example { command, shown });
            }
        }
    }
    found
}

impl Example {
    /// Whether it needs the emulator.
    pub fn is_for_the_chip(&self) -> bool {
        self.command.starts_with("fastlua bench ") && !self.command.contains("--on host")
    }

    /// Whether it waits for clients.
    pub fn serves(&self) -> bool {
        self.command.contains("--port-map") || self.command.starts_with("fastlua serve")
    }

    /// Runs it in a folder, with more arguments than it shows, and compares what it prints.
    pub fn check(&self, folder: &Path, more: &str) {
        let built = Path::new(env!("CARGO_BIN_EXE_fastlua")).parent().unwrap();
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = [built.to_owned()]
            .into_iter()
            .chain(env::split_paths(&path));
        let line = format!("{} {more} 2>&1", self.command);
        let mut shell = Command::new("sh");
        shell.args(["-c", &line]).current_dir(folder);
        let printed = succeed(shell.env("PATH", env::join_paths(folders).unwrap()));
        assert!(
            self.is(&printed),
            "{}\nis shown to print\n{}but prints\n{printed}",
            self.command,
            self.shown
        );
    }

    fn is(&self, printed: &str) -> bool {
        let printed = match printed {
            "" => String::new(),
            text => format!("{}\n", text.trim_end_matches('\n')),
        };
        let mut parts = self.shown.split("…\n");
        let head = parts.next().unwrap_or_default();
        let Some(mut rest) = printed.strip_prefix(head) else {
            return false;
        };
        for part in parts {
            let at = rest
                .match_indices(part)
                .map(|(at, _)| at)
                .find(|&at| at == 0 || rest[..at].ends_with('\n'));
            match at {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        rest.is_empty() || self.shown.ends_with("…\n")
    }
}
