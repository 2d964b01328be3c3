//! The modules of a build: files named on the command line, or those of a `fast.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Error, Result, anyhow, bail};
use fastlua_bundle::{Budget, Form, Input, Manifest, Module, Representation, check_names};
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
    /// What `fast.toml` lets all modules cost.
    pub budget: Budget,
    /// And a module, by its name.
    pub budgets: BTreeMap<String, Budget>,
    /// Names of the chunks that are frozen only where the budget allows it.
    pub auto: BTreeSet<String>,
}

/// Modules on the command line, and what overrides `fast.toml`.
#[derive(clap::Args)]
pub struct Modules {
    /// Lua files, each a chunk named like the file unless SPLIT markers cut it, or one fast.toml
    #[arg(value_name = "MODULE.lua|fast.toml")]
    modules: Vec<PathBuf>,
    /// Add a module that fastlua ships, or all of them: provisioning (may be given several times)
    #[arg(long, value_name = "NAME")]
    with: Vec<String>,
    /// Debug data: 0 all, 1 lines but no names, 2 none [default: 2]
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(u8).range(0..=2))]
    strip: Option<u8>,
    /// How chunks lie in flash: squashed source is smallest, frozen ones take next to no heap
    /// [default: bytecode]
    #[arg(long = "as", value_name = "FORM")]
    representation: Option<As>,
    /// Carry no bytecode for firmware that can't run a frozen chunk
    #[arg(long)]
    no_fallback: bool,
    /// Leave SPLIT markers alone: each file is one chunk
    #[arg(long)]
    whole: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum As {
    Bytecode,
    Source,
    Frozen,
    Auto,
}

impl From<As> for Form {
    fn from(form: As) -> Form {
        match form {
            As::Bytecode => Form::Bytecode,
            As::Source => Form::Source,
            As::Frozen => Form::Frozen,
            As::Auto => Form::Auto,
        }
    }
}

/// How one file is to be taken.
struct How {
    name: Option<String>,
    strip: Strip,
    form: Form,
    fallback: bool,
    split: bool,
    variants: Option<Vec<String>>,
    budget: Option<Budget>,
}

impl Modules {
    /// Whether no module is named at all.
    pub fn is_empty(&self) -> bool {
        self.modules.is_empty() && self.with.is_empty()
    }

    /// Reads the modules of `fast.toml` in this folder.
    pub fn read_default(&self) -> Result<Inputs> {
        let manifest = Path::new("fast.toml");
        if !manifest.exists() {
            bail!("nothing to build: name Lua files or a fast.toml, or make a fast.toml here");
        }
        let found = from_manifest(manifest, self)?;
        found.check()
    }

    /// Reads the modules that are named.
    pub fn read(&self) -> Result<Inputs> {
        let is_manifest = |path: &PathBuf| path.extension().is_some_and(|e| e == "toml");
        let mut found = match &self.modules[..] {
            [manifest] if is_manifest(manifest) => from_manifest(manifest, self)?,
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
                    budget: Budget::default(),
                    budgets: BTreeMap::new(),
                    auto: BTreeSet::new(),
                };
                for path in paths {
                    found.add_file(path, self.how()?)?;
                }
                found
            }
        };
        for (file, text) in shipped(&self.with)? {
            found.add(Path::new(file), text.to_vec(), self.how()?)?;
        }
        found.check()
    }

    /// How a file is taken that no manifest speaks of.
    fn how(&self) -> Result<How> {
        Ok(How {
            name: None,
            strip: level(self.strip.unwrap_or(2))?,
            form: self.representation.map(Into::into).unwrap_or_default(),
            fallback: !self.no_fallback,
            split: !self.whole,
            variants: None,
            budget: None,
        })
    }
}

/// File name and text of the modules of these names that fastlua ships.
fn shipped(names: &[String]) -> Result<Vec<(&'static str, &'static [u8])>> {
    let mut found = Vec::new();
    for name in names {
        let before = found.len();
        let is_asked = |file: &str| name == "provisioning" || *file == format!("{name}.lua");
        for module in fastlua_firmware::modules().filter(|(file, _)| is_asked(file)) {
            if !found.contains(&module) {
                found.push(module);
            }
        }
        if found.len() == before {
            let names =
                fastlua_firmware::modules().filter_map(|(file, _)| file.strip_suffix(".lua"));
            let names: Vec<&str> = names.chain(["provisioning"]).collect();
            bail!("--with {name}: fastlua ships {}", names.join(", "));
        }
    }
    Ok(found)
}

fn from_manifest(path: &Path, asked: &Modules) -> Result<Inputs> {
    let text = String::from_utf8(output::read(path)?)
        .with_context(|| format!("{} is not UTF-8", path.display()))?;
    let manifest =
        Manifest::parse(&text).map_err(|error| anyhow!("{}: {error}", path.display()))?;
    let mut found = Inputs {
        inputs: Vec::new(),
        files: vec![path.to_owned()],
        variants: manifest.variants.clone(),
        budget: manifest.budget.unwrap_or_default(),
        budgets: BTreeMap::new(),
        auto: BTreeSet::new(),
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
        let form = asked.representation.map(Form::from);
        let form = form.or(module.representation).or(manifest.representation);
        let fallback = module.fallback.or(manifest.fallback);
        for file in files {
            found.add_file(
                &file,
                How {
                    name: module.name.clone(),
                    strip,
                    form: form.unwrap_or_default(),
                    fallback: !asked.no_fallback && fallback.unwrap_or(true),
                    split: !asked.whole && module.split.unwrap_or(true),
                    variants: module.variants.clone(),
                    budget: module.budget,
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
    fn check(self) -> Result<Inputs> {
        check_names(self.inputs.iter().map(|i| (&*i.name, &*i.file)))?;
        Ok(self)
    }

    fn add_file(&mut self, path: &Path, how: How) -> Result<()> {
        let text = output::read(path)?;
        self.files.push(path.to_owned());
        self.add(path, text, how)
    }

    /// Adds the chunks of a text: those between its SPLIT markers, or the one that it is.
    fn add(&mut self, path: &Path, text: Vec<u8>, how: How) -> Result<()> {
        let file = path.to_string_lossy().into_owned();
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
        let representation = match how.form {
            Form::Bytecode => Representation::Bytecode,
            Form::Source => Representation::Source,
            Form::Frozen if !how.fallback => Representation::FrozenAlone,
            Form::Frozen => Representation::Frozen,
            Form::Auto => {
                self.auto
                    .extend(chunks.iter().map(|(name, _)| name.clone()));
                Representation::Frozen
            }
        };
        if let Some(budget) = how.budget {
            self.budgets.insert(module.clone(), budget);
        }
        self.inputs
            .extend(chunks.into_iter().map(|(name, text)| Input {
                name,
                module: module.clone(),
                file: file.clone(),
                text,
                representation,
                strip: how.strip,
                variants: how.variants.clone(),
            }));
        Ok(())
    }
}
