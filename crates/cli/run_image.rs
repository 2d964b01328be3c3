//! The modules of `fastlua run`, as the image of the simulated device.

use anyhow::{Context, Result};
use fastlua::{Options, Project};
use fastlua_bundle::Form;
use fastlua_bytecode::{Dialect, Layout, NumberModel};
use fastlua_simulator::{Image, ImageChunk, ImageKind, LUA};
use fastlua_variants::Variants;

use crate::takers::Chosen;
use crate::{build, print};

/// The numbers of the Lua that mlua links.
const MODEL: NumberModel = match LUA.as_bytes() {
    b"5.1" => NumberModel {
        dialect: Dialect::Lua51,
        integer: 0,
        float: 8,
    },
    _ => NumberModel {
        dialect: Dialect::Lua53,
        integer: 8,
        float: 8,
    },
};

/// The modules as a bundle for stock Lua on this machine.
pub fn image_of(project: Project, known: Variants, heap_limit: usize) -> Result<Image> {
    let layout = Layout::stock(MODEL, size_of::<usize>() as u8);
    let variant = known.iter().find(|v| v.layout == layout);
    let variant = variant
        .context("no variant is stock Lua on this machine")?
        .name
        .clone();
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
    let bundle = build::build(&plan, None, Chosen::Run)?;
    let chunks = bundle.of_variant(0).map(|(chunk, dump)| ImageChunk {
        name: chunk.name.clone(),
        bytes: dump.bytes.clone(),
        kind: match chunk.form {
            Form::Deflated => ImageKind::Deflated,
            Form::Packed => ImageKind::Packed,
            form if form.is_data() => ImageKind::Data,
            form if form.is_source() => ImageKind::Source,
            _ => ImageKind::Bytecode,
        },
        xxh32: dump.xxh32,
    });
    Ok(Image {
        chunks: chunks.collect(),
        shared: bundle.shared(0).unwrap_or_default(),
        about: about(bundle.name()),
    })
}
