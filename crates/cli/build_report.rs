//! What `fastlua build` prints of a bundle.

use comfy_table::{CellAlignment, Table, presets};
use fastlua::{ChunkReport, Costs, DumpReport, Form, Report};

/// The bytes of each chunk for each variant, and what was proved.
pub fn table(report: &Report) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let names = report.variants.iter().cloned();
    let heads = ["chunk".into(), "source".into()].into_iter().chain(names);
    table.set_header(heads.collect::<Vec<String>>());
    let mut totals = vec![0; report.variants.len() + 1];
    for chunk in &report.chunks {
        let mut sizes = vec![Some(chunk.source_bytes)];
        let dumps = report.variants.iter().map(|v| chunk.dumps.get(v));
        sizes.extend(dumps.map(|dump| Some(dump?.bytes)));
        for (total, size) in totals.iter_mut().zip(&sizes) {
            *total += size.unwrap_or(0);
        }
        let cells = sizes
            .iter()
            .map(|s| s.map_or("-".into(), |n| n.to_string()));
        table.add_row(std::iter::once(chunk.name.clone()).chain(cells));
    }
    let cells = totals.iter().map(|n| n.to_string());
    table.add_row(std::iter::once("total bytes".into()).chain(cells));
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut text: String = table.lines().map(|l| format!("{}\n", l.trim())).collect();
    let of = |is: fn(Form) -> bool| report.chunks.iter().filter(move |c| is(c.is_as()));
    let bytecode = of(|form| !form.is_source() && !form.is_data()).map(|c| c.dumps.len());
    let dumps: usize = bytecode.sum();
    let texts = of(|form| form.is_squashed()).count();
    let frozen = of(|form| form.is_frozen() && !form.is_data()).count();
    text.push('\n');
    if dumps > 0 {
        text += &format!(
            "Dumps loaded back by the Lua core of their number model and found the same: {dumps} of {dumps}.\n\
             Source names: dropped at strip 2, shortened to the file's name at strip 0 and 1.\n"
        );
    }
    if frozen > 0 {
        text += &format!(
            "Frozen: {frozen} of {}; the bytes above are those of their bytecode. The firmware's compiler decides\n\
             what they take: fast.list and fast.info tell it.\n",
            report.chunks.len()
        );
    }
    let packed = of(|form| form == Form::Packed).count();
    if packed > 0 {
        let flash = |v: &String| report.packed.get(v).map_or(0, |shared| shared.flash);
        let shared = report.variants.iter().map(flash);
        let [least, most] = [shared.clone().min(), shared.max()].map(Option::unwrap_or_default);
        let shared = match least == most {
            true => most.to_string(),
            false => format!("{least} to {most}"),
        };
        text += &format!(
            "Packed: {packed} of {}; read back and found the same. With them goes what they have in common: {shared} bytes.\n",
            report.chunks.len()
        );
    }
    if texts > 0 {
        text += &format!(
            "Squashed sources compiled and found to be the same chunks as their originals: {texts} of {texts}.\n"
        );
    }
    text
}

/// Whether any chunk is frozen.
pub fn has_frozen(report: &Report) -> bool {
    report.chunks.iter().any(|c| c.is_as().is_frozen())
}

/// The chunks that the first of the variants carries.
fn of_first(report: &Report) -> impl Iterator<Item = (&ChunkReport, &DumpReport)> {
    let chunks = report.chunks.iter();
    chunks.filter_map(|chunk| Some((chunk, chunk.dumps.get(&report.variants[0])?)))
}

/// What each chunk takes in the first of the variants.
pub fn costs(report: &Report) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let heads = "bytes in|as|flash|heap kept|load";
    table.set_header(heads.split('|'));
    for (chunk, dump) in of_first(report) {
        let Some(c) = dump.costs else {
            let flash = dump.bytes.to_string();
            let form = &*chunk.form;
            let load = if chunk.is_as().is_data() {
                "is read"
            } else {
                "is compiled"
            };
            table.add_row([&chunk.name, form, &flash, "-", load]);
            continue;
        };
        let row = |form: &str, flash: usize, heap: usize, load: &str| {
            let cells = [
                &chunk.name,
                form,
                &flash.to_string(),
                &heap.to_string(),
                load,
            ];
            cells.map(str::to_owned)
        };
        if chunk.is_as() == Form::Packed {
            let flash = dump.bytes;
            table.add_row(row("packed", flash, c.bytecode_heap, "is decoded"));
        }
        table.add_row(row(
            "bytecode",
            c.bytecode_flash,
            c.bytecode_heap,
            "is copied",
        ));
        let flash = c.frozen_flash + c.frozen_strings;
        table.add_row(row("frozen", flash, c.frozen_heap, "one closure"));
        let load = "one closure; shadows once, at the most";
        table.add_row(row("frozen, no hook", flash, c.shadow_heap, load));
    }
    let rows: String = table.lines().map(|l| format!("{}\n", l.trim())).collect();
    let mut text = format!(
        "\nOn the chip, {}, without what the heap adds to each block:\n{rows}",
        report.variants[0]
    );
    if let Some(shared) = report.packed.get(&report.variants[0]) {
        text += &format!(
            "What the packed chunks have in common: {} bytes of flash, {} strings among them.\n",
            shared.flash, shared.strings
        );
    }
    let frozen: Vec<Costs> = of_first(report)
        .filter_map(|(chunk, dump)| dump.costs.filter(|_| chunk.is_as().is_frozen()))
        .collect();
    if let Some(pool) = report.pools.get(&report.variants[0])
        && !frozen.is_empty()
    {
        let sum = |of: fn(&Costs) -> usize| frozen.iter().map(of).sum::<usize>();
        let (functions, flash) = (sum(|c| c.functions), sum(|c| c.frozen_flash));
        let (strings, bytes) = (pool.strings, pool.flash);
        text += &format!(
            "Functions of the frozen chunks: {functions}, {flash} bytes of flash, {} each. Their strings: {strings},\n\
             {bytes} bytes, {} each, as one pool; {} if each chunk had its own.\n",
            flash / functions,
            bytes / strings,
            sum(|c| c.frozen_strings)
        );
    }
    text
}
