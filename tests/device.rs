//! `fast.c` against a heap that ends, flash that is damaged and flash that refuses all but aligned
//! words (`tests/device/device.c`), in stock Lua of each number model that loads NodeMCU's dumps.

mod support;

use std::fs;
use std::process::Command;

use fastlua_bytecode::NumberModel;
use support::{
    cc, fastlua, firmware_flags, nodemcu_variant, packed_lua, put, root, stock_lua, stock_variant,
    succeed,
};

/// One large chunk, overlays, one as source, two deflated, one larger than the window and one that fits into it, and two
/// packed.
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
[[module]]
path = "config.lua"
split = false
as = "deflated"
[[module]]
path = "get.lua"
as = "deflated"
[[module]]
path = "split.lua"
as = "packed"
[[module]]
path = "large.lua"
split = false
as = "packed"
[[module]]
path = "large.txt"
as = "data"
"#;

#[test]
#[ignore = "takes long"]
fn nothing_is_lost_whatever_fails() {
    let folder = tempfile::tempdir().unwrap();
    let overriding = put(folder.path(), "files/dir.lua", "return 'the file'");
    put(folder.path(), "fast.toml", MANIFEST);
    put(folder.path(), "large.txt", "0123456789".repeat(500));
    for name in ["config", "dir", "ftp", "get", "hello", "http", "telnet"] {
        let module = format!("{name}.lua");
        let ours = root().join("crates/firmware/lua").join(&module);
        put(folder.path(), &module, fs::read(ours).unwrap());
    }
    for (name, ours) in [("split", "split"), ("large", "ftp")] {
        let ours = root().join(format!("crates/firmware/lua/{ours}.lua"));
        put(
            folder.path(),
            &format!("{name}.lua"),
            fs::read(ours).unwrap(),
        );
    }
    for model in NumberModel::ALL {
        let stock = folder.path().join(model.dialect.to_string());
        packed_lua(&stock, model.dialect);
        let name = model.name();
        let out = folder.path().join(&name);
        let variant = nodemcu_variant(&model);
        let mut build = fastlua(folder.path());
        succeed(build.args(["build", "--variant", &variant, "-o"]).arg(&out));
        succeed(
            cc("gcc", &stock, &model)
                .args(firmware_flags(&model))
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

/// `FAST_IMAGE_FIRST` in the firmware: no file overrides the image.
#[test]
fn a_production_build_lets_no_file_override_the_image() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "files/hello.lua", "return 'the file'");
    let script = put(
        folder.path(),
        "script.lua",
        "package.path = 'files/?.lua'\nprint(require 'hello' == 'the file')\n",
    );
    let model = NumberModel::ALL[1];
    let stock = folder.path().join("stock");
    stock_lua(&stock, model.dialect);
    let variant = stock_variant(&model);
    let mut build = fastlua(folder.path());
    succeed(build.args([
        "build",
        "--with",
        "hello",
        "--variant",
        &variant,
        "-o",
        "out",
    ]));
    for (flags, says) in [
        (&[][..], "true\n"),
        (&["-DFAST_IMAGE_FIRST"], "Hello, hello!\nfalse\n"),
    ] {
        let host = folder.path().join("host");
        succeed(
            cc("gcc", &stock, &model)
                .args(["-w", "-include", "numbers.h"])
                .args(flags)
                .args(["-c", "-o"])
                .arg(folder.path().join("fast.o"))
                .arg(folder.path().join("out/fast.c")),
        );
        succeed(
            cc("gcc", &stock, &model)
                .args(["-w", "-o"])
                .arg(&host)
                .arg(stock.join("host.c"))
                .arg(folder.path().join("fast.o"))
                .arg("-lm"),
        );
        let mut run = Command::new(&host);
        assert_eq!(
            succeed(run.current_dir(folder.path()).arg(&script)),
            says,
            "{flags:?}"
        );
    }
}
