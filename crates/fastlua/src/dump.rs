//! Bytecode files: their variants and their chunk.

use fastlua_bytecode::{
    Chunk, Layout, ReadError, ReadErrorKind, candidates, dump_in, printable_name, read, read_any,
};
use fastlua_lfs::{is_image as is_lfs_image, read as read_lfs};
use fastlua_variants::{Variant, Variants};

/// Why a file can't be used as bytecode.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DumpError {
    /// It is something else.
    #[error("not bytecode: does not begin with ESC (0x1B)")]
    NoDump,
    /// It is damaged.
    #[error("{0}")]
    Read(ReadError),
    /// It fits several variants, and none was given.
    #[error("{0}")]
    Ambiguous(ReadError),
    /// It is for another variant.
    #[error("it is for {is}, not for {asked} ({error})")]
    OtherVariant {
        /// The file's variant.
        is: String,
        /// The requested variant.
        asked: String,
        /// The error of reading it as this variant.
        error: Box<ReadError>,
    },
    /// It is an LFS image that is damaged.
    #[error("{0}")]
    Lfs(fastlua_lfs::ReadError),
    /// It is an LFS image for another variant.
    #[error("it is an image for {}, not for {asked}", .are.join(", "))]
    OtherImage {
        /// The file's variant.
        are: Vec<String>,
        /// The requested variant.
        asked: String,
    },
}

/// The dump in a file, perhaps after a first line that begins with `#`.
pub(crate) fn dump_of(file: &[u8]) -> Result<&[u8], DumpError> {
    dump_in(file).ok_or(DumpError::NoDump)
}

/// The chunk of a dump in a file: that of the variant, if one is named, else of the one that the file is for.
///
/// # Errors
/// It is damaged, or of another variant.
pub(crate) fn chunk_of(
    file: &[u8],
    dump: &[u8],
    variant: Option<&Variant>,
    known: &Variants,
) -> Result<Chunk, DumpError> {
    let Some(variant) = variant else {
        return read_any(dump).map_err(|error| {
            let error = in_file(error, file, dump);
            match error.kind {
                ReadErrorKind::Ambiguous(_) => DumpError::Ambiguous(error),
                _ => DumpError::Read(error),
            }
        });
    };
    read(dump, &variant.layout).map_err(|error| {
        let error = in_file(error, file, dump);
        match variants_of(dump, known).into_iter().next() {
            None => DumpError::Read(error),
            Some(is) => DumpError::OtherVariant {
                is,
                asked: variant.name.clone(),
                error: Box::new(error),
            },
        }
    })
}

/// An error of the dump in a file, with its offset in the file.
fn in_file(error: ReadError, file: &[u8], dump: &[u8]) -> ReadError {
    let offset = error.offset + file.len() - dump.len();
    ReadError { offset, ..error }
}

/// The variants for which the bytes are a complete chunk.
pub(crate) fn variants_of(bytes: &[u8], known: &Variants) -> Vec<String> {
    let chunks = candidates(bytes)
        .into_iter()
        .filter_map(|layout| read(bytes, &layout).ok());
    chunks
        .flat_map(|chunk| names_of(&chunk.layout, known))
        .collect()
}

/// The variants that have a layout.
pub(crate) fn names_of(layout: &Layout, known: &Variants) -> Vec<String> {
    let same = known.iter().filter(|v| v.layout == *layout);
    same.map(|v| v.name.clone()).collect()
}

/// A listing of functions, instructions and constants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Whether it is an LFS image.
    pub is_lfs_image: bool,
    /// Names of its variants.
    pub variants: Vec<String>,
    /// Its contents.
    pub text: String,
}

/// Lists bytecode, or an LFS image; as bytecode of a variant, if one is given.
///
/// # Errors
/// It is neither, it is damaged, or it is for other variants.
pub fn list(
    file: &[u8],
    variant: Option<&Variant>,
    known: &Variants,
) -> Result<Listing, DumpError> {
    if is_lfs_image(file) {
        let image = read_lfs(file).map_err(DumpError::Lfs)?.image;
        let variants = names_of(&image.layout, known);
        if let Some(asked) = variant.filter(|variant| variant.layout != image.layout) {
            return Err(DumpError::OtherImage {
                are: variants,
                asked: asked.name.clone(),
            });
        }
        let modules = image.modules.iter().map(|module| {
            let name = printable_name(&module.name.to_string());
            format!("\nmodule {name}\n\n{}", module.chunk.listing())
        });
        return Ok(Listing {
            is_lfs_image: true,
            text: modules.collect(),
            variants,
        });
    }
    let chunk = chunk_of(file, dump_of(file)?, variant, known)?;
    Ok(Listing {
        is_lfs_image: false,
        variants: names_of(&chunk.layout, known),
        text: format!("\n{}", chunk.listing()),
    })
}
