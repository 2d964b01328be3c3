//! `fastlua lfs`: images for the Lua Flash Store.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use fastlua_bytecode::{Chunk, Constant, Dialect, Format, Function, Layout, read, write};
use fastlua_lfs as lfs;
use support::{fail, fastlua, put, root, succeed};
use tempfile::TempDir;

const VARIANTS: [&str; 6] = [
    "lua51-float",
    "lua51-int",
    "lua53-int32-float32",
    "lua53-int64-float64",
    "lua53-int64-float32",
    "lua53-int32-float64",
];

/// A folder with a module that SPLIT markers cut, and another one.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for module in ["hello.lua", "telnet.lua"] {
        let text = fs::read(root().join("crates/firmware/lua").join(module)).unwrap();
        put(folder.path(), module, text);
    }
    folder
}

fn command(folder: &Path, args: &str) -> Command {
    let mut command = fastlua(folder);
    command.args(args.split_whitespace());
    command.env_remove("SOURCE_DATE_EPOCH");
    command
}

fn image(folder: &Path) -> lfs::Image {
    lfs::read(&fs::read(folder.join("lfs.img")).unwrap())
        .unwrap()
        .image
}

#[test]
fn an_image_is_made_listed_checked_and_taken_apart() {
    for variant in VARIANTS {
        let folder = folder();
        let f = folder.path();
        let lfs = format!("lfs --variant {variant} -o lfs.img hello.lua telnet.lua --json");
        let report: serde_json::Value =
            serde_json::from_str(&succeed(&mut command(f, &lfs))).unwrap();
        assert_eq!(report["schema"], "fastlua-lfs/2");
        assert_eq!(report["modules"][0]["name"], "hello");
        assert_eq!(report["modules"].as_array().unwrap().len(), 6);
        let inspect = succeed(&mut command(f, "inspect lfs.img --json"));
        let inspect: serde_json::Value = serde_json::from_str(&inspect).unwrap();
        let place = &inspect["places"][0];
        assert_eq!(
            (&place["kind"], &place["used"]),
            (&"LFS".into(), &report["used"])
        );
        assert_eq!(place["variants"][0], variant);
        let check = format!("check --variant {variant} lfs.img");
        assert!(succeed(&mut command(f, &check)).starts_with("lfs.img: ok, 25 functions"));
        let list = succeed(&mut command(f, "list lfs.img"));
        assert!(list.contains("\nmodule telnet-open\n"), "{list}");
        succeed(&mut command(f, "inspect lfs.img --extract hello"));
        let compile = format!("compile --variant {variant} -o compiled.lc hello.lua");
        succeed(&mut command(f, &compile));
        let bytes = |name: &str| fs::read(f.join(name)).unwrap();
        assert!(bytes("hello.lc") == bytes("compiled.lc"), "{variant}");
        // of its parts the same image is made; the name of a source is that of its file
        put(f, "parts/hello.lua", bytes("hello.lc"));
        let again = format!("lfs --variant {variant} -o again.img parts/hello.lua telnet.lua");
        succeed(&mut command(f, &again));
        assert!(bytes("again.img") == bytes("lfs.img"), "{variant}");
        let cut = bytes("lfs.img").len() / 2;
        put(f, "cut.img", &bytes("lfs.img")[..cut]);
        for command_line in [
            "inspect cut.img",
            "list cut.img",
            &check.replace("lfs.img", "cut.img"),
        ] {
            let said = fail(&mut command(f, command_line));
            assert!(said.contains("cut.img: offset 0x"), "{said}");
        }
    }
}

#[test]
fn names_are_those_of_luac_cross_unless_the_manifest_gives_others() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    put(f, "lua/.a.b.lua", "return 1");
    put(f, "lua/c.d.lua", "return 2");
    let manifest =
        "[[module]]\npath = \"lua/.a.b.lua\"\n[[module]]\npath = \"lua/c.d.lua\"\nname = \"c.d\"\n";
    put(f, "fast.toml", manifest);
    succeed(&mut command(f, "lfs --variant lua51-int -o lfs.img"));
    let names: Vec<String> = image(f)
        .modules
        .iter()
        .map(|m| m.name.to_string())
        .collect();
    assert_eq!(names, ["a", "c.d"]);
}

#[test]
fn what_does_not_fit_is_told_with_a_table_and_not_written() {
    for variant in VARIANTS {
        let folder = folder();
        let f = folder.path();
        let lfs = format!("lfs --variant {variant} --size 8k -o lfs.img hello.lua telnet.lua");
        let said = fail(&mut command(f, &lfs));
        assert!(said.contains("more than the 8192 of the region"), "{said}");
        assert!(said.contains("\nshared strings"), "{said}");
        assert!(!f.join("lfs.img").exists());
    }
}

#[test]
fn the_time_stamp_is_given_or_that_of_the_environment() {
    for variant in ["lua51-float", "lua51-int", "lua53-int32-float32"] {
        let folder = folder();
        let f = folder.path();
        let lfs = format!("lfs --variant {variant} -o lfs.img hello.lua");
        succeed(&mut command(f, &lfs));
        assert_eq!(image(f).timestamp, 0);
        succeed(command(f, &lfs).env("SOURCE_DATE_EPOCH", "1700000000"));
        assert_eq!(image(f).timestamp, 1_700_000_000);
        let given = format!("{lfs} --timestamp 5");
        succeed(command(f, &given).env("SOURCE_DATE_EPOCH", "1700000000"));
        assert_eq!(image(f).timestamp, 5);
    }
}

#[test]
fn a_tree_tells_variant_and_size() {
    let folder = folder();
    let f = folder.path();
    let config = "#define LUA_NUMBER_INTEGRAL\n#define LUA_FLASH_STORE 0x4000\n";
    put(f, "tree/app/include/user_config.h", config);
    let said = succeed(&mut command(f, "lfs --firmware tree -o lfs.img hello.lua"));
    assert!(said.starts_with("lua51-int, 1 module,"), "{said}");
    assert!(said.contains("of 16384 bytes of the region"), "{said}");
    let said = succeed(&mut command(
        f,
        "lfs --firmware tree --size 64k -o lfs.img hello.lua",
    ));
    assert!(said.contains("of 65536 bytes of the region"), "{said}");
}

#[test]
fn an_image_for_an_address_is_for_5_1() {
    let folder = folder();
    let f = folder.path();
    let lfs = "lfs --variant lua51-float --address 0x40280000 -o lfs.img hello.lua";
    succeed(&mut command(f, lfs));
    assert_eq!(image(f).place, lfs::Place::At(0x4028_0000));
    let found = succeed(&mut command(f, "inspect lfs.img"));
    assert!(found.contains("linked at 0x40280000"), "{found}");
}

/// A stock core runs the function that finds modules, beyond the 50 of luac.cross and the 256 names that its
/// instructions can name.
#[test]
fn hundreds_of_modules_are_found_by_a_core() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    let count = 300;
    for i in 0..count {
        put(f, &format!("lua/m{i:03}.lua"), format!("return {i}"));
    }
    put(f, "fast.toml", "[[module]]\npath = \"lua/*.lua\"\n");
    succeed(&mut command(
        f,
        "lfs --variant lua51-float --timestamp 7 -o lfs.img",
    ));
    let found = lfs::read(&fs::read(f.join("lfs.img")).unwrap()).unwrap();
    let modules = found.image.modules.into_iter();
    let stock = |l: &Layout| l.format == Format::Puc51 && l.float == 8 && l.size_t == 8;
    let layout = Layout::all().find(stock).unwrap();
    let main = Function {
        functions: modules.map(|module| module.chunk.main).collect(),
        ..found.index.unwrap()
    };
    assert_eq!(main.constants.last(), Some(&Constant::Float(7.0)));
    assert_eq!(layout.dialect(), Dialect::Lua51);
    let dump = write(&Chunk { layout, main }).unwrap();
    read(&dump, &layout).unwrap();
    put(f, "index.lc", dump);
    let code = format!(
        "local f = fast.load'index' \
         for i = 0, {count} - 1 do assert(f(('m%03d'):format(i))() == i) end \
         local time, names = f() \
         assert(time == 7 and #names == {count} and names[{count}] == 'm299' and f('m3') == 7) \
         print('all found')"
    );
    let said = succeed(command(f, "run --lua 51 index.lc --strip 1 --seconds 20 -e").arg(code));
    assert!(said.contains("all found"), "{said}");
}

/// Data is a function that returns it.
#[test]
fn data_is_a_constant_of_the_image() {
    for variant in VARIANTS {
        let folder = folder();
        let f = folder.path();
        let page: Vec<u8> = (0..3000u32).map(|i| (i * 7 / 3) as u8).collect();
        put(f, "www/page.html", &page);
        put(
            f,
            "fast.toml",
            "[[module]]\npath = \"hello.lua\"\n[[module]]\npath = \"www/*\"\nas = \"data\"\n",
        );
        succeed(&mut command(
            f,
            &format!("lfs fast.toml --variant {variant} -o lfs.img"),
        ));
        let image = image(f);
        let names: Vec<&[u8]> = image.modules.iter().map(|m| &m.name[..]).collect();
        assert_eq!(names, [&b"hello"[..], b"page.html"]);
        let constants = &image.modules[1].chunk.main.constants;
        assert_eq!(constants[..], [Constant::String(page.into())], "{variant}");
    }
}

/// What is packed in firmware is in an image as any other module.
#[test]
fn packed_modules_are_functions() {
    let folder = folder();
    let f = folder.path();
    let modules = "[[module]]\npath = 'hello.lua'\n[[module]]\npath = 'telnet.lua'\n";
    let made = ["as = 'packed'\n", ""].map(|manner| {
        put(f, "fast.toml", format!("{manner}{modules}"));
        succeed(&mut command(f, "lfs --variant lua51-float -o lfs.img"));
        fs::read(f.join("lfs.img")).unwrap()
    });
    assert!(made[0] == made[1]);
}

/// An image holds any name without a zero byte: it is no identifier of C, nor a chunk of a firmware.
#[test]
fn modules_have_any_names() {
    let long = "x".repeat(40);
    let names = [
        "a-b",
        "a_b",
        "two words",
        "2048",
        "while",
        "ü",
        "tab\tand\x1b[2Jmore\n",
        &long,
    ];
    for variant in ["lua51-int", "lua53-int32-float32"] {
        let folder = tempfile::tempdir().unwrap();
        let f = folder.path();
        let mut make = command(f, &format!("lfs --variant {variant} -o lfs.img"));
        for name in names {
            make.arg(put(f, &format!("{name}.lua"), format!("return {name:?}")));
        }
        let said = succeed(&mut make);
        assert!(
            !said.contains('\x1b') && said.contains("tab\\tand\\u{1b}[2Jmore\\n "),
            "{said}"
        );
        let mut found: Vec<String> = image(f)
            .modules
            .iter()
            .map(|m| m.name.to_string())
            .collect();
        found.sort();
        let mut expected = names.map(str::to_owned);
        expected.sort();
        assert_eq!(found, expected);
        for command_line in ["inspect lfs.img", "list lfs.img", "check lfs.img"] {
            let said = succeed(&mut command(f, command_line));
            assert!(!said.contains('\x1b'), "{command_line}: {said}");
        }
        let json = succeed(&mut command(f, "inspect lfs.img --json"));
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let chunks = json["places"][0]["chunks"].as_array().unwrap();
        assert!(
            chunks.iter().any(|chunk| chunk["name"] == names[6]),
            "{json}"
        );
        succeed(command(f, "inspect lfs.img --extract").arg(names[2]));
        assert!(f.join("two words.lc").exists());
        put(
            f,
            "fast.toml",
            "[[module]]\npath = \"a-b.lua\"\nname = \"x/../y z\"\n",
        );
        succeed(&mut command(
            f,
            &format!("lfs --variant {variant} -o lfs.img fast.toml"),
        ));
        assert_eq!(image(f).modules[0].name, "x/../y z");
        succeed(command(f, "inspect lfs.img --extract").arg("x/../y z"));
        assert!(f.join("y z.lc").exists());
    }
}
