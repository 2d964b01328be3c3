//! The documentation: its pages, their fenced blocks, and commands with the output that they show.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::parts::with_fastlua;
use super::{fastlua, firmware, put, root, succeed};

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
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "findings/README.md",
        "crates/README.md",
        "crates/firmware/lua/README.md",
    ];
    pages.extend(others.map(|page| root().join(page)));
    pages
}

/// The pages, the one for NodeMCU's documentation, and that of the golden chunks.
pub fn all_pages() -> Vec<PathBuf> {
    let mut all = pages();
    all.push(root().join("pipelines/nodemcu/docs/modules/fast.md"));
    all.push(root().join("tests/golden/README.md"));
    all
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

/// A command as a page shows it.
#[derive(Clone, Debug)]
pub struct Example {
    /// The language of its block.
    pub language: String,
    /// What is typed, where fastlua is installed.
    pub command: String,
    /// What comes; a line `…` stands for any lines.
    pub shown: String,
}

/// The commands of fastlua in a page's `console` blocks, in their order.
pub fn examples(page: &Path) -> Vec<Example> {
    let is_ours = |e: &Example| e.language == "console" && e.command.starts_with("fastlua ");
    commands(page).into_iter().filter(is_ours).collect()
}

/// All commands of a page: in `console` behind `$ ` with what they print, in `sh` and `powershell` the lines, in
/// `make` those of rules, in `yaml` and `dockerfile` what is run. Other blocks have none.
pub fn commands(page: &Path) -> Vec<Example> {
    let mut found = Vec::new();
    for (language, text) in blocks(&fs::read_to_string(page).unwrap()).0 {
        let mut add = |command: &str, shown: &str| {
            found.push(Example {
                language: language.clone(),
                command: command.replace("cargo run --release --", "fastlua"),
                shown: shown.into(),
            });
        };
        match language.as_str() {
            "console" => {
                for part in format!("\n{text}").split("\n$ ").skip(1) {
                    let (command, shown) = part.split_once('\n').unwrap_or((part, ""));
                    let shown = format!("{}\n", shown.trim_end_matches('\n'));
                    add(command, shown.trim_start_matches('\n'));
                }
            }
            // of NodeMCU's documentation
            "" if page.ends_with("modules/fast.md") => add(text.trim(), ""),
            "sh" | "powershell" => {
                let lines = text
                    .lines()
                    .map(|line| line.split("  #").next().unwrap().trim());
                lines
                    .filter(|line| !line.is_empty())
                    .for_each(|line| add(line, ""));
            }
            "make" => text
                .lines()
                .filter_map(|line| line.strip_prefix('\t'))
                .for_each(|line| add(line, "")),
            "yaml" => text
                .lines()
                .filter_map(|line| line.split_once("- run: "))
                .for_each(|(_, line)| add(line, "")),
            "dockerfile" => text
                .lines()
                .filter_map(|line| line.strip_prefix("RUN "))
                .for_each(|line| add(line, "")),
            _ => {}
        }
    }
    found
}

/// The files that a page gives: blocks whose first line is a comment with a name.
pub fn files(page: &Path) -> Vec<(String, String)> {
    let all = blocks(&fs::read_to_string(page).unwrap()).0;
    let named = all.into_iter().filter_map(|(_, text)| {
        let first = text.lines().next()?;
        let name = first.strip_prefix("-- ").or(first.strip_prefix("# "))?;
        let is_name = name.contains('.') && !name.contains(' ');
        is_name.then(|| (name.to_owned(), text.clone()))
    });
    named.collect()
}

/// The commands that the help names.
pub fn names_of_commands() -> Vec<String> {
    let help = succeed(fastlua(root()).arg("--help"));
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let (commands, _) = commands.split_once("\n\n").unwrap();
    let names = commands.lines().filter(|line| !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names.map(str::to_owned).collect()
}

/// A folder with the files that the examples of a page name, and those that it gives.
pub fn prepared(page: &Path) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for (name, text) in files(page)
        .into_iter()
        .chain(files(&root().join("docs/first-module.md")))
    {
        put(here, &name, text);
    }
    let pins = blocks(&fs::read_to_string(page).unwrap()).0;
    for (_, text) in pins
        .iter()
        .filter(|(_, text)| text.starts_with("fastlua-pins 1\n"))
    {
        put(here, "button.txt", text);
    }
    put(here, "app/include/user_config.h", "");
    put(here, "nodemcu-esp32/sdkconfig.defaults", "");
    put(here, "README.md", "text");
    put(here, "init.lua", "print 'hello'");
    let firmware = root().join("crates/firmware");
    for module in ["hello.lua", "telnet.lua"] {
        let text = fs::read(firmware.join("lua").join(module)).unwrap();
        put(here, &format!("crates/firmware/lua/{module}"), &text);
        put(here, module, &text);
    }
    let led = fs::read(firmware.join("example/led.lua")).unwrap();
    put(here, "led.lua", &led);
    put(here, "lua/led.lua", &led);
    put(here, "vendor/mqtt_client.lua", "return {}");
    put(
        here,
        "www/index.html",
        "<link rel=stylesheet href=css/main.css>\n<h1>NodeMCU</h1>\n",
    );
    put(here, "www/css/main.css", "body {font: 1em serif}\n\n");
    put(here, "nodemcu-firmware/app/include/user_config.h", "");
    let image = firmware::raw(&[firmware::head("lua51-float", 64 << 10)]);
    put(here, "nodemcu.bin", &image);
    put(here, "nodemcu-firmware/bin/0x10000.bin", &image);
    put(here, "nodemcu-firmware/bin/0x00000.bin", &image[..4096]);
    put(here, "0x00000.bin", &image[..4096]);
    put(
        here,
        "customers/acme/fast.toml",
        "[[module]]\npath = \"a.lua\"",
    );
    put(here, "customers/acme/a.lua", "return 1");
    folder
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

    /// Whether it is a client of a server on this PC.
    pub fn asks_a_server(&self) -> bool {
        self.command.contains("127.0.0.1:")
    }

    /// Runs it in a folder, with more arguments than it shows, and compares what it prints, if its block shows that.
    pub fn check(&self, folder: &Path, more: &str) {
        let line = match more {
            "" => format!("{{ {}\n}} 2>&1", self.command),
            more => format!("{} {more} 2>&1", self.command),
        };
        let printed = succeed(&mut shell(folder, &line));
        let is_shown = self.language != "console" || self.is(&printed);
        assert!(
            is_shown,
            "{}\nis shown to print\n{}but prints\n{printed}",
            self.command, self.shown
        );
    }

    /// Whether this is what it is shown to print.
    pub fn is(&self, printed: &str) -> bool {
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

/// A line for the shell, which finds the built fastlua.
pub fn shell(folder: &Path, line: &str) -> Command {
    let mut shell = with_fastlua("sh", folder);
    shell.args(["-c", line]);
    shell
}
