//! Frozen chunks as C: each function with all that belongs to it as constants of the core's own
//! types, over one pool of strings and one table of them for the whole bundle. The firmware's
//! compiler settles every layout; `fast_objects.h` has the macros and what they take for granted.
//!
//! Names in the C: `fast_s` strings, and for each function `fast_f` itself, `fast_i` instructions,
//! `fast_k` constants, `fast_p` functions in it, `fast_l` lines, `fast_v` locals, `fast_u` upvalues.

use std::collections::BTreeMap;
use std::fmt::Write;

use fastlua_bytecode::{Chunk, Constant, Dialect, Format, Function, line_info};

use crate::c_header::words;
use crate::pool::{Pool, is_interned, no_source, source};
use crate::{Need, identifier};

/// A frozen chunk: its name, itself, and what loading its bytecode allocates.
type FrozenChunk<'a> = (&'a str, &'a Chunk, &'a Need);

/// The frozen chunks of one variant.
pub(crate) struct Frozen<'a> {
    chunks: Vec<FrozenChunk<'a>>,
    dialect: Dialect,
    format: Format,
    pool: Pool<'a>,
    functions: u32,
}

impl<'a> Frozen<'a> {
    /// Of chunks, all of one layout; none where there is no chunk. `seed` is what the hash of 5.3
    /// begins with.
    pub(crate) fn new(chunks: Vec<FrozenChunk<'a>>, seed: u32) -> Option<Frozen<'a>> {
        let of_all: Vec<&Chunk> = chunks.iter().map(|(_, chunk, _)| *chunk).collect();
        let layout = of_all.first()?.layout;
        Some(Frozen {
            dialect: layout.dialect(),
            format: layout.format,
            pool: Pool::new(&of_all, seed)?,
            functions: 0,
            chunks,
        })
    }

    /// The C text: strings, their table, functions, and for each chunk `fast_z_<identifier>`;
    /// `FAST_FUNCTIONS` is how many functions there are.
    pub(crate) fn text(&mut self) -> String {
        let mut text = self.pool.text();
        for (name, chunk, need) in self.chunks.clone() {
            let number = self.functions;
            let main = self.function(&mut text, &chunk.main, no_source(self.dialect));
            let _ = writeln!(
                text,
                "static const fast_frozen fast_z_{} = {{\n  (const Proto *)&fast_f{main}, {number}, {},\n  FAST_SHADOWS{}{}}};\n",
                identifier(name),
                flash(need, self.dialect),
                shadows(need),
                constant_heap(chunk),
            );
        }
        let _ = writeln!(text, "#define FAST_FUNCTIONS\t{}", self.functions);
        text
    }

    /// Writes a function after those in it, and gives its number. Numbers are those of a walk that
    /// comes to a function before those in it.
    fn function(
        &mut self,
        text: &mut String,
        function: &Function,
        parent_source: Option<&[u8]>,
    ) -> u32 {
        let id = self.functions;
        self.functions += 1;
        let source = source(function, parent_source);
        let children: Vec<u32> = function
            .functions
            .iter()
            .map(|child| self.function(text, child, source))
            .collect();
        let mut fields = format!(
            "  .tt = LUA_TPROTO, .marked = FAST_MARK,\n  \
             .numparams = {}, .is_vararg = {}, .maxstacksize = {},\n  \
             .linedefined = {}, .lastlinedefined = {},\n  \
             .source = {},\n",
            function.params,
            function.vararg,
            function.max_stack,
            function.line_defined,
            function.last_line_defined,
            self.name(source)
        );
        let mut array = |field: &str, kind: &str, letter: char, count: usize| {
            let _ = writeln!(
                fields,
                "  .{field} = ({kind} *)fast_{letter}{id}, .size{field} = {count},"
            );
        };
        words_of(text, &format!("fast_i{id}"), &function.code);
        if !function.constants.is_empty() {
            self.constants(text, id, &function.constants);
            array("k", "TValue", 'k', function.constants.len());
        }
        if !children.is_empty() {
            let _ = write!(text, "static const Proto *const fast_p{id}[] = {{");
            for (i, child) in children.iter().enumerate() {
                let space = if i % 8 == 0 { "\n  " } else { " " };
                let _ = write!(text, "{space}&fast_f{child},");
            }
            *text += "\n};\n";
            array("p", "Proto *", 'p', children.len());
        }
        if !function.locals.is_empty() {
            let _ = writeln!(text, "static const LocVar fast_v{id}[] = {{");
            for local in &function.locals {
                let name = self.name(local.name.as_deref().map(|n| &n[..]));
                let _ = writeln!(text, "  {{{name}, {}, {}}},", local.start_pc, local.end_pc);
            }
            *text += "};\n";
            array("locvars", "LocVar", 'v', function.locals.len());
        }
        let described = self.upvalues(text, id, function);
        if described > 0 {
            let kind = match self.dialect {
                Dialect::Lua51 => "TString *",
                Dialect::Lua53 => "Upvaldesc",
            };
            array("upvalues", kind, 'u', described);
        }
        let _ = writeln!(
            fields,
            "  .code = (Instruction *)fast_i{id}, .sizecode = {},",
            function.code.len()
        );
        if self.dialect == Dialect::Lua51 {
            let _ = writeln!(fields, "  .nups = {},", function.upvalues.len());
        }
        let lines = line_info(self.format, function);
        if !lines.is_empty() {
            words(text, &format!("fast_l{id}"), &lines);
            fields += &match self.format {
                Format::NodeMcu51 => format!("  .packedlineinfo = (unsigned char *)fast_l{id},\n"),
                Format::NodeMcu53 => format!(
                    "  .lineinfo = (lu_byte *)fast_l{id}, .sizelineinfo = {},\n",
                    lines.len()
                ),
                Format::Puc51 | Format::Puc53 => format!(
                    "  .lineinfo = (int *)fast_l{id}, .sizelineinfo = {},\n",
                    function.lines.len()
                ),
            };
        }
        let _ = write!(text, "static const Proto fast_f{id} = {{\n{fields}}};\n\n");
        id
    }

    fn constants(&self, text: &mut String, id: u32, constants: &[Constant]) {
        let _ = writeln!(text, "static const TValue fast_k{id}[] = {{");
        for constant in constants {
            let _ = match constant {
                Constant::Nil => writeln!(text, "  FAST_NIL,"),
                Constant::Boolean(b) => writeln!(text, "  FAST_BOOLEAN({}),", u8::from(*b)),
                Constant::Integer(n) => writeln!(text, "  FAST_INTEGER({}),", integer(*n)),
                Constant::Float(x) => writeln!(text, "  FAST_NUMBER({}),", float(*x)),
                Constant::String(s) => {
                    let letter = match is_interned(self.dialect, s) {
                        true => 'S',
                        false => 'L',
                    };
                    writeln!(text, "  FAST_{letter}({}),", self.pool.number(s))
                }
            };
        }
        *text += "};\n";
    }

    /// Writes the descriptions of upvalues, and gives their number: 5.1 has none but names.
    fn upvalues(&self, text: &mut String, id: u32, function: &Function) -> usize {
        let upvalues = &function.upvalues;
        let name = |name: &Option<bstr::BString>| self.name(name.as_ref().map(|n| &n[..]));
        match self.dialect {
            Dialect::Lua51 if upvalues.iter().any(|u| u.name.is_some()) => {
                let _ = writeln!(text, "static TString *const fast_u{id}[] = {{");
                for upvalue in upvalues {
                    let _ = writeln!(text, "  {},", name(&upvalue.name));
                }
            }
            Dialect::Lua53 if !upvalues.is_empty() => {
                let _ = writeln!(text, "static const Upvaldesc fast_u{id}[] = {{");
                for upvalue in upvalues {
                    let (stack, index) = (u8::from(upvalue.in_stack), upvalue.index);
                    let _ = writeln!(text, "  {{{}, {stack}, {index}}},", name(&upvalue.name));
                }
            }
            _ => return 0,
        }
        *text += "};\n";
        upvalues.len()
    }

    fn name(&self, name: Option<&[u8]>) -> String {
        name.map_or("NULL".into(), |n| {
            format!("(TString *)&fast_s{}", self.pool.number(n))
        })
    }
}

/// The C expression of a chunk's bytes of flash, without strings.
fn flash(need: &Need, dialect: Dialect) -> String {
    let upvalue = match dialect {
        Dialect::Lua51 => "TString *",
        Dialect::Lua53 => "Upvaldesc",
    };
    let mut sums = [0; 6];
    for function in &need.functions {
        sums.iter_mut().zip(function).for_each(|(sum, n)| *sum += n);
    }
    let [code, constants, children, upvalues, locals, _] = sums;
    let lines = |f: &[usize; 6]| f[5].next_multiple_of(4);
    let lines: usize = need.functions.iter().map(lines).sum();
    format!(
        "{} * sizeof(Proto) + {code} * sizeof(Instruction) + {constants} * sizeof(TValue)\n  \
         + {children} * sizeof(Proto *) + {locals} * sizeof(LocVar) + {upvalues} * sizeof({upvalue}) + {lines}",
        need.functions.len()
    )
}

/// The C terms of the shadows of all functions.
fn shadows(need: &Need) -> String {
    let term = |[_, k, p, ..]: &[usize; 6]| format!("\n  + FAST_SHADOW({k}, {p})");
    need.functions.iter().map(term).collect()
}

/// The C terms of the chunk's constant strings: each different one once, but 5.3's long ones each time.
fn constant_heap(chunk: &Chunk) -> String {
    let mut strings = Vec::new();
    constant_strings(&chunk.main, &mut strings);
    strings.sort();
    strings.dedup_by(|a, b| a == b && is_interned(chunk.layout.dialect(), a));
    let mut lengths: BTreeMap<usize, usize> = BTreeMap::new();
    for string in strings {
        *lengths.entry(string.len()).or_default() += 1;
    }
    let term = |(length, n)| format!("\n  + {n} * FAST_STRING({length})");
    lengths.into_iter().map(term).collect()
}

fn constant_strings<'a>(function: &'a Function, strings: &mut Vec<&'a [u8]>) {
    for constant in &function.constants {
        if let Constant::String(s) = constant {
            strings.push(s);
        }
    }
    for child in &function.functions {
        constant_strings(child, strings);
    }
}

/// A C expression of an integer: the least one has no literal.
fn integer(n: i64) -> String {
    match i32::try_from(n) {
        Ok(i32::MIN) => "(-2147483647 - 1)".into(),
        Ok(n) => n.to_string(),
        Err(_) if n == i64::MIN => "(-9223372036854775807LL - 1)".into(),
        Err(_) => format!("{n}LL"),
    }
}

/// A C expression of exactly this float.
fn float(x: f64) -> String {
    if x.is_nan() {
        return "__builtin_nan(\"\")".into();
    }
    let sign = if x.is_sign_negative() { "-" } else { "" };
    if x.is_infinite() {
        return format!("{sign}__builtin_inf()");
    }
    let bits = x.to_bits();
    let (exponent, fraction) = ((bits >> 52 & 0x7ff) as i64, bits & ((1 << 52) - 1));
    match (exponent, fraction) {
        (0, 0) => format!("{sign}0.0"),
        (0, _) => format!("{sign}0x0.{fraction:013x}p-1022"),
        _ => format!("{sign}0x1.{fraction:013x}p{}", exponent - 1023),
    }
}

fn words_of(text: &mut String, name: &str, code: &[u32]) {
    let bytes: Vec<u8> = code.iter().flat_map(|word| word.to_le_bytes()).collect();
    words(text, name, &bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_c() {
        assert_eq!(integer(-7), "-7");
        assert_eq!(integer(i32::MIN.into()), "(-2147483647 - 1)");
        assert_eq!(integer(i64::MIN), "(-9223372036854775807LL - 1)");
        assert_eq!(integer(1 << 31), "2147483648LL");
        assert_eq!(float(-0.0), "-0.0");
        assert_eq!(float(0.1), "0x1.999999999999ap-4");
        assert_eq!(float(f64::from_bits(1)), "0x0.0000000000001p-1022");
        assert_eq!(float(f64::NEG_INFINITY), "-__builtin_inf()");
    }
}
