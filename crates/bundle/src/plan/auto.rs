//! `as = "auto"`: freezes chunks within a budget of flash.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap, HashSet};

use fastlua_bytecode::Dialect;

use crate::model::{Bundle, Form};
use crate::structures::{CoreLayout, distinct, is_interned, table_bytes};

/// Decides for the chunks whose form is [`Form::Auto`]: keeps frozen as many as fit with all
/// chunks into `flash` bytes for every variant, the largest saving of heap for a byte of flash
/// first. The others become bytecode. Without a limit all are frozen. `fallback` says whether these carry
/// bytecode as well.
pub fn choose_forms(bundle: &mut Bundle, flash: Option<u64>, fallback: bool) {
    let frozen_form = Form::Frozen { fallback };
    let chunks = bundle.chunks.iter().enumerate();
    let open = chunks.filter(|(_, chunk)| chunk.form == Form::Auto);
    let open: Vec<usize> = open.map(|(i, _)| i).collect();
    let frozen: HashSet<usize> = match flash {
        None => open.iter().copied().collect(),
        Some(limit) => {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let mut choice = Choice::new(bundle, &open, frozen_form, limit);
            match choice.all_fit() {
                true => open.iter().copied().collect(),
                false => {
                    let chosen = std::iter::from_fn(|| choice.next());
                    chosen.map(|candidate| open[candidate]).collect()
                }
            }
        }
    };
    for i in open {
        bundle.chunks[i].form = match frozen.contains(&i) {
            true => frozen_form,
            false => Form::Bytecode,
        };
    }
}

/// Bytes of heap that freezing a chunk saves, in all variants together.
fn gain(bundle: &Bundle, i: usize) -> usize {
    let dumps = bundle.chunks[i].dumps.iter().flatten();
    let costs = dumps.filter_map(|dump| dump.costs());
    costs
        .map(|c| c.bytecode_heap.saturating_sub(c.frozen_heap))
        .sum()
}

/// Bytes and number of strings of a pool, or of those that a chunk would add to it.
#[derive(Debug, Clone, Copy, Default)]
struct Pooled {
    bytes: i64,
    count: usize,
    /// How many of them are in the table.
    interned: usize,
}

impl Pooled {
    /// One string.
    fn of(core: &CoreLayout, dialect: Dialect, text: &[u8]) -> Pooled {
        Pooled {
            bytes: core.string_bytes(text.len()) as i64,
            count: 1,
            interned: is_interned(dialect, text).into(),
        }
    }

    fn with(self, more: Pooled) -> Pooled {
        Pooled {
            bytes: self.bytes + more.bytes,
            count: self.count + more.count,
            interned: self.interned + more.interned,
        }
    }

    fn without(self, less: Pooled) -> Pooled {
        Pooled {
            bytes: self.bytes - less.bytes,
            count: self.count - less.count,
            interned: self.interned - less.interned,
        }
    }

    /// As [`Strings::flash`](crate::objects::Strings::flash) counts it.
    fn flash(self) -> i64 {
        match self.count {
            0 => 0,
            _ => self.bytes + table_bytes(self.interned) as i64,
        }
    }
}

/// A string of the open chunks.
struct Shared {
    pooled: Pooled,
    /// The candidates that have it; none once it is in the pool.
    users: Vec<usize>,
}

/// The contents of flash for a variant.
struct Flash {
    /// Bytes of all chunks, without the strings of the frozen ones.
    chunks: i64,
    pool: Pooled,
    /// The strings that are not in the pool yet, and those that were.
    strings: Vec<Shared>,
}

/// The effect of freezing one more chunk for a variant.
struct Step {
    /// Bytes that the chunk itself takes more than as bytecode.
    more: i64,
    /// The strings that no frozen chunk has yet.
    new: Pooled,
    /// All its strings.
    strings: Vec<usize>,
}

/// A chunk that is open.
struct Candidate {
    gain: usize,
    /// For each variant.
    steps: Vec<Step>,
    is_frozen: bool,
    /// Counts its changes: what was rated before is out of date.
    version: u32,
}

/// A candidate in the queue: what it saves for a byte of flash at most, as the table of strings may have to grow.
struct Rated {
    rate: f64,
    candidate: usize,
    version: u32,
}

/// The greater rate is better, then the earlier chunk.
impl Ord for Rated {
    fn cmp(&self, other: &Rated) -> Ordering {
        let by_rate = self.rate.total_cmp(&other.rate);
        by_rate.then(other.candidate.cmp(&self.candidate))
    }
}

impl PartialOrd for Rated {
    fn partial_cmp(&self, other: &Rated) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Rated {
    fn eq(&self, other: &Rated) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Rated {}

/// The candidates one after the other, each the best next one.
///
/// A string counts where it comes first: once it is in the pool, the others that have it cost less. Each string enters
/// the pool once, so all this is done in about as many steps as the chunks have strings.
struct Choice {
    limit: i64,
    flash: Vec<Flash>,
    candidates: Vec<Candidate>,
    queue: BinaryHeap<Rated>,
    /// Those that do not fit.
    large: Vec<Rated>,
}

impl Choice {
    fn new(bundle: &Bundle, open: &[usize], frozen_form: Form, limit: i64) -> Choice {
        let candidate = |&i: &usize| Candidate {
            gain: gain(bundle, i),
            steps: Vec::with_capacity(bundle.variants.len()),
            is_frozen: false,
            version: 0,
        };
        let mut choice = Choice {
            limit,
            flash: Vec::with_capacity(bundle.variants.len()),
            candidates: open.iter().map(candidate).collect(),
            queue: BinaryHeap::with_capacity(open.len()),
            large: Vec::new(),
        };
        for v in 0..bundle.variants.len() {
            choice.add_variant(bundle, v, open, frozen_form);
        }
        choice.queue = (0..open.len())
            .map(|candidate| choice.rated(candidate))
            .collect();
        choice
    }

    fn add_variant(&mut self, bundle: &Bundle, v: usize, open: &[usize], frozen_form: Form) {
        let numbers = bundle.variants[v].layout.numbers();
        let core = CoreLayout::of(numbers);
        let objects = |i: usize| {
            let dump = bundle.chunks[i].dumps[v].as_ref()?;
            dump.compiled.as_ref()?.chunk.as_ref()
        };
        let as_bytecode = |form: Form| match form {
            Form::Auto => Form::Bytecode,
            form => form,
        };
        let chunks = bundle.chunks.iter().enumerate();
        let chunks = chunks.map(|(i, chunk)| bundle.chunk_flash(v, i, as_bytecode(chunk.form)));
        let chunks = chunks.sum::<usize>() + bundle.shared_flash(v);
        let frozen = bundle.chunks.iter().enumerate();
        let frozen = frozen.filter(|(_, chunk)| chunk.form.is_frozen());
        let data = bundle.frozen_data(v).map(|(_, bytes)| bytes);
        let frozen = frozen.filter_map(|(i, _)| objects(i));
        let there = distinct(numbers.dialect, frozen, data);
        let pooled = |bytes: &[u8]| Pooled::of(&core, numbers.dialect, bytes);
        let pool = there.iter().copied().map(pooled);
        let pool = pool.fold(Pooled::default(), Pooled::with);

        let mut numbered: HashMap<&[u8], usize> = HashMap::new();
        let mut strings: Vec<Shared> = Vec::new();
        for (candidate, &i) in open.iter().enumerate() {
            let own = distinct(numbers.dialect, objects(i), []);
            let mut step = Step {
                more: bundle.chunk_flash(v, i, frozen_form) as i64
                    - bundle.chunk_flash(v, i, Form::Bytecode) as i64,
                new: Pooled::default(),
                strings: Vec::with_capacity(own.len()),
            };
            for bytes in own.into_iter().filter(|bytes| !there.contains(bytes)) {
                let number = *numbered.entry(bytes).or_insert_with(|| {
                    strings.push(Shared {
                        pooled: pooled(bytes),
                        users: Vec::new(),
                    });
                    strings.len() - 1
                });
                strings[number].users.push(candidate);
                step.new = step.new.with(strings[number].pooled);
                step.strings.push(number);
            }
            self.candidates[candidate].steps.push(step);
        }
        self.flash.push(Flash {
            chunks: chunks as i64,
            pool,
            strings,
        });
    }

    /// Bytes of flash of a variant with one more candidate frozen.
    fn after(&self, v: usize, step: &Step) -> i64 {
        let flash = &self.flash[v];
        flash.chunks + step.more + flash.pool.with(step.new).flash()
    }

    /// Whether there is room for all candidates.
    fn all_fit(&self) -> bool {
        let fits = |(v, flash): (usize, &Flash)| {
            let more = self.candidates.iter().map(|c| c.steps[v].more).sum::<i64>();
            let strings = flash.strings.iter().map(|string| string.pooled);
            let pool = strings.fold(flash.pool, Pooled::with);
            flash.chunks + more + pool.flash() <= self.limit
        };
        self.flash.iter().enumerate().all(fits)
    }

    /// The saving of a candidate per byte of flash, if freezing it takes this many bytes in all variants.
    fn rate(&self, candidate: usize, taken: i64) -> f64 {
        self.candidates[candidate].gain as f64 / taken.max(1) as f64
    }

    fn rated(&self, candidate: usize) -> Rated {
        let steps = self.candidates[candidate].steps.iter();
        Rated {
            rate: self.rate(
                candidate,
                steps.map(|step| step.more + step.new.bytes).sum(),
            ),
            candidate,
            version: self.candidates[candidate].version,
        }
    }

    /// The rate with the table as it would be; None where the candidate does not fit.
    fn exact_rate(&self, candidate: usize) -> Option<f64> {
        let mut taken = 0;
        for (v, step) in self.candidates[candidate].steps.iter().enumerate() {
            let after = self.after(v, step);
            if after > self.limit {
                return None;
            }
            taken += after - self.flash[v].chunks - self.flash[v].pool.flash();
        }
        Some(self.rate(candidate, taken))
    }

    /// Freezes the best candidate that still fits.
    fn next(&mut self) -> Option<usize> {
        let mut best: Option<Rated> = None;
        let mut others = Vec::new();
        while let Some(next) = self.queue.pop() {
            let candidate = &self.candidates[next.candidate];
            if candidate.is_frozen || candidate.version != next.version {
                continue;
            }
            if best.as_ref().is_some_and(|best| next < *best) {
                self.queue.push(next);
                break;
            }
            let Some(rate) = self.exact_rate(next.candidate) else {
                self.large.push(next);
                continue;
            };
            let exact = Rated { rate, ..next };
            let worse = match &best {
                Some(best) if exact < *best => Some(exact.candidate),
                _ => best.replace(exact).map(|before| before.candidate),
            };
            others.extend(worse);
        }
        for candidate in others {
            self.queue.push(self.rated(candidate));
        }
        let best = best?.candidate;
        self.freeze(best);
        Some(best)
    }

    fn freeze(&mut self, chosen: usize) {
        self.candidates[chosen].is_frozen = true;
        let steps = std::mem::take(&mut self.candidates[chosen].steps);
        let mut changed = Vec::new();
        for (v, step) in steps.into_iter().enumerate() {
            let flash = &mut self.flash[v];
            flash.chunks += step.more;
            flash.pool = flash.pool.with(step.new);
            for number in step.strings {
                let string = &mut flash.strings[number];
                for user in std::mem::take(&mut string.users) {
                    if let Some(step) = self.candidates[user].steps.get_mut(v) {
                        step.new = step.new.without(string.pooled);
                        changed.push(user);
                    }
                }
            }
            // what did not fit may fit now
            if step.more < 0 {
                self.queue.extend(self.large.drain(..));
            }
        }
        changed.sort_unstable();
        changed.dedup();
        for candidate in changed {
            self.candidates[candidate].version += 1;
            self.queue.push(self.rated(candidate));
        }
    }
}
