//! The proof that an image is what it should be.

use bstr::BString;
use fastlua_bytecode::{Difference, compare};

use crate::sources::in_image;
use crate::{Image, MAPPED, Place, ReadError, gzip, read, v51};

/// What is wrong with an image that was written: a fault of fastlua.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Unproved {
    /// It can't be read back.
    #[error("the image reads back wrong: {0}")]
    Read(ReadError),
    /// It can't be read at an address.
    #[error("the image, relocated to {address:#x}, is wrong: {error}")]
    Relocated {
        /// The address.
        address: u32,
        /// Why.
        error: ReadError,
    },
    /// A function is another one.
    #[error("module {module}: {difference}")]
    Differs {
        /// Its module.
        module: BString,
        /// The difference.
        difference: Difference,
    },
    /// Something else is.
    #[error("the image reads back with another {0}")]
    Other(&'static str),
}

/// Proves that `bytes` are the image `image`: they are read back, strings, chains and bitmap included, and every
/// function is compared. An image that may lie anywhere is also relocated to two addresses, as the loader on
/// the chip does, and read there.
///
/// # Errors
/// The first difference.
pub fn prove(bytes: &[u8], image: &Image) -> Result<(), Unproved> {
    let found = read(bytes).map_err(Unproved::Read)?.image;
    same(image, &found, image.place)?;
    if !gzip::is_compressed(bytes) {
        return Ok(());
    }
    let contents = gzip::read(bytes).map_err(Unproved::Read)?;
    for address in [*MAPPED.start(), MAPPED.start() + 0x7_5000] {
        let error = |error| Unproved::Relocated { address, error };
        let placed = v51::read(&v51::relocate(&contents, address)).map_err(error)?;
        same(image, &placed.image, Place::At(address))?;
    }
    Ok(())
}

fn same(image: &Image, found: &Image, place: Place) -> Result<(), Unproved> {
    let what = [
        (
            "layout",
            image.layout == found.layout && image.aligned == found.aligned,
        ),
        ("place", found.place == place),
        ("time stamp", found.timestamp == image.timestamp),
        ("seed", image.seed.is_none() || found.seed == image.seed),
        (
            "number of modules",
            image.modules.len() == found.modules.len(),
        ),
    ];
    if let Some((what, _)) = what.into_iter().find(|(_, same)| !same) {
        return Err(Unproved::Other(what));
    }
    let dialect = image.layout.dialect();
    for (module, found) in image.modules.iter().zip(&found.modules) {
        if module.name != found.name {
            return Err(Unproved::Other("name of a module"));
        }
        compare(&in_image(&module.chunk.main, dialect), &found.chunk.main).map_err(
            |difference| Unproved::Differs {
                module: module.name.clone(),
                difference,
            },
        )?;
    }
    Ok(())
}
