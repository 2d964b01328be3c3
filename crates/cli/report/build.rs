//! The output of `fastlua build`.

use fastlua::{BuildReport, ChunkReport, Costs, DumpReport, Form};

use crate::report::table::{Columns, letters, listed};

/// The columns before those of the variants.
const FIXED: usize = 3;

/// The form of each chunk, and its bytes for each variant; then what was proved. The variants have letters for names
/// where their names would be too wide.
pub fn table(report: &BuildReport, width: usize) -> String {
    let variants = &report.variants;
    let mut totals = vec![0; variants.len() + 1];
    let mut rows = Vec::new();
    for chunk in &report.chunks {
        let mut sizes = vec![Some(chunk.source_bytes)];
        let dumps = variants.iter().map(|v| chunk.dumps.get(v));
        sizes.extend(dumps.map(|dump| Some(dump?.bytes)));
        for (total, size) in totals.iter_mut().zip(&sizes) {
            *total += size.unwrap_or(0);
        }
        let cells = sizes.iter();
        let cells = cells.map(|s| s.map_or("-".into(), |n| n.to_string()));
        let names = [chunk.name.clone(), chunk.form.clone().into_owned()];
        rows.push(names.into_iter().chain(cells).collect());
    }
    let cells = totals.iter().map(|n| n.to_string());
    let names = ["total bytes".to_owned(), String::new()];
    rows.push(names.into_iter().chain(cells).collect());
    let with = |names: Vec<String>| Columns {
        heads: ["chunk", "form", "source"]
            .map(str::to_owned)
            .into_iter()
            .chain(names)
            .collect(),
        numbers: 2,
        rows: rows.clone(),
    };
    let named = with(variants.clone());
    let mut text = match named.fits(width) {
        true => named.shown(FIXED, width),
        false => {
            let letters = letters(variants.len());
            let legend = letters.iter().zip(variants);
            let legend = listed(legend.map(|(l, v)| format!("{l} {v}")), width);
            with(letters).shown(FIXED, width) + &legend
        }
    };
    let of = |is: fn(Form) -> bool| report.chunks.iter().filter(move |c| is(c.is_as()));
    let bytecode = of(|form| !form.is_source() && !form.is_data()).map(|c| c.dumps.len());
    let dumps: usize = bytecode.sum();
    let texts = of(|form| form.is_squashed()).count();
    let frozen = of(|form| form.is_frozen() && !form.is_data()).count();
    text.push('\n');
    if dumps > 0 {
        text += &format!(
            "Dumps: {dumps}, each loaded back by the Lua core of its number model and compared.\n\
             Source names: none at strip 2, else the file's name.\n"
        );
    }
    if frozen > 0 {
        text += &format!(
            "Frozen: {frozen} of {}; the bytes above are those of their bytecode. The firmware's\n\
             compiler determines their size: fast.list and fast.info show it.\n",
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
            "Packed: {packed} of {}, each unpacked and compared. Their shared data takes\n\
             {shared} bytes more.\n",
            report.chunks.len()
        );
    }
    if texts > 0 {
        text += &format!(
            "Squashed sources: {texts}, each compiled to the same chunk as its original.\n"
        );
    }
    text
}

/// Whether any chunk is frozen.
pub fn has_frozen(report: &BuildReport) -> bool {
    report.chunks.iter().any(|c| c.is_as().is_frozen())
}

/// The chunks that the first of the variants carries.
fn of_first(report: &BuildReport) -> impl Iterator<Item = (&ChunkReport, &DumpReport)> {
    let chunks = report.chunks.iter();
    chunks.filter_map(|chunk| Some((chunk, chunk.dumps.get(&report.variants[0])?)))
}

/// What each chunk takes in the first of the variants.
pub fn costs(report: &BuildReport, width: usize) -> String {
    let mut rows = Vec::new();
    for (chunk, dump) in of_first(report) {
        let mut add = |form: &str, flash: usize, heap: Option<usize>, load: &str| {
            let heap = heap.map_or("-".into(), |heap| heap.to_string());
            rows.push(vec![
                chunk.name.clone(),
                form.to_owned(),
                load.to_owned(),
                flash.to_string(),
                heap,
            ]);
        };
        let Some(c) = dump.costs else {
            let load = match chunk.is_as().is_data() {
                true => "is read",
                false => "is compiled",
            };
            add(&chunk.form, dump.bytes, None, load);
            continue;
        };
        if chunk.is_as() == Form::Packed {
            add("packed", dump.bytes, Some(c.bytecode_heap), "is decoded");
        }
        add(
            "bytecode",
            c.bytecode_flash,
            Some(c.bytecode_heap),
            "is copied",
        );
        let flash = c.frozen_flash + c.frozen_strings;
        add("frozen", flash, Some(c.frozen_heap), "one closure");
        add(
            "frozen, no hook",
            flash,
            Some(c.shadow_heap),
            "closure, shadows",
        );
    }
    let heads = ["bytes in", "as", "load", "flash", "heap kept"].map(str::to_owned);
    let numbers = 3;
    let heads = heads.into();
    let rows = Columns {
        heads,
        numbers,
        rows,
    }
    .shown(5, width);
    let mut text = format!(
        "\nOn the chip, {}, without the heap's overhead for each block:\n{rows}",
        report.variants[0]
    );
    if let Some(shared) = report.packed.get(&report.variants[0]) {
        text += &format!(
            "Shared data of the packed chunks: {} bytes of flash, with {} strings.\n",
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
            "Functions of the frozen chunks: {functions}, {flash} bytes of flash, {} each.\n\
             Their strings: {strings}, {bytes} bytes, {} each, as one pool;\n\
             {} if each chunk had its own.\n",
            flash / functions.max(1),
            bytes / strings.max(1),
            sum(|c| c.frozen_strings)
        );
    }
    text
}
