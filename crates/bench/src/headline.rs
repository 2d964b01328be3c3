//! The totals as a table for the docs.

use crate::{Figures, Metric};

/// A Markdown table with a line for each form: instructions, largest heap peak, heap kept and flash
/// over all chunks, each for all variants in their order.
pub fn headline(figures: &Figures) -> String {
    let variants = &figures.variants;
    let names: Vec<&str> = variants.iter().map(|v| v.variant.as_str()).collect();
    let count = variants.iter().map(|v| v.chunks.len()).max().unwrap_or(0);
    let mut text = format!(
        "| {count} chunks: {} | load, thousand instructions | largest heap peak | heap kept, all | flash |\n|---|---|---|---|---|\n",
        names.join(" / ")
    );
    let forms = variants.iter().flat_map(|v| v.totals.keys());
    let forms: std::collections::BTreeSet<_> = forms.collect();
    for form in forms {
        let each = |metric: Metric, unit: f64| {
            let totals = variants.iter().map(|v| v.totals.get(form));
            let values = totals.map(|t| t.and_then(|t| t.get(metric)));
            let show = |n: i64| format!("{:.0}", n as f64 / unit);
            let shown: Vec<String> = values.map(|n| n.map_or("-".into(), show)).collect();
            shown.join(" / ")
        };
        text += &format!(
            "| {form} | {} | {} | {} | {} |\n",
            each(Metric::Load, 1e3),
            each(Metric::HeapPeak, 1.0),
            each(Metric::HeapKept, 1.0),
            each(Metric::Flash, 1.0),
        );
    }
    text
}
