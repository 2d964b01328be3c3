//! Advice for sources that some variants refuse and others accept.

use anyhow::anyhow;
use fastlua::{Because, CompileError, Faults, Source, Variants, listed, takers};

/// The origin of the variants.
#[derive(Debug, Clone, Copy)]
pub enum Chosen {
    /// From nothing: all of NodeMCU's, or the usual ones.
    Nothing {
        /// Whether the command takes --firmware.
        firmware: bool,
    },
    /// From --variant.
    Option,
    /// From `variants` in fast.toml.
    Manifest,
    /// From the firmware tree of --firmware.
    Tree,
    /// From the slot of an image.
    Slot,
    /// From the Lua of this machine.
    Run,
}

/// Advice about the errors, if another choice of variants helps.
pub fn help(faults: &Faults, chosen: Chosen) -> Option<String> {
    let takers: Vec<&str> = faults.takers.iter().map(String::as_str).collect();
    let (first, _) = takers.split_first()?;
    let refusing = faults.refusing();
    let all = of_all(&takers);
    Some(match chosen {
        Chosen::Run => return other_lua(faults),
        Chosen::Nothing { firmware: true } => format!(
            "build only for your firmware: --variant {first}, or --firmware DIR with its source tree ({all})"
        ),
        Chosen::Nothing { firmware: false } => {
            format!("name the variant of your firmware: --variant {first} ({all})")
        }
        Chosen::Option if faults.some_take() => {
            format!("leave out --variant {}", refusing.join(" and --variant "))
        }
        Chosen::Option => another(first, &all),
        Chosen::Manifest => format!(
            "remove {} from `variants` in fast.toml, or build only for your firmware: --variant {first} ({all})",
            listed(&refusing)
        ),
        Chosen::Tree => format!(
            "the firmware tree is configured for {}; {all}",
            listed(&refusing)
        ),
        Chosen::Slot => format!("the slot is for {}; {all}", listed(&refusing)),
    })
}

/// The other Lua, if it accepts the text.
fn other_lua(faults: &Faults) -> Option<String> {
    let other = faults.all.iter().find_map(|fault| match fault.because {
        Some(Because::Other(dialect)) => Some(dialect),
        _ => None,
    });
    other.map(|lua| format!("run it with --lua {}", lua.version()))
}

/// Advice if the variant was given, and others accept the text.
fn another(first: &str, all: &str) -> String {
    format!("if your firmware has another variant: --variant {first} ({all})")
}

/// The variants that accept it.
fn of_all(takers: &[&str]) -> String {
    match takers.len() {
        1 => format!("{} accepts it", takers[0]),
        _ => format!("{} accept it", listed(takers)),
    }
}

/// An error of a file, with the reasons of these variants, and NodeMCU's variants that accept it.
pub fn explained(
    source: &Source,
    error: CompileError,
    refusing: &[&str],
    known: &Variants,
    heap_limit: usize,
) -> anyhow::Error {
    let mut lines = vec![error.to_string()];
    let Some(because) = error.because() else {
        return error.into();
    };
    lines.push(because.said(refusing, &[source.file]));
    let all = takers(source, known, heap_limit);
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    lines.extend(all.first().map(|first| another(first, &of_all(&all))));
    anyhow!(lines.join("\n"))
}
