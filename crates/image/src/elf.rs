//! ELF files of 32-bit chips. Nothing checksums them.
//!
//! Their program headers say what is loaded where; the address is the one that code is linked for (`p_vaddr`). Files without them,
//! such as objects, have sections, and addresses only if they are linked. Source: the System V ABI, by the crate `object`.

use object::elf::{ET_REL, FileHeader32, PT_LOAD, SHF_ALLOC, SHT_NOBITS};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};
use object::{Endianness, read::Result as Parsed};

use crate::fields::take;
use crate::{Error, Kind, Part, Segment};

pub(crate) const MAGIC: &[u8] = b"\x7fELF";

pub(crate) fn read(bytes: &[u8]) -> Result<Part, Error> {
    let mut places = places(bytes)?;
    places.sort_unstable_by_key(|place| place.0);
    let segments = places.into_iter().map(|(offset, size, address)| {
        let data = take(bytes, offset, size, "the data of a segment")?;
        Ok(Segment {
            range: offset..offset + data.len(),
            address,
            checksummed: false,
        })
    });
    Ok(Part {
        kind: Kind::Elf,
        range: 0..bytes.len(),
        segments: segments.collect::<Result<_, Error>>()?,
        checksums: Vec::new(),
        protection: None,
    })
}

/// Offset, size and address of what is loaded.
type Place = (usize, usize, Option<u32>);

fn places(bytes: &[u8]) -> Parsed<Vec<Place>> {
    let header = FileHeader32::<Endianness>::parse(bytes)?;
    let endian = header.endian()?;
    let programs = header.program_headers(endian, bytes)?.iter();
    let loaded: Vec<Place> = programs
        .filter(|program| program.p_type(endian) == PT_LOAD && program.p_filesz(endian) > 0)
        .map(|program| {
            let address = Some(program.p_vaddr(endian));
            let size = program.p_filesz(endian) as usize;
            (program.p_offset(endian) as usize, size, address)
        })
        .collect();
    if !loaded.is_empty() {
        return Ok(loaded);
    }
    let linked = header.e_type(endian) != ET_REL;
    let sections = header.section_headers(endian, bytes)?.iter();
    Ok(sections
        .filter(|section| section.sh_flags(endian).contains(SHF_ALLOC))
        .filter(|section| section.sh_type(endian) != SHT_NOBITS && section.sh_size(endian) > 0)
        .map(|section| {
            let address = linked.then(|| section.sh_addr(endian));
            let size = section.sh_size(endian) as usize;
            (section.sh_offset(endian) as usize, size, address)
        })
        .collect())
}
