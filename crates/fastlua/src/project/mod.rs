//! A set of modules.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use fastlua_bundle::{Budget, Input, check_each_once, check_names};
use fastlua_bytecode::dump_in;
use fastlua_source::split::{Loader, split};

use crate::plan::{Options, Plan, Purpose};
use crate::{Error, Files, LICENSE, Pattern, VERSION};

mod manifest;
mod module;
mod shared_name;

pub use manifest::{Manifest, ManifestError, ManifestModule};
pub(crate) use module::stem;
pub use module::{Module, ModuleFacts, Overrides};
use shared_name::{assign, with_own_names};

/// Modules from any place, and settings for all of them.
#[derive(Debug, Clone, Default)]
pub struct Project {
    inputs: Vec<Input>,
    files: Vec<String>,
    /// The `fast.toml` that it was read from, as messages call it.
    manifest: Option<String>,
    variants: Option<Vec<String>>,
    /// Globals that code elsewhere sets.
    pub(crate) globals: Vec<String>,
    budget: Budget,
    budgets: BTreeMap<String, Budget>,
    modules: BTreeMap<String, ModuleFacts>,
}

impl Project {
    /// Without modules.
    pub fn new() -> Project {
        Project::default()
    }

    /// Reads a `fast.toml` and the modules that it names. None may lie outside its folder, so that the
    /// folder holds all that a build reads.
    ///
    /// # Errors
    /// The manifest or a module has an error.
    pub fn from_manifest(
        files: &dyn Files,
        name: &str,
        overrides: &Overrides,
    ) -> Result<Project, Error> {
        let file = files.shown(name);
        let invalid = |error| Error::Manifest {
            file: file.clone(),
            error,
        };
        let manifest = Manifest::from_bytes(&read(files, name)?).map_err(invalid)?;
        let mut project = Project {
            files: vec![name.into()],
            manifest: Some(file.clone()),
            variants: manifest.variants.clone(),
            globals: manifest.globals.clone(),
            budget: manifest.budget.unwrap_or_default(),
            ..Project::default()
        };
        for module in &manifest.modules {
            let strip = module.strip.or(manifest.strip);
            let wrong = |reason: String| Error::Module {
                file: file.clone(),
                path: module.path.clone(),
                reason,
            };
            let names = matches(files, module).map_err(wrong)?;
            if module.name.is_some() && names.len() > 1 {
                let count = names.len();
                return Err(wrong(format!(
                    "it matches {count} files, which can't all have one name"
                )));
            }
            for name in names {
                let text = read(files, &name)?;
                let form = overrides.form(
                    module.form.or(manifest.form),
                    module.fallback.or(manifest.fallback),
                );
                let below = form.is_data().then(|| data_name(&module.path, &name));
                project.add(Module {
                    name: module.name.clone().or(below),
                    form,
                    strip: overrides.strip(strip, form),
                    split: !overrides.whole && module.split.unwrap_or(true),
                    variants: module.variants.clone(),
                    budget: module.budget,
                    version: module
                        .version
                        .as_ref()
                        .or(manifest.version.as_ref())
                        .cloned(),
                    license: module
                        .license
                        .as_ref()
                        .or(manifest.license.as_ref())
                        .cloned(),
                    ..Module::new(files.shown(&name), text)
                })?;
                project.files.push(name);
            }
        }
        Ok(project)
    }

    /// Adds a module: the chunks between its SPLIT markers, or the one that it is. A module that is bytecode is
    /// one chunk; modules of one name can be bytecode of one chunk for different variants.
    ///
    /// # Errors
    /// A wrong SPLIT marker.
    pub fn add(&mut self, module: Module) -> Result<(), Error> {
        let file = &module.file;
        let facts = module.facts();
        let dump = match module.form.is_data() {
            true => None,
            false => dump_in(&module.text),
        };
        let is_text = dump.is_none() && !module.form.is_data();
        let pieces = match module.split && is_text {
            true => split(&module.text, Loader::Fast).map_err(|error| Error::Split {
                file: file.clone(),
                error,
            })?,
            false => None,
        };
        let name = module.chunk_name();
        let chunks = match pieces {
            None => vec![(name, dump.map_or(module.text.clone(), <[u8]>::to_vec))],
            Some(_) if module.name.is_some() => {
                return Err(Error::SplitName { file: module.file });
            }
            Some(pieces) => pieces.into_iter().map(|p| (p.name, p.text)).collect(),
        };
        let name = chunks[0].0.clone();
        if let Some(budget) = module.budget {
            self.budgets.insert(name.clone(), budget);
        }
        self.modules.entry(name.clone()).or_insert(facts);
        self.inputs
            .extend(chunks.into_iter().map(|(chunk, text)| Input {
                name: chunk,
                module: name.clone(),
                file: module.file.clone(),
                text,
                form: module.form,
                strip: module.strip,
                variants: module.variants.clone(),
            }));
        Ok(())
    }

    /// Adds the modules of these names that fastlua ships, each once; `provisioning` is all that set up a blank chip.
    ///
    /// # Errors
    /// It ships none of that name, or there is one of that name, and it shall not replace the shipped one.
    pub fn add_shipped(&mut self, names: &[String], overrides: &Overrides) -> Result<(), Error> {
        let shipped = || fastlua_firmware::modules();
        let mut found = Vec::new();
        for name in names {
            let is_asked = |file: &str| match name.as_str() {
                "provisioning" => fastlua_firmware::provisioning().any(|(known, _)| known == file),
                name => file.strip_suffix(".lua") == Some(name),
            };
            let modules: Vec<_> = shipped().filter(|(file, _)| is_asked(file)).collect();
            if modules.is_empty() {
                return Err(Error::NotShipped {
                    name: name.clone(),
                    known: shipped_names().map(str::to_owned).collect(),
                });
            }
            let is_new: Vec<_> = modules.into_iter().filter(|m| !found.contains(m)).collect();
            found.extend(is_new);
        }
        for (file, text) in found {
            let module = Module {
                version: Some(VERSION.into()),
                license: Some(LICENSE.into()),
                shipped: true,
                ..overrides.module(file, text)
            };
            let name = module.chunk_name();
            match self.inputs.iter().find(|input| input.module == name) {
                None => self.add(module)?,
                Some(_) if overrides.replace => {}
                Some(input) => {
                    let file = input.file.clone();
                    return Err(Error::Shipped { file, name });
                }
            }
        }
        Ok(())
    }

    /// The project with the modules of these files only.
    pub(crate) fn only(&self, files: &BTreeSet<&str>) -> Project {
        let mut project = self.clone();
        project
            .inputs
            .retain(|input| files.contains(input.file.as_str()));
        project
    }

    pub(crate) fn inputs(&self) -> impl Iterator<Item = &Input> {
        self.inputs.iter()
    }

    /// Whether it has no module.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// Names of the variants that its `fast.toml` asks for.
    pub fn variants(&self) -> Option<&[String]> {
        self.variants.as_deref()
    }

    /// The names of the files that were read for it.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// Makes a plan of it.
    ///
    /// # Errors
    /// Two chunks of one name for one variant, a name that no chunk can have, or a variant that is not known.
    pub fn plan(self, options: &Options) -> Result<Plan, Error> {
        let names = with_own_names(&self.inputs);
        check_names(names.map(|i| (&*i.name, &*i.file, i.form.is_data())))?;
        self.planned(options)
    }

    /// The same for an image for LFS, in which modules may have names that no chunk of a firmware can have.
    ///
    /// # Errors
    /// As [`Project::plan`], but for such names.
    pub fn plan_for_lfs(self, options: &Options) -> Result<Plan, Error> {
        let names = with_own_names(&self.inputs);
        check_each_once(names.map(|i| (&*i.name, &*i.file)))?;
        let plan = self.planned(options)?;
        Ok(Plan {
            purpose: Purpose::Lfs,
            ..plan
        })
    }

    fn planned(self, options: &Options) -> Result<Plan, Error> {
        let named = options.variants.as_ref().or(self.variants.as_ref());
        let plan = Plan::new(self.inputs, named, self.budget, self.budgets, options);
        let is_asked = |name: &String| options.variants.iter().flatten().any(|asked| asked == name);
        let mut plan = plan.map_err(|error| match (error, self.manifest) {
            (Error::NoVariant(error), Some(file)) if !is_asked(&error.name) => {
                Error::Variant { file, error }
            }
            (error, _) => error,
        })?;
        assign(&mut plan.inputs, &plan.variants)?;
        plan.modules = self.modules;
        plan.globals = self.globals;
        Ok(plan)
    }
}

/// Names of the modules that fastlua ships, and `provisioning` for all that set up a blank chip.
pub fn shipped_names() -> impl Iterator<Item = &'static str> {
    let modules = fastlua_firmware::modules();
    let names = modules.filter_map(|(file, _)| file.strip_suffix(".lua"));
    names.chain(["provisioning"])
}

/// Names of the modules that set up a blank chip.
pub fn provisioning_names() -> impl Iterator<Item = &'static str> {
    let modules = fastlua_firmware::provisioning();
    modules.filter_map(|(file, _)| file.strip_suffix(".lua"))
}

/// The name of data from a file that this path or glob found: the path below the folder with the first wildcard, or
/// the file's name.
pub fn data_name(pattern: &str, file: &str) -> String {
    let wild = pattern.find(['*', '?', '[']).unwrap_or(pattern.len());
    let folder = pattern[..wild]
        .rfind('/')
        .map_or("", |end| &pattern[..=end]);
    let below = file.strip_prefix(folder.trim_start_matches("./"));
    below.unwrap_or(file).trim_start_matches("./").to_owned()
}

fn read(files: &dyn Files, name: &str) -> Result<Vec<u8>, Error> {
    files.read(name).map_err(|error| Error::File {
        file: files.shown(name),
        error,
    })
}

const OUTSIDE: &str =
    "it is outside the folder of fast.toml; give the file separately, or move fast.toml";

/// The files that a module's path or glob names, sorted.
fn matches(files: &dyn Files, module: &ManifestModule) -> Result<Vec<String>, String> {
    let path = Path::new(&module.path);
    let stays = |c: Component| matches!(c, Component::Normal(_) | Component::CurDir);
    if !path.components().all(stays) {
        return Err(OUTSIDE.into());
    }
    let plain = module.path.trim_start_matches("./");
    if !plain.contains(['*', '?', '[']) {
        return Ok(vec![plain.into()]);
    }
    let pattern = Pattern::new(plain).map_err(|error| error.to_string())?;
    let found = files.list(&pattern).map_err(|error| error.to_string())?;
    match found.is_empty() {
        true => Err("no file matches".into()),
        false => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::data_name;

    #[test]
    fn data_is_called_as_it_lies_below_the_wildcard() {
        for (pattern, file, name) in [
            ("www/*", "www/index.html", "index.html"),
            ("www/**/*", "www/css/main.css", "css/main.css"),
            ("./www/*.html", "www/a.html", "a.html"),
            ("*.html", "a.html", "a.html"),
            ("pages/index.html", "pages/index.html", "index.html"),
        ] {
            assert_eq!(data_name(pattern, file), name, "{pattern}");
        }
    }
}
