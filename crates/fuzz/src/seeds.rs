//! What the targets begin with.

#[path = "../../../tests/support/firmware.rs"]
mod samples;

use fastlua::{Bundle, Chip, Firmware, Form, Head, Module, Options, PatchOptions, Project};
use fastlua_bytecode::packed::{self, Pool};
use fastlua_bytecode::{Chunk, Dialect, Layout, Strip, write};
use fastlua_compiler::{HEAP_LIMIT, compile};
use fastlua_firmware::deflate::{Memory, inflate, smallest};
use fastlua_lfs::{Image, Module as LfsModule, Place};
use fastlua_testing::random::Random;
use fastlua_testing::{generate, luac};
use fastlua_variants::Variants;
use include_dir::{Dir, include_dir};

use crate::images;

static GOLDEN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../tests/golden/src");
static SQUASH: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../source/tests/squash");
static VARIANTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../variants/variants");

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
            dumps.extend(
                of_tools(&chunk)
                    .iter()
                    .filter_map(|chunk| write(chunk).ok()),
            );
        }
    }
    for layout in Layout::all() {
        dumps.extend((0..4).filter_map(|seed| write(&generate::chunk(layout, seed)).ok()));
    }
    dumps.retain(|dump| dump.len() <= LONGEST);
    dumps
}

/// What `luac` makes of a chunk twice, and `string.dump` of its innermost function.
fn of_tools(chunk: &Chunk) -> Vec<Chunk> {
    let joined = luac::join(chunk.layout, &[chunk.clone(), chunk.clone()]);
    let dumped = luac::dumps(chunk).pop();
    [joined].into_iter().chain(dumped).collect()
}

/// What packed seeds and their mutants share.
pub(crate) fn pool() -> Pool {
    Pool::new(["", "a", "one", "two"].map(Into::into).to_vec())
}

/// Packed chunks behind the number of their layout.
pub(crate) fn packed() -> Vec<Vec<u8>> {
    let layouts: Vec<Layout> = Layout::all().collect();
    let packed = |chunk: &mut Chunk| {
        chunk.strip(Strip::Lines);
        chunk.set_source(None);
        let number = layouts.iter().position(|layout| *layout == chunk.layout)?;
        let bytes = packed::write(chunk, &pool()).ok()?;
        Some([&[number as u8], &bytes[..]].concat())
    };
    let mut seeds = Vec::new();
    for text in texts(&GOLDEN) {
        for variant in Variants::built_in().iter() {
            let Ok(chunk) = compile(&variant.layout, b"=?", &text, HEAP_LIMIT) else {
                continue;
            };
            seeds.extend(of_tools(&chunk).iter_mut().filter_map(packed));
            seeds.extend(packed(&mut chunk.clone()));
        }
    }
    for &layout in &layouts {
        seeds.extend((0..4).filter_map(|seed| packed(&mut generate::chunk(layout, seed))));
    }
    seeds.retain(|seed| seed.len() <= LONGEST);
    seeds
}

/// Inputs that choose what is generated: the longer, the larger it may be.
pub(crate) fn choices() -> Vec<Vec<u8>> {
    let input = |n: u64| {
        let mut random = Random::new(n);
        (0..n * n / 2).map(|_| random.byte()).collect()
    };
    (0..64).map(input).collect()
}

/// Deflated sources, in blocks of each kind.
pub(crate) fn deflated() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = texts(&GOLDEN)
        .iter()
        .filter_map(|text| chip_deflated(text))
        .collect();
    all.truncate(24);
    let numbers: Vec<u8> = (0..200u32).map(|n| ((n * n * 7919) >> 3) as u8).collect();
    all.extend(
        [&b""[..], b"return 1", &numbers]
            .iter()
            .filter_map(|text| chip_deflated(text)),
    );
    all
}

fn chip_deflated(text: &[u8]) -> Option<Vec<u8>> {
    let memory = Memory {
        window: 2048,
        first: true,
    };
    let stream = smallest(text, 11..=11, memory)?;
    Some([&(text.len() as u32).to_le_bytes()[..], &stream].concat())
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
        "\u{feff}#define K(n) n\n#define S (64 * 1024UL)\n#define LUA_FLASH_STORE (S << 1 | ~0x0 & 3 ? S : -1)\n",
        "// a \\\n#if !defined(A) && (1 || B)\n#elif defined A\n#endif\n#include <stdio.h>\n#undef LUA_FLASH_STORE\n",
        "#define LUA_NUMBER_64BITS /* all\nof it */\n#if 0\n#define LUA_NUMBER_INTEGRAL\n#else\n#endif\n",
    ])
}

pub(crate) fn sdkconfigs() -> Vec<Vec<u8>> {
    all(&[
        "CONFIG_LUA_VERSION_53=y\n# CONFIG_LUA_VERSION_51 is not set\nCONFIG_LUA_NUMBER_DOUBLE=y\n",
        "CONFIG_LUA_VERSION_51=y\nCONFIG_LUA_NUMBER_INTEGRAL=y\nCONFIG_NODEMCU_EMBED_LFS=yes\nCONFIG_NODEMCU_EMBEDDED_LFS_SIZE=10000\n",
        "CONFIG_LUA_VERSION_51=y\nCONFIG_IDF_TARGET=\"esp32c3\"\nCONFIG_PARTITION_TABLE_CUSTOM_FILENAME=\"a\\\"b.csv\"\n",
    ])
}

const VARIANT: &str = "lua53-int64-float64";

/// The header of a slot.
pub(crate) fn head(capacity: u32) -> Head {
    samples::head(VARIANT, capacity)
}

/// Chunks of each form.
pub(crate) fn bundle() -> Bundle {
    let mut project = Project::new();
    let text = "local a, b = ... return function () return a, {b, 'text', 0.5, 1 << 40} end";
    for (name, form) in Form::NAMED {
        let module = Module::new(format!("{name}.lua"), text).form(form);
        project.add(module).expect("it has no marker");
    }
    let options = Options {
        variants: Some(vec![VARIANT.into()]),
        ..Options::default()
    };
    let plan = project.plan(&options).expect("the names differ");
    plan.build(None).expect("they can be compiled")
}

/// Firmware with slots, empty and filled, and an object file.
pub(crate) fn firmware() -> Vec<Vec<u8>> {
    let bundle = bundle();
    let [.., object] = bundle
        .c_module_with_object(Chip::Esp32)
        .expect("it is of one variant");
    let mut all = vec![object.bytes()];
    for slots in [&[7168][..], &[8192, 1024]] {
        let heads: Vec<Head> = slots.iter().map(|capacity| head(*capacity)).collect();
        // with little in front: a long seed slows down every mutant
        let mut empty = vec![0x5a; 16];
        for head in heads {
            let address = samples::IROM + empty.len() as u32;
            empty.extend(Head { address, ..head }.to_slot());
            empty.extend([0xa5; 16]);
        }
        let mut filled = Firmware::read(empty.clone()).expect("it is a raw file");
        filled
            .patch(Some(1), &bundle, PatchOptions::default())
            .expect("it fits");
        all.extend([empty, filled.to_file()]);
    }
    for bytes in images::with_slots(&head(7168)) {
        let mut filled = Firmware::read(bytes.clone()).expect("its checksums are right");
        let done = filled.patch(Some(1), &bundle, PatchOptions::default());
        done.expect("it fits");
        all.extend([bytes, filled.to_file()]);
    }
    all
}

/// Tables of partitions.
pub(crate) fn partitions() -> Vec<Vec<u8>> {
    all(&[
        "# Name, Type, SubType, Offset, Size\nnvs, data, nvs, 0x9000, 24K\nlfs, 0xC2, 0x01, , 0x10000\n",
        "lfs,194,1,,1M,\n",
    ])
}

/// The layouts of images: NodeMCU's, but for 5.1 with numbers that no variant has.
fn lfs_layouts() -> impl Iterator<Item = Layout> {
    let variants = Variants::built_in();
    let layouts: Vec<Layout> = variants.iter().map(|v| v.layout).collect();
    layouts.into_iter().filter(|l| l.format.is_nodemcu())
}

/// An image of made-up modules.
pub(crate) fn lfs_image(random: &mut Random) -> Image {
    let layouts: Vec<Layout> = lfs_layouts().collect();
    let layout = layouts[random.below(layouts.len() as u64) as usize];
    let (is_compressed, timestamp) = (random.chance(16), random.word());
    let count = 1 + random.below(3);
    let module = |i: u64| {
        let mut chunk = generate::chunk_by(layout, random);
        if layout.dialect() == Dialect::Lua51 {
            chunk.main.upvalues.clear(); // no image holds those of a main function
        }
        LfsModule {
            name: format!("module{i}").into(),
            chunk,
        }
    };
    // to compress takes longer than all the rest
    let place = match layout.dialect() {
        Dialect::Lua51 if !is_compressed => Place::At(0x4021_0000),
        _ => Place::Anywhere,
    };
    Image {
        layout,
        place,
        aligned: false,
        timestamp,
        seed: None,
        modules: (0..count).map(module).collect(),
    }
}

/// Images of small sources and of made-up modules, for any place and for one.
pub(crate) fn lfs_images() -> Vec<Vec<u8>> {
    let text = b"local a, b = ... return function () return a, {b, 'text', 0.5, nil, true}, type(c) == 'thread' end";
    let mut images = Vec::new();
    for layout in lfs_layouts() {
        let made_up = lfs_image(&mut Random::new(7));
        let mut image = Image {
            layout,
            modules: Vec::new(),
            ..made_up
        };
        for (name, strip) in [("a", Strip::Keep), ("b", Strip::Lines)] {
            let text = match layout.float {
                0 => &b"local a = ... return function () return a, {'text', 5} end"[..],
                _ => text,
            };
            if let Ok(mut chunk) = compile(&layout, b"@c.lua", text, HEAP_LIMIT) {
                chunk.strip(strip);
                let name = name.into();
                image.modules.push(LfsModule { name, chunk });
            }
        }
        for place in [Place::Anywhere, Place::At(0x4021_0000)] {
            let placed = Image {
                place,
                ..image.clone()
            };
            images.extend(fastlua_lfs::write(&placed).ok().map(|(bytes, _)| bytes));
        }
    }
    images
}

/// What is compressed in these images, and those that are not.
pub(crate) fn lfs_contents() -> Vec<Vec<u8>> {
    let memory = Memory {
        window: 16_384,
        first: false,
    };
    let contents = |bytes: Vec<u8>| match bytes.strip_prefix(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 3])
    {
        Some(body) => inflate(body, 1 << 20, memory).expect("it is an image").0,
        None => bytes,
    };
    lfs_images().into_iter().map(contents).collect()
}
