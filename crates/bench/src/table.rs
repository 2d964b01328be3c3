//! The figures for a terminal.

use comfy_table::{CellAlignment, Table, presets};

use crate::{ChunkFigures, Column, Cost, Figures, Metric, On, VariantFigures};

/// The table of a variant's chunks, each form in a line below the chunk's name. The best of a chunk's forms bears a `*`
/// in each column, unless all are the same; the form that is built bears a `>`. Lines of figures that are not the
/// chip's say so.
pub fn table(on: On, variant: &VariantFigures) -> String {
    let metrics = shown(on, variant);
    let (head, last) = match on.chip() {
        Some(_) => (None, None),
        None => (Some("\nsizes".to_owned()), Some(NOT_THE_CHIPS.to_owned())),
    };
    let heads = metrics.iter().map(|m| head_of(m.title())).chain(head);
    let mut table = new_table(heads);
    let mut names = Vec::new();
    for chunk in &variant.chunks {
        let best: Vec<Option<i64>> = metrics.iter().map(|m| best(chunk, *m)).collect();
        for (i, (form, cost)) in chunk.forms.iter().enumerate() {
            names.push((i == 0).then_some(&*chunk.name));
            let cells = metrics.iter().zip(&best);
            let cells = cells.map(|(m, b)| cell(on, *m, cost, *b));
            let form = std::iter::once(form_cell(chunk, *form));
            table.add_row(form.chain(cells).chain(last.clone()));
        }
    }
    let name = &variant.variant;
    let core = &variant.core;
    let mut text = match on.chip() {
        Some(chip) => format!(
            "{name} on an emulated {}: flash is that of the variant,\n\
             instructions and heap are those of stock Lua, {core}, with\n\
             read-only objects where frozen or lfs.\n",
            chip.title()
        ),
        None => format!(
            "{name} on this machine: flash is that of the variant,\n\
             heap and blocks are in percent of plain source's, of stock Lua,\n\
             {core}.\n"
        ),
    };
    if let Some(table) = variant.table {
        text += &collector(variant);
        text += &format!("With nothing loaded, a new table takes {table} instructions.\n");
    }
    text += &plain(table, &names);
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
fn collector(variant: &VariantFigures) -> String {
    match variant.egc.as_deref() {
        Some("always") => "The collector is in the mode always, as a chip boots.\n".into(),
        Some(mode) => format!("The collector is in the mode {mode}.\n"),
        None => String::new(),
    }
}

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
    let title = |m: &Metric| match m {
        Metric::HeapPeak => "largest peak",
        _ => m.title(),
    };
    let mut table = new_table(metrics.iter().map(|m| head_of(title(m))));
    let mut names = Vec::new();
    for variant in &figures.variants {
        let forms = variant.totals.iter().map(|(form, t)| (form.name(), t));
        for (i, (form, totals)) in forms.chain([("as built", &variant.built)]).enumerate() {
            names.push((i == 0).then_some(&*variant.variant));
            let cells = metrics
                .iter()
                .map(|m| totals.get(*m).map_or("-".into(), |n| n.to_string()));
            table.add_row([format!("  {form}")].into_iter().chain(cells));
        }
    }
    format!("all chunks\n{}", plain(table, &names))
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

/// A head in two lines.
fn head_of(title: &str) -> String {
    match title.contains(' ') {
        true => title.replace(' ', "\n"),
        false => format!("\n{title}"),
    }
}

/// A table whose first column is forms.
fn new_table(heads: impl Iterator<Item = String>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(std::iter::once("\n  form".to_owned()).chain(heads));
    table
}

/// Lines of a head.
const HEAD: usize = 2;

/// The lines without the space around them, each name above the row that is its first. Columns stand closer where
/// that makes them fit.
fn plain(mut table: Table, names: &[Option<&str>]) -> String {
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let lines = |table: &Table| -> Vec<String> {
        let lines = table.lines().map(|line| line.trim_end().to_owned());
        lines.collect()
    };
    let mut shown = lines(&table);
    if shown.iter().any(|line| line.chars().count() > WIDTH) {
        for column in table.column_iter_mut() {
            column.set_padding((0, 1));
        }
        shown = lines(&table);
    }
    let (head, rows) = shown.split_at(HEAD.min(shown.len()));
    let mut text: String = head.iter().map(|line| format!("{line}\n")).collect();
    for (row, name) in rows.iter().zip(names) {
        text.extend(name.map(|name| format!("{name}\n")));
        text += &format!("{row}\n");
    }
    text
}

/// Columns of the narrowest terminal.
const WIDTH: usize = 80;
