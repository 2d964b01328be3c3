//! `fastlua variants`

use anyhow::Result;
use fastlua::VariantsReport;

use crate::args::variants::Known;
use crate::args::{Json, with_details};
use crate::report::print;
use crate::report::table;

const EXAMPLE: &str = "Example:
  fastlua variants --variants my-boards";

/// List the firmware variants and the preprocessor conditions that choose them
#[derive(clap::Args)]
#[command(after_help = EXAMPLE, after_long_help = with_details(EXAMPLE, "lists the built-in variants and those of the TOML files in my-boards."))]
pub struct Args {
    #[command(flatten)]
    pub json: Json,
    #[command(flatten)]
    known: Known,
}

pub fn run(args: &Args) -> Result<()> {
    let known = args.known.load()?;
    if args.json.json {
        return print::json(&VariantsReport::of(&known));
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
