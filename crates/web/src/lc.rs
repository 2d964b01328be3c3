//! A module as a `.lc` file.

use fastlua::{HEAP_LIMIT, Input, Strip, Variant};
use fastlua_bundle::SourceText;
use fastlua_bytecode::write;
use fastlua_verifier::verify;

use crate::said::Said;

/// What `fastlua compile` writes for a variant, and what there is to say of it.
///
/// # Errors
/// Why there is none.
pub(crate) fn dump(
    input: &Input,
    variant: &Variant,
    strip: Strip,
) -> Result<(Vec<u8>, Vec<Said>), Said> {
    let file = &input.file;
    let name = format!("@{file}");
    let text = SourceText {
        chunk_name: name.as_bytes(),
        file,
        bytes: &input.text,
    };
    let compiled = text.compile(&variant.layout, HEAP_LIMIT);
    let (mut chunk, remarks) = compiled.map_err(|error| Said {
        line: error.line(),
        ..Said::of_file(file, error)
    })?;
    chunk.strip(strip);
    let fault = |error: &dyn ToString| {
        let error = error.to_string();
        Said::of_file(file, format!("{file}: a fault of fastlua: {error}"))
    };
    verify(&chunk).map_err(|refusal| fault(&refusal))?;
    let bytes = write(&chunk).map_err(|error| fault(&error))?;
    let messages = remarks.iter().map(|remark| Said {
        severity: remark.severity.name(),
        line: Some(remark.line),
        ..Said::of_file(file, remark)
    });
    Ok((bytes, messages.collect()))
}
