//! Loads on an emulated chip.

use fastlua_bundle::c_header;
use std::path::Path;
use std::time::Duration;

use fastlua_emulator::{
    Core, Data, File, Job, Load, Measure, Measured, Mode, Run, Toolchain, fast_files, measure,
    region_file,
};

use crate::built::{Built, Measurement};
use crate::store::Flash;
use crate::store::Store;
use crate::{BenchError, Column, Cost, LoadCost, RunCost, Target};

/// Real time for one image; it takes a second or two.
const TIMEOUT: Duration = Duration::from_secs(600);

/// An emulated chip.
#[derive(Debug)]
pub struct Emulated<'a> {
    /// Compiler and emulator, which say the chip.
    pub tools: &'a Toolchain,
    /// Folder for objects and images; those in it are used again.
    pub work: &'a Path,
    /// Whether main functions are run.
    pub run: bool,
    /// When 5.1's allocator collects.
    pub egc: Mode,
}

impl Emulated<'_> {
    /// Has the emulator measure what is known; it also makes what all images share. Gives the instructions to make an
    /// empty table where no chunk is loaded.
    pub(crate) fn check(&self, target: &Target) -> Result<Option<i64>, BenchError> {
        let nothing = Job {
            name: "=nothing".into(),
            data: Data::Ram(Vec::new()),
            warm: false,
            run: false,
        };
        let found = self.load(target, Core::Stock, &[], &[nothing])?;
        let load = found
            .first()
            .and_then(|measured| measured.load.as_ref().ok());
        Ok(load.map(|load| load.table_before.into()))
    }

    /// What each chunk of a target costs in the forms of one image.
    pub(crate) fn costs(
        &self,
        target: &Target,
        t: usize,
        built: &Built,
    ) -> Result<Vec<Measurement>, BenchError> {
        let Some(flash) = built.flash(t) else {
            return Ok(Vec::new());
        };
        let stock = &built.stock[t];
        let store = built.stores.get(t).and_then(Option::as_ref);
        let job = |name: &str, data, warm, run| Job {
            name: name.into(),
            data,
            warm,
            run,
        };
        let empty = || job("=empty", Data::Ram(Vec::new()), false, false);
        let chunks = built.columns.iter().flat_map(|column| {
            let again = column.is_again();
            let chunks = stock.chunks.iter();
            let from = || store.map_or(Data::Fast, |_| Data::Lfs);
            chunks.map(move |chunk| job(&chunk.name, from(), again, self.run))
        });
        let jobs: Vec<Job> = [empty()]
            .into_iter()
            .chain(chunks)
            .chain([empty()])
            .collect();
        let core = built.columns[0].core();
        let found = match store {
            Some(Store { region, .. }) => {
                let (name, text) = region_file(region);
                self.load(target, core, &[(name, text.as_bytes())], &jobs)?
            }
            None => self.load(
                target,
                core,
                &fast_files(&c_header(stock, "0").to_string()),
                &jobs,
            )?,
        };
        let [first, chunks @ .., last] = &found[..] else {
            return Ok(Vec::new());
        };
        if first != last || first.load.is_err() {
            return Err(BenchError::Check {
                variant: target.core.name.clone(),
                form: built.columns[0],
                first: format!("{first:?}"),
                last: format!("{last:?}"),
            });
        }
        let chunk = |column: &Column, i: usize, measured: &Measured| {
            let name = stock.chunks[i].name.clone();
            let cost = match built.refused(t, &name) {
                Some(reason) => refused(flash[i], reason),
                None => cost(flash[i], measured),
            };
            (*column, name, cost)
        };
        let columns = built.columns.iter().zip(chunks.chunks(flash.len()));
        let costs = columns.flat_map(|(column, chunks)| {
            let chunks = chunks.iter().enumerate();
            chunks.map(move |(i, measured)| chunk(column, i, measured))
        });
        Ok(costs.collect())
    }

    fn load(
        &self,
        target: &Target,
        core: Core,
        files: &[File<'_>],
        jobs: &[Job],
    ) -> Result<Vec<Measured>, BenchError> {
        let how = Measure {
            tools: self.tools,
            work: self.work,
            layout: &target.core.layout,
            core,
            egc: self.egc,
            files,
            heap_limit: 0,
            count_reads: true,
            timeout: TIMEOUT,
        };
        measure(&how, jobs).map_err(|error| BenchError::Measure {
            variant: target.core.name.clone(),
            error,
        })
    }
}

fn cost((flash, strings): Flash, measured: &Measured) -> Cost {
    let narrow = measured.reads.map(|reads| i64::from(reads.narrow));
    Cost {
        flash,
        strings,
        ratio: None,
        load: measured
            .load
            .as_ref()
            .ok()
            .map(|load| load_cost(load, narrow)),
        refused: measured.load.as_ref().err().cloned(),
        run: measured.run.as_ref().map(run_cost),
    }
}

/// Of a chunk that the chip would refuse, whatever stock Lua makes of it.
fn refused((flash, strings): Flash, reason: String) -> Cost {
    Cost {
        flash,
        strings,
        load: None,
        ratio: None,
        refused: Some(reason),
        run: None,
    }
}

fn load_cost(load: &Load, narrow_reads: Option<i64>) -> LoadCost {
    LoadCost {
        instructions: load.instructions.into(),
        heap_peak: load.heap_peak.into(),
        heap_kept: load.heap_kept.into(),
        heap_debug: load.debug.into(),
        string_table: load.string_table.into(),
        allocations: load.allocations.into(),
        narrow_reads,
        stack: load.stack.into(),
        table: load.table.into(),
    }
}

fn run_cost(run: &Run) -> RunCost {
    RunCost {
        instructions: run.instructions.into(),
        heap_peak: run.heap_peak.into(),
        allocations: run.allocations.into(),
        error: run.error.clone(),
    }
}
