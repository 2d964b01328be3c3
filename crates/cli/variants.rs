//! `fastlua variants`

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::json;

use crate::variant_args::Known;
use crate::{print, table};

/// List the firmware variants and the preprocessor conditions that choose them
#[derive(clap::Args)]
#[command(after_help = "Example:
  fastlua variants --variants my-boards

lists the built-in variants and those of the TOML files in my-boards.")]
pub struct Args {
    /// Print them as JSON (see docs/machine-output.md)
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    known: Known,
}

pub fn run(args: &Args) -> Result<()> {
    let known = args.known.load()?;
    if args.json {
        let all: Vec<_> = known
            .iter()
            .map(|v| {
                let select: BTreeMap<_, _> = v
                    .select
                    .iter()
                    .map(|(target, c)| (target, c.to_string()))
                    .collect();
                json!({
                    "name": v.name,
                    "summary": v.summary,
                    "format": format!("{:?}", v.layout.format).to_lowercase(),
                    "integer": v.layout.integer,
                    "float": v.layout.float,
                    "size_t": v.layout.size_t,
                    "select": select,
                })
            })
            .collect();
        return print::json(&json!({"schema": "fastlua-variants/1", "variants": all}));
    }
    let width = table::width();
    let mut text = String::new();
    for v in known.iter() {
        text += &table::wrapped(&format!("{}:", v.name), v.summary.split(' '), width);
        for (target, condition) in &v.select {
            let condition = condition.to_string();
            let parts = condition.split_inclusive("&& ").map(str::trim_end);
            text += &table::wrapped(&format!("    {target:8}"), parts, width);
        }
    }
    print::out(text)
}
