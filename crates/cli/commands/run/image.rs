//! The modules of `fastlua run`, as the image of the simulated device.

use anyhow::{Context, Result};
use fastlua::{Options, Project, Variants, host_variant};
use fastlua_simulator::{Image, ImageChunk, LUA};

use crate::args::takers::Chosen;
use crate::plans;
use crate::report::print;

/// The modules as a bundle for stock Lua on this machine.
pub fn image_of(project: Project, known: Variants, heap_limit: usize) -> Result<Image> {
    let variant = host_variant(&known, LUA);
    let variant = variant.context("no variant is stock Lua for this machine")?;
    let variant = variant.name.clone();
    let about = |bundle| [env!("CARGO_PKG_VERSION").into(), variant.clone(), bundle];
    if project.is_empty() {
        return Ok(Image {
            about: about(String::new()),
            ..Image::default()
        });
    }
    let options = Options {
        variants: Some(vec![variant.clone()]),
        heap_limit,
        known,
    };
    let plan = project.plan(&options).map_err(print::explained)?;
    let bundle = plans::build(plan, None, Chosen::Run)?;
    let chunks = bundle.of_variant(0).map(|(chunk, dump)| ImageChunk {
        name: chunk.name.clone(),
        bytes: dump.bytes.clone(),
        kind: chunk.form.chunk_kind(),
        xxh32: dump.xxh32,
    });
    Ok(Image {
        chunks: chunks.collect(),
        shared: bundle.shared(0).unwrap_or_default(),
        about: about(bundle.name()),
    })
}
