//! How the command speaks: colours, how much it says, help that reads well, completions and man pages.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::{call, misuse, put, root, run, succeed};
use tempfile::TempDir;

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "lua/a.lua", "return 1");
    put(folder.path(), "lua/b.lua", "return 2");
    put(folder.path(), "info.lua", "return 3");
    folder
}

/// Standard error of a command, whatever comes of it.
fn errors(command: &mut Command) -> String {
    String::from_utf8(run(command).stderr).unwrap()
}

/// The names of the commands, as the help has them.
fn commands(folder: &Path) -> Vec<String> {
    let help = succeed(&mut call(folder, "--help"));
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let (commands, _) = commands.split_once("\n\n").unwrap();
    let lines = commands.lines().filter(|line| !line.starts_with("   "));
    let names = lines.filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn colours_are_for_terminals_unless_asked_for() {
    let folder = folder();
    let f = folder.path();
    for arguments in ["list no.lc", "build info.lua -o out", "list", "--help"] {
        let colored = |more: &str, environment: &[(&str, &str)]| {
            let mut command = call(f, &format!("{arguments} {more}"));
            command.envs(environment.iter().copied());
            let output = run(&mut command);
            [output.stdout, output.stderr].concat().contains(&0x1b)
        };
        assert!(!colored("--color=auto", &[]), "{arguments}");
        assert!(!colored("--color never", &[]), "{arguments}");
        assert!(colored("--color always", &[]), "{arguments}");
        assert!(colored("--color=always", &[]), "{arguments}");
        // what is asked for on the command line comes before the environment
        assert!(
            colored("--color=always", &[("NO_COLOR", "1")]),
            "{arguments}"
        );
        // which might otherwise turn colours on or off
        let forced = ("CLICOLOR_FORCE", "1");
        assert!(colored("--color=auto", &[forced]), "{arguments}");
        assert!(!colored("--color=never", &[forced]), "{arguments}");
        assert!(
            !colored("--color=auto", &[forced, ("NO_COLOR", "1")]),
            "{arguments}"
        );
    }
    let said = misuse(&mut call(f, "list no.lc --color=sometimes"));
    assert!(
        said.contains("possible values: auto, always, never"),
        "{said}"
    );
}

#[test]
fn verbose_tells_what_is_read() {
    let folder = folder();
    let said = errors(&mut call(
        folder.path(),
        "build lua/a.lua lua/b.lua -o out -v",
    ));
    assert!(
        said.contains("read: lua/a.lua, 8 bytes\nread: lua/b.lua, 8 bytes\n"),
        "{said}"
    );
    assert!(said.contains("compiled and verified: "), "{said}");
}

/// Each line of the text below the options takes what fits into it.
#[test]
fn help_breaks_no_line_in_a_sentence() {
    let folder = folder();
    let f = folder.path();
    for command in commands(f) {
        let help = succeed(&mut call(f, &format!("{command} --help")));
        assert!(
            help.lines().all(|line| line.chars().count() <= 100),
            "{help}"
        );
        let Some((_, below)) = help.split_once("\nExample") else {
            panic!("{command} has no example");
        };
        let prose: Vec<&str> = below.lines().skip(1).collect();
        for pair in prose.windows(2) {
            let (line, next) = (pair[0], pair[1]);
            if line.is_empty() || line.starts_with(' ') || next.is_empty() {
                continue;
            }
            let word = next.split(' ').next().unwrap();
            assert!(
                line.chars().count() + 1 + word.chars().count() > 100,
                "{line}\n{next}"
            );
        }
    }
}

#[test]
fn completions_and_man_pages_know_every_command() {
    let folder = folder();
    let f = folder.path();
    let names = commands(f);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let text = succeed(&mut call(f, &format!("completions {shell}")));
        assert!(names.iter().all(|name| text.contains(name)), "{shell}");
        assert!(text.contains("no-fallback"), "{shell}");
    }
    let said = succeed(&mut call(f, "completions --man man1"));
    assert!(said.contains("man1/fastlua.1: written"), "{said}");
    let page = |name: &str| fs::read_to_string(f.join("man1").join(name)).unwrap();
    for name in &names {
        assert!(
            page("fastlua.1").contains(&format!("fastlua\\-{name}(1)")),
            "{name}"
        );
        assert!(
            page(&format!("fastlua-{name}.1")).contains(".SH OPTIONS"),
            "{name}"
        );
    }
    let again = succeed(&mut call(f, "completions --man man1"));
    assert!(!again.contains("written"), "{again}");
    misuse(&mut call(f, "completions"));
}

/// Values of options, in each shell that offers values.
#[test]
fn completions_know_values() {
    let folder = folder();
    let f = folder.path();
    for shell in ["bash", "zsh", "fish"] {
        let text = succeed(&mut call(f, &format!("completions {shell}")));
        for value in [
            "lua51-int",
            "lua53-int64-float64",
            "provisioning",
            "telnet",
            "frozen-data",
            "esp32c3",
            "esp32s3",
            "not-active",
            "deflated",
            "header",
        ] {
            assert!(text.contains(value), "{shell}: {value}");
        }
        let strip = match shell {
            "bash" => "compgen -W \"0 1 2\"",
            "zsh" => ":LEVEL:(0 1 2)",
            _ => "-l strip",
        };
        assert!(text.contains(strip), "{shell}");
    }
    // the options take other values all the same
    put(f, "a.lua", "return 1");
    put(
        f,
        "boards/mine.toml",
        fs::read(root().join("crates/variants/variants/lua51-int.toml")).unwrap(),
    );
    succeed(&mut call(
        f,
        "build a.lua -o out --variants boards --variant mine",
    ));
}

/// A shell takes the completions, and completes with them.
#[test]
#[ignore = "needs bash"]
fn bash_completes() {
    let folder = folder();
    let f = folder.path();
    put(f, "c", succeed(&mut call(f, "completions bash")));
    let script = ". ./c; COMP_WORDS=(fastlua build --emi); COMP_CWORD=2; \
        _fastlua fastlua --emi build; echo \"${COMPREPLY[@]}\"";
    let mut bash = Command::new("bash");
    bash.args(["-c", script]).current_dir(f);
    assert_eq!(succeed(&mut bash), "--emit\n");
    for (option, begun, completed) in [
        ("--variant", "lua51-i", "lua51-int"),
        ("--with", "prov", "provisioning"),
        ("--chip", "esp82", "esp8266"),
        ("--as", "frozen-", "frozen-data"),
        ("--strip", "", "0 1 2"),
        ("--emit", "h", "header"),
    ] {
        let script = format!(
            ". ./c; COMP_WORDS=(fastlua build {option} '{begun}'); COMP_CWORD=3; \
             _fastlua fastlua '{begun}' {option}; echo \"${{COMPREPLY[@]}}\""
        );
        let mut bash = Command::new("bash");
        bash.args(["-c", &script]).current_dir(f);
        assert_eq!(succeed(&mut bash), format!("{completed}\n"), "{option}");
    }
}
