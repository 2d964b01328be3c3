//! Source to chunk, with what Lua's compiler does not say about numbers.

use fastlua_bytecode::{Chunk, Dialect, Function, Layout};
use fastlua_compiler::{CompileError, compile};
use fastlua_source::literals::{self, Severity};

/// Compiles a text whose file is `file` in messages. Gives the chunk, with all debug data, and
/// warnings; or the error: Lua's own, or that a literal would silently become another number.
pub fn compile_text(
    layout: &Layout,
    chunk_name: &[u8],
    file: &str,
    text: &[u8],
    heap_limit: usize,
) -> Result<(Chunk, Vec<String>), String> {
    let compiled = compile(layout, chunk_name, text, heap_limit);
    let mut warnings = Vec::new();
    for finding in literals::check(text, &layout.numbers()) {
        let place = format!("{file}:{}: ", finding.line);
        let message = format!("{place}{}", finding.message);
        match (finding.severity, &compiled) {
            (Severity::Warning, _) => warnings.push(message),
            (Severity::Error, Ok(_)) => return Err(message),
            // the core stops there too, and calls the number malformed
            (Severity::Error, Err(CompileError::Lua(words)))
                if words.starts_with(place.as_bytes()) =>
            {
                return Err(message);
            }
            (Severity::Error, Err(_)) | (Severity::AsSource, _) => {}
        }
    }
    let chunk = compiled.map_err(|error| error.to_string())?;
    if layout.dialect() == Dialect::Lua51 {
        stack_holes(&chunk.main, file, &mut warnings);
    }
    Ok((chunk, warnings))
}

/// Warnings of numbers that a device would read in another way than the compilers here.
pub(crate) fn misread_as_source(layout: &Layout, file: &str, text: &[u8]) -> Vec<String> {
    literals::check(text, &layout.numbers())
        .into_iter()
        .filter(|finding| finding.severity == Severity::AsSource)
        .map(|finding| format!("{file}:{}: {}", finding.line, finding.message))
        .collect()
}

/// 5.1's core does not check the stack for the fixed parameters of vararg functions
/// (CVE-2014-5461), which has room for five.
fn stack_holes(function: &Function, file: &str, warnings: &mut Vec<String>) {
    if function.vararg != 0 && function.params > 5 {
        warnings.push(format!(
            "{file}:{}: a vararg function with more than 5 fixed parameters; \
             5.1 may write past its stack when it is called with fewer (CVE-2014-5461)",
            function.line_defined
        ));
    }
    for child in &function.functions {
        stack_holes(child, file, warnings);
    }
}
