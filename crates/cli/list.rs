//! `fastlua list`

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};
use fastlua::{is_lfs_image, read_lfs};
use fastlua_bytecode::{
    Chunk, Layout, ReadError, ReadErrorKind, candidates, dump_in, printable_name, read, read_any,
};
use fastlua_variants::{Variant, Variants};

use crate::variant_args::{Known, find};
use crate::{output, print};

/// List the functions, instructions and constants of a .lc file or an LFS image
#[derive(clap::Args)]
#[command(after_help = "Example:
  fastlua list init.lc

The variant is found from the file itself.")]
pub struct Args {
    /// Bytecode file, or LFS image
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Read it as this variant's
    #[arg(long, value_name = "V")]
    variant: Option<String>,
    #[command(flatten)]
    known: Known,
}

pub fn run(args: &Args) -> Result<()> {
    let known = args.known.load()?;
    let bytes = output::read(&args.file)?;
    let shown = print::path(&args.file);
    if is_lfs_image(&bytes) {
        return list_image(args, &known, &bytes, &shown);
    }
    let dump = dump_of(&bytes).with_context(|| shown.clone())?;
    let variant = args.variant.as_ref();
    let variant = variant.map(|name| find(&known, name)).transpose()?;
    let chunk = chunk_of(&bytes, dump, variant, &known, "list").with_context(|| shown.clone())?;
    let names = names_of(&chunk.layout, &known).join(", ");
    let head = format!("{shown}: {names}, {} bytes\n\n", bytes.len());
    print::out(format!("{head}{}", chunk.listing()))
}

/// The chunk of a dump in a file: that of the variant, if one is named, else of the one that the file is for. `verb` is
/// what is done with it.
///
/// # Errors
/// It is damaged, or of another variant; then what to do.
pub fn chunk_of(
    file: &[u8],
    dump: &[u8],
    variant: Option<&Variant>,
    known: &Variants,
    verb: &str,
) -> Result<Chunk> {
    let Some(variant) = variant else {
        return read_any(dump).map_err(|error| {
            let hint = match error.kind {
                ReadErrorKind::Ambiguous(_) => "; name one with --variant",
                _ => "",
            };
            anyhow!("{}{hint}", in_file(error, file, dump))
        });
    };
    read(dump, &variant.layout).map_err(|error| {
        let error = in_file(error, file, dump);
        match &variants_of(dump, known)[..] {
            [] => anyhow!("{error}"),
            [one, ..] => anyhow!(
                "it is for {one}, not for {name}: {verb} it with --variant {one}, or compile its source with \
                 --variant {name} ({error})",
                name = variant.name
            ),
        }
    })
}

/// Lists each module of an image.
fn list_image(args: &Args, known: &Variants, bytes: &[u8], shown: &str) -> Result<()> {
    let image = read_lfs(bytes)
        .map_err(|error| anyhow!("{shown}: {error}"))?
        .image;
    if let Some(name) = &args.variant
        && find(known, name)?.layout != image.layout
    {
        let names = names_of(&image.layout, known).join(", ");
        bail!("{shown}: it is an image for {names}, not for {name}: leave out --variant");
    }
    let names = names_of(&image.layout, known).join(", ");
    let mut text = format!("{shown}: LFS image, {names}, {} bytes\n", bytes.len());
    for module in &image.modules {
        let name = printable_name(&module.name.to_string());
        text += &format!("\nmodule {name}\n\n{}", module.chunk.listing());
    }
    print::out(text)
}

/// The dump in a file, perhaps behind a first line that begins with `#`.
pub fn dump_of(bytes: &[u8]) -> Result<&[u8]> {
    dump_in(bytes).context(
        "it is no bytecode: it does not begin with ESC; if it is source, `fastlua compile` makes bytecode of it",
    )
}

/// An error of the dump in a file, with its offset in the file.
pub fn in_file(error: ReadError, file: &[u8], dump: &[u8]) -> ReadError {
    let offset = error.offset + file.len() - dump.len();
    ReadError { offset, ..error }
}

/// The variants as which the bytes are a whole chunk.
pub fn variants_of(bytes: &[u8], known: &Variants) -> Vec<String> {
    let chunks = candidates(bytes)
        .into_iter()
        .filter_map(|layout| read(bytes, &layout).ok());
    chunks
        .flat_map(|chunk| names_of(&chunk.layout, known))
        .collect()
}

/// The variants that have a layout.
pub fn names_of(layout: &Layout, known: &Variants) -> Vec<String> {
    let same = known.iter().filter(|v| v.layout == *layout);
    same.map(|v| v.name.clone()).collect()
}
