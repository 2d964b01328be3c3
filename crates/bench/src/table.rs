//! The figures for a terminal.

use comfy_table::{CellAlignment, Table, presets};

use crate::{ChunkFigures, Column, Cost, Figures, Metric, On, VariantFigures};

/// The table of a variant's chunks, each form in a line. The best of a chunk's forms bears a `*` in
/// each column, unless all are the same; the form that is built bears a `>`. Lines of figures that
/// are not the chip's say so.
pub fn table(on: On, variant: &VariantFigures) -> String {
    let metrics = shown(on, variant);
    let (head, last) = match on.chip() {
        Some(_) => (None, None),
        None => (Some(SIZES), Some(NOT_THE_CHIPS)),
    };
    let heads = ["chunk", "  form"].into_iter();
    let heads = heads.chain(metrics.iter().map(|m| m.title())).chain(head);
    let mut table = new_table(heads);
    for chunk in &variant.chunks {
        let best: Vec<Option<i64>> = metrics.iter().map(|m| best(chunk, *m)).collect();
        for (i, (form, cost)) in chunk.forms.iter().enumerate() {
            let name = if i == 0 { chunk.name.as_str() } else { "" };
            let cells = metrics.iter().zip(&best);
            let cells = cells.map(|(m, b)| cell(on, *m, cost, *b));
            let last = last.map(str::to_owned);
            table.add_row(
                [name.to_owned(), form_cell(chunk, *form)]
                    .into_iter()
                    .chain(cells)
                    .chain(last),
            );
        }
    }
    align(&mut table, 2);
    let VariantFigures {
        variant: name,
        core,
        ..
    } = variant;
    let what = match on.chip() {
        Some(chip) => format!(
            "instructions and heap are those of stock Lua ({core}; with read-only objects where frozen or lfs) on an emulated {}",
            chip.title()
        ),
        None => format!(
            "heap and blocks are in percent of plain source's, of stock Lua ({core}) on this machine"
        ),
    };
    let mut text = format!("{name}: {what}, flash is {name}'s\n");
    if let Some(table) = variant.table {
        text += &collector(variant);
        text += &format!("a new table takes {table} instructions where nothing is loaded\n");
    }
    text += &plain(&table);
    for chunk in &variant.chunks {
        for (form, cost) in &chunk.forms {
            if let Some(reason) = &cost.refused {
                text += &format!("{}, {form}: does not load: {reason}\n", chunk.name);
            }
        }
        if chunk.as_built().is_none() {
            text += &format!("{}, {}: not measured\n", chunk.name, chunk.built);
        }
        text += &failed_run(chunk);
    }
    text
}

/// How 5.1's allocator collects; 5.3's has no modes.
pub(crate) fn collector(variant: &VariantFigures) -> String {
    match variant.egc.as_deref() {
        Some("always") => "its collector is in the mode always, as a chip boots; ".into(),
        Some(mode) => format!("its collector is in the mode {mode}; "),
        None => String::new(),
    }
}

const SIZES: &str = "sizes";

/// Of figures of this machine.
const NOT_THE_CHIPS: &str = match usize::BITS {
    64 => "64-bit, not the chip's",
    _ => "this machine's, not the chip's",
};

/// The line about a main function that ended with an error; the forms agree on it.
fn failed_run(chunk: &ChunkFigures) -> String {
    let runs = chunk.forms.values().filter_map(|cost| cost.run.as_ref());
    let message = runs.filter_map(|run| run.error.as_ref()).next_back();
    message.map_or_else(String::new, |message| {
        format!("{}: its run ended with an error: {message}\n", chunk.name)
    })
}

/// The table of totals, a line for each variant and form, and one for what is built.
pub fn summary(figures: &Figures) -> String {
    let built = || figures.variants.iter().map(|v| &v.built);
    let metrics: Vec<Metric> = Metric::ALL
        .into_iter()
        .filter(|m| built().any(|totals| totals.get(*m).is_some()))
        .collect();
    let heads = ["all chunks", "form"].into_iter();
    let title = |m: &Metric| match m {
        Metric::HeapPeak => "largest peak",
        _ => m.title(),
    };
    let mut table = new_table(heads.chain(metrics.iter().map(title)));
    for variant in &figures.variants {
        let forms = variant.totals.iter().map(|(form, t)| (form.name(), t));
        for (i, (form, totals)) in forms.chain([("as built", &variant.built)]).enumerate() {
            let name = if i == 0 { variant.variant.as_str() } else { "" };
            let cells = metrics
                .iter()
                .map(|m| totals.get(*m).map_or("-".into(), |n| n.to_string()));
            table.add_row([name.to_owned(), form.to_owned()].into_iter().chain(cells));
        }
    }
    align(&mut table, 2);
    plain(&table)
}

/// The columns: the run's only where something ran, and on this machine what it can tell.
pub(crate) fn shown(on: On, variant: &VariantFigures) -> Vec<Metric> {
    let costs = || variant.chunks.iter().flat_map(|c| c.forms.values());
    let is_shown = |metric: &Metric| {
        on.has(*metric) && (*metric != Metric::Run || costs().any(|c| c.run.is_some()))
    };
    Metric::ALL.into_iter().filter(is_shown).collect()
}

/// The smallest of a chunk's figures, unless all are the same.
pub(crate) fn best(chunk: &ChunkFigures, metric: Metric) -> Option<i64> {
    let values = || chunk.forms.values().filter_map(|cost| metric.of(cost));
    let least = values().min()?;
    values().any(|value| value != least).then_some(least)
}

fn form_cell(chunk: &ChunkFigures, form: Column) -> String {
    let mark = if chunk.built == form { '>' } else { ' ' };
    format!("{mark} {form}")
}

fn cell(on: On, metric: Metric, cost: &Cost, best: Option<i64>) -> String {
    let value = metric.of(cost);
    let mark = if value.is_some() && value == best {
        '*'
    } else {
        ' '
    };
    let shown = value.map_or("-".into(), |n| on.show(metric, n));
    format!("{shown}{mark}")
}

fn new_table<'a>(heads: impl Iterator<Item = &'a str>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(heads.collect::<Vec<_>>());
    table
}

/// The lines without the space around them.
fn plain(table: &Table) -> String {
    let line = |line: String| format!("{}\n", line.strip_prefix(' ').unwrap_or(&line).trim_end());
    table.lines().map(line).collect()
}

fn align(table: &mut Table, from: usize) {
    for column in table.column_iter_mut().skip(from) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}
