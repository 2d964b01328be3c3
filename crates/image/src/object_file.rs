//! Object files, and archives of them (`libmodules.a`): their sections are laid out one after the other, and the words that hold
//! addresses are set, as a linker would do it. Nothing else is linked: code is there as it stands.
//!
//! Sources: the System V ABI, and for the places of addresses `R_XTENSA_32` and `R_RISCV_32`, by the crate `object`.

use std::collections::HashMap;

use object::elf::{EM_XTENSA, ET_REL, SHF_ALLOC};
use object::read::archive::ArchiveFile;
use object::read::elf::{ElfFile32, FileHeader};
use object::{
    Endianness, Object, ObjectSection, ObjectSymbol, RelocationKind, RelocationTarget,
    SectionFlags, SectionIndex, read::Relocation,
};

use crate::{Error, Image, Kind, Part, Protection, Segment, elf};

/// The address of the first byte.
const BASE: u32 = 0x1000_0000;

const ARCHIVE: &[u8] = b"!<arch>\n";

/// Sections that no chip has in its memory, and that are laid out all the same.
const ABOUT: &str = ".fastlua";

/// Alignments above this one count as it.
const PAGE: usize = 4096;

/// Bytes that the gaps between sections may take beside as many as the file has.
const GAPS: usize = 16 << 20;

type Member<'data> = ElfFile32<'data, Endianness>;

/// Lays out an object file or an archive. The bytes are not those of the file, and the image can't be changed. None if the file
/// is neither.
///
/// # Errors
/// Invalid tables.
pub fn objects(file: &[u8]) -> Result<Option<(Image, Vec<u8>)>, Error> {
    let (kind, members) = if file.starts_with(ARCHIVE) {
        (Kind::Archive, archive(file)?)
    } else if file.starts_with(elf::MAGIC) {
        let member = Member::parse(file)?;
        if !is_object(&member) {
            return Ok(None);
        }
        (Kind::Object, vec![member])
    } else {
        return Ok(None);
    };
    let bytes = Layout::of(&members, file.len())?.linked(&members)?;
    let part = Part {
        kind,
        range: 0..bytes.len(),
        segments: vec![Segment {
            range: 0..bytes.len(),
            address: Some(BASE),
            checksummed: false,
        }],
        checksums: Vec::new(),
        protection: Some(Protection::Unlinked),
    };
    Ok(Some((Image::of(part, &bytes), bytes)))
}

fn is_object(member: &Member) -> bool {
    member.elf_header().e_type(member.endian()) == ET_REL
}

/// The object files of an archive; what else is in it has no chunks.
fn archive(file: &[u8]) -> Result<Vec<Member<'_>>, Error> {
    let mut members = Vec::new();
    for member in ArchiveFile::parse(file)?.members() {
        let bytes = member?.data(file)?;
        if let Ok(member) = Member::parse(bytes)
            && is_object(&member)
        {
            members.push(member);
        }
    }
    Ok(members)
}

/// The offsets of all sections and symbols.
struct Layout<'data> {
    bytes: Vec<u8>,
    /// By member and section.
    sections: HashMap<(usize, SectionIndex), usize>,
    /// By the names of global symbols.
    symbols: HashMap<&'data [u8], usize>,
}

impl<'data> Layout<'data> {
    /// Lays out the sections. They are of one file, so they can't have more bytes than it.
    fn of(members: &[Member<'data>], file: usize) -> Result<Layout<'data>, Error> {
        let mut layout = Layout {
            bytes: Vec::new(),
            sections: HashMap::new(),
            symbols: HashMap::new(),
        };
        let mut left = file;
        for (m, member) in members.iter().enumerate() {
            for section in member.sections() {
                let SectionFlags::Elf { sh_flags, .. } = section.flags() else {
                    continue;
                };
                let data = section.data()?;
                let is_about = section.name() == Ok(ABOUT);
                if data.is_empty() || !(is_about || sh_flags.contains(SHF_ALLOC)) {
                    continue;
                }
                left = left.checked_sub(data.len()).ok_or(Error::Header {
                    offset: 0,
                    what: "sections overlap",
                })?;
                let align = (section.align() as usize).clamp(1, PAGE);
                let start = layout.bytes.len().next_multiple_of(align);
                if start + data.len() > 2 * file + GAPS {
                    return Err(Error::Header {
                        offset: 0,
                        what: "sections are aligned too far apart for a linker",
                    });
                }
                layout.bytes.resize(start, 0);
                layout.bytes.extend(data);
                layout.sections.insert((m, section.index()), start);
            }
            for symbol in member.symbols().filter(ObjectSymbol::is_global) {
                if let Some(place) = layout.place(m, &symbol) {
                    layout.symbols.insert(symbol.name_bytes()?, place);
                }
            }
        }
        Ok(layout)
    }

    /// The offset of a symbol; none if its section was not laid out.
    fn place<'file>(&self, m: usize, symbol: &impl ObjectSymbol<'file>) -> Option<usize> {
        let section = self.sections.get(&(m, symbol.section_index()?))?;
        section.checked_add(usize::try_from(symbol.address()).ok()?)
    }

    /// Sets the words that hold addresses, where it is known of what. Others stay as they are.
    fn linked(mut self, members: &[Member<'data>]) -> Result<Vec<u8>, Error> {
        for (m, member) in members.iter().enumerate() {
            let adds = member.elf_header().e_machine(member.endian()) == EM_XTENSA;
            for section in member.sections() {
                let Some(&start) = self.sections.get(&(m, section.index())) else {
                    continue;
                };
                for (offset, relocation) in section.relocations() {
                    if let Some(address) = self.address(m, member, &relocation)? {
                        let at = usize::try_from(offset).ok();
                        self.set(at.and_then(|at| start.checked_add(at)), address, adds);
                    }
                }
            }
        }
        Ok(self.bytes)
    }

    /// The address that a relocation asks for; none if it asks for something else, or of what is not here.
    fn address(
        &self,
        m: usize,
        member: &Member<'data>,
        relocation: &Relocation,
    ) -> Result<Option<u32>, Error> {
        let is_address = (relocation.kind(), relocation.size()) == (RelocationKind::Absolute, 32);
        let RelocationTarget::Symbol(index) = relocation.target() else {
            return Ok(None);
        };
        if !is_address {
            return Ok(None);
        }
        let symbol = member.symbol_by_index(index)?;
        let place = match symbol.is_undefined() {
            true => self.symbols.get(symbol.name_bytes()?).copied(),
            false => self.place(m, &symbol),
        };
        let offset = relocation.addend() as u32;
        Ok(place.map(|place| BASE.wrapping_add(place as u32).wrapping_add(offset)))
    }

    /// Sets a word, if it exists, or adds to it.
    fn set(&mut self, at: Option<usize>, address: u32, adds: bool) {
        let word = at.and_then(|at| self.bytes.get_mut(at..at.checked_add(4)?));
        if let Some(word) = word {
            let mut there = [0; 4];
            there.copy_from_slice(word);
            let before = if adds { u32::from_le_bytes(there) } else { 0 };
            word.copy_from_slice(&before.wrapping_add(address).to_le_bytes());
        }
    }
}
