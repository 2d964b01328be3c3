//! The commands of the documentation: each is run, here or in another test, or it stands in a list with the reason.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use support::docs::{Example, all_pages, blocks, commands, names_of_commands, prepared, shell};
use support::parts::with_fastlua;
use support::{fastlua, put, root, succeed};

/// Commands that other tests run: the test's file and its name.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    (
        "fastlua run",
        "tests/prompt.rs",
        "values_are_shown_and_statements_go_on",
    ),
    (
        "fastlua run hello.lua --watch -e \"fast.hello('PC')\"",
        "tests/watch.rs",
        "a_change_restarts_the_device",
    ),
    (
        "fastlua serve",
        "tests/serve.rs",
        "the_readme_shows_what_is_printed",
    ),
    (
        "pipx ensurepath",
        "tests/commands.rs",
        "what_comes_from_pypi_works_as_shown",
    ),
    (
        "pipx install --include-deps esptool",
        "tests/commands.rs",
        "what_comes_from_pypi_works_as_shown",
    ),
    (
        "esptool version",
        "tests/commands.rs",
        "what_comes_from_pypi_works_as_shown",
    ),
    (
        "pyserial-ports -v",
        "tests/commands.rs",
        "what_comes_from_pypi_works_as_shown",
    ),
    (
        "python3 -m venv ~/esp",
        "tests/commands.rs",
        "what_comes_from_pypi_works_as_shown",
    ),
    (
        "~/esp/bin/pip install esptool",
        "tests/commands.rs",
        "what_comes_from_pypi_works_as_shown",
    ),
    (
        "~/esp/bin/esptool version",
        "tests/commands.rs",
        "what_comes_from_pypi_works_as_shown",
    ),
];

const PACKAGES: &str = "installs packages of the system; names_of_packages_are_right asks for them";
const OTHER_SYSTEM: &str = "is for a system that the tests do not run on";
const BOARD: &str = "needs a board; what_comes_from_pypi_works_as_shown has it look for one";
const TREE: &str = "needs NodeMCU's tree with its SDK, which makes firmware for minutes";
const SCRIPT: &str =
    "is what runs the tests, or builds for minutes; the workflows in .github run it";
const PUBLISHES: &str = "publishes";
const IN_PYTHON: &str = "needs Dask; scripts/python test runs it";
const PUBLISHED: &str =
    "installs what is published; scripts/try-release installs the wheel of this tree";
const DOCKER: &str = "needs Docker; scripts/try-release builds and runs the same image by buildah";

/// Commands that no test runs, and why.
const NOT_RUN: &[(&str, &str)] = &[
    ("cargo install --locked --path .", SCRIPT),
    ("scripts/test", SCRIPT),
    ("scripts/test quick    # while you work", SCRIPT),
    ("scripts/test          # before you send", SCRIPT),
    ("scripts/page", SCRIPT),
    ("scripts/try-release", SCRIPT),
    ("scripts/release binary x86_64-unknown-linux-musl", SCRIPT),
    ("scripts/release version 0.2.0", PUBLISHES),
    (
        "git commit -am \"Version 0.2.0\" && git tag v0.2.0 && git push origin main v0.2.0",
        PUBLISHES,
    ),
    (
        "scripts/package publish -p fastlua-bundle -p fastlua",
        PUBLISHES,
    ),
    (
        "docker build -f pipelines/Dockerfile --target fastlua -t fastlua \
         target/release-files/fastlua-0.1.0-x86_64-unknown-linux-musl",
        DOCKER,
    ),
    (
        "docker run --rm --network none -v \"$PWD:/work\" fastlua build fast.toml -o out",
        DOCKER,
    ),
    (
        "--mount=type=cache,target=/cache fastlua build fast.toml -o out --cache /cache",
        DOCKER,
    ),
    ("apt-get update && apt-get install -y gcc libc6-dev", DOCKER),
    (
        "cargo install --locked --path /fastlua --root /usr/local",
        DOCKER,
    ),
    // of a workflow
    (
        "sudo apt-get update && sudo apt-get install -y gcc-xtensa-lx106 picolibc-xtensa-lx106-elf qemu-system-misc",
        PACKAGES,
    ),
    ("cargo install --locked --path fastlua", SCRIPT),
    ("pip install fastlua", PUBLISHED),
    ("pip install fastlua -r requirements.txt", PUBLISHED),
    ("python patch_all.py customers.csv -o out", IN_PYTHON),
    (
        "python patch_all.py customers.csv -o out --scheduler tcp://10.0.0.1:8786",
        IN_PYTHON,
    ),
    ("make -C nodemcu-firmware", TREE),
    ("LDFLAGS=-Wl,--wrap=luaN_init make", TREE),
    (
        "git clone --recurse-submodules https://github.com/nodemcu/nodemcu-firmware",
        TREE,
    ),
    (
        "git clone -b dev-esp32 --recurse-submodules https://github.com/nodemcu/nodemcu-firmware nodemcu-esp32",
        TREE,
    ),
    (
        "cp -r fastlua/pipelines/esp-idf/fastlua nodemcu-esp32/components/",
        TREE,
    ),
    ("cd nodemcu-esp32", TREE),
    ("./install.sh", TREE),
    ("make IDF_TARGET=esp32c3", TREE),
    ("make IDF_TARGET=esp32c3 ESPPORT=/dev/ttyACM0 flash", BOARD),
    (
        "sudo usermod -a -G dialout \"$USER\"",
        "changes the rights of whoever runs the tests",
    ),
    ("brew install pipx", OTHER_SYSTEM),
    ("winget install Python.Python.3.13", OTHER_SYSTEM),
    ("py -m pip install --user pipx", OTHER_SYSTEM),
    ("py -m pipx ensurepath", OTHER_SYSTEM),
    ("curl -T init.lua ftp://user:pwd@192.168.1.23/", BOARD),
    ("curl --list-only ftp://user:pwd@192.168.1.23/", BOARD),
];

/// Why a command is not run with the others; nothing if it is.
fn other_test(example: &Example) -> Option<&str> {
    let command = example.command.as_str();
    let elsewhere = ELSEWHERE.iter().find(|(known, ..)| *known == command);
    let not_run = NOT_RUN.iter().find(|(known, _)| *known == command);
    match (elsewhere, not_run) {
        (Some((_, _, test)), _) => Some(test),
        (_, Some((_, reason))) => Some(reason),
        _ if example.language == "make" => Some("rules_for_make_do_what_they_say"),
        _ if example.is_for_the_chip() => Some("the_pages_show_what_the_command_prints"),
        _ if example.serves() || example.asks_a_server() => {
            Some("servers_and_clients_do_what_is_shown")
        }
        _ if installs(command) => Some(PACKAGES),
        _ if is_for_a_board(command) => Some(BOARD),
        _ => None,
    }
}

fn installs(command: &str) -> bool {
    command.starts_with("apt-get install ") || command.starts_with("sudo apt-get install ")
}

fn is_for_a_board(command: &str) -> bool {
    command.contains(" /dev/tty")
}

/// All that no other test runs, one after the other.
#[test]
fn commands_do_what_is_shown() {
    for page in all_pages() {
        let folder = prepared(&page);
        for example in commands(&page) {
            if other_test(&example).is_none() {
                example.check(folder.path(), "");
            }
        }
    }
}

/// What is typed at the chip's prompt does no harm at the simulated one, but for what asks for a slot, which is in no simulator.
#[test]
fn lua_for_the_prompt_runs() {
    let mut count = 0;
    for page in ["README.md", "docs/first-board.md", "docs/first-module.md"] {
        let page = root().join(page);
        let folder = prepared(&page);
        for (language, text) in blocks(&fs::read_to_string(&page).unwrap()).0 {
            let is_file = text.starts_with("-- ");
            if language != "lua" || is_file {
                continue;
            }
            for line in text.lines().filter(|line| !line.contains(".slot")) {
                let mut run = fastlua(folder.path());
                run.args([
                    "run",
                    "blink.lua",
                    "--with",
                    "provisioning",
                    "--seconds",
                    "1",
                ]);
                succeed(run.args(["-e", line.trim_start_matches("> ")]));
                count += 1;
            }
        }
    }
    assert!(count >= 7, "{count}");
}

/// What is not run is still there, and so are the tests that run it.
#[test]
fn the_lists_of_commands_are_right() {
    let all: BTreeSet<String> = all_pages()
        .iter()
        .flat_map(|page| commands(page))
        .map(|e| e.command)
        .collect();
    for (command, file, test) in ELSEWHERE {
        assert!(all.contains(*command), "{command}");
        let text = fs::read_to_string(root().join(file)).unwrap();
        assert!(text.contains(&format!("\nfn {test}(")), "{file}: {test}");
    }
    for (command, reason) in NOT_RUN {
        assert!(all.contains(*command), "{command}");
        assert!(!reason.is_empty(), "{command}");
    }
}

/// A block that shows output or a file has no command that would go unseen.
#[test]
fn commands_stand_where_they_are_run() {
    let programs = [
        "$ ", "fastlua ", "esptool ", "make ", "git ", "curl ", "pip", "cargo ", "sudo ",
        "scripts/",
    ];
    for page in all_pages() {
        for (language, text) in blocks(&fs::read_to_string(&page).unwrap()).0 {
            let known = [
                "console",
                "sh",
                "powershell",
                "make",
                "yaml",
                "dockerfile",
                "toml",
                "ini",
                "json",
                "cmake",
                "lua",
                "rust",
                "python",
            ];
            if known.contains(&language.as_str()) {
                continue;
            }
            if language.is_empty() && page.ends_with("modules/fast.md") {
                continue;
            }
            assert!(
                ["text", ""].contains(&language.as_str()),
                "{}: {language}",
                page.display()
            );
            // a crate of the map is called like the program
            if page.ends_with("crates/README.md") {
                continue;
            }
            for line in text.lines() {
                let is_one = programs.iter().any(|program| line.starts_with(program));
                assert!(!is_one, "{}: {line}", page.display());
            }
        }
    }
}

/// Commands inside sentences: they exist, and have the options.
#[test]
fn commands_in_sentences_exist() {
    let names = names_of_commands().into_iter();
    let helps: BTreeMap<String, String> = names
        .filter(|name| name != "help")
        .map(|name| {
            (
                name.clone(),
                succeed(fastlua(root()).args([&name, "--help"])),
            )
        })
        .collect();
    let mut count = 0;
    for page in all_pages() {
        let (_, prose) = blocks(&fs::read_to_string(&page).unwrap());
        let spans = prose.split('`').skip(1).step_by(2);
        for span in spans.filter(|span| span.starts_with("fastlua ")) {
            let mut words = span.split_whitespace().skip(1).peekable();
            let name = words.next().unwrap();
            if name.starts_with('-') || name.contains("OWNER") {
                continue;
            }
            let help = helps
                .get(name)
                .unwrap_or_else(|| panic!("{}: {span}", page.display()));
            for word in words
                .take_while(|word| *word != "--")
                .filter(|word| word.starts_with("--"))
            {
                let option = word.split(['=', ',']).next().unwrap();
                assert!(
                    help.contains(option),
                    "{}: {span}: {option}",
                    page.display()
                );
            }
            count += 1;
        }
    }
    assert!(count > 30, "{count}");
}

/// Each rule of a page, in a folder with the files that it needs: the page, what comes before, the target, and a file that it makes.
#[test]
#[ignore = "needs make, the chips' cross compilers and emulators"]
fn rules_for_make_do_what_they_say() {
    let rules = [
        (
            "docs/manifest.md",
            "fast:",
            "",
            "fast",
            "app/modules/fast.c",
        ),
        (
            "docs/manifest.md",
            "fast.stamp:",
            "",
            "fast.stamp",
            "app/modules/fast_chunks.h",
        ),
        (
            "docs/images.md",
            "%.bin:",
            "",
            "customers/../acme.bin",
            "acme.bin",
        ),
        (
            "docs/bench.md",
            "check-size:",
            "fastlua bench fast.toml --json figures.json --variant lua51-int --quiet",
            "check-size",
            "figures.new",
        ),
        (
            "docs/bench.md",
            "accept-size:",
            "echo new > figures.new",
            "accept-size",
            "figures.json",
        ),
    ];
    let mut seen = 0;
    for (page, rule, before, target, makes) in rules {
        let page = root().join(page);
        let folder = prepared(&page);
        let here = folder.path();
        put(
            here,
            "fast.toml",
            "variants = [\"lua51-int\"]\n[[module]]\npath = \"hello.lua\"\n",
        );
        let all = blocks(&fs::read_to_string(&page).unwrap()).0;
        let with_rule = |text: &&(String, String)| {
            text.0 == "make" && text.1.lines().any(|line| line.starts_with(rule))
        };
        let (_, text) = all
            .iter()
            .find(with_rule)
            .unwrap_or_else(|| panic!("{rule}"));
        put(here, "Makefile", text);
        succeed(&mut shell(here, before));
        let target = target.trim_start_matches("customers/../");
        succeed(with_fastlua("make", here).arg(target));
        assert!(here.join(makes).is_file(), "{rule}");
        seen += 1;
    }
    let recipes = all_pages()
        .iter()
        .flat_map(|page| commands(page))
        .filter(|e| e.language == "make")
        .count();
    assert_eq!(seen, recipes);
}

/// Each server with the clients that follow it, at ports that are free.
#[test]
#[ignore = "needs curl and lftp"]
fn servers_and_clients_do_what_is_shown() {
    let mut clients = 0;
    for page in all_pages() {
        let folder = prepared(&page);
        fs::create_dir_all(folder.path().join("files")).unwrap();
        let mut server: Option<Server> = None;
        for example in commands(&page) {
            if example.serves() && !example.command.starts_with("fastlua serve") {
                drop(server.take());
                server = Some(Server::start(folder.path(), &example));
            } else if example.asks_a_server() {
                let server = server
                    .as_ref()
                    .unwrap_or_else(|| panic!("{}", example.command));
                let printed = succeed(&mut shell(
                    folder.path(),
                    &server.at_its_port(&example.command),
                ));
                assert!(example.is(&printed), "{}: {printed}", example.command);
                clients += 1;
            }
        }
    }
    assert!(clients >= 5, "{clients}");
}

/// A running example: what it was shown to print has come.
struct Server {
    child: Child,
    shown: String,
    free: String,
}

impl Server {
    fn start(folder: &Path, example: &Example) -> Server {
        let (_, map) = example.command.split_once("--port-map ").unwrap();
        let shown = map
            .split(' ')
            .next()
            .unwrap()
            .split(':')
            .nth(1)
            .unwrap()
            .to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let free = listener.local_addr().unwrap().port().to_string();
        drop(listener);
        let line = example
            .command
            .replace(&format!(":{shown} "), &format!(":{free} "));
        let mut command = shell(folder, &format!("exec {line} 2>&1"));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let server = Server { child, shown, free };
        let mut printed: Vec<String> = Vec::new();
        for _ in example.shown.lines() {
            printed.push(
                lines
                    .next()
                    .unwrap()
                    .unwrap()
                    .replace(&server.free, &server.shown),
            );
        }
        // what goes to the two streams may come in any order, and the heap of a PC is an estimate
        let compared = |lines: Vec<&str>| {
            let before_heap = |line: &str| line.split(" heap ").next().unwrap().to_owned();
            lines
                .into_iter()
                .map(before_heap)
                .collect::<BTreeSet<String>>()
        };
        let printed = compared(printed.iter().map(String::as_str).collect());
        let expected = compared(example.shown.lines().collect());
        assert_eq!(printed, expected, "{line}");
        server
    }

    fn at_its_port(&self, command: &str) -> String {
        command.replace(
            &format!("127.0.0.1:{}", self.shown),
            &format!("127.0.0.1:{}", self.free),
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// esptool, the terminal and the list of ports, as the page for new users has them installed. A home of its own is used.
#[test]
#[ignore = "needs python3 with venv, and PyPI"]
fn what_comes_from_pypi_works_as_shown() {
    let (home, page) = (
        tempfile::tempdir_in(root().join("target")).unwrap(),
        root().join("docs/first-board.md"),
    );
    let folder = prepared(&page);
    let here = home.path();
    let python = |line: &str| succeed(&mut shell(here, line));
    python("python3 -m venv pipx && pipx/bin/pip install --quiet pipx");
    // a port that is not there, as each command would find it
    let at_home = |line: &str| {
        let path = format!(
            "{0}/.local/bin:{0}/pipx/bin:{1}",
            here.display(),
            env::var("PATH").unwrap()
        );
        let mut shell = shell(folder.path(), line);
        shell.env("HOME", here).env("PATH", path).env("USER", "me");
        shell
            .env_remove("PIPX_HOME")
            .env_remove("PIPX_BIN_DIR")
            .env_remove("XDG_DATA_HOME");
        shell
    };
    let mut count = 0;
    for example in commands(&page) {
        let test = ELSEWHERE
            .iter()
            .find(|(command, ..)| *command == example.command);
        if test.is_some_and(|(_, _, test)| *test == "what_comes_from_pypi_works_as_shown") {
            succeed(&mut at_home(&example.command));
            count += 1;
        }
    }
    assert!(count >= 6);
    assert!(succeed(&mut at_home("esptool version")).contains("esptool v"));
    assert!(succeed(&mut at_home("pyserial-miniterm --help")).contains("port"));
    for name in ["mine.bin", "lfs.bin"] {
        put(folder.path(), name, [0; 4096]);
    }
    // commands for a board are read as they are meant, and then miss it
    let mut count = 0;
    for page in all_pages() {
        let boards = commands(&page)
            .into_iter()
            .filter(|e| is_for_a_board(&e.command));
        for example in boards {
            let line = example
                .command
                .replace("/dev/tty", "/dev/no-tty")
                .replace("/dev/cu.", "/dev/no-cu.");
            let output = at_home(&line).output().unwrap();
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said).to_lowercase();
            assert!(
                !output.status.success() && said.contains("could not open"),
                "{line}: {said}"
            );
            count += 1;
        }
    }
    assert!(count >= 5, "{count}");
}

/// Debian has the packages that pages name. Lists of packages of its own are fetched where the system has none.
#[test]
#[ignore = "needs apt-get, and lists of packages or Debian's servers"]
fn names_of_packages_are_right() {
    let lists = tempfile::tempdir().unwrap();
    let own = format!("Dir::State::lists={}", lists.path().display());
    let simulated = |names: &str, more: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.args(more).args(["install", "--simulate"]);
        apt.args(names.split(' '))
            .output()
            .unwrap()
            .status
            .success()
    };
    let mut count = 0;
    for page in all_pages() {
        for example in commands(&page) {
            for part in example.command.split("&&").map(str::trim) {
                let part = part.trim_start_matches("sudo ");
                let Some(names) = part.strip_prefix("apt-get install ") else {
                    continue;
                };
                if !simulated(names, &[]) {
                    let is_empty = fs::read_dir(lists.path()).unwrap().next().is_none();
                    if is_empty {
                        succeed(Command::new("apt-get").args(["-o", &own, "update"]));
                    }
                    assert!(simulated(names, &["-o", &own]), "{names}");
                }
                count += 1;
            }
        }
    }
    assert!(count >= 5, "{count}");
}
