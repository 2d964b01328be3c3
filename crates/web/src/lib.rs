//! The library in a page: one function, [`call`], takes a request and gives an answer, both as [`message`]s.
//!
//! It is built as WebAssembly by `scripts/page`, where `exports.rs` hands the bytes over; on a PC it is an ordinary crate, so that
//! tests can call it. It reads no file, and keeps nothing from one request to the next.

mod costs;
#[cfg(target_family = "wasm")]
mod exports;
mod firmware;
pub mod message;
mod outputs;
mod project;
mod request;
mod said;

use std::collections::BTreeMap;

use fastlua::{Form, VERSION, Variant, Variants, packed_tables_flash, provisioning_names};
use serde_json::{Value, json};

use crate::message::Files;
use crate::request::{Request, Task};
use crate::said::Said;

/// What a request is answered with: JSON, and files.
type Answer = (Value, Files);

/// Answers a request. Whatever is wrong with it, the answer is a message whose `messages` say so.
pub fn call(request: &[u8]) -> Vec<u8> {
    let answer = message::read(request).and_then(|(json, files)| {
        let request: Request = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        Ok(answer(&request, files.into_iter().collect()))
    });
    let (json, files) = answer.unwrap_or_else(|error| failed(vec![Said::error(error)]));
    message::write(json, &files)
}

fn answer(request: &Request, files: BTreeMap<String, Vec<u8>>) -> Answer {
    let settings = &request.settings;
    match &request.what {
        Task::About => (about(), Files::new()),
        Task::Modules => project::modules(&files, settings),
        Task::Costs { file, asked } => costs::of(file, asked, &files, settings),
        Task::Firmware { file } => firmware::about(file, &files),
        Task::Make { output } => outputs::make(*output, files, settings),
    }
}

/// An answer that is nothing but what is wrong.
fn failed(messages: Vec<Said>) -> Answer {
    (json!({ "messages": messages }), Files::new())
}

/// The forms that modules can be compared in, source first: not data, and none that is only chosen later.
fn forms() -> impl Iterator<Item = (&'static str, Form)> {
    let mut forms = Form::NAMED.to_vec();
    forms.retain(|(_, form)| !form.is_data() && *form != Form::Auto);
    forms.sort_by_key(|(_, form)| (!form.is_source(), *form != Form::Plain));
    forms.into_iter()
}

/// What there is to choose from. The tables of a variant are the bytes that packed chunks need once.
fn about() -> Value {
    let known = Variants::built_in();
    let variants = known.iter().filter(|variant| variant.is_nodemcu());
    let tables = |variant: &Variant| packed_tables_flash(variant);
    let variants =
        variants.map(|v| json!({"name": v.name, "summary": v.summary, "tables": tables(v)}));
    let shipped = provisioning_names().map(|name| format!("{name}.lua"));
    json!({
        "version": VERSION,
        "forms": forms().map(|(name, _)| name).collect::<Vec<_>>(),
        "variants": variants.collect::<Vec<_>>(),
        "provisioning": shipped.collect::<Vec<_>>(),
        "messages": [],
    })
}
