//! `fastlua build` from the outside: what it writes, and when it writes nothing.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::held::Held;
use support::{fail, fastlua, put, root, succeed};

/// Names and contents of the files in a folder, sorted.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                fs::read(&path).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

fn build(folder: &Path, args: &[&str]) -> Command {
    let mut command = fastlua(folder);
    command.arg("build").args(args);
    command
}

#[test]
fn the_same_bytes_wherever_and_however() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let names = ["a.lua", "b-c.lua", "d.lua"];
    for (i, name) in names.iter().enumerate() {
        let text = format!("local t = {{{i}}} function f(...) return t, ... end");
        put(here.path(), name, &text);
        put(&there.path().join("deep er/é"), name, &text);
    }
    succeed(build(here.path(), &["a.lua", "b-c.lua", "d.lua", "-o", "out"]).env("TZ", "UTC"));
    let first = contents(&here.path().join("out"));
    assert_eq!(first.len(), 2);
    let elsewhere = there.path().join("deep er/é");
    succeed(
        build(
            there.path(),
            &[
                "deep er/é/d.lua",
                "deep er/é/a.lua",
                elsewhere.join("b-c.lua").to_str().unwrap(),
                "-o",
                "out",
                "--jobs",
                "1",
            ],
        )
        .envs([("TZ", "Asia/Tokyo"), ("LC_ALL", "de_DE.UTF-8")]),
    );
    assert_eq!(contents(&there.path().join("out")), first);
    put(here.path(), "fast.toml", "[[module]]\npath = \"*.lua\"\n");
    succeed(&mut build(here.path(), &["-o", "again", "--jobs=7"]));
    assert_eq!(contents(&here.path().join("again")), first);
}

#[test]
fn unchanged_output_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "a.lua", "return 1");
    let files = ["fast.c", "fast_chunks.h", "fast.d"].map(|f| folder.path().join("out").join(f));
    let times = || {
        files
            .each_ref()
            .map(|f| fs::metadata(f).unwrap().modified().unwrap())
    };
    let args = ["a.lua", "-o", "out", "-M", "out/fast.d"];
    succeed(&mut build(folder.path(), &args));
    for file in &files {
        let file = fs::File::options().write(true).open(file).unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
    }
    let before = times();
    let report = succeed(&mut build(folder.path(), &args));
    assert_eq!(times(), before);
    assert_eq!(report.matches("unchanged").count(), 3, "{report}");
    put(folder.path(), "a.lua", "return 2");
    succeed(&mut build(folder.path(), &args));
    let after = times();
    assert!(after[1] > before[1] && after[0] == before[0]);
}

#[test]
fn a_failed_run_leaves_the_old_output() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "a.lua", "return 1");
    put(folder.path(), "bad.lua", "local x =\n\n= 1");
    put(folder.path(), "half.lua", "return 0.5");
    succeed(&mut build(folder.path(), &["a.lua", "-o", "out"]));
    let before = contents(&folder.path().join("out"));
    let errors = fail(&mut build(
        folder.path(),
        &["a.lua", "bad.lua", "half.lua", "-o", "out"],
    ));
    assert!(
        errors.contains("bad.lua:3: unexpected symbol near '='"),
        "{errors}"
    );
    assert!(
        errors.contains("half.lua:1: malformed number near '0.5' [lua51-int]"),
        "{errors}"
    );
    assert_eq!(contents(&folder.path().join("out")), before);
}

#[test]
fn what_is_no_module_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    put(f, "escape.lua", "\x1bLua");
    succeed(Command::new("mkfifo").arg(f.join("fifo.lua")));
    for (args, says) in [
        (
            &["escape.lua"][..],
            "escape.lua: offset 0: header of 12 bytes, but 4 bytes",
        ),
        (&["fifo.lua"], "fifo.lua can't be read"),
        (&["/dev/zero"], "/dev/zero can't be read"),
    ] {
        let errors = fail(build(f, args).args(["-o", "out"]));
        assert!(errors.contains(says), "{args:?}: {errors}");
        assert!(!f.join("out").exists(), "{args:?} wrote something");
    }
}

#[test]
fn a_link_that_leaves_the_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let outside = put(folder.path(), "secret.lua", "");
    let inside = folder.path().join("project");
    put(&inside, "fast.toml", "[[module]]\npath = \"lua/*.lua\"\n");
    fs::create_dir(inside.join("lua")).unwrap();
    std::os::unix::fs::symlink(outside, inside.join("lua/x.lua")).unwrap();
    let errors = fail(&mut build(&inside, &["-o", "out"]));
    assert!(errors.contains("outside the folder"), "{errors}");
}

#[test]
fn the_depfile_is_one_that_make_reads() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "my $mods/a.lua", "return 1");
    put(
        folder.path(),
        "my $mods/fast.toml",
        "[[module]]\npath = \"a.lua\"\n",
    );
    succeed(&mut build(
        folder.path(),
        &["my $mods/fast.toml", "-o", "out", "-M", "fast.d"],
    ));
    put(
        folder.path(),
        "Makefile",
        "all: out/fast_chunks.h\ninclude fast.d\nout/fast.c out/fast_chunks.h:\n\t@touch $@; echo remade $@\n",
    );
    let make = || {
        let mut command = Command::new("make");
        command.arg("-C").arg(folder.path());
        command
    };
    assert!(!succeed(&mut make()).contains("remade"));
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
    let source = fs::File::options()
        .write(true)
        .open(folder.path().join("my $mods/a.lua"))
        .unwrap();
    source.set_modified(later).unwrap();
    assert!(succeed(&mut make()).contains("remade out/fast_chunks.h"));
}

#[test]
fn another_board_takes_a_toml_file_and_no_code() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    put(f, "a.lua", "return 1");
    let stock =
        fs::read_to_string(root().join("crates/variants/variants/puc51-float-32bit.toml")).unwrap();
    put(
        f,
        "boards/my-board.toml",
        stock.replace("!defined(LUA_USE_ESP)", "defined(MY_BOARD)"),
    );
    succeed(&mut build(
        f,
        &[
            "a.lua",
            "-o",
            "out",
            "--variants",
            "boards",
            "--variant",
            "my-board",
        ],
    ));
    let header = fs::read_to_string(f.join("out/fast_chunks.h")).unwrap();
    assert!(header.contains("#if (defined(MY_BOARD) &&"), "{header}");
    let listed = succeed(fastlua(f).args(["variants", "--variants", "boards"]));
    assert!(listed.contains("my-board: Stock Lua 5.1"), "{listed}");
}

#[test]
fn what_is_killed_leaves_whole_outputs() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    let text = |n: u32| format!("local t = {{{}}}\nreturn t", format!("{n},").repeat(20_000));
    let out = f.join("out");
    let header = out.join("fast_chunks.h");
    let of = |n| {
        put(f, "a.lua", text(n));
        succeed(&mut build(f, &["a.lua", "-o", "out"]));
        fs::read(&header).unwrap()
    };
    let both = [of(1), of(2)];
    for _ in 0..5 {
        let before = fs::read(&header).unwrap();
        let other = if before == both[0] { 2 } else { 1 };
        put(f, "a.lua", text(other));
        // before the files get their names
        let held = Held::start(&mut build(f, &["a.lua", "-o", "out"]), f, &out);
        assert!(!held.end("-KILL").success());
        assert!(fs::read(&header).unwrap() == before);
        // while they do
        let mut held = Held::start(&mut build(f, &["a.lua", "-o", "out"]), f, &out);
        held.let_go();
        held.end("-KILL");
        assert!(both.contains(&fs::read(&header).unwrap()));
    }
}

#[test]
fn two_runs_at_once_leave_one_of_both_outputs() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    put(f, "one/a.lua", "return 1");
    put(f, "two/a.lua", "return 2");
    for _ in 0..10 {
        let runs = ["one/a.lua", "two/a.lua"].map(|module| {
            let mut run = build(f, &[module, "-o", "out"]);
            run.stdout(std::process::Stdio::null()).spawn().unwrap()
        });
        for mut run in runs {
            assert!(run.wait().unwrap().success());
        }
        let header = fs::read(f.join("out/fast_chunks.h")).unwrap();
        let alone = ["one", "two"].map(|module| {
            succeed(&mut build(f, &[&format!("{module}/a.lua"), "-o", module]));
            fs::read(f.join(module).join("fast_chunks.h")).unwrap()
        });
        assert!(alone.contains(&header));
    }
}

#[test]
fn a_bundle_that_flash_can_not_hold_is_an_error_with_sizes() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    let large = format!("return '{}'", "x".repeat(600_000));
    put(f, "a.lua", &large);
    put(f, "b.lua", large.replace('x', "y"));
    let errors = fail(&mut build(f, &["a.lua", "b.lua", "-o", "out"]));
    assert!(errors.contains("lua51-float: 1200"), "{errors}");
    assert!(errors.contains("917504"), "{errors}");
    assert!(!f.join("out").exists());
    // what the texts alone take is told before anything is compiled
    put(
        f,
        "c.lua",
        format!("return return --{}", "x".repeat(500_000)),
    );
    let plain = ["c.lua", "d.lua", "--as", "plain", "-o", "out"];
    fs::copy(f.join("c.lua"), f.join("d.lua")).unwrap();
    let errors = fail(&mut build(f, &plain));
    assert!(
        errors.contains("lua51-float: at least 1000032 bytes"),
        "{errors}"
    );
    // frozen, the string is there twice: in the bytecode as well
    let frozen = ["--as", "frozen", "--variant", "lua51-float", "-o", "out"];
    let errors = fail(build(f, &["a.lua"]).args(frozen));
    assert!(errors.contains("lua51-float: 1200"), "{errors}");
    // and once where two chunks share it and no bytecode is carried
    put(f, "same/c.lua", &large);
    succeed(build(f, &["a.lua", "same/c.lua", "--no-fallback"]).args(frozen));
    fs::remove_dir_all(f.join("out")).unwrap();
    // the ESP32 has more
    succeed(&mut build(
        f,
        &[
            "a.lua",
            "b.lua",
            "-o",
            "out",
            "--variant",
            "lua53-int64-float32",
        ],
    ));
}

/// NodeMCU's 5.1 compiles at most 50 local variables of a function; its virtual machine takes more.
#[test]
fn what_the_chip_would_not_compile_is_no_source() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    let locals = |n| {
        (0..n)
            .map(|i| format!("local a{i} = {i}\n"))
            .collect::<String>()
    };
    put(
        f,
        "many.lua",
        format!("return function(n)\n{}return a50, n end", locals(51)),
    );
    put(
        f,
        "fine.lua",
        format!("do {} g(a49) end {} return a49", locals(50), locals(50)),
    );
    let build = |file: &str, form: &str, variant: &str| {
        let args = [file, "--as", form, "--variant", variant, "-o", "out"];
        build(f, &args).output().unwrap()
    };
    for form in ["source", "plain"] {
        let output = build("many.lua", form, "lua51-float");
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{errors}");
        let says = "many.lua:1: a function with 52 local variables at one time";
        assert!(errors.contains(says), "{errors}");
        assert!(!f.join("out").exists());
    }
    for (file, form, variant, notes) in [
        ("fine.lua", "source", "lua51-int", false),
        ("many.lua", "source", "lua53-int32-float32", false),
        ("many.lua", "bytecode", "lua51-float", true),
        ("many.lua", "frozen", "lua51-int", true),
    ] {
        let output = build(file, form, variant);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{errors}");
        let noted = errors.contains("note: many.lua:1: a function with 52 local variables");
        assert_eq!(noted, notes, "{file} {form}: {errors}");
    }
}

/// The header that was built into a folder, without the hash of the file and what is made of it.
fn arrays(here: &Path, out: &str) -> String {
    let text = fs::read_to_string(here.join(out).join("fast_chunks.h")).unwrap();
    let (_, text) = text.split_once("#ifndef").unwrap();
    let bundle = |line: &&str| !line.contains("FAST_BUNDLE");
    text.lines().filter(bundle).collect::<Vec<_>>().join("\n")
}

/// Where a chunk is bytecode of a file for each variant, it is as if it were built of its source.
#[test]
fn each_variant_may_have_bytecode_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(
        here,
        "a.lua",
        "local n = ... return function() return n, 'text' end\n",
    );
    let variants = ["lua51-float", "lua51-int", "lua53-int32-float32"];
    for variant in variants {
        put(here, &format!("{variant}/x"), "");
        let mut compile = fastlua(here);
        compile.args(["compile", "--variant", variant, "--strip", "2", "a.lua"]);
        succeed(compile.args(["-o", &format!("{variant}/a.lc")]));
    }
    let files = variants.map(|variant| format!("{variant}/a.lc"));
    let files = files.each_ref().map(String::as_str);
    let of = |files: &[&str], variants: &[&str], more: &[&str]| {
        let variants: Vec<&str> = variants.iter().flat_map(|v| ["--variant", v]).collect();
        build(here, &[files, &variants, more].concat())
    };
    // 5.3 makes the seed of frozen strings of the hashes of files
    for (form, variants) in [("bytecode", &variants[..]), ("frozen", &variants[..2])] {
        succeed(&mut of(
            &["a.lua"],
            variants,
            &["--as", form, "-o", "source"],
        ));
        let json = succeed(&mut of(
            &files,
            variants,
            &["--as", form, "-o", "given", "--json"],
        ));
        assert_eq!(arrays(here, "source"), arrays(here, "given"), "{form}");
        let report: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(report["chunks"].as_array().unwrap().len(), 1);
    }
    // what no variant carries is left out, and its hash with it
    succeed(&mut of(&files, &variants[1..2], &["-o", "all"]));
    succeed(&mut of(&files[1..2], &variants[1..2], &["-o", "one"]));
    let header = |out: &str| fs::read(here.join(out).join("fast_chunks.h")).unwrap();
    assert!(header("all") == header("one"));
    put(here, "fast.toml", "[[module]]\npath = \"*/a.lc\"\n");
    succeed(&mut of(
        &["fast.toml"],
        &variants,
        &["--as", "bytecode", "-o", "toml"],
    ));
    succeed(&mut of(
        &files,
        &variants,
        &["--as", "bytecode", "-o", "given"],
    ));
    assert_eq!(arrays(here, "toml"), arrays(here, "given"));
    let mut lfs = fastlua(here);
    lfs.args(["lfs", "--variant", variants[1], "-o", "lfs.img"]);
    let said = succeed(lfs.args(files));
    assert!(said.starts_with("lua51-int, 1 module, "), "{said}");
    // a variant without bytecode is told as ever, and damage in the file for it
    let error = fail(&mut of(&files[..2], &variants, &["-o", "none"]));
    assert!(
        error.contains("not for this variant [lua53-int32-float32]"),
        "{error}"
    );
    put(
        here,
        "damaged/a.lc",
        &fs::read(here.join(files[2])).unwrap()[..40],
    );
    let error = fail(&mut of(
        &[files[0], "damaged/a.lc"],
        &[variants[0], variants[2]],
        &["-o", "none"],
    ));
    assert!(error.contains("damaged/a.lc: offset "), "{error}");
    // two for one variant, or one beside a source, are one name for two chunks
    put(here, "again/a.lc", fs::read(here.join(files[1])).unwrap());
    for other in ["again/a.lc", "a.lua"] {
        let error = fail(&mut of(
            &[files[1], other],
            &variants[1..2],
            &["-o", "none"],
        ));
        assert!(error.contains("both have a chunk \"a\""), "{error}");
    }
    let error = fail(&mut of(
        &[files[1], files[1]],
        &variants[1..2],
        &["-o", "none"],
    ));
    assert!(error.contains("is given twice"), "{error}");
    assert!(!here.join("none").exists());
}

/// A module that is a dump: it fits one variant, and is verified, whatever made it.
#[test]
fn bytecode_is_a_module_too() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(
        here,
        "a.lua",
        "local n = ... return function() return n, 'text' end\n",
    );
    let compile = |out: &str| {
        let mut command = fastlua(here);
        command.args(["compile", "--variant", "lua51-int", "--strip", "2", "a.lua"]);
        succeed(command.args(["-o", out]));
    };
    let build_int = |args: &[&str]| build(here, &[args, &["--variant", "lua51-int"]].concat());
    fs::create_dir(here.join("lc")).unwrap();
    compile("lc/a.lc");
    for form in ["bytecode", "frozen", "auto"] {
        for (file, out) in [("a.lua", "source"), ("lc/a.lc", "given")] {
            succeed(&mut build_int(&[file, "--as", form, "-o", out]));
        }
        // 5.1 has no seed made of the hash of the file
        assert_eq!(arrays(here, "source"), arrays(here, "given"), "{form}");
    }
    // an opcode that 5.1 does not have, in the CLOSURE
    let mut bytes = fs::read(here.join("lc/a.lc")).unwrap();
    let code = bytes.windows(4).position(|w| w[0] & 0x3f == 36).unwrap();
    bytes[code] |= 0x3f;
    fs::write(here.join("bad.lc"), &bytes).unwrap();
    let error = fail(&mut build_int(&["bad.lc", "-o", "none"]));
    assert!(
        error.contains("bad.lc: not safe to run: function main, instruction 2 (")
            && error.contains(": unknown opcode [opcode]"),
        "{error}"
    );
    let check = |more: &[&str]| {
        let mut command = fastlua(here);
        command
            .args(["check", "--variant", "lua51-int", "bad.lc"])
            .args(more);
        command
    };
    assert!(fail(&mut check(&[])).contains("[opcode]"));
    let json = check(&["--json"]).output().unwrap().stdout;
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["files"][0]["errors"][0]["code"], "opcode", "{json}");
    // 5.1's loader finds this one by itself
    assert!(fail(&mut check(&["--no-verify"])).contains("bad code in precompiled chunk"));
    assert!(!here.join("none").exists());
}

/// Names of files come from others: what they hold reaches neither the terminal nor the C text.
#[test]
fn control_characters_of_names_are_shown_as_text() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(here, "a\x1b[2J.lua", "return +");
    let error = fail(&mut build(here, &["a\x1b[2J.lua", "-o", "out"]));
    assert!(
        error.contains("a\\u{1b}[2J.lua") && !error.contains('\x1b'),
        "{error:?}"
    );
    put(here, "b\x1b\nc.lua", "return 1");
    put(
        here,
        "fast.toml",
        "[[module]]\npath = \"b*.lua\"\nname = \"b\"\nvariants = [\"lua51-int\"]\n",
    );
    succeed(&mut build(here, &["--variant", "lua51-int", "-o", "out"]));
    let header = fs::read_to_string(here.join("out/fast_chunks.h")).unwrap();
    assert!(header.contains("** b: b\\u{1b} c.lua, 8 bytes"), "{header}");
    let compile = |args: &[&str]| {
        let mut command = fastlua(here);
        command
            .args(["compile", "--variant", "lua51-int"])
            .args(args);
        command
    };
    succeed(&mut compile(&["b\x1b\nc.lua", "-o", "d\x1b.lc"]));
    let mut check = fastlua(here);
    let checked = succeed(check.args(["check", "--variant", "lua51-int", "d\x1b.lc"]));
    assert!(checked.starts_with("d\\u{1b}.lc: ok"), "{checked:?}");
    let listed = succeed(fastlua(here).args(["list", "d\x1b.lc"]));
    assert!(!listed.contains('\x1b'), "{listed:?}");
}
