//! What the targets begin with.

use fastlua_bytecode::{Layout, Strip, generate, write};
use fastlua_compiler::{HEAP_LIMIT, compile};
use fastlua_variants::Variants;
use include_dir::{Dir, include_dir};

static GOLDEN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../tests/golden/src");
static SQUASH: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../source/tests/squash");
static VARIANTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../variants");

/// Bytes of the longest seed: a long one slows down every mutant.
const LONGEST: usize = 4096;

fn texts(folder: &Dir<'_>) -> Vec<Vec<u8>> {
    let files = folder.files().map(|file| file.contents().to_vec());
    files.filter(|text| text.len() <= LONGEST).collect()
}

/// Lua sources.
pub(crate) fn sources() -> Vec<Vec<u8>> {
    let mut all = texts(&GOLDEN);
    all.extend(texts(&SQUASH));
    all
}

/// Dumps of every layout: of sources for each variant, and made-up ones.
pub(crate) fn dumps() -> Vec<Vec<u8>> {
    let mut dumps = Vec::new();
    for text in texts(&GOLDEN) {
        for variant in Variants::built_in().iter() {
            let Ok(mut chunk) = compile(&variant.layout, b"@c.lua", &text, HEAP_LIMIT) else {
                continue;
            };
            for strip in [Strip::Keep, Strip::Lines] {
                chunk.strip(strip);
                dumps.extend(write(&chunk).ok());
            }
        }
    }
    for layout in Layout::all() {
        dumps.extend((0..4).filter_map(|seed| write(&generate::chunk(layout, seed)).ok()));
    }
    dumps.retain(|dump| dump.len() <= LONGEST);
    dumps
}

/// Numbers of 8 bytes.
pub(crate) fn numbers() -> Vec<Vec<u8>> {
    (0..64u64).map(|n| n.to_le_bytes().to_vec()).collect()
}

/// Sources with SPLIT markers.
pub(crate) fn split() -> Vec<Vec<u8>> {
    let modules = fastlua_firmware::modules().map(|(_, text)| text.to_vec());
    modules
        .filter(|text| text.windows(7).any(|w| w == b"[[SPLIT"))
        .collect()
}

fn all(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

pub(crate) fn manifests() -> Vec<Vec<u8>> {
    all(&[
        "[[module]]\npath = \"lua/*.lua\"\n",
        "strip = 1\nas = \"auto\"\nvariants = [\"lua51-int\"]\nbudget = {flash = \"64k\"}\n\
         [[module]]\npath = \"a.lua\"\nname = \"x\"\nas = \"frozen\"\nfallback = false\n\
         split = false\nvariants = [\"lua51-int\"]\nbudget = {heap-peak = 12000, load = 5}\n",
    ])
}

pub(crate) fn variants() -> Vec<Vec<u8>> {
    texts(&VARIANTS)
}

pub(crate) fn user_configs() -> Vec<Vec<u8>> {
    all(&[
        "#ifndef A\n#define A\n//#define LUA_NUMBER_INTEGRAL\n#define LUA_FLASH_STORE 0x0\n#endif\n",
        "#define LUA_NUMBER_64BITS /* all\nof it */\n#if 0\n#define LUA_NUMBER_INTEGRAL\n#else\n#endif\n",
    ])
}

pub(crate) fn sdkconfigs() -> Vec<Vec<u8>> {
    all(&[
        "CONFIG_LUA_VERSION_53=y\n# CONFIG_LUA_VERSION_51 is not set\nCONFIG_LUA_NUMBER_DOUBLE=y\n",
        "CONFIG_LUA_VERSION_51=y\nCONFIG_LUA_NUMBER_INTEGRAL=y\nCONFIG_LUA_EMBEDDED_FLASH_STORE=0x10000\n",
    ])
}
