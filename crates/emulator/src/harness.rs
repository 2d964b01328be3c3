//! Measures chunks: writes the jobs down as C, builds the image with the measuring program, runs it.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use fastlua_bytecode::Layout;
use fastlua_cores::emergency::Mode;

use crate::file::{BuildError, File};
use crate::image::{Image, Objects, Program};
use crate::record::{self, BadLine, Measured};
use crate::run::RunError;
use crate::sources::Core;
use crate::toolchain::Toolchain;

/// Where a job's chunk comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// `fast.load` gets it from the bundle.
    Fast,
    /// It is a module of the image for LFS.
    Lfs,
    /// `luaL_loadbuffer` gets this source or dump, which is in RAM that no figure counts.
    Ram(Vec<u8>),
    /// The same, straight from flash.
    Flash(Vec<u8>),
}

/// A chunk to load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its name for `fast.load`, else its chunk name (`@file.lua`), which is part of what the load
    /// of a source costs.
    pub name: String,
    /// Source or dump.
    pub data: Data,
    /// Whether the state has loaded it once before, and dropped it: what is done at the first load
    /// only (a checksum, the growth of the table of strings) is then not measured.
    pub warm: bool,
    /// Whether its main function is run as well.
    pub run: bool,
}

/// How to measure.
#[derive(Debug, Clone)]
pub struct Measure<'a> {
    /// The tools.
    pub tools: &'a Toolchain,
    /// Folder in which objects are kept for the next time.
    pub work: &'a Path,
    /// Gives the number model.
    pub layout: &'a Layout,
    /// The Lua that loads. Frozen chunks need one with read-only objects; stock Lua takes their bytecode.
    pub core: Core,
    /// When 5.1's allocator collects; 5.3's collects when an allocation fails.
    pub egc: Mode,
    /// The image's files, with `fast.c` and its bundle ([`crate::fast_files`]) where a job wants it.
    pub files: &'a [File<'a>],
    /// Bytes of heap as the chip counts them; 0 for all there is (196,608).
    pub heap_limit: u32,
    /// Whether [`crate::Reads`] are counted, which takes an image and a run more; only where the chip
    /// has them ([`crate::Chip::counts_reads`]).
    pub count_reads: bool,
    /// Real time that a run may take.
    pub timeout: Duration,
}

/// Longest name of a job.
const NAME_SIZE: usize = 4096;

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// The image can't be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The image can't be run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The program ended itself: a check of known quantities failed, or the C stack was full.
    #[error("the measuring program ended with status {status}: {errors}")]
    Failed {
        /// Exit status.
        status: i32,
        /// Its words.
        errors: String,
    },
    /// It printed something else than it should, a fault of ours.
    #[error("the measuring program printed an unexpected line: {0}")]
    Line(String),
    /// A name that the program can't hold.
    #[error("the name {0:?} of a job contains a zero byte, or is longer than {NAME_SIZE} bytes")]
    Name(String),
}

/// Measures each job, in order. What one gives does not depend on the others.
///
/// # Errors
/// No figures at all. A chunk that does not load is no error: see [`Measured::load`].
pub fn measure(how: &Measure<'_>, jobs: &[Job]) -> Result<Vec<Measured>, MeasureError> {
    measure_patched(how, jobs, &|_| {})
}

/// The same on images whose ELF files are changed by `patch` before they run.
///
/// # Errors
/// As for [`measure`].
pub fn measure_patched(
    how: &Measure<'_>,
    jobs: &[Job],
    patch: &dyn Fn(&mut [u8]),
) -> Result<Vec<Measured>, MeasureError> {
    let is_bad = |name: &str| name.contains('\0') || name.len() > NAME_SIZE;
    if let Some(job) = jobs.iter().find(|job| is_bad(&job.name)) {
        return Err(MeasureError::Name(job.name.clone()));
    }
    let objects = compile(how, jobs)?;
    let run = |count_reads| {
        let image = objects.link(count_reads)?.patched(patch)?;
        run(how, &image, jobs.len())
    };
    let mut found = run(false)?;
    let counted = match how.count_reads && how.tools.chip().counts_reads() {
        true => run(true)?.into_iter().map(|m| m.reads).collect(),
        false => vec![None; jobs.len()],
    };
    for (measured, reads) in found.iter_mut().zip(counted) {
        measured.reads = reads;
    }
    Ok(found)
}

fn compile(how: &Measure<'_>, jobs: &[Job]) -> Result<Objects, BuildError> {
    let texts = job_files(jobs, how);
    let names: Vec<String> = (0..jobs.len()).map(data_name).collect();
    let mut files: Vec<File<'_>> = vec![
        ("harness-jobs.c", texts.table.as_bytes()),
        ("harness-data.S", texts.data.as_bytes()),
    ];
    for (name, job) in names.iter().zip(jobs) {
        if let Data::Ram(bytes) | Data::Flash(bytes) = &job.data {
            files.push((name, bytes));
        }
    }
    let program = Program::Harness(&files);
    Objects::compile(
        how.tools, how.work, how.layout, how.core, how.files, &program,
    )
}

fn run(how: &Measure<'_>, image: &Image, jobs: usize) -> Result<Vec<Measured>, MeasureError> {
    let output = image.run(how.timeout)?;
    let errors = String::from_utf8_lossy(&output.stderr);
    if output.status != 0 {
        let errors = errors.trim_end().to_owned();
        return Err(MeasureError::Failed {
            status: output.status,
            errors,
        });
    }
    let text = String::from_utf8_lossy(&output.stdout);
    record::parse(&text, jobs).map_err(|BadLine(line)| MeasureError::Line(line))
}

fn data_name(index: usize) -> String {
    format!("harness-data-{index}")
}

struct JobFiles {
    table: String,
    data: String,
}

/// The table of jobs in C, and their data for the assembler.
fn job_files(jobs: &[Job], how: &Measure<'_>) -> JobFiles {
    let (mode, limit) = how.egc.numbers();
    let heap_limit = how.heap_limit;
    let mut table = String::from("#include <stddef.h>\n#include \"harness.h\"\n\n");
    let mut data = String::from("\t.section .flash, \"a\"\n");
    let mut entries = String::new();
    for (i, job) in jobs.iter().enumerate() {
        let (symbol, size, copy) = match &job.data {
            Data::Fast | Data::Lfs => ("NULL".into(), 0, false),
            Data::Ram(bytes) => (format!("harness_data_{i}"), bytes.len(), true),
            Data::Flash(bytes) => (format!("harness_data_{i}"), bytes.len(), false),
        };
        if !matches!(job.data, Data::Fast | Data::Lfs) {
            let _ = writeln!(table, "extern const char {symbol}[];");
            let _ = writeln!(
                data,
                "\t.global {symbol}\n\t.balign 4\n{symbol}:\n\t.incbin \"{}\"\n\t.balign 4",
                data_name(i)
            );
        }
        let _ = writeln!(
            entries,
            "  {{\"{}\", {symbol}, {size}, {}, {}, {}, {}}},",
            escape(&job.name),
            u8::from(copy),
            u8::from(job.data == Data::Lfs),
            u8::from(job.warm),
            u8::from(job.run)
        );
    }
    let _ = write!(
        table,
        "\nconst harness_job harness_jobs[] = {{\n{entries}  {{NULL, NULL, 0, 0, 0, 0, 0}}\n}};\n\
         const uint32_t harness_job_count = {};\nconst uint32_t harness_heap_limit = {heap_limit};\n\
         const int harness_egc_mode = {mode};\nconst int harness_egc_limit = {limit};\n",
        jobs.len()
    );
    JobFiles { table, data }
}

/// For a C string literal.
fn escape(text: &str) -> String {
    let each = |b: u8| match b {
        b if b.is_ascii_alphanumeric() || b"@=._- /".contains(&b) => char::from(b).to_string(),
        b => format!("\\{b:03o}"),
    };
    text.bytes().map(each).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_in_c() {
        assert_eq!(escape("@a-b.lua"), "@a-b.lua");
        assert_eq!(escape("\"\\?é\n1"), "\\042\\134\\077\\303\\251\\0121");
    }
}
