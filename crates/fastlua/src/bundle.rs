//! A bundle, and its outputs.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Write};
use std::ops::Deref;

use fastlua_bundle::slot::Slot;
use fastlua_bundle::{
    CHeader, Chip, SlotError, bundle_name, c_header, c_header_with_slot, fill_slot,
    module_header_name, object,
};
use fastlua_firmware::fast_c;

use crate::report::chunk_reports;
use crate::{
    BuildReport, ChunkReport, Diagnostic, Error, FirmwareSlot, LfsError, LfsImage, LfsOptions,
    Plan, SbomError, SlotContents, VERSION, lfs, sbom,
};

/// Every chunk of a plan for every variant, proved to load back. It derefs to its chunks and variants.
#[derive(Debug, Clone)]
pub struct Bundle {
    plan: Plan,
    built: fastlua_bundle::Bundle,
    /// What the firmware of the plan lacks.
    lacks: Vec<Diagnostic>,
}

impl Deref for Bundle {
    type Target = fastlua_bundle::Bundle;

    fn deref(&self) -> &fastlua_bundle::Bundle {
        &self.built
    }
}

impl Bundle {
    pub(crate) fn new(plan: Plan, built: fastlua_bundle::Bundle, lacks: Vec<Diagnostic>) -> Bundle {
        Bundle { plan, built, lacks }
    }

    /// The plan from which it was built.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Its name: 16 hexadecimal digits that depend on its whole contents.
    pub fn name(&self) -> String {
        bundle_name(&self.built)
    }

    /// Warnings and notes for the user.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let warnings = self.built.warnings.iter().map(Diagnostic::of);
        warnings.chain(self.lacks.iter().cloned()).collect()
    }

    /// The report on it.
    pub fn report(&self) -> BuildReport {
        self.report_named(self.name())
    }

    /// The same, if the name is known already: [`OutputFile::write`] gives it.
    pub fn report_named(&self, name: String) -> BuildReport {
        BuildReport {
            warnings: self.diagnostics(),
            ..BuildReport::named(&self.built, name)
        }
    }

    /// The part of the report on its chunks.
    pub fn chunk_reports(&self) -> Vec<ChunkReport> {
        chunk_reports(&self.built)
    }

    /// `fast.c` and `fast_chunks.h`, which go into the firmware's `app/modules`.
    pub fn c_module(&self) -> [OutputFile<'_>; 2] {
        module_with(Contents::Header(c_header(&self.built, VERSION)))
    }

    /// The same with a slot of this many bytes beside the chunks. There need not be any chunks.
    ///
    /// # Errors
    /// Such a slot is not possible, or a chunk is frozen.
    pub fn c_module_with_slot(&self, capacity: u32) -> Result<[OutputFile<'_>; 2], Error> {
        let header = c_header_with_slot(&self.built, VERSION, capacity)?;
        Ok(module_with(Contents::Header(header)))
    }

    /// The same with the chunks in `fast_chunks.o`, which the linker of a firmware for this chip takes in place of
    /// compiling them. The bundle is for one variant.
    ///
    /// # Errors
    /// [`ObjectError`](crate::ObjectError).
    pub fn c_module_with_object(&self, chip: Chip) -> Result<[OutputFile<'static>; 3], Error> {
        let (header, object) = object(&self.built, VERSION, chip)?;
        let [module, header] = module_with(Contents::Bytes(header.into()));
        let object = file("fast_chunks.o", Contents::Bytes(object));
        Ok([module, header, object])
    }

    /// For each module a header `NAME_lua.h`, by which a C module carries it as its Lua half; then `fast_runtime.h` and
    /// `fast_runtime.c`, which they share. The plan is one [for C modules](Plan::for_c_modules).
    ///
    /// # Errors
    /// A chunk is frozen.
    pub fn module_headers(&self) -> Result<Vec<OutputFile<'static>>, Error> {
        let files = fastlua_bundle::module_headers(&self.built, VERSION)?.into_iter();
        let files = files.map(|(name, text)| file(&name, Contents::Bytes(text.into())));
        Ok(files.collect())
    }

    /// The contents of a slot with this bundle.
    ///
    /// # Errors
    /// The bundle is for other variants, or does not fit.
    pub fn slot_contents(&self, slot: &FirmwareSlot) -> Result<SlotContents, SlotError> {
        let mut bytes = slot.bytes().to_vec();
        let contents = fill_slot(&self.built, &slot.head, &mut bytes)?;
        let filled = Slot {
            contents: Some(contents),
            ..Slot::clone(slot)
        };
        Ok(SlotContents::new(filled, bytes))
    }

    /// An image for the Lua Flash Store, proved. The bundle is for one variant. The modules are in the order of the plan, and have
    /// the names that luac.cross gives them, unless the plan says otherwise. All are carried as functions, whatever their form.
    ///
    /// # Errors
    /// No image can hold a module, or the image does not fit the region.
    pub fn lfs_image(&self, options: &LfsOptions) -> Result<LfsImage, LfsError> {
        lfs::image(self, options)
    }

    /// Its bill of materials as a CycloneDX document, under this name: its own, or that of the [slot's
    /// contents](SlotContents::slot). `runtime` says whether `fast.c` goes with it, rather than being in the firmware already.
    ///
    /// # Errors
    /// A licence that is not an SPDX expression.
    pub fn cyclonedx(&self, name: &str, runtime: bool) -> Result<String, SbomError> {
        sbom::cyclonedx(&self.plan, &self.built, name, runtime)
    }
}

/// A file to write.
#[derive(Debug, Clone)]
pub struct OutputFile<'a> {
    /// Its name, without folders.
    pub name: String,
    contents: Contents<'a>,
}

#[derive(Debug, Clone)]
enum Contents<'a> {
    Bytes(Vec<u8>),
    Header(CHeader<'a>),
}

impl OutputFile<'_> {
    /// Writes what is in it, which is made only then where it is `fast_chunks.h`. Gives the bundle's name where that came of it.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<Option<String>> {
        let header = match &self.contents {
            Contents::Bytes(bytes) => return out.write_all(bytes).map(|()| None),
            Contents::Header(header) => header,
        };
        let mut text = Text { out, error: None };
        match header.write_to(&mut text) {
            Ok(name) => Ok(Some(name)),
            Err(fmt::Error) => Err(text.error.unwrap_or_else(|| io::Error::other(fmt::Error))),
        }
    }

    /// Its contents.
    pub fn bytes(&self) -> Vec<u8> {
        match &self.contents {
            Contents::Bytes(bytes) => bytes.clone(),
            Contents::Header(header) => header.to_string().into_bytes(),
        }
    }
}

/// A writer of text over a writer of bytes.
struct Text<'a> {
    out: &'a mut dyn Write,
    /// The error that ended it.
    error: Option<io::Error>,
}

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.out.write_all(part.as_bytes()).map_err(|error| {
            self.error = Some(error);
            fmt::Error
        })
    }
}

fn module_with(header: Contents) -> [OutputFile; 2] {
    let module = Contents::Bytes(fast_c().into());
    [file("fast.c", module), file("fast_chunks.h", header)]
}

/// The names of the files that [`Bundle::module_headers`] makes of a plan.
pub fn module_header_names(plan: &Plan) -> BTreeSet<String> {
    let modules = plan.inputs.iter().map(|input| &*input.module);
    let names = modules.map(module_header_name);
    let runtime = ["fast_runtime.h", "fast_runtime.c"];
    names.chain(runtime.map(str::to_owned)).collect()
}

fn file<'a>(name: &str, contents: Contents<'a>) -> OutputFile<'a> {
    OutputFile {
        name: name.into(),
        contents,
    }
}
