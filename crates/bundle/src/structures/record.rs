//! The core's layout in a slot's header, as the firmware's compiler saw it: one byte for each size,
//! each place of a field and each tag that frozen objects are made with. [`expressions`] is what the
//! compiler is asked; [`CoreLayout::recorded`] reads the answers.

use fastlua_bytecode::{Dialect, Format, Layout};

use super::layout::{CoreLayout, Field, Structure};

/// Bytes of a record.
pub const RECORD: usize = 64;

/// Tags of values and objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tags {
    /// Of the value `nil`.
    pub nil: u8,
    /// Of a boolean.
    pub boolean: u8,
    /// Of an integer, or a number of integer 5.1.
    pub integer: u8,
    /// Of a float.
    pub float: u8,
    /// Of a value that is a string which is interned.
    pub string: u8,
    /// And one that is not.
    pub long_string: u8,
    /// Of a string itself that is interned.
    pub string_object: u8,
    /// And one that is not.
    pub long_string_object: u8,
    /// `marked` of a string.
    pub string_mark: u8,
    /// Of a function.
    pub proto: u8,
    /// `marked` of a function.
    pub mark: u8,
}

/// The number of tags at the end of a record.
pub(crate) const TAGS: usize = 11;

const TAGS_51: [&str; TAGS] = [
    "LUA_TNIL",
    "LUA_TBOOLEAN",
    "LUA_TNUMBER",
    "LUA_TNUMBER",
    "LUA_TSTRING",
    "LUA_TSTRING",
    "LUA_TSTRING",
    "LUA_TSTRING",
    "FAST_MARK",
    "LUA_TPROTO",
    "FAST_MARK",
];

const TAGS_53: [&str; TAGS] = [
    "LUA_TNIL",
    "LUA_TBOOLEAN",
    "LUA_TNUMINT",
    "LUA_TNUMFLT",
    "ctb(LUA_TSHRSTR)",
    "ctb(LUA_TLNGSTR)",
    "LUA_TSHRSTR",
    "LUA_TLNGSTR",
    "FAST_MARK | BIT_ISCOLLECTABLE",
    "LUA_TPROTO",
    "FAST_MARK",
];

/// The C expressions of a record, without the zeros behind them.
pub(crate) fn expressions(layout: &Layout) -> Vec<String> {
    let core = template(layout);
    let structure = |s: &Structure| {
        let fields = s
            .fields
            .iter()
            .map(|f| format!("offsetof({}, {})", s.name, f.name));
        let size = format!("sizeof({})", s.name);
        std::iter::once(size).chain(fields).collect::<Vec<_>>()
    };
    let upvalue = ["sizeof(UpVal *)", "sizeof(UpVal)"];
    let sizes = [
        "sizeof(Table)",
        "sizeof(Node)",
        "sizeof(Udata)",
        "sizeLclosure(0)",
    ];
    let tags = match layout.dialect() {
        Dialect::Lua51 => TAGS_51,
        Dialect::Lua53 => TAGS_53,
    };
    let structures = core.structures().into_iter().flat_map(structure);
    let others = sizes.into_iter().chain(upvalue).chain(tags);
    structures.chain(others.map(str::to_owned)).collect()
}

impl CoreLayout {
    /// The layout in a record; none if no core can have it. `layout` is that of the chunks' dumps.
    pub fn recorded(layout: &Layout, record: &[u8; RECORD]) -> Option<(CoreLayout, Tags)> {
        let mut core = template(layout);
        let mut bytes = record.iter().copied();
        let mut next = || usize::from(bytes.next().unwrap_or(0));
        for structure in core.structures_mut() {
            structure.size = next();
            for field in &mut structure.fields {
                field.place = next();
                if field.place + field.width > structure.size {
                    return None;
                }
            }
            if structure.size == 0 || !structure.size.is_multiple_of(4) {
                return None;
            }
        }
        for size in [
            &mut core.table,
            &mut core.node,
            &mut core.userdata,
            &mut core.closure,
        ] {
            *size = next();
            if *size == 0 {
                return None;
            }
        }
        core.upvalues = [next(), next()];
        let mut tag = || next() as u8;
        let tags = Tags {
            nil: tag(),
            boolean: tag(),
            integer: tag(),
            float: tag(),
            string: tag(),
            long_string: tag(),
            string_object: tag(),
            long_string_object: tag(),
            string_mark: tag(),
            proto: tag(),
            mark: tag(),
        };
        bytes.all(|byte| byte == 0).then_some((core, tags))
    }
}

impl CoreLayout {
    /// The record of this core, as a firmware's compiler writes it.
    pub fn record(&self, tags: &Tags) -> [u8; RECORD] {
        let mut bytes = Vec::new();
        for structure in self.structures() {
            bytes.push(structure.size as u8);
            bytes.extend(structure.fields.iter().map(|f| f.place as u8));
        }
        bytes.extend([self.table, self.node, self.userdata, self.closure].map(|n| n as u8));
        bytes.extend(self.upvalues.map(|n| n as u8));
        let Tags {
            nil,
            boolean,
            integer,
            float,
            string,
            long_string,
            string_object,
            long_string_object,
            string_mark,
            proto,
            mark,
        } = *tags;
        bytes.extend([nil, boolean, integer, float, string, long_string]);
        bytes.extend([string_object, long_string_object, string_mark, proto, mark]);
        let mut record = [0; RECORD];
        record[..bytes.len()].copy_from_slice(&bytes);
        record
    }
}

/// The structures with the fields that a core has for chunks of this layout. Stock Lua, made to run
/// frozen chunks for tests, has some more.
fn template(layout: &Layout) -> CoreLayout {
    let mut core = CoreLayout::of(layout.numbers());
    if layout.format == Format::Puc51 {
        let field = |name, width| Field {
            name,
            place: 0,
            width,
        };
        core.string.fields.push(field("tsv.reserved", 1));
        core.proto.fields.push(field("sizelineinfo", 4));
        for field in &mut core.proto.fields {
            if field.name == "packedlineinfo" {
                field.name = "lineinfo";
            }
        }
    }
    core
}

#[cfg(test)]
mod tests {
    use super::*;

    const EACH: Tags = Tags {
        nil: 1,
        boolean: 2,
        integer: 3,
        float: 4,
        string: 5,
        long_string: 6,
        string_object: 7,
        long_string_object: 8,
        string_mark: 9,
        proto: 10,
        mark: 11,
    };

    #[test]
    fn a_record_holds_every_layout_and_comes_back() {
        for layout in Layout::all() {
            let expressions = expressions(&layout);
            assert!(expressions.len() <= RECORD, "{layout}");
            let core = template(&layout);
            let mut record = core.record(&EACH);
            let used = record.iter().rposition(|byte| *byte != 0).unwrap() + 1;
            assert_eq!(used, expressions.len());
            if layout.format == Format::Puc51 {
                continue; // only a compiler knows the offsets of its fields
            }
            assert_eq!(CoreLayout::recorded(&layout, &record), Some((core, EACH)));
            record[1] = 250; // a field outside its structure
            assert_eq!(CoreLayout::recorded(&layout, &record), None);
        }
    }
}
