//! `-M`: what was read, as a Make rule.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The targets depend on the sources; a source that is gone is no error to Make.
pub fn rule(targets: &[&Path], sources: &[PathBuf]) -> String {
    let escaped = |path: &Path| {
        let path = path.to_string_lossy().replace('$', "$$");
        path.replace('#', "\\#").replace(' ', "\\ ")
    };
    let targets: Vec<String> = targets.iter().map(|t| escaped(t)).collect();
    let sources: BTreeSet<String> = sources.iter().map(|s| escaped(s)).collect();
    let mut text = format!("{}:", targets.join(" "));
    for source in &sources {
        text += &format!(" \\\n  {source}");
    }
    text.push('\n');
    for source in &sources {
        text += &format!("\n{source}:\n");
    }
    text
}
