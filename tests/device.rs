//! `fast.c` against a heap that ends, flash that is damaged and flash that refuses all but aligned
//! words (`tests/device/device.c`), in stock Lua of each number model.

mod support;

use std::fs;
use std::process::Command;

use support::{MODELS, cc, fastlua, put, root, stock_lua, succeed};

/// One large chunk, overlays, and one as source.
const MANIFEST: &str = r#"
[[module]]
path = "ftp.lua"
split = false
[[module]]
path = "hello.lua"
[[module]]
path = "telnet.lua"
[[module]]
path = "http.lua"
[[module]]
path = "dir.lua"
as = "source"
"#;

#[test]
fn nothing_is_lost_whatever_fails() {
    let folder = tempfile::tempdir().unwrap();
    let overriding = put(folder.path(), "files/dir.lua", "return 'the file'");
    put(folder.path(), "fast.toml", MANIFEST);
    for name in ["dir", "ftp", "hello", "http", "telnet"] {
        let module = format!("{name}.lua");
        let ours = root().join("crates/firmware/lua").join(&module);
        put(folder.path(), &module, fs::read(ours).unwrap());
    }
    for (lua, integer, float, name) in MODELS {
        let stock = folder.path().join(lua.to_string());
        stock_lua(&stock, lua);
        let out = folder.path().join(name);
        let variant = format!("puc{name}-{}bit", usize::BITS);
        let mut build = fastlua(folder.path());
        succeed(build.args(["build", "--variant", &variant, "-o"]).arg(&out));
        succeed(
            cc("gcc", &stock, lua, integer, float)
                .args(["-O1", "-w", "-fno-toplevel-reorder", "-I"])
                .arg(&out)
                .arg("-o")
                .arg(out.join("device"))
                .arg(root().join("tests/device/device.c"))
                .arg("-lm"),
        );
        let report = succeed(
            Command::new(out.join("device"))
                .env("MODULES", overriding.parent().unwrap())
                .arg(root().join("tests/device/faults.lua")),
        );
        print!("{name}: {report}");
    }
}
