//! The modules of a build: files named on the command line, or those of a `fast.toml`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use fastlua::{Files, Form, Module, Overrides, Pattern, Project, data_name};

use crate::args::values::{self, Level};
use crate::io::folder::{Folder, slashed};
use crate::io::output;
use crate::report::print;

/// Modules on the command line, overrides of `fast.toml`, and the form of the modules.
#[derive(clap::Args)]
pub struct Modules {
    #[command(flatten)]
    named: Named,
    /// Add files unchanged, for fast.data on the chip, such as 'www/**/*' (may be given several times)
    #[arg(long, value_name = "GLOB")]
    data: Vec<String>,
    /// The form of chunks in flash: squashed source is small, frozen chunks take next to no heap
    /// [default: bytecode]
    #[arg(long = "as", value_name = "FORM", value_parser = forms())]
    form: Option<Form>,
    /// Add no bytecode of frozen chunks for firmware that can't run them
    #[arg(long)]
    no_fallback: bool,
}

/// Modules on the command line, and overrides of `fast.toml`.
#[derive(clap::Args)]
pub struct Named {
    /// Lua files, or one fast.toml. Each file is a chunk of its name, unless SPLIT markers cut it
    #[arg(value_name = "MODULE.lua|fast.toml")]
    modules: Vec<PathBuf>,
    /// Add a module that fastlua ships, such as telnet (may be given several times)
    ///
    /// provisioning adds all modules that set up a blank chip.
    #[arg(long, value_name = "NAME", value_parser = values::shipped(), hide_possible_values = true)]
    with: Vec<String>,
    /// Leave a shipped module out if a file of its name is given
    #[arg(long, requires = "with")]
    replace: bool,
    /// Debug data: 0 all, 1 lines but no names, 2 none [default: 2]
    #[arg(long, value_name = "LEVEL", value_parser = values::strip(), hide_possible_values = true)]
    strip: Option<Level>,
    /// Ignore SPLIT markers: each file is one chunk
    #[arg(long)]
    whole: bool,
}

fn forms() -> impl clap::builder::TypedValueParser<Value = Form> {
    use clap::builder::{PossibleValuesParser, TypedValueParser};
    PossibleValuesParser::new(Form::NAMED.map(|(name, _)| name))
        .map(|name| name.parse().unwrap_or_default())
}

/// A project, and the files that were read for it.
pub struct Inputs {
    pub project: Project,
    pub files: Vec<PathBuf>,
    /// Folders of globs, in which a new file would be another module.
    pub folders: Vec<PathBuf>,
}

impl Modules {
    /// Reads the given modules, or those of `fast.toml` in this folder.
    pub fn read(&self) -> Result<Inputs> {
        match self.names_none() && !self.data.is_empty() {
            true => self.read_named(),
            false => self.with_data(self.named.read(&self.overrides())?),
        }
    }

    /// The same, but without a default: no given module means no module.
    pub fn read_named(&self) -> Result<Inputs> {
        match self.names_none() {
            true => self.with_data(self.named.files(&[], &self.overrides())?),
            false => self.read(),
        }
    }

    fn names_none(&self) -> bool {
        self.named.modules.is_empty() && self.named.with.is_empty()
    }

    /// Adds the files that the globs find.
    fn with_data(&self, mut inputs: Inputs) -> Result<Inputs> {
        for pattern in &self.data {
            add_data(pattern, &mut inputs).with_context(|| format!("--data {pattern}"))?;
        }
        Ok(inputs)
    }

    fn overrides(&self) -> Overrides {
        Overrides {
            form: self.form,
            no_fallback: self.no_fallback,
            ..self.named.overrides()
        }
    }
}

impl Named {
    /// Reads the modules for an LFS image, in which names of locals are dropped by default.
    pub fn read_as_functions(&self) -> Result<Inputs> {
        self.read(&self.overrides().for_functions())
    }

    fn read(&self, overrides: &Overrides) -> Result<Inputs> {
        let mut inputs = match &self.modules[..] {
            [] if self.with.is_empty() => {
                let manifest = Path::new("fast.toml");
                if !manifest.exists() {
                    bail!(
                        "nothing to build: give Lua files or a fast.toml, or create a fast.toml here"
                    );
                }
                self.manifest(manifest, overrides)?
            }
            [manifest] if is_manifest(manifest) => self.manifest(manifest, overrides)?,
            paths => self.files(paths, overrides)?,
        };
        let shipped = inputs.project.add_shipped(&self.with, overrides);
        shipped.map_err(|error| match error {
            fastlua::Error::NotShipped { .. } => print::usage(error),
            error => print::explained(error),
        })?;
        Ok(inputs)
    }

    fn manifest(&self, path: &Path, overrides: &Overrides) -> Result<Inputs> {
        let folder = Folder::of_manifest(path);
        let name = path.file_name().and_then(|name| name.to_str());
        let name =
            name.with_context(|| format!("{}: the file name is not UTF-8", print::path(path)))?;
        let project = Project::from_manifest(&folder, name, overrides).map_err(print::explained)?;
        let files = project.files().iter().map(|name| folder.path(name));
        Ok(Inputs {
            files: files.collect(),
            folders: folder.listed(),
            project,
        })
    }

    fn files(&self, paths: &[PathBuf], overrides: &Overrides) -> Result<Inputs> {
        if let Some(manifest) = paths.iter().find(|path| is_manifest(path)) {
            bail!(
                "{}: a fast.toml can't be combined with other files; add the modules to it",
                print::path(manifest)
            );
        }
        let (paths, folders) = expanded(paths)?;
        let mut project = Project::new();
        let mut unread = Vec::new();
        for path in &paths {
            if path == Path::new("-") {
                bail!(
                    "standard input can't be a module, because a module needs a name: put it into a file"
                );
            }
            match output::read(path) {
                Ok(text) => project.add(overrides.module(path.to_string_lossy(), text))?,
                Err(error) => unread.push(error),
            }
        }
        if !unread.is_empty() {
            return Err(print::all(unread));
        }
        Ok(Inputs {
            project,
            files: paths,
            folders,
        })
    }

    fn overrides(&self) -> Overrides {
        Overrides {
            strip: self.strip.map(|Level(strip)| strip),
            whole: self.whole,
            replace: self.replace,
            ..Overrides::default()
        }
    }
}

/// The given files. A name that is not a file is a glob, because some shells do not expand globs. Then the folders of
/// the globs.
pub fn expanded(paths: &[PathBuf]) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for path in paths {
        let is_glob = |text: &&str| text.contains(['*', '?', '[']) && !path.exists();
        let Some(pattern) = path.to_str().filter(is_glob) else {
            files.push(path.clone());
            continue;
        };
        let folder = Folder::of_tree(Path::new(""));
        let shown = print::path(path);
        let names = folder.list(&Pattern::new(&slashed(pattern)).context(shown.clone())?);
        let names = names.with_context(|| shown.clone())?;
        if names.is_empty() {
            return Err(print::of_file(path, format!("{shown} matches no file")));
        }
        files.extend(names.into_iter().map(PathBuf::from));
        folders.extend(folder.listed());
    }
    Ok((files, folders))
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "toml")
}

/// Adds the files that a glob finds, as data.
fn add_data(pattern: &str, inputs: &mut Inputs) -> Result<()> {
    let folder = Folder::of_tree(Path::new(""));
    let pattern = &*slashed(pattern);
    let names = folder.list(&Pattern::new(pattern)?)?;
    if names.is_empty() {
        bail!("no file matches");
    }
    for name in names {
        let path = PathBuf::from(&name);
        let data = Module::new(name.as_str(), output::read(&path)?)
            .name(data_name(pattern, &name))
            .form(Form::Data { frozen: false });
        inputs.project.add(data)?;
        inputs.files.push(path);
    }
    inputs.folders.extend(folder.listed());
    Ok(())
}
