//! The modules of a build: files named on the command line, or those of a `fast.toml`.

use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Error, Result, anyhow, bail};
use fastlua_bundle::{Input, Manifest, Module, Representation, check_names};
use fastlua_bytecode::Strip;
use fastlua_source::split::{Loader, SplitError, split};
use glob::Pattern;

use crate::output;

/// What a build reads.
pub struct Inputs {
    /// The chunks' sources.
    pub inputs: Vec<Input>,
    /// Every file that was read.
    pub files: Vec<PathBuf>,
    /// Names of the variants that `fast.toml` asks for.
    pub variants: Option<Vec<String>>,
}

/// What the user asks for on the command line, which overrides `fast.toml`.
pub struct Asked {
    /// Strip level.
    pub strip: Option<u8>,
    /// How the chunks are to lie in flash.
    pub representation: Option<Representation>,
    /// Whether SPLIT markers are left alone.
    pub whole: bool,
}

/// How one file is to be taken.
struct How {
    name: Option<String>,
    strip: Strip,
    representation: Representation,
    split: bool,
    variants: Option<Vec<String>>,
}

/// Reads the modules that `paths` name; without any, those of `fast.toml` in this folder.
pub fn read(paths: &[PathBuf], asked: &Asked) -> Result<Inputs> {
    let is_manifest = |path: &PathBuf| path.extension().is_some_and(|e| e == "toml");
    let default = [PathBuf::from("fast.toml")];
    let paths = match paths {
        [] if default[0].exists() => &default,
        [] => bail!("nothing to build: name Lua files or a fast.toml, or make a fast.toml here"),
        paths => paths,
    };
    let found = match paths {
        [manifest] if is_manifest(manifest) => from_manifest(manifest, asked)?,
        paths => {
            if let Some(manifest) = paths.iter().find(|p| is_manifest(p)) {
                bail!(
                    "{}: a fast.toml stands alone; add the other modules to it",
                    manifest.display()
                );
            }
            let mut found = Inputs {
                inputs: Vec::new(),
                files: Vec::new(),
                variants: None,
            };
            for path in paths {
                found.add(
                    path,
                    How {
                        name: None,
                        strip: level(asked.strip.unwrap_or(2))?,
                        representation: asked.representation.unwrap_or_default(),
                        split: !asked.whole,
                        variants: None,
                    },
                )?;
            }
            found
        }
    };
    check_names(found.inputs.iter().map(|i| (&*i.name, &*i.file)))?;
    Ok(found)
}

fn from_manifest(path: &Path, asked: &Asked) -> Result<Inputs> {
    let text = String::from_utf8(output::read(path)?)
        .with_context(|| format!("{} is not UTF-8", path.display()))?;
    let manifest =
        Manifest::parse(&text).map_err(|error| anyhow!("{}: {error}", path.display()))?;
    let mut found = Inputs {
        inputs: Vec::new(),
        files: vec![path.to_owned()],
        variants: manifest.variants.clone(),
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    for module in &manifest.modules {
        let strip = asked.strip.or(module.strip).or(manifest.strip);
        let strip = strip.unwrap_or(2);
        let strip = level(strip).with_context(|| path.display().to_string())?;
        let files = matches(folder, module)
            .with_context(|| format!("{}: module {:?}", path.display(), module.path))?;
        if module.name.is_some() && files.len() > 1 {
            bail!(
                "{}: module {:?} is {} files and can't have one name",
                path.display(),
                module.path,
                files.len()
            );
        }
        for file in files {
            let representation = asked.representation.or(module.representation);
            found.add(
                &file,
                How {
                    name: module.name.clone(),
                    strip,
                    representation: representation
                        .or(manifest.representation)
                        .unwrap_or_default(),
                    split: !asked.whole && module.split.unwrap_or(true),
                    variants: module.variants.clone(),
                },
            )?;
        }
    }
    Ok(found)
}

fn level(strip: u8) -> Result<Strip> {
    Strip::from_level(strip).ok_or_else(|| anyhow!("strip = {strip}, not 0, 1 or 2"))
}

/// A wrong SPLIT marker, with the file before its line as in Lua's own messages.
pub fn split_error(file: &str, error: &SplitError) -> Error {
    anyhow!("{file}:{}: {}", error.line, error.kind)
}

/// The regular files that a module's path or glob names, sorted. None may lie outside `folder`, so
/// that the folder holds all that a build reads.
fn matches(folder: &Path, module: &Module) -> Result<Vec<PathBuf>> {
    let outside =
        "it is outside the folder of fast.toml; name it on the command line, or move fast.toml";
    let path = Path::new(&module.path);
    if path
        .components()
        .any(|c| !matches!(c, Component::Normal(_) | Component::CurDir))
    {
        bail!(outside);
    }
    let mut files = Vec::new();
    if module.path.contains(['*', '?', '[']) {
        let base = Pattern::escape(&folder.to_string_lossy());
        let pattern = Path::new(&base).join(path);
        for file in glob::glob(&pattern.to_string_lossy())? {
            let file = file?;
            if file.is_file() {
                files.push(file);
            }
        }
        if files.is_empty() {
            bail!("it matches no file");
        }
    } else {
        files.push(folder.join(path));
    }
    let base = match folder {
        folder if folder == Path::new("") => fs::canonicalize("."),
        folder => fs::canonicalize(folder),
    }?;
    for file in &files {
        let real =
            fs::canonicalize(file).with_context(|| format!("{} can't be read", file.display()))?;
        if !real.starts_with(&base) {
            bail!(outside);
        }
    }
    Ok(files)
}

impl Inputs {
    /// Reads a file and adds its chunks: those between its SPLIT markers, or the one that it is.
    fn add(&mut self, path: &Path, how: How) -> Result<()> {
        let file = path.to_string_lossy().into_owned();
        let text = output::read(path)?;
        self.files.push(path.to_owned());
        let pieces = match how.split {
            true => split(&text, Loader::Fast).map_err(|error| split_error(&file, &error))?,
            false => None,
        };
        let chunks = match pieces {
            None => {
                let stem = || path.file_stem().unwrap_or_default().to_string_lossy();
                let name = how.name.unwrap_or_else(|| stem().into_owned());
                vec![(name, text)]
            }
            Some(_) if how.name.is_some() => bail!(
                "{file}: its SPLIT markers name its chunks; leave out `name`, or set `split = false`"
            ),
            Some(pieces) => pieces.into_iter().map(|p| (p.name, p.text)).collect(),
        };
        let module = chunks[0].0.clone();
        self.inputs
            .extend(chunks.into_iter().map(|(name, text)| Input {
                name,
                module: module.clone(),
                file: file.clone(),
                text,
                representation: how.representation,
                strip: how.strip,
                variants: how.variants.clone(),
            }));
        Ok(())
    }
}
