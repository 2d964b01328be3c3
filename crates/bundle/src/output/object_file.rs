//! A bundle as an object file, like the output of a compiler for the chunks in `fast_chunks.h`, for the
//! firmware's linker. With the header beside it, the firmware's compiler checks all assumptions of the
//! object about the core.
//!
//! The chunks are in a separate read-only section. Another section, which linkers drop, has the
//! build descriptor and facts about the sources, for `inspect`. ELF: the System V ABI, by the crate `object`.

use std::fmt::Write;

use crate::slot::{About, Descriptor, DescriptorPlaces, variant_sum};
use fastlua_variants::Variant;
use object::write::{
    Object, Relocation, SectionId, StandardSection, Symbol, SymbolId, SymbolSection,
};
use object::{
    BinaryFormat, Endianness, FileFlags, RelocationEncoding, RelocationFlags, RelocationKind,
    SectionFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope,
};
use sha2::{Digest, Sha256};

use super::chip::Chip;
use super::frozen::no_bytecode;
use super::header::{alone, bundle_name, header_with};
use super::region::{self, Machine, Plan, Region};
use super::text::Hex;
use crate::model::Bundle;
use crate::objects::{ALIGN, Objects};
use crate::structures::{TAGS, expressions};

/// Why there is no object file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// An object file is for one variant.
    #[error("an object file is for one variant, not for {0}: choose one")]
    Variants(usize),
    /// The variant is none of the chip's.
    #[error("{variant} is not a variant of the firmware for this chip")]
    Chip {
        /// Its name.
        variant: String,
    },
    /// There is nothing to put in.
    #[error("an object file needs a module")]
    Empty,
    /// It can't be written: a fault of ours.
    #[error("the object file can't be written: {0}")]
    Write(String),
}

/// The section that a linker drops.
const ABOUT: &[u8] = b".fastlua";

impl Chip {
    /// The variant of an object file for this chip, if it is the only one.
    ///
    /// # Errors
    /// There are several or none, or it is no variant of the chip's firmware.
    pub fn one_of(self, variants: &[Variant]) -> Result<&Variant, ObjectError> {
        let [variant] = variants else {
            return Err(ObjectError::Variants(variants.len()));
        };
        match variant.select.contains_key(self.target()) {
            true => Ok(variant),
            false => Err(ObjectError::Chip {
                variant: variant.name.clone(),
            }),
        }
    }
}

/// The text of `fast_chunks.h` and the bytes of `fast_chunks.o`, for a bundle of one variant.
/// `version` is fastlua's. They fit together: the symbol in them is a hash of the chunks.
///
/// # Errors
/// [`ObjectError`].
pub fn object(
    bundle: &Bundle,
    version: &str,
    chip: Chip,
) -> Result<(String, Vec<u8>), ObjectError> {
    let variant = chip.one_of(&bundle.variants)?;
    object_for(bundle, version, chip, &chip.machine(&variant.layout))
}

/// The same for a core that is not as NodeMCU's.
///
/// # Errors
/// [`ObjectError`].
pub fn object_for(
    bundle: &Bundle,
    version: &str,
    chip: Chip,
    machine: &Machine,
) -> Result<(String, Vec<u8>), ObjectError> {
    let [variant] = &bundle.variants[..] else {
        return Err(ObjectError::Variants(bundle.variants.len()));
    };
    let chunks: Vec<_> = bundle.of_variant(0).collect();
    if chunks.is_empty() {
        return Err(ObjectError::Empty);
    }
    let plan = Plan {
        chunks: &chunks,
        machine,
        frozen: Objects::of(bundle, 0),
        shared: bundle.shared(0),
        alone: false, // it is not known yet whether the hook will be linked
        head: 0,
    };
    let region = plan.region(|_, _| {});
    let name = symbol(&region);
    let linked = Linked {
        variant,
        version,
        bundle: bundle_name(bundle),
        region: &region,
        about: chunks
            .iter()
            .map(|(chunk, _)| region::about(chunk))
            .collect(),
    };
    let elf = linked.elf(chip, &name);
    let elf = elf.map_err(|error| ObjectError::Write(error.to_string()))?;
    Ok((header_of(bundle, &linked, machine, &name), elf))
}

fn header_of(bundle: &Bundle, linked: &Linked, machine: &Machine, name: &str) -> String {
    let Linked {
        variant,
        version,
        region,
        ..
    } = linked;
    let mut core = String::new();
    let _ = writeln!(core, "#define FAST_VARIANT\t\"{}\"", variant.name);
    let _ = writeln!(
        core,
        "#define FAST_DESCRIPTOR_VARIANT\t0x{:08x}u\n",
        variant_sum(&variant.name)
    );
    for expression in &variant.asserts {
        let _ = writeln!(
            core,
            "_Static_assert({expression}, \"{}: {expression}\");",
            variant.name
        );
    }
    core += &asserted(variant, machine);
    let words = region.bytes.len() / 4;
    let _ = write!(
        core,
        "\n/* fast_chunks.o has these chunks, and no other file has this name */\n\
         extern const uint32_t {name}[{words}];\n\
         #define fast_chunks\t((const fast_chunk *){name})\n\
         #define fast_names\tNULL\n"
    );
    core += &frozen(region, name);
    if let Some(shared) = region.shared {
        let _ = writeln!(core, "#define fast_shared\t({name} + {})", shared / 4);
    }
    if bundle.frozen_data(0).next().is_some() {
        core += "#if !defined(FAST_FREEZES)\n#error \"this core has no read-only objects, and there is frozen data: carry it as data\"\n#endif\n";
    }
    if let Some(chunk) = alone(bundle, 0) {
        let _ = write!(
            core,
            "#if !defined(FAST_FREEZES)\n{}#endif\n",
            no_bytecode(chunk)
        );
    }
    header_with(bundle, version, &core)
}

/// The assumptions about the core, for its compiler to check.
fn asserted(variant: &Variant, machine: &Machine) -> String {
    let expressions = expressions(&variant.layout);
    let record = machine.core.record(&machine.tags);
    let each: Vec<String> = expressions
        .iter()
        .zip(record)
        .map(|(e, n)| format!("({e}) == {n}"))
        .collect();
    let (sizes, tags) = each.split_at(each.len() - TAGS);
    let crate::slot::Heap { head, least, align } = machine.heap;
    let text = |all: &[String]| all.join("\n  && ");
    format!(
        "_Static_assert(FAST_BLOCK_HEADER == {head} && FAST_BLOCK_MINIMUM == {least} && FAST_BLOCK_ALIGN == {align},\n  \
           \"fast_chunks.o is for a chip with another heap\");\n\
         _Static_assert({},\n  \"fast_chunks.o is for a core with other structures\");\n\
         #if defined(FAST_FREEZES)\n\
         _Static_assert({},\n  \"fast_chunks.o is for a core with other tags\");\n\
         #endif\n",
        text(sizes),
        text(tags)
    )
}

/// What `fast_frozen.h` needs to know of frozen chunks.
fn frozen(region: &Region, name: &str) -> String {
    let Some(frozen) = &region.frozen else {
        return String::new();
    };
    format!(
        "\n#if defined(FAST_FREEZES)\n\
         #define fast_pool\t((const fast_link *)({name} + {}))\n\
         #define fast_frozen_chunks\t((const fast_frozen *const *)({name} + {}))\n\
         #define FAST_SEED\t0x{:08x}\n\
         #define FAST_POOL_USED\t{}\n\
         #define FAST_POOL_SIZE\t{}\n\
         #define FAST_POOL_BYTES\t{}\n\
         #define FAST_FUNCTIONS\t{}\n\
         #endif\n",
        frozen.pool / 4,
        frozen.table / 4,
        frozen.seed,
        frozen.pool_used,
        frozen.pool_size,
        frozen.pool_bytes,
        frozen.functions
    )
}

/// The name of the chunks for a linker. Other chunks, and the same ones for another chip, have another.
fn symbol(region: &Region) -> String {
    let hash = Sha256::digest(&region.bytes);
    format!("fast_object_{}", Hex(&hash[..8]))
}

/// The input of an object file.
struct Linked<'a> {
    variant: &'a Variant,
    version: &'a str,
    bundle: String,
    region: &'a Region,
    about: Vec<About>,
}

impl Linked<'_> {
    fn elf(&self, chip: Chip, name: &str) -> object::write::Result<Vec<u8>> {
        let (architecture, e_flags) = chip.architecture();
        let mut elf = Object::new(BinaryFormat::Elf, architecture, Endianness::Little);
        elf.flags = FileFlags::Elf {
            os_abi: object::elf::ELFOSABI_NONE,
            abi_version: 0,
            e_flags: object::elf::FileFlags(e_flags),
        };
        let section = elf.add_subsection(StandardSection::ReadOnlyData, b"fast_chunks");
        let chunks = elf.add_symbol(Symbol {
            name: name.into(),
            value: 0,
            size: 0,
            kind: SymbolKind::Data,
            scope: SymbolScope::Linkage,
            weak: false,
            section: SymbolSection::Undefined,
            flags: SymbolFlags::None,
        });
        let region = self.region;
        let frozen = region.frozen.iter().flat_map(|frozen| &frozen.pointers);
        let pointers: Vec<usize> = region.names.iter().chain(frozen).copied().collect();
        let mut bytes = region.bytes.clone();
        let places = taken(&mut bytes, &pointers);
        elf.add_symbol_data(chunks, section, &bytes, ALIGN as u64);
        for (at, to) in pointers.into_iter().zip(places) {
            relocate(&mut elf, section, at, chunks, to)?;
        }
        self.label(&mut elf, chunks)?;
        elf.write()
    }

    /// The label and the sources.
    fn label(&self, elf: &mut Object, chunks: SymbolId) -> object::write::Result<()> {
        let section = elf.add_section(Vec::new(), ABOUT.into(), SectionKind::Other);
        elf.section_mut(section).flags = SectionFlags::Elf {
            sh_type: object::elf::SHT_PROGBITS,
            sh_flags: object::elf::SHF_EXCLUDE,
        };
        let frozen = self.region.frozen.as_ref();
        let label = Descriptor::unlinked(
            self.about.len() as u32,
            frozen.is_some(),
            &self.bundle,
            &self.variant.name,
            self.version,
        );
        let DescriptorPlaces {
            address,
            chunks: index,
            frozen: table,
            about,
        } = DescriptorPlaces::default();
        let mut bytes = label;
        let start = bytes.len();
        bytes.resize(start + self.about.len() * About::BYTES, 0);
        let here = elf.section_symbol(section);
        let mut relocations = vec![(address, here, 0), (about, here, start)];
        relocations.push((index, chunks, self.region.index));
        relocations.extend(frozen.map(|frozen| (table, chunks, frozen.table)));
        for (i, about) in self.about.iter().enumerate() {
            let at = start + i * About::BYTES;
            let module = bytes.len();
            bytes.extend(about.module.as_bytes());
            bytes.push(0);
            bytes[at..at + About::BYTES].copy_from_slice(&about.to_bytes(0));
            relocations.push((at + About::MODULE, here, module));
        }
        elf.set_section_data(section, bytes, 4);
        for (at, symbol, to) in relocations {
            relocate(elf, section, at, symbol, to)?;
        }
        Ok(())
    }
}

/// Takes the words at these places out: a linker adds to what is there.
fn taken(bytes: &mut [u8], places: &[usize]) -> Vec<usize> {
    let take = |at: &usize| {
        let mut word = [0; 4];
        word.swap_with_slice(&mut bytes[*at..*at + 4]);
        u32::from_le_bytes(word) as usize
    };
    places.iter().map(take).collect()
}

fn relocate(
    elf: &mut Object,
    section: SectionId,
    at: usize,
    symbol: SymbolId,
    to: usize,
) -> object::write::Result<()> {
    let relocation = Relocation {
        offset: at as u64,
        symbol,
        addend: to as i64,
        flags: RelocationFlags::Generic {
            kind: RelocationKind::Absolute,
            encoding: RelocationEncoding::Generic,
            size: 32,
        },
    };
    elf.add_relocation(section, relocation)
}
