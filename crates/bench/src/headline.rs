//! The totals as a table for a README.

use crate::{Figures, Totals};

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
        let each = |show: fn(&Totals) -> String| {
            let shown = variants.iter().map(|v| v.totals.get(form));
            let shown: Vec<String> = shown.map(|t| t.map_or("-".into(), show)).collect();
            shown.join(" / ")
        };
        text += &format!(
            "| {form} | {} | {} | {} | {} |\n",
            each(|t| format!("{:.0}", t.load as f64 / 1e3)),
            each(|t| t.heap_peak.to_string()),
            each(|t| t.heap_kept.to_string()),
            each(|t| t.flash.to_string()),
        );
    }
    text
}
