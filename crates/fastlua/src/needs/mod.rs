//! What modules need of a firmware, and whether it has that.

use std::collections::BTreeSet;

use fastlua_bundle::{Input, SourceText};
use fastlua_bytecode::{Chunk, Dialect, is_bytecode, read_any};
use fastlua_needs::{How, Named, Needs, Severity, judge, needs_of};
use fastlua_variants::{Variant, Variants};
use fastlua_verifier::verify;
use rayon::prelude::*;

use crate::{Diagnostic, Error, NeedsReport, Options, Project};

mod emit;
mod meant;
mod place;
mod target;
mod watch;

pub use emit::{NoModule, configuration};
pub use target::Target;

pub(crate) use place::Places;
pub(crate) use watch::Watch;

/// Options of [`Project::needs`].
#[derive(Debug, Clone)]
pub struct NeedsOptions {
    /// The known variants.
    pub known: Variants,
    /// The variant to compile for; none for the first of NodeMCU's that takes a module.
    pub variant: Option<Variant>,
    /// The firmware to compare with; none for what no branch has.
    pub target: Option<Target>,
    /// Globals that code elsewhere sets.
    pub globals: Vec<String>,
    /// Heap limit for compiling one chunk, in bytes.
    pub heap_limit: usize,
}

impl Default for NeedsOptions {
    fn default() -> NeedsOptions {
        NeedsOptions {
            known: Variants::built_in(),
            variant: None,
            target: None,
            globals: Vec::new(),
            heap_limit: fastlua_compiler::HEAP_LIMIT,
        }
    }
}

/// Chunks with what they need.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    pub inputs: Vec<&'a Input>,
    pub needs: Needs,
    pub dialect: Dialect,
}

impl Project {
    /// What its modules need of a firmware, and what the given one lacks.
    ///
    /// # Errors
    /// A text does not compile, or bytecode is damaged or not safe.
    pub fn needs(&self, options: &NeedsOptions) -> Result<NeedsReport, Error> {
        let inputs: Vec<&Input> = self.inputs().filter(|i| !i.form.is_data()).collect();
        let variants = match &options.variant {
            Some(variant) => vec![variant.clone()],
            None => options.known.nodemcu(),
        };
        let compiled: Vec<Option<Chunk>> = inputs
            .par_iter()
            .map(|input| chunk_of(input, &variants, options.heap_limit))
            .collect();
        if compiled.iter().any(Option::is_none) {
            let failed = inputs
                .iter()
                .zip(&compiled)
                .filter(|(_, chunk)| chunk.is_none());
            let failed: BTreeSet<&str> = failed.map(|(input, _)| input.file.as_str()).collect();
            return Err(self.refused(&failed, &variants[0], options));
        }
        let chunks: Vec<(&Input, Chunk)> = inputs
            .into_iter()
            .zip(compiled.into_iter().flatten())
            .collect();
        let found = Found::of(chunks.iter().map(|(input, chunk)| (*input, chunk)));
        let mut globals = options.globals.clone();
        globals.extend(self.globals.iter().cloned());
        let diagnostics = found.judged(options.target.as_ref(), &globals);
        Ok(NeedsReport::new(
            &found,
            options.target.as_ref(),
            diagnostics,
        ))
    }

    /// Why the modules of these files do not compile, as a build says it.
    fn refused(&self, files: &BTreeSet<&str>, variant: &Variant, options: &NeedsOptions) -> Error {
        let plan = self.only(files).plan_for_lfs(&Options {
            known: options.known.clone(),
            variants: Some(vec![variant.name.clone()]),
            heap_limit: options.heap_limit,
        });
        match plan.and_then(|plan| plan.build(None)) {
            Err(error) => error,
            Ok(_) => Error::Stopped,
        }
    }
}

/// The chunk of a module, with its debug data.
fn chunk_of(input: &Input, variants: &[Variant], heap_limit: usize) -> Option<Chunk> {
    if is_bytecode(&input.text) {
        let chunk = read_any(&input.text).ok()?;
        return verify(&chunk).is_ok().then_some(chunk);
    }
    let name = format!("@{}", input.file);
    let text = SourceText {
        chunk_name: name.as_bytes(),
        file: &input.file,
        bytes: &input.text,
    };
    let mut compiled = variants
        .iter()
        .map(|variant| text.compile(&variant.layout, heap_limit));
    compiled.find_map(|compiled| compiled.ok().map(|(chunk, _)| chunk))
}

impl<'a> Found<'a> {
    /// Follows these chunks.
    pub fn of<'c>(chunks: impl Iterator<Item = (&'a Input, &'c Chunk)>) -> Found<'a> {
        let chunks: Vec<(&Input, &Chunk)> = chunks.collect();
        let named: Vec<Named> = chunks
            .iter()
            .map(|(input, chunk)| Named {
                name: &input.name,
                chunk,
            })
            .collect();
        let dialect = chunks.first().map(|(_, chunk)| chunk.layout.dialect());
        Found {
            needs: needs_of(&named),
            inputs: chunks.into_iter().map(|(input, _)| input).collect(),
            dialect: dialect.unwrap_or(Dialect::Lua51),
        }
    }

    /// What a firmware lacks, with places.
    pub fn judged(&self, target: Option<&Target>, globals: &[String]) -> Vec<Diagnostic> {
        let mut meant: BTreeSet<String> = globals.iter().cloned().collect();
        let firmware = target.map(|target| target.firmware());
        let mut findings = judge(&self.needs, firmware, &meant);
        let is_global = |how: &How| *how == How::Read;
        if findings
            .iter()
            .any(|f| is_global(&self.needs.uses[f.at].how))
        {
            let texts = self.inputs.iter().filter(|input| !is_bytecode(&input.text));
            let declared = texts.flat_map(|input| meant::globals(&input.text));
            meant.extend(declared);
            findings = judge(&self.needs, firmware, &meant);
        }
        let mut places = Places::new(&self.inputs, self.dialect);
        let mut diagnostics = Vec::new();
        for finding in findings {
            let one = &self.needs.uses[finding.at];
            let input = self.inputs[one.chunk];
            let name = Some(one.name.as_str()).filter(|_| is_global(&one.how));
            if meant::is_ignored(&input.text, one.line, finding.rule.name(), name) {
                continue;
            }
            diagnostics.push(Diagnostic {
                severity: finding.severity.name().into(),
                code: Some(finding.rule.name().into()),
                column: places.column(one),
                ..Diagnostic::of_file(&input.file, one.line, &finding.message)
            });
        }
        diagnostics
    }
}

/// Whether one of these is an error.
pub(crate) fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    let error = Severity::Error.name();
    diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == error)
}
