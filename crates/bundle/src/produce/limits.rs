//! The chip's own limits, which its virtual machine does not have: of local variables where it compiles, and of
//! levels of functions where it loads.

use fastlua_bytecode::{Chunk, Dialect, Function};

/// Local variables that a function may have at one time where NodeMCU's 5.1 compiles it
/// (`LUAI_MAXVARS` in its `luaconf.h`); stock Lua and NodeMCU's 5.3 take 200.
const MOST_LOCALS: usize = 50;

/// Levels of functions that `fast.load` goes down on an ESP8266 (`FAST_DEPTH` in `fast_load.h`).
const MOST_LEVELS: usize = 24;

/// The warning about a chunk with this many levels of functions.
pub(crate) fn too_deep(levels: usize) -> Option<String> {
    (levels > MOST_LEVELS).then(|| {
        format!(
            "{levels} levels of nested functions; fast.load on an ESP8266 allows at most \
             {MOST_LEVELS}"
        )
    })
}

/// A function with more local variables than the chip's compiler allows.
#[derive(Debug, Clone)]
pub(crate) struct TooMany {
    /// Its first line.
    pub line: u32,
    /// The number that is active at one time.
    pub locals: usize,
}

impl TooMany {
    /// The message if the chip compiles the text.
    pub fn as_source(&self) -> String {
        format!(
            "a function with {} local variables at one time; the compiler on the chip allows \
             {MOST_LOCALS}: build it as bytecode",
            self.locals
        )
    }

    /// The message if it does not.
    pub fn as_bytecode(&self) -> String {
        format!(
            "a function with {} local variables at one time; it runs as bytecode, but the compiler \
             on the chip allows {MOST_LOCALS}",
            self.locals
        )
    }
}

/// The functions of an unstripped chunk that the chip would not compile, outer ones first.
pub(crate) fn too_many_locals(chunk: &Chunk) -> Vec<TooMany> {
    let mut found = Vec::new();
    if chunk.layout.dialect() == Dialect::Lua51 && chunk.layout.format.is_nodemcu() {
        collect(&chunk.main, &mut found);
    }
    found
}

fn collect(function: &Function, found: &mut Vec<TooMany>) {
    let locals = at_one_time(function);
    if locals > MOST_LOCALS {
        found.push(TooMany {
            line: function.line_defined.max(1),
            locals,
        });
    }
    for child in &function.functions {
        collect(child, found);
    }
}

/// Most local variables that are active together, as far as instructions tell: one that is declared
/// at the very end of its block, where nothing can use it, is not counted.
fn at_one_time(function: &Function) -> usize {
    let mut active: Vec<(u32, u32)> = Vec::new();
    let mut most = 0;
    for local in &function.locals {
        let has_ended = |&(start, end): &(u32, u32)| {
            end < local.start_pc || end == local.start_pc && start < end
        };
        while active.last().is_some_and(has_ended) {
            active.pop();
        }
        active.push((local.start_pc, local.end_pc));
        most = most.max(active.len());
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastlua_bytecode::{Format, Layout};
    use fastlua_compiler::compile;

    fn most(text: &str) -> usize {
        let layout = Layout {
            format: Format::NodeMcu51,
            integer: 4,
            float: 0,
            size_t: 4,
        };
        let chunk = compile(&layout, b"=c", text.as_bytes(), 1 << 20).unwrap();
        at_one_time(&chunk.main)
    }

    #[test]
    fn blocks_give_their_variables_back() {
        let names = |n: usize| {
            (0..n)
                .map(|i| format!("local a{i} = {i} "))
                .collect::<String>()
        };
        assert_eq!(most(&format!("{} f(a50)", names(51))), 51);
        let unset: String = (0..51).map(|i| format!("local a{i} ")).collect();
        assert_eq!(most(&unset), 51);
        let blocks = format!("do {} f(a0) end do {} f(a1) end", names(30), names(30));
        assert_eq!(most(&blocks), 30);
        assert_eq!(most("for i = 1, 2 do local x = i f(x) end"), 5);
        assert_eq!(
            most("local a, b = 1, 2 do local c = a end local d, e, f = 3, 4, 5 g(d)"),
            5
        );
    }
}
