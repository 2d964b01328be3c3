//! The figures as one page without anything from elsewhere.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use minijinja::{Environment, Value, context};
use serde::Serialize;

use fastlua_emulator::Chip;

use crate::limits::{self, Limit};
use crate::table::{best, shown};
use crate::{ChunkFigures, Column, Cost, Figures, Metric, On, Totals, VariantFigures};

/// What the charts show, and whether on a logarithmic scale.
const CHARTS: [(Metric, &str, bool); 4] = [
    (Metric::HeapPeak, "Heap peak while loading, bytes", false),
    (Metric::HeapKept, "Heap kept, bytes", false),
    (Metric::Load, "Instructions to load, logarithmic", true),
    (Metric::Flash, "Flash, bytes", false),
];

/// Chunks in a chart before the rest is folded away.
const SHOWN: usize = 12;

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    templates
        .add_template("page.html", include_str!("page.html"))
        .expect("the template is right (a test renders it)");
    templates.set_trim_blocks(true);
    templates.set_lstrip_blocks(true);
    templates
});

/// A page with charts and a table of figures of the emulated chip. `title` says what was measured.
///
/// # Errors
/// A fault of the template, which would be ours.
pub fn page(figures: &Figures, title: &str) -> Result<String, minijinja::Error> {
    let on = figures.on;
    let variants = figures.variants.iter();
    let variants: Vec<Value> = variants.map(|v| variant(on, v)).collect();
    let heap = limits::heap(on).map(|limit| grouped(limit.bytes as i64));
    let flash = limits::flash(on);
    let template = TEMPLATES.get_template("page.html")?;
    template.render(context! {
        title,
        variants,
        chip => on.chip().map(Chip::title),
        all_forms => Column::all().map(Column::name).collect::<Vec<_>>(),
        flash_title => flash.title,
        flash => grouped(flash.bytes as i64),
        allocator => limits::allocator(on),
        heap,
        narrow_reads => on.has(Metric::NarrowReads),
    })
}

fn variant(on: On, v: &VariantFigures) -> Value {
    let metrics = shown(on, v);
    let rows: Vec<Row> = v.chunks.iter().flat_map(|c| rows(c, &metrics)).collect();
    let charts: Vec<Chart> = CHARTS
        .iter()
        .map(|(metric, title, log)| chart(v, *metric, title, *log))
        .collect();
    let forms: BTreeSet<Column> = v
        .chunks
        .iter()
        .flat_map(|c| c.forms.keys().copied())
        .collect();
    context! {
        name => v.variant,
        core => v.core,
        egc => v.egc,
        table => v.table.map(grouped),
        count => v.chunks.len(),
        heads => metrics.iter().map(|m| m.title()).collect::<Vec<_>>(),
        rows,
        charts,
        forms => forms.iter().map(|f| f.name()).collect::<Vec<_>>(),
        shown => SHOWN,
        totals => totals(on, v),
    }
}

/// A figure of a whole bundle against what the chip has.
#[derive(Serialize)]
struct Total {
    title: &'static str,
    limit: Option<Line>,
    bars: Vec<Bar>,
}

/// The line of a limit.
#[derive(Serialize)]
struct Line {
    title: &'static str,
    bytes: String,
    /// Where it is, in percent of the width.
    place: String,
}

#[derive(Serialize)]
struct Bar {
    form: &'static str,
    built: bool,
    value: String,
    /// Percent of the width.
    width: String,
    over: bool,
    note: String,
}

fn totals(on: On, v: &VariantFigures) -> Vec<Total> {
    let total = |title, limit: Option<Limit>, metric: Metric| {
        let most = limit.as_ref().map(|limit| limit.bytes as i64);
        let value = |totals: &Totals| totals.get(metric).unwrap_or(0);
        let sums = v.totals.iter().map(|(form, totals)| (form.name(), totals));
        let sums: Vec<(&str, &Totals)> = sums.chain([("as built", &v.built)]).collect();
        let largest = sums.iter().map(|(_, t)| value(t)).max().unwrap_or(0);
        // the line stays visible where nothing reaches it
        let whole = largest.max(most.unwrap_or(1)) as f64 * 1.04;
        let bars = sums.iter().map(|(form, totals)| {
            let n = value(totals);
            Bar {
                form,
                built: *form == "as built",
                value: grouped(n),
                width: percent(n as f64 / whole),
                over: most.is_some_and(|most| n > most),
                note: most.map_or_else(String::new, |most| {
                    format!(" ({:.1} %)", n as f64 * 100.0 / most as f64)
                }),
            }
        });
        Total {
            title,
            limit: limit.map(|limit| Line {
                title: limit.title,
                bytes: grouped(limit.bytes as i64),
                place: percent(limit.bytes as f64 / whole),
            }),
            bars: bars.collect(),
        }
    };
    vec![
        total(
            "Flash of all chunks",
            Some(limits::flash(on)),
            Metric::Flash,
        ),
        total(
            "Largest heap peak of a load",
            limits::heap(on),
            Metric::HeapPeak,
        ),
        total(
            "Heap kept if all chunks are loaded at once",
            limits::heap(on),
            Metric::HeapKept,
        ),
    ]
}

#[derive(Serialize)]
struct Chart {
    title: &'static str,
    /// Place in percent and text.
    ticks: Vec<(String, String)>,
    groups: Vec<Group>,
}

#[derive(Serialize)]
struct Group {
    name: String,
    bars: Vec<Bar>,
}

/// Bars of every chunk, those with the largest figures first.
fn chart(v: &VariantFigures, metric: Metric, title: &'static str, log: bool) -> Chart {
    let largest = |chunk: &ChunkFigures| chunk.forms.values().filter_map(|c| metric.of(c)).max();
    let mut chunks: Vec<&ChunkFigures> = v.chunks.iter().collect();
    chunks.sort_by_key(|chunk| std::cmp::Reverse(largest(chunk)));
    let most = chunks.iter().filter_map(|c| largest(c)).max().unwrap_or(1);
    let values = || chunks.iter().flat_map(|c| c.forms.values());
    let least = values().filter_map(|c| metric.of(c)).min().unwrap_or(1);
    let scale = Scale::new(least, most, log);
    let bar = |chunk: &ChunkFigures, form: Column, cost: &Cost| {
        let value = metric.of(cost);
        Bar {
            form: form.name(),
            built: form == chunk.built,
            value: value.map_or("does not load".into(), grouped),
            width: percent(value.map_or(0.0, |n| scale.place(n))),
            over: false,
            note: String::new(),
        }
    };
    let groups = chunks.iter().map(|chunk| Group {
        name: chunk.name.clone(),
        bars: chunk
            .forms
            .iter()
            .map(|(form, cost)| bar(chunk, *form, cost))
            .collect(),
    });
    Chart {
        title,
        ticks: scale.ticks(),
        groups: groups.collect(),
    }
}

/// From 0, or from a power of ten, to a round number.
struct Scale {
    from: i64,
    to: i64,
    step: i64,
    log: bool,
}

impl Scale {
    fn new(least: i64, most: i64, log: bool) -> Scale {
        if log {
            let power = |n: i64| 10_i64.pow(n.max(1).ilog10());
            let from = power(least);
            let to = if power(most) == most {
                most
            } else {
                power(most) * 10
            };
            return Scale {
                from,
                to: to.max(from * 10),
                step: 10,
                log,
            };
        }
        let tenth = 10_i64.pow((most.max(10)).ilog10());
        let steps = [tenth / 5, tenth / 2, tenth, tenth * 2];
        let step = steps.into_iter().find(|s| *s > 0 && most <= s * 5);
        let step = step.unwrap_or(tenth * 2);
        Scale {
            from: 0,
            to: step * (most + step - 1).div_euclid(step).max(1),
            step,
            log,
        }
    }

    /// 0 to 1.
    fn place(&self, n: i64) -> f64 {
        match self.log {
            true => {
                let log = |n: i64| (n.max(self.from) as f64).log10();
                (log(n) - log(self.from)) / (log(self.to) - log(self.from))
            }
            false => n.max(0) as f64 / self.to as f64,
        }
    }

    fn ticks(&self) -> Vec<(String, String)> {
        let next = |n: &i64| Some(if self.log { n * 10 } else { n + self.step });
        std::iter::successors(Some(self.from), next)
            .take_while(|n| *n <= self.to)
            .map(|n| (percent(self.place(n)), short(n)))
            .collect()
    }
}

#[derive(Serialize)]
struct Row {
    chunk: String,
    form: &'static str,
    built: bool,
    cells: Vec<Cell>,
}

#[derive(Serialize)]
struct Cell {
    /// To sort by.
    value: i64,
    text: String,
    best: bool,
}

fn rows<'a>(chunk: &'a ChunkFigures, metrics: &'a [Metric]) -> impl Iterator<Item = Row> + 'a {
    let best: Vec<Option<i64>> = metrics.iter().map(|m| best(chunk, *m)).collect();
    chunk.forms.iter().map(move |(form, cost)| {
        let cells = metrics.iter().zip(&best).map(|(metric, best)| {
            let value = metric.of(cost);
            Cell {
                value: value.unwrap_or(i64::from(i32::MAX)),
                text: value.map_or("–".into(), grouped),
                best: value.is_some() && value == *best,
            }
        });
        Row {
            chunk: chunk.name.clone(),
            form: form.name(),
            built: *form == chunk.built,
            cells: cells.collect(),
        }
    })
}

fn percent(part: f64) -> String {
    format!("{:.2}", (part * 100.0).clamp(0.0, 100.0))
}

/// `1234567` as `1,234,567`.
fn grouped(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut text = String::from(if n < 0 { "-" } else { "" });
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `10000` as `10 k`, of a round number.
fn short(n: i64) -> String {
    match n {
        1_000_000.. if n % 100_000 == 0 => format!("{} M", n as f64 / 1e6),
        1_000.. if n % 100 == 0 => format!("{} k", n as f64 / 1e3),
        _ => n.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_has_a_colour_by_day_and_by_night() {
        let css = include_str!("page.html");
        for form in Column::all() {
            let count = css.matches(&format!(" --{form}: #")).count();
            assert_eq!(count, 2, "{form}");
        }
    }

    #[test]
    fn numbers_are_grouped() {
        for (n, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (-1234567, "-1,234,567"),
        ] {
            assert_eq!(grouped(n), text);
        }
    }

    #[test]
    fn scales_hold_what_they_show() {
        for (least, most) in [(0, 0), (1, 1), (3, 9), (7, 10), (12, 49_704), (100, 1_000)] {
            for log in [false, true] {
                let scale = Scale::new(least, most, log);
                assert!(
                    scale.to >= most && scale.from <= least.max(1),
                    "{least} {most}"
                );
                assert!((0.0..=1.0).contains(&scale.place(most)));
                assert!(
                    (2..=8).contains(&scale.ticks().len()),
                    "{least} {most} {log}"
                );
            }
        }
    }
}
