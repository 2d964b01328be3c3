//! Frozen chunks as C: each function with all that belongs to it as constants of the core's own
//! types, over one pool of strings and one table of them for the whole bundle. The firmware's
//! compiler settles every layout; `frozen.h` has the macros and what they take for granted.
//!
//! Names in the C: `fast_s` strings, and for each function `fast_f` itself, `fast_i` instructions,
//! `fast_k` constants, `fast_p` functions in it, `fast_l` lines, `fast_v` locals, `fast_u` upvalues.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use fastlua_bytecode::{Chunk, Constant, Dialect, Format, Function, line_info};

use crate::c_header::words;
use crate::identifier;

/// Macros and assertions that the objects need; text of every header with frozen chunks.
pub(crate) const FROZEN_H: &str = include_str!("frozen.h");

/// Bytes of the longest string that 5.3 keeps in its string table.
const SHORT: usize = 40;

/// In the order of the cores' tokens.
const RESERVED: &str = "and break do else elseif end false for function if in local nil not or repeat return then true until while";
const RESERVED_53: &str = "and break do else elseif end false for function goto if in local nil not or repeat return then true until while";

/// The frozen chunks of one variant.
pub(crate) struct Frozen<'a> {
    chunks: Vec<(&'a str, &'a Chunk)>,
    dialect: Dialect,
    format: Format,
    pool: BTreeMap<&'a [u8], usize>,
    seed: u32,
    functions: u32,
}

/// How many strings these chunks, all of one layout, have as one pool, and its bytes of flash.
pub(crate) fn pool_size<'a>(chunks: impl IntoIterator<Item = &'a Chunk>) -> (usize, usize) {
    let chunks = chunks.into_iter().map(|chunk| ("", chunk)).collect();
    Frozen::new(chunks, 0).map_or((0, 0), |frozen| (frozen.pool.len(), frozen.pool_bytes()))
}

/// What the core calls a function whose source name is stripped.
fn no_source(dialect: Dialect) -> Option<&'static [u8]> {
    match dialect {
        Dialect::Lua51 => Some(b"=?"),
        Dialect::Lua53 => None,
    }
}

/// The different strings that these chunks name: constants, sources, locals, upvalues.
fn pool<'a>(chunks: impl IntoIterator<Item = &'a Chunk>) -> BTreeSet<&'a [u8]> {
    let mut pool = BTreeSet::new();
    for chunk in chunks {
        let source = no_source(chunk.layout.dialect());
        collect(&chunk.main, source, &mut pool);
    }
    pool
}

fn collect<'a>(
    function: &'a Function,
    parent_source: Option<&'a [u8]>,
    pool: &mut BTreeSet<&'a [u8]>,
) {
    let source = function
        .source
        .as_deref()
        .map_or(parent_source, |s| Some(s));
    let constants = function.constants.iter().filter_map(|k| match k {
        Constant::String(s) => Some(&s[..]),
        _ => None,
    });
    let locals = function.locals.iter().filter_map(|l| l.name.as_deref());
    let upvalues = function.upvalues.iter().filter_map(|u| u.name.as_deref());
    let names = locals.chain(upvalues).map(|name| &name[..]);
    pool.extend(constants.chain(names).chain(source));
    for child in &function.functions {
        collect(child, source, pool);
    }
}

impl<'a> Frozen<'a> {
    /// Of chunks by name, all of one layout; none where there is no chunk. `seed` is what the hash
    /// of 5.3 begins with.
    pub(crate) fn new(chunks: Vec<(&'a str, &'a Chunk)>, seed: u32) -> Option<Frozen<'a>> {
        let layout = chunks.first()?.1.layout;
        let pool = pool(chunks.iter().map(|(_, chunk)| *chunk));
        Some(Frozen {
            dialect: layout.dialect(),
            format: layout.format,
            pool: pool.into_iter().zip(0..).collect(),
            seed: if layout.dialect() == Dialect::Lua53 {
                seed
            } else {
                0
            },
            functions: 0,
            chunks,
        })
    }

    /// The C text: strings, their table, functions, and for each chunk `fast_z_<identifier>`;
    /// `FAST_FUNCTIONS` is how many functions there are.
    pub(crate) fn text(&mut self) -> String {
        let mut text = self.strings();
        for (name, chunk) in self.chunks.clone() {
            let number = self.functions;
            let mut size = Size::default();
            let source = no_source(self.dialect);
            let main = self.function(&mut text, &chunk.main, source, &mut size);
            let strings = Strings::of(chunk, self.dialect);
            let _ = write!(
                text,
                "static const fast_frozen fast_z_{} = {{\n  (const Proto *)&fast_f{main}, {number}, {},\n  FAST_SHADOWS{}{}}};\n\n",
                identifier(name),
                size.flash(self.dialect),
                size.shadows,
                strings.heap(),
            );
        }
        let _ = writeln!(text, "#define FAST_FUNCTIONS\t{}", self.functions);
        text
    }

    /// Bytes of flash of the strings, with a header of 16 bytes and a zero each, and of their table.
    /// On the chip strings are aligned as a double in 5.1, as a word in 5.3.
    fn pool_bytes(&self) -> usize {
        let step = match self.dialect {
            Dialect::Lua51 => 8,
            Dialect::Lua53 => 4,
        };
        let bytes = |string: &&[u8]| (16 + string.len() + 1).next_multiple_of(step);
        self.pool.keys().map(bytes).sum::<usize>() + 4 * self.interned().next_power_of_two()
    }

    /// How many strings are in the table.
    fn interned(&self) -> usize {
        self.pool.keys().filter(|s| self.is_interned(s)).count()
    }

    fn is_interned(&self, string: &[u8]) -> bool {
        self.dialect == Dialect::Lua51 || string.len() <= SHORT
    }

    /// Each string, then the table. A chain begins with the string that was written last, as each
    /// names the one before it.
    fn strings(&self) -> String {
        let count = self.interned();
        let size = count.next_power_of_two();
        let mut heads: Vec<Option<usize>> = vec![None; size];
        let mut text = String::from("/* the pool of strings */\n");
        let mut bytes = Vec::new();
        for (&string, &id) in &self.pool {
            let hash = hash(string, self.seed);
            let (n, quoted) = (string.len(), quote(string));
            bytes.push(format!("sizeof(fast_s{id})"));
            let _ = if self.is_interned(string) {
                let head = &mut heads[hash as usize & (size - 1)];
                let next = head.map_or("NULL".into(), |s| format!("&fast_s{s}"));
                *head = Some(id);
                let word = self.reserved(string);
                writeln!(
                    text,
                    "FAST_TEXT({id}, {next}, 0x{hash:08x}, {word}, {n}, {quoted})"
                )
            } else {
                writeln!(text, "FAST_LONG_TEXT({id}, 0x{hash:08x}, {n}, {quoted})")
            };
        }
        let _ = write!(
            text,
            "\n#define FAST_SEED\t0x{:08x}\n#define FAST_POOL_USED\t{count}\n#define FAST_POOL_SIZE\t{size}\n\
             static const fast_link fast_pool[{size}] = {{",
            self.seed
        );
        for (i, head) in heads.iter().enumerate() {
            let space = if i % 4 == 0 { "\n  " } else { " " };
            let _ = match head {
                Some(id) => write!(text, "{space}(fast_link)&fast_s{id},"),
                None => write!(text, "{space}NULL,"),
            };
        }
        text += "\n};\n#define FAST_POOL_BYTES\t(sizeof(fast_pool)";
        for (i, size) in bytes.iter().enumerate() {
            let space = if i % 4 == 0 { " \\\n  + " } else { " + " };
            let _ = write!(text, "{space}{size}");
        }
        text += ")\n\n";
        text
    }

    /// Place of a reserved word among them, from 1 on; 0 for any other string.
    fn reserved(&self, string: &[u8]) -> usize {
        let words = match self.dialect {
            Dialect::Lua51 => RESERVED,
            Dialect::Lua53 => RESERVED_53,
        };
        let place = words.split(' ').position(|w| w.as_bytes() == string);
        place.map_or(0, |i| i + 1)
    }

    /// Writes a function after those in it, and gives its number. Numbers are those of a walk that
    /// comes to a function before those in it.
    fn function(
        &mut self,
        text: &mut String,
        function: &Function,
        parent_source: Option<&[u8]>,
        size: &mut Size,
    ) -> u32 {
        let id = self.functions;
        self.functions += 1;
        let source = function
            .source
            .as_deref()
            .map_or(parent_source, |s| Some(s));
        let children: Vec<u32> = function
            .functions
            .iter()
            .map(|child| self.function(text, child, source, size))
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
                "  .{field} = ({kind} *)fast_{letter}{id}, .size{} = {count},",
                if field == "p" { "p" } else { field }
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
        size.add(function, described, lines.len());
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
                    let long = self.dialect == Dialect::Lua53 && s.len() > SHORT;
                    let letter = if long { 'L' } else { 'S' };
                    writeln!(text, "  FAST_{letter}({}),", self.pool[&s[..]])
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
            format!("(TString *)&fast_s{}", self.pool[n])
        })
    }
}

/// Counts of what lies in flash for a chunk, and the C terms of its shadows.
#[derive(Default)]
struct Size {
    functions: usize,
    code: usize,
    constants: usize,
    children: usize,
    locals: usize,
    upvalues: usize,
    lines: usize,
    shadows: String,
}

impl Size {
    fn add(&mut self, function: &Function, upvalues: usize, lines: usize) {
        let (k, p) = (function.constants.len(), function.functions.len());
        self.functions += 1;
        self.code += function.code.len();
        self.constants += k;
        self.children += p;
        self.locals += function.locals.len();
        self.upvalues += upvalues;
        self.lines += lines.next_multiple_of(4);
        let _ = write!(self.shadows, "\n  + FAST_SHADOW({k}, {p})");
    }

    fn flash(&self, dialect: Dialect) -> String {
        let upvalue = match dialect {
            Dialect::Lua51 => "TString *",
            Dialect::Lua53 => "Upvaldesc",
        };
        format!(
            "{} * sizeof(Proto) + {} * sizeof(Instruction) + {} * sizeof(TValue)\n  \
             + {} * sizeof(Proto *) + {} * sizeof(LocVar) + {} * sizeof({upvalue}) + {}",
            self.functions,
            self.code,
            self.constants,
            self.children,
            self.locals,
            self.upvalues,
            self.lines
        )
    }
}

/// The constant strings of a chunk by length: each different one once, but 5.3's long ones each time.
struct Strings(BTreeMap<usize, usize>);

impl Strings {
    fn of(chunk: &Chunk, dialect: Dialect) -> Strings {
        let mut strings = Vec::new();
        constant_strings(&chunk.main, &mut strings);
        strings.sort();
        let long = |s: &[u8]| dialect == Dialect::Lua53 && s.len() > SHORT;
        strings.dedup_by(|a, b| a == b && !long(a));
        let mut lengths = BTreeMap::new();
        for string in strings {
            *lengths.entry(string.len()).or_default() += 1;
        }
        Strings(lengths)
    }

    fn heap(&self) -> String {
        self.0.iter().fold(String::new(), |mut text, (length, n)| {
            let _ = write!(text, "\n  + {n} * FAST_STRING({length})");
            text
        })
    }
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

/// `luaS_hash` of 5.3, and with seed 0 the hash of 5.1.
fn hash(string: &[u8], seed: u32) -> u32 {
    let step = (string.len() >> 5) + 1;
    let mut h = seed ^ string.len() as u32;
    let mut l = string.len();
    while l >= step {
        let byte = u32::from(string[l - 1]);
        h ^= (h << 5).wrapping_add(h >> 2).wrapping_add(byte);
        l -= step;
    }
    h
}

/// A C string literal; every byte that is more than a letter in some place is octal.
fn quote(string: &[u8]) -> String {
    let mut text = String::from("\"");
    for &b in string {
        match b {
            b'"' | b'\\' | b'?' | 0..0x20 | 0x7f.. => {
                let _ = write!(text, "\\{b:03o}");
            }
            _ => text.push(b.into()),
        }
    }
    text.push('"');
    text
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

    #[test]
    fn strings_are_c() {
        assert_eq!(quote(b"a\"b\0\n7?\xff"), r#""a\042b\000\0127\077\377""#);
    }

    #[test]
    fn the_hash_looks_at_some_bytes_of_a_long_string() {
        assert_eq!(hash(b"", 5), 5);
        assert_eq!(hash(b"a", 0), 1 ^ (32 + 97));
        let (mut one, other) = ([b'x'; 64], [b'x'; 64]);
        one[62] = b'y';
        assert_eq!(hash(&one, 0), hash(&other, 0));
        one[63] = b'y';
        assert_ne!(hash(&one, 0), hash(&other, 0));
    }
}
