//! C modules with a Lua half: for each the header `NAME_lua.h` with its chunks, and once for a firmware `fast_runtime.h`
//! and `fast_runtime.c`, which load them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use fastlua_bytecode::Dialect;
use fastlua_bytecode::packed::Pool;
use fastlua_firmware::{fast_runtime_c, fast_runtime_h};
use xxhash_rust::xxh32::xxh32;

use super::c::hex_words;
use super::header::{Purpose, about, assertions, body, count_of, deflated_h, image};
use super::packed::{packed_h, state};
use super::region::INFLATE;
use super::text::Text;
use crate::model::identifier;
use crate::model::{Bundle, BundledChunk};
use crate::model::{pack_without_pool, shared};

/// The name of the header of a module that [`module_headers`] gives.
pub fn module_header_name(module: &str) -> String {
    format!("{}_lua.h", identifier(module))
}

/// The prefix of C names in that header: no C name begins with a digit.
fn prefix_of(module: &str) -> String {
    let plain = identifier(module);
    match plain.starts_with(|first: char| first.is_ascii_digit()) {
        true => format!("module_{plain}_lua"),
        false => format!("{plain}_lua"),
    }
}

/// Why a module's chunks can't be in a C module of their own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoHeader {
    /// A chunk is frozen, and one bundle owns the table of strings; or it is data, and such a module has no `fast.data`.
    #[error("{0}: frozen chunks and data need fast.c")]
    Frozen(String),
    /// Two modules with the same C names.
    #[error(
        "the modules {first:?} and {second:?} have the same C name, {prefix}_load: rename one with `name` in fast.toml"
    )]
    Clash {
        /// One.
        first: String,
        /// The other.
        second: String,
        /// The prefix of their C names.
        prefix: String,
    },
    /// A chunk can't be packed without the strings of other chunks: a fault of ours.
    #[error("{0}")]
    Pack(String),
}

/// The exports of fast_runtime.c. In the firmware each name contains [`Runtime::id`], so that objects of two builds of fastlua
/// are never linked together.
const EXPORTS: [&str; 5] = ["push", "index", "deflated", "packed", "tables"];

/// `fast_runtime.h` and `fast_runtime.c`.
struct Runtime {
    h: String,
    c: String,
    /// The XXH32 of both.
    id: u32,
}

impl Runtime {
    fn new() -> Runtime {
        let (h, c) = (
            fast_runtime_h(&sizes()),
            fast_runtime_c(&deflated_h(), &packed_h(), &tables()),
        );
        let id = xxh32((h.clone() + &c).as_bytes(), 0);
        Runtime { h, c, id }
    }

    /// Stops the compiler where `fast_runtime.h` is of another build than a file that includes it.
    fn check(&self, file: &str) -> String {
        format!(
            "#if !defined(FAST_RUNTIME) || FAST_RUNTIME != 0x{:08x}u\n\
             #error \"{file} and fast_runtime.h are from different builds of fastlua: rebuild all modules with 'fastlua build --emit header'\"\n\
             #endif\n",
            self.id
        )
    }

    /// The two files, by name.
    fn files(self, version: &str) -> [(String, String); 2] {
        let made = format!("** Made by fastlua {version}; do not edit it.\n");
        let mut names = format!(
            "/* the build of fastlua: the linker misses a name with another number */\n\
             #define FAST_RUNTIME\t0x{:08x}u\n",
            self.id
        );
        for export in EXPORTS {
            let _ = writeln!(
                names,
                "#define fast_runtime_{export}\tfast_runtime_{:08x}_{export}",
                self.id
            );
        }
        let after =
            |text: &str, line: &str, more: &str| text.replacen(line, &format!("{line}{more}"), 1);
        let h = after(&self.h, "#define fast_runtime_h\n", &format!("\n{names}"));
        let include = "#include \"fast_runtime.h\"\n";
        let c = after(
            &self.c,
            include,
            &format!("\n{}", self.check("fast_runtime.c")),
        );
        let with_version = |text: &str| text.replacen("*/\n", &format!("{made}*/\n"), 1);
        [
            ("fast_runtime.h".into(), with_version(&h)),
            ("fast_runtime.c".into(), with_version(&c)),
        ]
    }
}

/// The files by which C modules carry the bundle's modules as their Lua halves: for each module `<name>_lua.h` with its chunks
/// and two functions that load them; then `fast_runtime.h` and `fast_runtime.c`, which they share.
///
/// # Errors
/// [`NoHeader`].
pub fn module_headers(bundle: &Bundle, version: &str) -> Result<Vec<(String, String)>, NoHeader> {
    let is_for_fast = |c: &&BundledChunk| c.form.is_frozen() || c.form.is_data();
    if let Some(chunk) = bundle.chunks.iter().find(is_for_fast) {
        return Err(NoHeader::Frozen(chunk.name.clone()));
    }
    let runtime = Runtime::new();
    let modules: BTreeSet<&String> = bundle.chunks.iter().map(|c| &c.module).collect();
    let mut prefixes = BTreeMap::new();
    for &module in &modules {
        let prefix = prefix_of(module);
        if let Some(first) = prefixes.insert(prefix.clone(), module) {
            return Err(NoHeader::Clash {
                first: first.clone(),
                second: module.clone(),
                prefix,
            });
        }
    }
    let mut files = Vec::with_capacity(modules.len() + 2);
    for module in modules {
        let mut part = bundle.clone();
        part.chunks.retain(|c| c.module == *module);
        // a pool would belong to this module alone, and need its own copy of the tables
        pack_without_pool(&mut part).map_err(|fault| NoHeader::Pack(fault.message))?;
        let file = module_header_name(module);
        let text = module_header(&part, module, version, &runtime.check(&file));
        files.push((file, text));
    }
    files.extend(runtime.files(version));
    Ok(files)
}

fn module_header(bundle: &Bundle, module: &str, version: &str, check: &str) -> String {
    let file = module_header_name(module);
    let prefix = prefix_of(module);
    let about = format!("{file} - the Lua half of a C module; link fast_runtime.c");
    let mut text = self::about(bundle, &about, version);
    let _ = write!(
        text,
        "#ifndef {prefix}_h\n#define {prefix}_h\n\n#include \"fast_runtime.h\"\n\n{check}"
    );
    body(bundle, &mut Text::new(&mut text), &Purpose::Module(&prefix));
    let deflated = match bundle.has_deflated() {
        true => "fast_runtime_deflated",
        false => "NULL",
    };
    let packed = match bundle.has_packed() {
        true => "fast_runtime_packed, fast_runtime_tables",
        false => "NULL, NULL",
    };
    let count = count_of(&format!("{prefix}_chunks"));
    text += "\n";
    text += &image(&prefix, &count, "NULL", deflated, packed, "NULL");
    let _ = write!(
        text,
        "\n\
         /* Pushes the chunk of that name as a function; or nil and a message if it can not be\n\
         ** loaded; or nil if there is none. Returns how many values it pushed. */\n\
         __attribute__((unused))\n\
         static int {prefix}_load (lua_State *L, const char *name) {{\n  \
           return fast_runtime_push(L, &{prefix}_image, name);\n\
         }}\n\n\
         /* __index of the module's table: a missing field is the chunk {module}-<field> */\n\
         __attribute__((unused))\n\
         static int {prefix}_index (lua_State *L) {{\n  \
           return fast_runtime_index(L, &{prefix}_image, \"{module}\");\n\
         }}\n\n#endif\n"
    );
    text
}

/// Heap that the states of the loaders take, of which `fast_runtime.h` has no structure. On 64 bits they are not twice as large.
fn sizes() -> String {
    let [of_51, of_53] = [Dialect::Lua51, Dialect::Lua53].map(state);
    format!(
        "/* heap that unpacking, and inflating with a window of n bytes, take beside the objects;\n\
         ** fast_runtime.c confirms it */\n\
         #define FAST_RUNTIME_UNPACK \\\n\
         \tFAST_BLOCK(sizeof(void *) / 4 * (LUA_VERSION_NUM == 501 ? {of_51} : {of_53}))\n\
         #define FAST_RUNTIME_INFLATE(n)\tFAST_BLOCK(sizeof(void *) / 4 * {INFLATE} + (n))\n"
    )
}

/// The data that all packed chunks of either Lua share, and the assumptions of `fast_runtime.c`.
fn tables() -> String {
    let mut text = assertions();
    text += "_Static_assert(FAST_PACKED_HEAP <= FAST_RUNTIME_UNPACK\n               \
             && FAST_DEFLATED_HEAP(0) <= FAST_RUNTIME_INFLATE(0), \"fast_runtime.h has their heap\");\n";
    for (dialect, word) in [
        (Dialect::Lua51, "#if LUA_VERSION_NUM == 501"),
        (Dialect::Lua53, "#else"),
    ] {
        let _ = write!(
            text,
            "\n{word}\n\nconst uint32_t fast_runtime_tables[] FAST_FLASH = {{"
        );
        for line in shared(dialect, &Pool::default()).chunks(8) {
            let _ = write!(text, "\n  {}", hex_words(line));
        }
        text += "\n};\n";
    }
    text + "\n#endif\n"
}
