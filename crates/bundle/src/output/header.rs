//! `fast_chunks.h`: the bundle as constant data, one block for each variant.

use std::fmt::{self, Display, Formatter, Write};

use crate::slot::{descriptor_sum, variant_sum};
use fastlua_firmware::{ChunkKind, fast_deflated_h, fast_descriptor_h, fast_objects_h};
use fastlua_variants::Variant;

use super::c::words;
use super::lookup::lookup;
use super::packed::{packed_h, print_shared, tables};
use super::region::INFLATE;
use super::text::{Hashed, Hex, Text};
use super::{fill, frozen};
use crate::model::Form;
use crate::model::LONGEST;
use crate::model::{Bundle, BundledChunk};
use crate::model::{ON_STACK, WINDOW, window};
use crate::objects::Objects;
use crate::printable;
use crate::structures::SHORT_STRING;

/// The fields of a `fast_chunk` as they stand in the index: two pointers, then words.
const INDEX: [&str; 9] = [
    "name", "words", "size", "hash", "kind", "heap", "strings", "depth", "checksum",
];

/// Bytes of a sector of flash, which is erased as a whole; [`fast_slot_h`](fastlua_firmware::fast_slot_h) aligns a slot to it.
const SECTOR: u32 = 4096;
/// Bytes of the largest slot.
const MOST_SLOT: u32 = 16 << 20;

/// Such a slot is not possible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSlot {
    /// Of that many bytes.
    #[error(
        "{0} bytes is not a valid slot size: it must be a multiple of 4k, a sector of flash, up to 16384k; use {next}k",
        next = next_capacity(*.0) / 1024
    )]
    Capacity(u32),
    /// Beside this chunk.
    #[error(
        "{0} is frozen: modules compiled in beside a slot must be bytecode or source; put frozen ones into the slot"
    )]
    Frozen(String),
}

/// Whether a slot can have so many bytes.
///
/// # Errors
/// It can't; the error names the next size that it can have.
pub fn check_capacity(capacity: u32) -> Result<(), NoSlot> {
    match next_capacity(capacity) == capacity {
        true => Ok(()),
        false => Err(NoSlot::Capacity(capacity)),
    }
}

/// The smallest capacity that is not below this one, or the largest that there is.
fn next_capacity(capacity: u32) -> u32 {
    capacity.clamp(1, MOST_SLOT).next_multiple_of(SECTOR)
}

/// The purpose of the header.
pub(super) enum Purpose<'a> {
    /// `fast.c`, which includes it. It may have a slot of so many bytes.
    Fast { version: &'a str, slot: Option<u32> },
    /// Another C module, whose Lua half it is; what its names of C begin with. What loads the chunks is in `fast_runtime.c`.
    Module(&'a str),
}

/// A name in a comment of C, which it does not end.
fn in_comment(name: &str) -> String {
    let line = printable(name).replace('\n', " ");
    line.replace("*/", "* /").replace("/*", "/ *")
}

/// The text of `fast_chunks.h`, made while it is written: it is many times as long as the chunks, so write it to where it
/// goes. It depends on nothing but the modules' names and texts, the variants and the options.
#[derive(Debug, Clone)]
pub struct CHeader<'a> {
    bundle: &'a Bundle,
    version: &'a str,
    slot: Option<u32>,
}

impl CHeader<'_> {
    /// Writes the text, and gives the bundle's name, which is a hash of it.
    ///
    /// # Errors
    /// Those of `f`.
    pub fn write_to(&self, f: &mut dyn Write) -> Result<String, fmt::Error> {
        let CHeader {
            bundle,
            version,
            slot,
        } = *self;
        f.write_str(&head_of(bundle, version))?;
        let mut hashed = Hashed::new(&mut *f);
        let mut text = Text::new(&mut hashed);
        body(bundle, &mut text, &Purpose::Fast { version, slot });
        text.done()?;
        let name = match slot {
            None => hashed.name(),
            // the name is that of the chunks, with a slot or without
            Some(_) => bundle_name(bundle),
        };
        f.write_str(&end_of(bundle, version, &name, &count_of("fast_chunks")))?;
        Ok(name)
    }
}

impl Display for CHeader<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.write_to(f).map(|_| ())
    }
}

/// `fast_chunks.h`. `version` is fastlua's.
pub fn c_header<'a>(bundle: &'a Bundle, version: &'a str) -> CHeader<'a> {
    CHeader {
        bundle,
        version,
        slot: None,
    }
}

/// The same with a slot of so many bytes, a multiple of 4,096, beside the chunks, of which none may be frozen; there need
/// not be any.
///
/// # Errors
/// [`NoSlot`].
pub fn c_header_with_slot<'a>(
    bundle: &'a Bundle,
    version: &'a str,
    capacity: u32,
) -> Result<CHeader<'a>, NoSlot> {
    check_capacity(capacity)?;
    if let Some(chunk) = bundle.chunks.iter().find(|chunk| chunk.form.is_frozen()) {
        return Err(NoSlot::Frozen(chunk.name.clone()));
    }
    Ok(CHeader {
        slot: Some(capacity),
        ..c_header(bundle, version)
    })
}

/// The header of chunks that an object file has. `block` is what there is of the variant's block.
pub(super) fn header_with(bundle: &Bundle, version: &str, block: &str) -> String {
    let mut parts = String::new();
    if bundle.has_frozen() {
        parts += &fast_objects_h();
    }
    if bundle.has_deflated() {
        parts += &deflated_h();
    }
    if bundle.has_packed() {
        parts += &packed_h();
    }
    let variant = &bundle.variants[0];
    let body = format!(
        "{}\n{parts}\n#if {}\n\n{block}\n\
         #else\n#error \"fast_chunks.o is for {}, but this firmware has another Lua\"\n#endif\n",
        assertions(),
        Condition(variant),
        variant.name
    );
    let count = bundle.of_variant(0).count().to_string();
    let (head, end) = (
        head_of(bundle, version),
        end_of(bundle, version, &bundle_name(bundle), &count),
    );
    head + &body + &end
}

/// The text before the chunks.
fn head_of(bundle: &Bundle, version: &str) -> String {
    let about = about(
        bundle,
        "fast_chunks.h - Lua chunks for fast.c to include",
        version,
    );
    format!(
        "{about}#ifndef fast_chunks_h\n#define fast_chunks_h\n\n\
         #if !defined(fast_load_h)\n#error \"this is for fast.c to include\"\n#endif\n\n\
         #define FAST_VERSION\t\"{version}\"\n\n"
    )
}

/// The text after the chunks.
fn end_of(bundle: &Bundle, version: &str, name: &str, count: &str) -> String {
    let table = image_of(bundle, count);
    let label = match bundle.chunks.is_empty() {
        true => format!("#define FAST_BUNDLE\t\"{name}\"\n"),
        false => label(bundle, version, name, count),
    };
    format!("\n{table}\n{label}\n#endif\n")
}

/// The bundle's name: 16 hexadecimal digits that depend on its whole contents.
pub fn bundle_name(bundle: &Bundle) -> String {
    let purpose = Purpose::Fast {
        version: "",
        slot: None,
    };
    let mut hashed = Hashed::default();
    body(bundle, &mut Text::new(&mut hashed), &purpose);
    hashed.name()
}

/// The comment that lists the contents.
pub(super) fn about(bundle: &Bundle, title: &str, version: &str) -> String {
    let mut text = format!("/*\n** {title}\n** Made by fastlua {version}; do not edit it.\n**\n");
    for chunk in &bundle.chunks {
        let _ = writeln!(
            text,
            "** {}: {}, {} bytes, as {}, strip {}, SHA-256\n**   {}",
            chunk.name,
            in_comment(&chunk.file_name),
            chunk.source_len,
            chunk.form,
            chunk.strip as u8,
            Hex(&chunk.sha256)
        );
    }
    let variants: Vec<&str> = bundle.variants.iter().map(|v| v.name.as_str()).collect();
    let _ = writeln!(
        text,
        "**\n** Variants: {}.\n\
         ** Each dump was loaded back by the Lua core of its number model, each squashed\n\
         ** source compared with its original.\n*/\n",
        variants.join(", ")
    );
    text
}

pub(super) fn body(bundle: &Bundle, text: &mut Text, purpose: &Purpose) {
    let is_for_fast = matches!(purpose, Purpose::Fast { .. });
    if is_for_fast {
        *text += &assertions();
    }
    for chunk in &bundle.chunks {
        let id = &chunk.identifier;
        let name = [chunk.name.as_bytes(), b"\0"].concat();
        if is_for_fast && chunk.form.is_frozen() {
            *text += "\n__attribute__((unused))"; // where the frozen string is the name
        }
        words(text, &format!("fast_name_{id}"), &name);
        if (chunk.form.is_source() || chunk.form == Form::Data { frozen: false })
            && let Some(source) = chunk.dumps.iter().flatten().next()
        {
            words(text, &format!("fast_words_{id}"), &source.bytes);
        }
    }
    let slot = match purpose {
        Purpose::Fast { slot, .. } => *slot,
        Purpose::Module(_) => None,
    };
    if is_for_fast && (bundle.has_frozen() || slot.is_some()) {
        *text += "\n";
        *text += &fast_objects_h();
    }
    if is_for_fast && (bundle.has_deflated() || slot.is_some()) {
        *text += "\n";
        *text += &deflated_h();
    }
    if is_for_fast && (bundle.has_packed() || slot.is_some()) {
        *text += "\n";
        *text += &packed_h();
        *text += &tables(bundle);
    }
    for chunk in &bundle.chunks {
        if chunk.form == (Form::Data { frozen: true })
            && let Some(data) = chunk.dumps.iter().flatten().next()
        {
            *text += "\n#if !defined(FAST_FREEZES)";
            words(
                text,
                &format!("fast_words_{}", chunk.identifier),
                &data.bytes,
            );
            *text += "#endif\n";
        }
    }
    *text += "\n";
    for (v, variant) in bundle.variants.iter().enumerate() {
        let word = if v == 0 { "if" } else { "elif" };
        let _ = writeln!(text, "#{word} {}\n", Condition(variant));
        block(bundle, text, v, variant, purpose);
    }
    let names: Vec<&str> = bundle.variants.iter().map(|v| v.name.as_str()).collect();
    let _ = writeln!(
        text,
        "#else\n#error \"this firmware's Lua is not one of: {}; build its variant with fastlua\"\n#endif",
        names.join(", ")
    );
    if let Some(capacity) = slot {
        *text += "\n";
        *text += &fill::slot(capacity);
    }
}

fn block(bundle: &Bundle, text: &mut Text, v: usize, variant: &Variant, purpose: &Purpose) {
    let is_for_fast = matches!(purpose, Purpose::Fast { .. });
    let prefix = match purpose {
        Purpose::Fast { .. } => {
            let name = &variant.name;
            let _ = writeln!(text, "#define FAST_VARIANT\t\"{name}\"");
            let sum = variant_sum(name);
            let _ = writeln!(text, "#define FAST_DESCRIPTOR_VARIANT\t0x{sum:08x}u\n");
            "fast".to_owned()
        }
        Purpose::Module(prefix) => (*prefix).to_owned(),
    };
    for expression in &variant.asserts {
        let _ = writeln!(
            text,
            "_Static_assert({expression}, \"{}: {expression}\");",
            variant.name
        );
    }
    let mut frozen = false;
    if let Purpose::Fast { version, slot } = purpose {
        frozen = print_frozen(bundle, text, v);
        if slot.is_some() {
            fill::core(text, variant, version);
        }
    }
    if bundle.chunks.is_empty() {
        return;
    }
    if is_for_fast && bundle.has_packed() {
        print_shared(bundle, text, v);
    }
    let mut index = String::from("\n/* sorted by name, byte by byte */\n");
    let _ = writeln!(index, "static const fast_chunk {prefix}_chunks[] = {{");
    for (chunk, dump) in bundle.of_variant(v) {
        let id = &chunk.identifier;
        let kind = chunk.form.chunk_kind().macro_name();
        if chunk.form.is_data() {
            let (size, hash) = (dump.bytes.len(), dump.xxh32);
            let _ = match chunk.form.is_frozen() {
                true => writeln!(
                    index,
                    "  FAST_FROZEN_DATA(fast_name_{id}, fast_words_{id}, {size}, 0x{hash:08x}),"
                ),
                false => writeln!(
                    index,
                    "  FAST_CHUNK(fast_name_{id}, fast_words_{id}, {size}, 0x{hash:08x}, {kind}, 0, 0, 0),"
                ),
            };
            continue;
        }
        let falls_back = frozen && chunk.form == Form::Frozen { fallback: true };
        let entry = if falls_back {
            "FAST_FROZEN_CHUNK"
        } else {
            "FAST_CHUNK"
        };
        let _ = write!(index, "  {entry}(fast_name_{id}, ");
        let (size, hash) = (dump.bytes.len(), dump.xxh32);
        let Some(compiled) = &dump.compiled else {
            let heap = match (chunk.form, is_for_fast) {
                (Form::Deflated, true) => {
                    format!("FAST_DEFLATED_HEAP({})", window(&dump.bytes))
                }
                (Form::Deflated, false) => {
                    format!("FAST_RUNTIME_INFLATE({})", window(&dump.bytes))
                }
                _ => "0".to_owned(),
            };
            let _ = writeln!(
                index,
                "fast_words_{id}, {size}, 0x{hash:08x}, {kind}, {heap}, 0, 0),"
            );
            continue;
        };
        if chunk.form.carries_bytes() {
            let (before, after) = match falls_back {
                true => ("\n#if FAST_FALLS_BACK", "#endif\n"),
                false => ("", ""),
            };
            *text += before;
            words(text, &format!("fast_words_{id}"), &dump.bytes);
            *text += after;
            let _ = write!(index, "fast_words_{id}, {size}, 0x{hash:08x}, ");
        } else {
            let _ = write!(index, "NULL, 0, 0, ");
        }
        let need = &compiled.need;
        let (heap, strings) = (need.c_expression(), need.short_strings);
        let depth = need.depth;
        let state = match chunk.form {
            Form::Packed if is_for_fast => "FAST_PACKED_HEAP\n   + ",
            Form::Packed => "FAST_RUNTIME_UNPACK\n   + ",
            _ => "",
        };
        let _ = writeln!(index, "{kind},\n   {state}{heap},\n   {strings}, {depth}),");
    }
    *text += &index;
    *text += "};\n\n";
    if is_for_fast {
        let names: Vec<&str> = bundle.of_variant(v).map(|(c, _)| c.name.as_str()).collect();
        match lookup(names.into_iter()) {
            Some(table) => words(text, "fast_names", &table),
            None => *text += "#define fast_names\tNULL\n",
        }
    }
    if frozen {
        frozen_index(bundle, text, v);
    }
}

/// Writes the frozen chunks of a variant; false where it has none.
fn print_frozen(bundle: &Bundle, text: &mut Text, v: usize) -> bool {
    if !bundle.has_frozen() {
        return false;
    }
    let Some(frozen) = Objects::with_names(bundle, v) else {
        *text += "#undef FAST_FREEZES\n\n";
        return false;
    };
    *text += "#if defined(FAST_FREEZES)\n\n";
    frozen::print(text, &frozen, &|name| bundle.identifier(name));
    *text += "\n#endif\n";
    true
}

/// Writes the frozen chunk of each chunk, if it has one.
fn frozen_index(bundle: &Bundle, text: &mut Text, v: usize) {
    *text += "#if defined(FAST_FREEZES)\n\
         static const fast_frozen *const fast_frozen_chunks[] = {\n";
    for (chunk, _) in bundle.of_variant(v) {
        let _ = match chunk.form.is_frozen() {
            true => writeln!(text, "  &fast_z_{},", chunk.identifier),
            false => writeln!(text, "  NULL,"),
        };
    }
    *text += "};\n";
    if let Some(chunk) = alone(bundle, v) {
        let _ = write!(text, "#else\n{}", frozen::no_bytecode(chunk));
    }
    *text += "#endif\n\n";
}

/// A chunk that is frozen and has no bytecode for other cores.
pub(super) fn alone(bundle: &Bundle, v: usize) -> Option<&BundledChunk> {
    let is_alone = |chunk: &&BundledChunk| chunk.form == Form::Frozen { fallback: false };
    bundle.of_variant(v).map(|(chunk, _)| chunk).find(is_alone)
}

/// The bundle of the index `fast_chunks`, with its bits in RAM.
fn image_of(bundle: &Bundle, count: &str) -> String {
    if bundle.chunks.is_empty() {
        return "static const fast_bundle fast_image = {NULL, 0, NULL, NULL, 0, NULL, NULL, NULL, NULL};\n"
            .to_owned();
    }
    let (frozen, define) = match bundle.has_frozen() {
        false => ("NULL", ""),
        true => (
            "fast_frozen_chunks",
            "#if !defined(FAST_FREEZES)\n#define fast_frozen_chunks\tNULL\n#endif\n",
        ),
    };
    let deflated = match bundle.has_deflated() {
        true => "fast_load_deflated",
        false => "NULL",
    };
    let packed = match bundle.has_packed() {
        true => "fast_load_packed, fast_shared",
        false => "NULL, NULL",
    };
    define.to_owned() + &image("fast", count, frozen, deflated, packed, "fast_names")
}

/// The build descriptor of the bundle in an image.
fn label(bundle: &Bundle, version: &str, name: &str, count: &str) -> String {
    let frozen = if bundle.has_frozen() {
        "fast_frozen_chunks"
    } else {
        "NULL"
    };
    format!(
        "#define FAST_BUNDLE_NAME\t\"{name}\"\n\
         #define FAST_DESCRIPTOR_TEXT_SUM\t(0x{:08x}u + FAST_DESCRIPTOR_VARIANT)\n\
         #define FAST_DESCRIPTOR_COUNT\t{count}\n\
         #define FAST_DESCRIPTOR_FROZEN\t{frozen}\n\n{}",
        descriptor_sum(name, version),
        fast_descriptor_h()
    )
}

/// The loader of deflated chunks, with assertions on its assumptions.
pub(super) fn deflated_h() -> String {
    format!(
        "{}\n_Static_assert(FAST_WINDOW == {WINDOW}, \"the window has {WINDOW} bytes\");\n\
         #if __SIZEOF_POINTER__ == 4\n\
         _Static_assert(sizeof(fast_inflate) == {INFLATE}, \"fast_inflate has {INFLATE} bytes\");\n\
         #endif\n",
        fast_deflated_h()
    )
}

/// The bundle of the index `<prefix>_chunks`, with its bits in RAM.
pub(super) fn image(
    prefix: &str,
    count: &str,
    frozen: &str,
    deflated: &str,
    packed: &str,
    names: &str,
) -> String {
    format!(
        "static uint32_t {prefix}_checked[{count} / 32 + 1];\n\
         static const fast_bundle {prefix}_image = {{\n  \
           {prefix}_chunks, {count}, {prefix}_checked, {frozen}, 0, {deflated}, {packed}, {names}}};\n"
    )
}

/// The C expression of how many chunks an index has.
pub(super) fn count_of(index: &str) -> String {
    format!("(sizeof({index}) / sizeof(fast_chunk))")
}

/// Assertions on the machine, on `fast_load.h` and on 5.3's strings.
pub(super) fn assertions() -> String {
    let place = |i: usize| match i {
        0 => "0".to_owned(),
        1 => "sizeof(void *)".to_owned(),
        2 => "2 * sizeof(void *)".to_owned(),
        _ => format!("2 * sizeof(void *) + {}", 4 * (i - 2)),
    };
    let mut index = String::new();
    for (i, field) in INDEX.iter().enumerate() {
        let at = place(i);
        let _ = writeln!(index, "offsetof(fast_chunk, {field}) == {at}");
        index += "               && ";
    }
    format!(
        "_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, \"chunks are little-endian\");\n\
         _Static_assert({index}sizeof(fast_chunk) == sizeof(struct {{void *p[2]; uint32_t w[{}];}}),\n               \"the index has these fields\");\n\
         _Static_assert({}, \"chunks have these kinds\");\n\
         _Static_assert(4 * FAST_NAME == {LONGEST} + 1, \"names have up to {LONGEST} bytes\");\n\
         _Static_assert(4 * FAST_BUFFER_WORDS == {ON_STACK}, \"strings of {ON_STACK} bytes take no buffer\");\n\
         #if LUA_VERSION_NUM == 503\n\
         _Static_assert(LUAI_MAXSHORTLEN == {SHORT_STRING}, \"strings of {SHORT_STRING} bytes are short ones\");\n\
         #endif\n",
        INDEX.len() - 2,
        ChunkKind::assertion()
    )
}

/// A variant's condition, one target a line.
struct Condition<'a>(&'a Variant);

impl Display for Condition<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let each: Vec<String> = self.0.select.values().map(|c| format!("({c})")).collect();
        f.write_str(&each.join(" || \\\n     "))
    }
}
