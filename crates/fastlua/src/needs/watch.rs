//! Keeps the chunks of a build as they are compiled, to find what they need without compiling them again.

use std::sync::{Mutex, PoisonError};

use fastlua_bundle::{Input, Progress};
use fastlua_bytecode::Chunk;
use fastlua_variants::Variant;

use super::{Found, Target};
use crate::Diagnostic;

/// A progress that also keeps the chunks of the first variant.
pub(crate) struct Watch<'a> {
    inner: &'a dyn Progress,
    is_on: bool,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    variant: Option<String>,
    chunks: Vec<(Input, Chunk)>,
}

impl<'a> Watch<'a> {
    /// Keeps nothing unless `is_on`.
    pub fn new(is_on: bool, inner: &'a dyn Progress) -> Watch<'a> {
        Watch {
            inner,
            is_on,
            kept: Mutex::default(),
        }
    }

    /// What the firmware lacks.
    pub fn judged(self, target: &Target, globals: &[String]) -> Vec<Diagnostic> {
        let mut chunks = self
            .kept
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .chunks;
        // threads are done in any order
        chunks.sort_by(|(a, _), (b, _)| (&a.name, &a.file).cmp(&(&b.name, &b.file)));
        let found = Found::of(chunks.iter().map(|(input, chunk)| (input, chunk)));
        found.judged(Some(target), globals)
    }
}

impl Progress for Watch<'_> {
    fn step(&self) {
        self.inner.step();
    }

    fn is_stopped(&self) -> bool {
        self.inner.is_stopped()
    }

    fn needs_chunks(&self) -> bool {
        self.is_on || self.inner.needs_chunks()
    }

    fn compiled(&self, input: &Input, variant: &Variant, chunk: &Chunk) {
        self.inner.compiled(input, variant, chunk);
        if !self.is_on {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let name = kept.variant.get_or_insert_with(|| variant.name.clone());
        if *name == variant.name {
            kept.chunks.push((input.clone(), chunk.clone()));
        }
    }
}
