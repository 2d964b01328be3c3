//! The page that scripts/page has made: its WebAssembly under Node, and all of it in headless Chromium.

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use fastlua::counted;
use fastlua_bundle::Form;
use fastlua_variants::Variants;
use fastlua_web::call as native;
use fastlua_web::message::{self, Files};
use serde_json::{Value, json};
use support::firmware::{head, raw};
use support::{call, fastlua, put, root, succeed};
use tempfile::TempDir;

const MODULES: [&str; 3] = ["hello.lua", "led.lua", "telnet.lua"];

const BUILT: &str = "scripts/page makes the page, and scripts/test runs it first";

/// The folder of the page; it must be of these sources.
fn page() -> PathBuf {
    let page = root().join("target/page");
    for entry in fs::read_dir(root().join("crates/web/page")).unwrap() {
        let path = entry.unwrap().path();
        let is_as_it_is = path.extension().is_some_and(|e| e == "js" || e == "css");
        if is_as_it_is {
            let built = fs::read(page.join(path.file_name().unwrap()));
            let built =
                built.unwrap_or_else(|error| panic!("{}: {error}; {BUILT}", page.display()));
            assert!(
                built == fs::read(&path).unwrap(),
                "{} is newer; {BUILT}",
                path.display()
            );
        }
    }
    page
}

fn node(script: &str) -> Command {
    let mut node = Command::new(root().join("scripts/node"));
    node.arg("node").arg(root().join("tests/page").join(script));
    node.env(
        "NODE_PATH",
        root().join("target/page-packages/node_modules"),
    );
    node
}

fn variants() -> Vec<String> {
    let known = Variants::built_in();
    let names = known
        .iter()
        .filter(|v| v.is_nodemcu())
        .map(|v| v.name.clone());
    names.collect()
}

/// Lua modules of many kinds: those that fastlua ships, and the sources of the golden chunks.
fn modules() -> Files {
    let mut found = Files::new();
    for folder in ["crates/firmware/lua", "tests/golden/src"] {
        let entries = fs::read_dir(root().join(folder)).unwrap_or_else(|e| panic!("{folder}: {e}"));
        for entry in entries {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "lua") {
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    assert!(found.len() > 12, "{}", found.len());
    found
}

/// What is nested so deep that Lua takes or refuses it, in each way that its parser calls itself.
fn nested() -> Files {
    let ways = [
        ("(", ")"),
        ("{", "}"),
        ("function() return ", " end "),
        ("-", ""),
        ("'' .. ", ""),
    ];
    let mut found = Files::new();
    for (way, (open, close)) in ways.into_iter().enumerate() {
        for levels in [90, 150, 190, 199, 201, 5000] {
            let text = format!("return {}1{}", open.repeat(levels), close.repeat(levels));
            found.push((format!("nested{way}-{levels}.lua"), text.into_bytes()));
        }
        let (open, close) = (["do ", "while x do ", "if x then "][way % 3], " end");
        for levels in [150, 195, 250] {
            let text = format!("{}x=1{}", open.repeat(levels), close.repeat(levels));
            found.push((format!("blocks{way}-{levels}.lua"), text.into_bytes()));
        }
    }
    found
}

#[test]
#[ignore = "needs the page, and Node"]
fn the_library_gives_the_same_bytes_as_webassembly() {
    let page = page();
    let folder = tempfile::tempdir().unwrap();
    let mut requests = vec![(json!({"do": "about"}), Files::new())];
    for module in modules().into_iter().chain(nested()) {
        requests.push((
            json!({"do": "costs", "file": module.0}),
            vec![module.clone()],
        ));
        for variant in variants() {
            for strip in [0, 1, 2] {
                let settings = json!({"variants": [variant], "strip": strip});
                let request = json!({"do": "make", "output": "lc", "settings": settings});
                requests.push((request, vec![module.clone()]));
            }
        }
    }
    for variant in variants() {
        let provisioning = json!({"variants": [variant], "with": ["provisioning"]});
        for output in ["lfs", "c"] {
            let request = json!({"do": "make", "output": output, "settings": provisioning});
            requests.push((request, Files::new()));
        }
        for (form, _) in Form::NAMED.iter().filter(|(_, form)| !form.is_data()) {
            let settings = json!({"variants": [variant], "with": ["provisioning"], "as": form});
            requests.push((
                json!({"do": "make", "output": "c", "settings": settings}),
                Files::new(),
            ));
        }
    }
    for (number, (request, files)) in requests.iter().enumerate() {
        let bytes = message::write(request.clone(), files);
        put(folder.path(), &format!("{number}.request"), bytes);
    }
    succeed(
        node("calls.js")
            .arg(page.join("fastlua.wasm"))
            .arg(folder.path()),
    );
    let (mut files, mut refused) = (0, 0);
    for (number, (request, given)) in requests.iter().enumerate() {
        let of_page = fs::read(folder.path().join(format!("{number}.answer"))).unwrap();
        let ours = native(&message::write(request.clone(), given));
        assert!(
            of_page == ours,
            "{request} of {:?}",
            given.first().map(|f| &f.0)
        );
        let (json, made) = message::read(&ours).unwrap();
        files += made.len();
        let json: Value = serde_json::from_slice(json).unwrap();
        let messages = json["messages"].as_array().unwrap();
        refused += usize::from(messages.iter().any(|m| m["severity"] == "error"));
    }
    println!(
        "{} answers the same, with {files} files and {refused} errors",
        requests.len()
    );
    assert!(
        files > 300 && refused > 100,
        "{files} files, {refused} errors"
    );
}

/// Modules, and firmware with a slot.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    for name in ["hello.lua", "telnet.lua"] {
        let text = fs::read(root().join("crates/firmware/lua").join(name)).unwrap();
        put(f, &format!("given/{name}"), text);
    }
    put(
        f,
        "given/led.lua",
        "local pin = ...\nreturn function(on)\n  gpio.write(pin, on and 1 or 0)\nend\n",
    );
    let slots = ["lua51-float", "lua51-int"].map(|variant| head(variant, 32 << 10));
    put(f, "two.bin", raw(&slots));
    put(f, "odd/latin1.lua", b"return 'caf\xe9', \"\xff\"\n");
    put(
        f,
        "odd/crlf.lua",
        b"\xef\xbb\xbf-- a mark\r\nlocal x = 1\r\nreturn x, [[\r\n]]\r\n",
    );
    put(f, "odd/empty.lua", b"");
    let manifest = "variants = [\"lua51-int\"]\n[[module]]\npath = \"lua/*.lua\"\n[[module]]\npath = \"www/*\"\nas = \"data\"\n";
    put(f, "project/fast.toml", manifest);
    put(f, "project/lua/one.lua", "return 1");
    put(f, "project/other.lua", "return = 2");
    put(f, "project/www/a.html", "<p>");
    put(
        f,
        "nodemcu.bin",
        raw(&[head("lua53-int64-float64", 64 << 10)]),
    );
    folder
}

/// What the command line makes of the same modules, where the page's test looks for it.
fn expected(folder: &Path) -> Value {
    let given = folder.join("given");
    let names = MODULES;
    let all = names.join(" ");
    for name in names {
        succeed(&mut call(
            &given,
            &format!("compile --variant lua51-int -o ../{name}.lc {name}"),
        ));
        succeed(&mut call(
            &given,
            &format!("compile --variant lua51-int --strip 2 -o ../{name}.2.lc {name}"),
        ));
    }
    succeed(&mut call(
        &given,
        &format!("lfs --variant lua51-float -o ../lfs.img {all}"),
    ));
    succeed(&mut call(&given, &format!("build {all} -o ../all")));
    succeed(&mut call(
        &given,
        &format!("build {all} --as frozen --variant lua51-float -o ../frozen"),
    ));
    succeed(&mut call(
        &given,
        &format!("patch ../nodemcu.bin {all} --as deflated -o ../patched.bin"),
    ));
    let second = format!("patch ../two.bin {all} --slot 2 -o ../second.bin");
    succeed(&mut call(&given, &second));
    let odd = folder.join("odd");
    for name in ["latin1.lua", "crlf.lua", "empty.lua"] {
        succeed(&mut call(
            &odd,
            &format!("compile --variant lua51-float -o ../{name}.lc {name}"),
        ));
    }
    put(
        &odd,
        "dump.lc",
        fs::read(folder.join("hello.lua.2.lc")).unwrap(),
    );
    succeed(&mut call(
        &odd,
        "build dump.lc latin1.lua --variant lua51-int -o ../dump",
    ));
    let mut costs = json!({});
    for name in names {
        let file = (name.to_owned(), fs::read(given.join(name)).unwrap());
        let answer = native(&message::write(
            json!({"do": "costs", "file": name}),
            &[file],
        ));
        let (json, _) = message::read(&answer).unwrap();
        let json: Value = serde_json::from_slice(json).unwrap();
        costs[name] = json["chunks"].clone();
    }
    let nested = nested().into_iter().map(|(name, text)| {
        let text = String::from_utf8(text).unwrap();
        let file = (name.clone(), text.clone().into_bytes());
        let (_, messages) = ask(json!({"do": "costs", "file": name}), vec![file]);
        json!({"name": name, "text": text, "messages": messages})
    });
    let nested: Vec<Value> = nested.collect();
    json!({"variants": variants(), "costs": costs, "nested": nested})
}

/// The library's answer on this machine, and the messages in it.
fn ask(request: Value, files: Files) -> (Files, Value) {
    let answer = native(&message::write(request, &files));
    let (json, made) = message::read(&answer).unwrap();
    let json: Value = serde_json::from_slice(json).unwrap();
    (made, json["messages"].clone())
}

#[test]
fn the_library_makes_what_the_command_writes() {
    let folder = folder();
    let f = folder.path();
    expected(f);
    let read = |name: &str| fs::read(f.join(name)).unwrap();
    let names = MODULES;
    let given = || -> Files {
        let files = names
            .iter()
            .map(|name| ((*name).into(), read(&format!("given/{name}"))));
        files.collect()
    };
    let made = |output: &str, settings: Value, mut more: Files| {
        more.extend(given());
        let (files, messages) = ask(
            json!({"do": "make", "output": output, "settings": settings}),
            more,
        );
        assert_eq!(messages, json!([]), "{output}");
        files
    };
    let lc = |ending: &str| names.map(|n| (n.replace("lua", "lc"), read(&format!("{n}{ending}"))));
    assert!(made("lc", json!({"variants": ["lua51-int"]}), vec![]) == lc(".lc"));
    assert!(made("lc", json!({"variants": ["lua51-int"], "strip": 2}), vec![]) == lc(".2.lc"));
    let lfs = made("lfs", json!({"variants": ["lua51-float"]}), vec![]);
    assert!(lfs == [("lfs.img".into(), read("lfs.img"))]);
    let c = |of: &str| ["fast.c", "fast_chunks.h"].map(|n| (n.into(), read(&format!("{of}/{n}"))));
    assert!(made("c", json!({}), vec![]) == c("all"));
    assert!(
        made(
            "c",
            json!({"variants": ["lua51-float"], "as": "frozen"}),
            vec![]
        ) == c("frozen")
    );
    let firmware = vec![("nodemcu.bin".into(), read("nodemcu.bin"))];
    let patched = made(
        "patch",
        json!({"firmware": "nodemcu.bin", "as": "deflated"}),
        firmware,
    );
    assert!(patched == [("nodemcu-patched.bin".into(), read("patched.bin"))]);
}

/// The bundle that the page names is the one that the file has, as the command reads it.
#[test]
fn the_page_names_the_bundle_of_the_file() {
    let folder = folder();
    let f = folder.path();
    expected(f);
    let read = |name: &str| fs::read(f.join(name)).unwrap();
    let mut files = vec![("nodemcu.bin".into(), read("nodemcu.bin"))];
    files.push(("hello.lua".into(), b"print 'hello'".to_vec()));
    for form in ["bytecode", "frozen", "packed"] {
        let settings = json!({"firmware": "nodemcu.bin", "as": form});
        let request = json!({"do": "make", "output": "patch", "settings": settings});
        let answer = native(&message::write(request, &files));
        let (json, made) = message::read(&answer).unwrap();
        let json: Value = serde_json::from_slice(json).unwrap();
        fs::write(f.join("named.bin"), &made[0].1).unwrap();
        let found = succeed(fastlua(f).args(["inspect", "named.bin", "--json"]));
        let found: Value = serde_json::from_str(&found).unwrap();
        let place = &found["places"][0];
        let bundle = place["bundle"].as_str().unwrap();
        let line = json["lines"][0].as_str().unwrap();
        assert!(
            line.ends_with(&format!("bundle {bundle}")),
            "{line}: {found}"
        );
        let chunks = place["chunks"].as_array().unwrap().len();
        assert!(
            line.contains(&format!(": {}, ", counted(chunks, "chunk"))),
            "{line}"
        );
    }
}

/// The server of the page, which ends with the test.
struct Server(Child, String);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(page: &Path) -> Server {
    let mut command = fastlua(page);
    command.args(["serve", "--port", "0", "--dir", "."]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line.split_whitespace().next().unwrap().to_owned();
    Server(child, address)
}

#[test]
#[ignore = "needs the page, Node and Chromium"]
fn the_page_does_its_work_in_a_browser() {
    let page = page();
    let folder = folder();
    let expected = expected(folder.path());
    put(folder.path(), "expected.json", expected.to_string());
    let server = serve(&page);
    let mut browser = node("browser.js");
    browser
        .arg(&server.1)
        .arg(root().join("target/fastlua.html"))
        .arg(folder.path());
    print!("{}", succeed(&mut browser));
}
