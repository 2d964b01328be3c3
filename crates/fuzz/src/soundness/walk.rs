//! Walks: a compiled chunk is changed again and again, and each mutant that the verifier accepts is run and
//! then changed further, so that mutants get far from what a compiler makes.

use std::io;

use fastlua_bytecode::{Chunk, Dialect, read, write};
use fastlua_testing::mutate::{flip, mutate};
use fastlua_testing::random::Random;
use fastlua_verifier::{Rule, verify};

use super::trial::{Answer, Collector, CoreProcess, Crash, RunOptions};

/// Mutants of one walk.
const STEPS: usize = 60;

/// What became of mutants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// That were made.
    pub made: u64,
    /// That the verifier accepted, and ran.
    pub accepted: u64,
    /// Of those that ran: to their end.
    pub ran: u64,
    /// To the limit of instructions.
    pub limit: u64,
    /// Too long.
    pub late: u64,
    /// The core's own loader refused them.
    pub refused: u64,
}

impl Tally {
    /// Adds another one.
    pub fn add(&mut self, other: &Tally) {
        self.made += other.made;
        self.accepted += other.accepted;
        self.ran += other.ran;
        self.limit += other.limit;
        self.late += other.late;
        self.refused += other.refused;
    }
}

/// A chunk that crashed a core.
#[derive(Debug, Clone)]
pub struct CrashFound {
    /// The chunk, with NodeMCU's layout.
    pub chunk: Chunk,
    /// Whether `fast_undump.h` loaded it.
    pub fast: bool,
    /// How it ended.
    pub crash: Crash,
}

/// The rules on trial.
#[derive(Debug, Clone, Copy, Default)]
pub struct SoundnessFuzzer {
    /// The one that is left out on purpose, so that the fuzzer can be seen to find what it lets through.
    pub hole: Option<Rule>,
}

impl SoundnessFuzzer {
    /// One walk from a compiled chunk; the seed decides it. Ends at a crash.
    ///
    /// # Errors
    /// The process of the core can't be started.
    pub fn walk(
        &self,
        core: &mut CoreProcess,
        whole: &Chunk,
        seed: u64,
        tally: &mut Tally,
    ) -> io::Result<Option<CrashFound>> {
        let mut random = Random::new(seed);
        let mut here = Chunk {
            layout: core.layout(),
            main: whole.main.clone(),
        };
        for _ in 0..STEPS {
            tally.made += 1;
            let Some(mutant) = changed(&here, &mut random) else {
                continue;
            };
            if !self.accepts(&mutant) {
                continue;
            }
            let collector = collector(&mut random);
            let collects = match mutant.layout.dialect() {
                Dialect::Lua51 => collector != Collector::Stock,
                Dialect::Lua53 => true,
            };
            let options = RunOptions {
                fast: random.chance(2),
                every: match (random.below(4), collects) {
                    (0, true) => 1 + random.below(20) as u32,
                    (0, false) => 20 + random.below(1000) as u32,
                    _ => 0,
                },
                heap: [20_000, 200_000, 2_000_000][random.below(3) as usize],
                collector,
            };
            match core.run(&mutant, options)? {
                None => continue,
                Some(Ok(answer)) => {
                    tally.accepted += 1;
                    match answer {
                        Answer::Ran => tally.ran += 1,
                        Answer::Limit => tally.limit += 1,
                        Answer::Late => tally.late += 1,
                        Answer::Refused => tally.refused += 1,
                        Answer::Error => {}
                    }
                }
                Some(Err(crash)) => {
                    tally.accepted += 1;
                    return Ok(Some(CrashFound {
                        chunk: mutant,
                        fast: options.fast,
                        crash,
                    }));
                }
            }
            if !random.chance(4) {
                here = mutant;
            }
        }
        Ok(None)
    }

    fn accepts(&self, chunk: &Chunk) -> bool {
        match verify(chunk) {
            Ok(()) => true,
            Err(refusal) => self.hole == Some(refusal.rule),
        }
    }
}

/// Mostly what is quick: to collect before each allocation takes long.
fn collector(random: &mut Random) -> Collector {
    match random.below(16) {
        0 => Collector::Always,
        1 => Collector::OnLimit(10_000 + random.below(100_000) as u32),
        2..6 => Collector::Stock,
        _ => Collector::OnFailure,
    }
}

/// The chunk with a few changes: of the model, or of bits of its dump if that can still be read.
fn changed(chunk: &Chunk, random: &mut Random) -> Option<Chunk> {
    if random.chance(4) {
        let mut dump = write(chunk).ok()?;
        (0..=random.below(2)).for_each(|_| flip(&mut dump, random));
        return read(&dump, &chunk.layout).ok();
    }
    let mut mutant = chunk.clone();
    (0..=random.below(3)).for_each(|_| mutate(&mut mutant, random));
    Some(mutant)
}
