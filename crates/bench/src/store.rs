//! Chunks as modules of an image for LFS.

use std::collections::HashMap;

use fastlua_bundle::{Bundle, BundledChunk, Dump};
use fastlua_lfs::{Image, Module, Place, Region, region, string_bytes, write};

/// An image with all chunks of a target.
pub(crate) struct Store {
    /// What the chip has of it.
    pub(crate) region: Region,
    /// What each chunk takes, in the bundle's order.
    pub(crate) flash: Vec<Flash>,
    /// Bytes of what all of them share: strings, and what finds the modules.
    pub(crate) shared: i64,
}

impl Store {
    /// The image of the chunks of a variant; none where these are more than one image holds.
    pub(crate) fn new(bundle: &Bundle, variant: usize) -> Option<Store> {
        let layout = bundle.variants[variant].layout;
        let module = |(chunk, dump): (&BundledChunk, &Dump)| {
            let name = chunk.name.clone().into();
            let chunk = fastlua_bytecode::read(&dump.bytes, &layout).ok()?;
            Some(Module { name, chunk })
        };
        let chunks: Option<Vec<Module>> = bundle.of_variant(variant).map(module).collect();
        let mut modules = chunks?;
        let names: Vec<_> = modules.iter().map(|module| module.name.clone()).collect();
        modules.sort_by_key(Module::rank);
        let image = Image {
            layout,
            place: Place::Anywhere,
            aligned: false,
            timestamp: 0,
            seed: None,
            modules,
        };
        let (bytes, sizes) = write(&image).ok()?;
        let parts = image.modules.iter().zip(&sizes.parts);
        let parts: HashMap<_, Flash> = parts
            .map(|(module, part)| {
                let strings = string_bytes(module) as i64;
                (&module.name, (part.bytes as i64 + strings, strings))
            })
            .collect();
        Some(Store {
            region: region(&bytes).ok()?,
            flash: names.iter().map(|name| parts[name]).collect(),
            shared: (sizes.strings + sizes.index()) as i64,
        })
    }
}

/// Bytes of flash of a chunk; of these, of strings that chunks share.
pub(crate) type Flash = (i64, i64);
