//! `fast_chunks.h`: the bundle as constant data, one block for each variant.

use std::fmt::{self, Display, Formatter, Write};

use fastlua_variants::Variant;
use sha2::{Digest, Sha256};

use crate::chunk::{Bundle, BundledChunk, Dump};
use crate::identifier;

impl Bundle {
    /// The text of `fast_chunks.h`. `version` is fastlua's. It depends on nothing but the modules'
    /// names and texts, the variants and the options.
    pub fn c_header(&self, version: &str) -> String {
        let body = self.body();
        let mut text = String::from(
            "/*\n** fast_chunks.h - Lua chunks as bytecode, for fast.c to include\n** Made by fastlua ",
        );
        let _ = writeln!(text, "{version}; make it anew instead of changing it.\n**");
        for chunk in &self.chunks {
            let _ = writeln!(
                text,
                "** {}: {}, {} bytes, strip {}, SHA-256\n**   {}",
                chunk.name,
                chunk.file_name,
                chunk.source_len,
                chunk.strip as u8,
                Hex(&chunk.sha256)
            );
        }
        let variants: Vec<&str> = self.variants.iter().map(|v| v.name.as_str()).collect();
        let _ = writeln!(
            text,
            "**\n** Variants: {}.\n** Each dump was loaded back by the Lua core of its number model.\n*/\n",
            variants.join(", ")
        );
        let hash = Sha256::digest(body.as_bytes());
        let _ = write!(
            text,
            "#ifndef fast_chunks_h\n#define fast_chunks_h\n\n\
             #define FAST_VERSION\t\"{version}\"\n#define FAST_BUNDLE\t\"{}\"\n\n{body}\n#endif\n",
            Hex(&hash[..8])
        );
        text
    }

    fn body(&self) -> String {
        let mut text = String::from(
            "#if !defined(fast_load_h)\n#error \"this is for fast.c to include\"\n#endif\n\n\
             _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, \"chunks are little-endian\");\n\n",
        );
        for (v, variant) in self.variants.iter().enumerate() {
            let word = if v == 0 { "if" } else { "elif" };
            let _ = writeln!(text, "#{word} {}\n", Condition(variant));
            self.block(&mut text, v, variant);
        }
        let names: Vec<&str> = self.variants.iter().map(|v| v.name.as_str()).collect();
        let _ = writeln!(
            text,
            "#else\n#error \"this firmware's Lua is none of: {}; build its variant with fastlua\"\n#endif",
            names.join(", ")
        );
        text
    }

    fn block(&self, text: &mut String, v: usize, variant: &Variant) {
        let _ = writeln!(text, "#define FAST_VARIANT\t\"{}\"\n", variant.name);
        for expression in &variant.asserts {
            let shown = expression.replace('\\', "\\\\").replace('"', "\\\"");
            let _ = writeln!(
                text,
                "_Static_assert({expression}, \"{}: {shown}\");",
                variant.name
            );
        }
        let mut index = String::from("\n/* sorted by name, byte by byte */\n");
        index += "static const fast_chunk fast_chunks[] = {\n";
        for (chunk, dump) in self.of_variant(v) {
            let id = identifier(&chunk.name);
            let name = [chunk.name.as_bytes(), b"\0"].concat();
            words(text, &format!("fast_name_{id}"), &name);
            words(text, &format!("fast_words_{id}"), &dump.bytes);
            let _ = writeln!(
                index,
                "  {{fast_name_{id}, fast_words_{id}, {}, 0x{:08x}, FAST_BYTECODE,\n   {},\n   {}}},",
                dump.bytes.len(),
                dump.crc32,
                dump.need.c_expression(),
                dump.need.short_strings,
            );
        }
        *text += &index;
        *text += "};\n\n";
    }

    /// The chunks that a variant carries, with their dumps.
    pub fn of_variant(&self, v: usize) -> impl Iterator<Item = (&BundledChunk, &Dump)> {
        self.chunks
            .iter()
            .filter_map(move |chunk| Some((chunk, chunk.dumps[v].as_ref()?)))
    }
}

/// Bytes as an array of 32-bit words, zero bytes after them.
fn words(text: &mut String, name: &str, bytes: &[u8]) {
    let words: Vec<&[u8]> = bytes.chunks(4).collect();
    let _ = write!(text, "\nstatic const uint32_t {name}[{}] = {{", words.len());
    for (i, word) in words.iter().enumerate() {
        let mut four = [0; 4];
        four[..word.len()].copy_from_slice(word);
        let space = if i % 8 == 0 { "\n  " } else { " " };
        let _ = write!(text, "{space}0x{:08x},", u32::from_le_bytes(four));
    }
    *text += "\n};\n";
}

/// A variant's condition, one target a line.
struct Condition<'a>(&'a Variant);

impl Display for Condition<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let each: Vec<String> = self.0.select.values().map(|c| format!("({c})")).collect();
        f.write_str(&each.join(" || \\\n     "))
    }
}

/// Bytes in hexadecimal.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl Display for Hex<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}
