//! The targets.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use arbitrary::{Arbitrary, Unstructured};
use fastlua::{
    Bundle, Contents, Firmware, Head, Options, Overrides, PatchOptions, Project, SlotContents,
    firmware_tree,
};
use fastlua_bundle::slot::{HEAD, Heap};
use fastlua_bundle::{TextError, inflated, squash_proved, unpacked};
use fastlua_bytecode::packed::{self, Pool};
use fastlua_bytecode::{
    Chunk, Dialect, Format, Layout, NumberModel, Strip, candidates, read, read_any, write,
};
use fastlua_firmware::deflate::{Memory, inflate, smallest, stored};
use fastlua_lfs::WriteError;
use fastlua_source::lexer::Lexer;
use fastlua_source::literals;
use fastlua_source::split::{Loader, split};
use fastlua_source::token::Kind;
use fastlua_testing::generate::Chosen;
use fastlua_testing::random::Random;
use fastlua_variants::{Variant, Variants};
use fastlua_verifier::verify;

use crate::images::summed;
use crate::{Target, seeds};

/// Bytes of heap for one compilation.
const HEAP: usize = 4 << 20;

macro_rules! targets {
    ($($name:literal $run:path, $seeds:path;)*) => {
        &[$(Target { name: $name, run: $run, seeds: $seeds }),*]
    };
}

pub(crate) const ALL: &[Target] = targets! {
    "read-nodemcu51" nodemcu51, seeds::dumps;
    "read-nodemcu53" nodemcu53, seeds::dumps;
    "read-puc51" puc51, seeds::dumps;
    "read-puc53" puc53, seeds::dumps;
    "read-any" any, seeds::dumps;
    "round-trip" round_trip, seeds::choices;
    "packed" packed_chunk, seeds::packed;
    "packed-round-trip" packed_round_trip, seeds::choices;
    "strip" strip, seeds::dumps;
    "listing" listing, seeds::dumps;
    "verifier" verifier, seeds::dumps;
    "lexer" lexer, seeds::sources;
    "literals" literal, seeds::sources;
    "split" split_markers, seeds::split;
    "squash" squash, seeds::sources;
    "manifest" manifest, seeds::manifests;
    "variants" variants, seeds::variants;
    "user-config" user_config, seeds::user_configs;
    "sdkconfig" sdkconfig, seeds::sdkconfigs;
    "partitions" partitions, seeds::partitions;
    "firmware" firmware, seeds::firmware;
    "firmware-summed" firmware_summed, seeds::firmware;
    "slot" slot, seeds::firmware;
    "lfs" lfs_image, seeds::lfs_images;
    "lfs-summed" lfs_summed, seeds::lfs_contents;
    "lfs-round-trip" lfs_round_trip, seeds::choices;
    "deflated" deflated, seeds::deflated;
    "deflate-round-trip" deflate_round_trip, seeds::sources;
};

/// What is read strictly is written as it was, but for what `write` says of several forms; and then it is
/// read and written as the same for ever.
fn reads(bytes: &[u8], format: Format) {
    for layout in Layout::all().filter(|layout| layout.format == format) {
        let Ok(chunk) = read(bytes, &layout) else {
            continue;
        };
        let once = write(&chunk).expect("what was read can be written");
        let again = read(&once, &layout).expect("what was written can be read");
        assert_eq!(chunk, again);
        assert!(once.len() <= bytes.len() + chunk.main.upvalues.len() + 1);
        assert_eq!(once, write(&again).expect("and written"));
    }
}

fn nodemcu51(bytes: &[u8]) {
    reads(bytes, Format::NodeMcu51);
}

fn nodemcu53(bytes: &[u8]) {
    reads(bytes, Format::NodeMcu53);
}

fn puc51(bytes: &[u8]) {
    reads(bytes, Format::Puc51);
}

fn puc53(bytes: &[u8]) {
    reads(bytes, Format::Puc53);
}

fn any(bytes: &[u8]) {
    if let Ok(chunk) = read_any(bytes) {
        assert!(candidates(bytes).contains(&chunk.layout));
    }
}

/// The bytes choose a generated chunk.
fn round_trip(bytes: &[u8]) {
    let chunk = chosen(bytes);
    let bytes = write(&chunk).expect("a generated chunk can be written");
    assert_eq!(read(&bytes, &chunk.layout).expect("and read"), chunk);
}

fn chosen(bytes: &[u8]) -> Chunk {
    let chosen = Chosen::arbitrary_take_rest(Unstructured::new(bytes));
    chosen.expect("any bytes choose a chunk").0
}

/// The first byte chooses a layout. A packed chunk that is read is written as it was, in every dump too.
fn packed_chunk(bytes: &[u8]) {
    let Some((&first, bytes)) = bytes.split_first() else {
        return;
    };
    let layouts: Vec<Layout> = Layout::all().collect();
    let layout = layouts[usize::from(first) % layouts.len()];
    let pool = seeds::pool();
    if let Ok(chunk) = packed::read(bytes, &layout, &pool) {
        assert_eq!(packed::write(&chunk, &pool).as_deref(), Ok(bytes));
        let dump = write(&chunk).expect("what was read can be dumped");
        assert_eq!(read(&dump, &layout).expect("and read"), chunk);
    }
}

/// The bytes choose a generated chunk, which is stripped and packed.
fn packed_round_trip(bytes: &[u8]) {
    let mut chunk = chosen(bytes);
    chunk.strip(Strip::Lines);
    chunk.set_source(None);
    let pool = Pool::of(chunk.layout.dialect(), [&chunk]);
    let bytes = packed::write(&chunk, &pool).expect("a generated chunk can be packed");
    assert_eq!(
        packed::read(&bytes, &chunk.layout, &pool).expect("and read"),
        chunk
    );
}

/// The chunks as which the bytes can be read.
fn chunks(bytes: &[u8]) -> impl Iterator<Item = Chunk> {
    let layouts = candidates(bytes).into_iter();
    layouts.filter_map(|layout| read(bytes, &layout).ok())
}

/// Each level drops what the one below it drops, and nothing is left to drop by the same one.
fn strip(bytes: &[u8]) {
    for chunk in chunks(bytes) {
        let at = |level| {
            let mut chunk = chunk.clone();
            chunk.strip(level);
            chunk
        };
        let (names, mut lines) = (at(Strip::Names), at(Strip::Names));
        lines.strip(Strip::Lines);
        assert_eq!(at(Strip::Keep), chunk);
        assert_eq!(at(Strip::Lines), lines);
        for stripped in [names, lines] {
            write(&stripped).expect("a stripped chunk can be written");
        }
    }
}

fn listing(bytes: &[u8]) {
    for chunk in chunks(bytes) {
        assert!(!chunk.listing().to_string().is_empty());
    }
}

/// Debug data but for their own rule do not matter to the verifier.
fn verifier(bytes: &[u8]) {
    for mut chunk in chunks(bytes) {
        let verdict = verify(&chunk);
        if let Err(refusal) = &verdict {
            assert!(refusal.to_string().contains(refusal.rule.name()));
        }
        chunk.strip(Strip::Lines);
        assert!(verify(&chunk).is_ok() || verdict.is_err());
    }
}

fn lexer(text: &[u8]) {
    for dialect in Dialect::ALL {
        let Ok(mut lexer) = Lexer::new(text, dialect) else {
            continue;
        };
        // each token but the last takes a byte at least
        for count in 0.. {
            assert!(count <= text.len(), "more tokens than bytes");
            match lexer.token() {
                Ok(token) if token.kind == Kind::End => break,
                Ok(_) => {}
                Err(error) => {
                    assert!(error.line as usize <= text.len() + 1);
                    break;
                }
            }
        }
    }
}

fn literal(text: &[u8]) {
    for model in &NumberModel::ALL {
        let lines = text.iter().filter(|b| matches!(b, b'\n' | b'\r')).count();
        for finding in literals::check(text, model) {
            assert!(finding.line as usize <= lines + 1);
        }
    }
}

/// No line of a chunk has moved.
fn split_markers(text: &[u8]) {
    for loader in [Loader::Fast, Loader::Spiffs] {
        if let Ok(Some(pieces)) = split(text, loader) {
            assert!(!pieces.is_empty());
        }
    }
}

fn squash(text: &[u8]) {
    static VARIANTS: LazyLock<Vec<Variant>> = LazyLock::new(|| KNOWN.nodemcu());
    match squash_proved(text, "c.lua", &VARIANTS, HEAP) {
        Ok(squashed) => assert!(squashed.text.len() <= text.len()),
        Err(fault @ TextError::Squash { .. }) => panic!("{fault}"),
        Err(_) => {}
    }
}

fn manifest(text: &[u8]) {
    let files: BTreeMap<String, Vec<u8>> = [
        ("fast.toml", text),
        ("a.lua", b"return 1"),
        ("lua/b.lua", b"return 2"),
        ("lua/c.lua", b"return 3"),
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), text.to_vec()))
    .collect();
    let project = Project::from_manifest(&files, "fast.toml", &Overrides::default());
    if let Ok(project) = project {
        let _ = project.plan(&Options::default());
    }
}

/// Reading them takes longer than most targets.
static KNOWN: LazyLock<Variants> = LazyLock::new(Variants::built_in);

fn variants(text: &[u8]) {
    let mut known = KNOWN.clone();
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    if known.add("new.toml", text).is_ok() {
        let variant = known.get("new").expect("it was added");
        let all = variant.select.values().map(ToString::to_string);
        assert!(
            all.chain(variant.asserts.clone())
                .all(|c| !c.contains('\n'))
        );
    }
}

fn tree(file: &str, text: &[u8], version: Option<u32>) {
    let files = BTreeMap::from([(file.to_owned(), text.to_vec())]);
    let _ = firmware_tree(&files, version, &KNOWN);
}

fn user_config(text: &[u8]) {
    for version in [None, Some(53)] {
        tree("app/include/user_config.h", text, version);
    }
}

fn sdkconfig(text: &[u8]) {
    tree("sdkconfig", text, None);
}

fn partitions(text: &[u8]) {
    let config = b"CONFIG_LUA_VERSION_51=y\n".to_vec();
    let table = "components/platform/partitions.csv".to_owned();
    let files = BTreeMap::from([("sdkconfig".to_owned(), config), (table, text.to_vec())]);
    let _ = firmware_tree(&files, None, &KNOWN);
}

/// The same with recomputed checksums, so that the code behind the checks is reached.
fn firmware_summed(bytes: &[u8]) {
    firmware(&summed(bytes));
}

/// What can be patched has its checksums right afterwards, and it can be emptied again.
fn firmware(bytes: &[u8]) {
    let Ok(mut firmware) = Firmware::read(bytes.to_vec()) else {
        return;
    };
    for label in firmware.descriptors().flatten() {
        let _ = label.chunks();
    }
    let count = firmware.slots().len();
    for number in 1..=count {
        fill(&mut firmware, number, PatchOptions::default());
    }
}

/// An image that is read can be written, and is the same then; luac.cross gives two modules of 5.1 one name.
fn lfs_image(bytes: &[u8]) {
    let Ok(found) = fastlua_lfs::read(bytes) else {
        assert!(fastlua_lfs::region(bytes).is_err());
        return;
    };
    let _ = fastlua_lfs::region(bytes);
    let (again, sizes) = match fastlua_lfs::write(&found.image) {
        Err(WriteError::Twice(_)) => return,
        written => written.expect("what was read can be written"),
    };
    fastlua_lfs::prove(&again, &found.image).expect("it is proved");
    assert!(sizes.total <= found.sizes.total);
    for module in &found.image.modules {
        let _ = verify(&module.chunk);
    }
}

/// What is compressed in an image, with a sum that is right.
fn lfs_summed(contents: &[u8]) {
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 3];
    bytes.extend(stored(contents).expect("it is stored"));
    bytes.extend(crc32fast::hash(contents).to_le_bytes());
    bytes.extend((contents.len() as u32).to_le_bytes());
    lfs_image(&bytes);
}

/// The bytes as a number choose made-up modules.
fn lfs_round_trip(bytes: &[u8]) {
    let image = seeds::lfs_image(&mut Random::of_input(Unstructured::new(bytes)));
    let (bytes, sizes) = fastlua_lfs::write(&image).expect("made-up modules can be written");
    fastlua_lfs::prove(&bytes, &image).expect("and are proved");
    let found = fastlua_lfs::read(&bytes).expect("and read");
    assert_eq!(found.sizes, sizes);
}

/// What is read as deflated source is one stream, and its text comes back from another stream as well.
fn deflated(bytes: &[u8]) {
    if let Ok(text) = inflated(bytes) {
        assert_eq!(bytes.get(..4), Some(&(text.len() as u32).to_le_bytes()[..]));
        deflate_round_trip(&text);
    }
}

fn deflate_round_trip(text: &[u8]) {
    const CHIP: Memory = Memory {
        window: 2048,
        first: true,
    };
    let stream = smallest(text, 11..=11, CHIP).expect("any text can be deflated");
    let back = inflate(&stream, text.len(), CHIP).expect("and inflated");
    assert_eq!((&back.0[..], back.1), (text, stream.len()));
}

/// Puts chunks into a slot, reads them back, and takes them out.
fn fill(firmware: &mut Firmware, number: usize, options: PatchOptions) {
    static BUNDLE: LazyLock<Bundle> = LazyLock::new(seeds::bundle);
    let Ok(slot) = firmware.slot(Some(number)) else {
        return;
    };
    let _ = slot.chunks();
    if let Some(contents) = slot.contents() {
        let again = SlotContents::from_bytes(contents.as_bytes().to_vec());
        assert_eq!(again.as_ref(), Ok(&contents));
    }
    let layout = BUNDLE.variants[0].layout;
    let common =
        |bytes: &[u8], shared: u32| bytes.get(shared as usize..).unwrap_or_default().to_vec();
    if let Some(contents) = &slot.contents {
        let bytes = slot.bytes();
        let _ = unpacked(&common(bytes, contents.shared), bytes, &layout);
    }
    let before = firmware.to_file();
    let number = Some(number);
    let Ok(done) = firmware.patch(number, &BUNDLE, options) else {
        assert_eq!(firmware.to_file(), before);
        return;
    };
    assert!(done.fixed.is_empty());
    let patched = firmware.slot(number).expect("it is there");
    let chunks = patched.chunks().expect("they can be read");
    assert_eq!(chunks.len(), BUNDLE.chunks.len());
    let slot_bytes = patched.bytes();
    assert!(chunks.iter().all(|chunk| chunk.is_sound(slot_bytes)));
    let [bytecode, packed] = ["bytecode", "packed"].map(|name| {
        let chunk = chunks.iter().find(|chunk| chunk.name == name);
        &slot_bytes[chunk.and_then(|c| c.words.clone()).expect("it is there")]
    });
    let contents = patched.contents.as_ref().expect("it was filled");
    let dump = unpacked(&common(slot_bytes, contents.shared), packed, &layout);
    assert_eq!(dump.as_deref(), Ok(bytecode));
    let again = Firmware::read(firmware.to_file()).expect("it is firmware");
    assert_eq!(again.image().wrong(), []);
    let emptied = firmware.clear(number, options);
    emptied.expect("it goes again");
}

/// The same with a header and contents whose sums fit, so that what they say is believed.
fn slot(bytes: &[u8]) {
    const CAPACITY: u32 = 8192;
    let byte = |i: usize| bytes.get(i).copied().unwrap_or(0);
    let word = |i: usize| u32::from_le_bytes([0, 1, 2, 3].map(|n| byte(4 * i + n)));
    let head = Head {
        freezes: byte(0) & 1 != 0,
        hook: byte(0) & 2 != 0,
        inflates: byte(0) & 8 == 0,
        unpacks: byte(0) & 16 == 0,
        heap: Heap {
            head: word(1) % 32,
            least: word(2) % 32,
            align: 1 << (byte(12) % 6),
        },
        core: match byte(0) & 4 {
            0 => seeds::head(CAPACITY).core,
            _ => std::array::from_fn(|i| byte(64 + i)),
        },
        ..seeds::head(CAPACITY)
    };
    let mut file = head.to_slot();
    let body = bytes.get(128..).unwrap_or_default();
    let body = &body[..body.len().min(file.len() - HEAD)];
    file[HEAD..HEAD + body.len()].copy_from_slice(body);
    let contents = Contents {
        used: (HEAD + body.len()) as u32,
        count: word(5) % 40,
        index: word(6),
        about: word(7),
        frozen: word(8),
        shared: word(9) % CAPACITY,
        ..Contents::default()
    };
    contents.write(&mut file);
    let mut firmware = Firmware::read(file).expect("it is a raw file");
    firmware.slot(None).expect("its sums fit");
    let options = PatchOptions {
        uncovered: true,
        ..PatchOptions::default()
    };
    fill(&mut firmware, 1, options);
}
