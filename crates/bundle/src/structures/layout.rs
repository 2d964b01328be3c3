//! The core's structures as they lie in the memory of a 32-bit chip: NodeMCU's, whichever chip it is.
//! [`output`](crate::output) prints them as assertions, so that the firmware's own compiler confirms
//! them; costs are counted with them.

use fastlua_bytecode::{Dialect, NumberModel};

/// A structure: its name in C, its bytes, and where its fields lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Structure {
    /// The type, as C names it.
    pub name: &'static str,
    /// Its bytes.
    pub size: usize,
    /// Its fields.
    pub fields: Vec<Field>,
}

/// A field of a structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name, as `offsetof` takes it.
    pub name: &'static str,
    /// Its offset.
    pub place: usize,
    /// Its bytes.
    pub width: usize,
}

/// The structures of frozen objects, for a number model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreLayout {
    /// `TValue`.
    pub value: Structure,
    /// The header of a string; its bytes follow.
    pub string: Structure,
    /// The alignment of a frozen string.
    pub string_align: usize,
    /// `Proto`.
    pub proto: Structure,
    /// `LocVar`.
    pub local: Structure,
    /// The description of an upvalue: a pointer to its name in 5.1.
    pub upvalue: Structure,
    /// `Table`, bytes.
    pub table: usize,
    /// `Node` of a table, bytes.
    pub node: usize,
    /// The header of a userdata, bytes.
    pub userdata: usize,
    /// A closure in Lua without upvalues, bytes.
    pub closure: usize,
    /// What a new closure's upvalue adds to it: the pointer, and the object. Zero in the slot of a 5.1 firmware that
    /// can't load a main function with upvalues.
    pub upvalues: [usize; 2],
}

const POINTER: usize = 4;
const INT: usize = 4;

impl CoreLayout {
    /// Of the core with this number model.
    pub fn of(numbers: NumberModel) -> CoreLayout {
        let is_wide = numbers.integer.max(numbers.float) > 4;
        let value = if is_wide { 8 } else { 4 };
        // a table's node is aligned as its value, a TValue is packed
        let node = if is_wide { 32 } else { 20 };
        match numbers.dialect {
            Dialect::Lua51 => CoreLayout {
                value: structure("TValue", &[("value", value), ("tt", INT)]),
                string: structure(
                    "TString",
                    &[
                        ("tsv.next", POINTER),
                        ("tsv.tt", 1),
                        ("tsv.marked", 1),
                        ("tsv.hash", INT),
                        ("tsv.len", INT),
                    ],
                ),
                string_align: 8,
                proto: structure("Proto", PROTO_51),
                local: structure("LocVar", LOCAL),
                upvalue: structure("TString *", &[]).sized(POINTER),
                table: 32,
                node,
                userdata: 24,
                closure: 20,
                upvalues: [POINTER, 12 + (value + INT).max(2 * POINTER)],
            },
            Dialect::Lua53 => CoreLayout {
                value: structure("TValue", &[("value_", value), ("tt_", INT)]),
                string: structure(
                    "UTString",
                    &[
                        ("tsv.next", POINTER),
                        ("tsv.tt", 1),
                        ("tsv.marked", 1),
                        ("tsv.extra", 1),
                        ("tsv.shrlen", 1),
                        ("tsv.hash", INT),
                        ("tsv.u", POINTER),
                    ],
                ),
                string_align: 4,
                proto: structure("Proto", PROTO_53),
                local: structure("LocVar", LOCAL),
                upvalue: structure(
                    "Upvaldesc",
                    &[("name", POINTER), ("instack", 1), ("idx", 1)],
                ),
                table: 32,
                node,
                userdata: if is_wide { 24 } else { 20 },
                closure: 16,
                upvalues: [POINTER, 8 + value + INT],
            },
        }
    }

    /// Those that frozen objects have, each once.
    pub fn structures(&self) -> [&Structure; 5] {
        [
            &self.value,
            &self.string,
            &self.proto,
            &self.local,
            &self.upvalue,
        ]
    }

    pub(super) fn structures_mut(&mut self) -> [&mut Structure; 5] {
        [
            &mut self.value,
            &mut self.string,
            &mut self.proto,
            &mut self.local,
            &mut self.upvalue,
        ]
    }

    /// Bytes of a frozen string of this length, its final zero counted in.
    pub fn string_bytes(&self, length: usize) -> usize {
        (self.string.size + length + 1).next_multiple_of(self.string_align)
    }
}

const LOCAL: &[(&str, usize)] = &[("varname", POINTER), ("startpc", INT), ("endpc", INT)];

const PROTO_51: &[(&str, usize)] = &[
    ("next", POINTER),
    ("tt", 1),
    ("marked", 1),
    ("k", POINTER),
    ("code", POINTER),
    ("p", POINTER),
    ("packedlineinfo", POINTER),
    ("locvars", POINTER),
    ("upvalues", POINTER),
    ("source", POINTER),
    ("sizeupvalues", INT),
    ("sizek", INT),
    ("sizecode", INT),
    ("sizep", INT),
    ("sizelocvars", INT),
    ("linedefined", INT),
    ("lastlinedefined", INT),
    ("gclist", POINTER),
    ("nups", 1),
    ("numparams", 1),
    ("is_vararg", 1),
    ("maxstacksize", 1),
];

const PROTO_53: &[(&str, usize)] = &[
    ("next", POINTER),
    ("tt", 1),
    ("marked", 1),
    ("numparams", 1),
    ("is_vararg", 1),
    ("maxstacksize", 1),
    ("sizeupvalues", INT),
    ("sizek", INT),
    ("sizecode", INT),
    ("sizelineinfo", INT),
    ("sizep", INT),
    ("sizelocvars", INT),
    ("linedefined", INT),
    ("lastlinedefined", INT),
    ("k", POINTER),
    ("code", POINTER),
    ("p", POINTER),
    ("lineinfo", POINTER),
    ("locvars", POINTER),
    ("upvalues", POINTER),
    ("source", POINTER),
    ("gclist", POINTER),
];

/// Lays out fields of these bytes one after the other, each aligned to its size up to a word.
fn structure(name: &'static str, fields: &[(&'static str, usize)]) -> Structure {
    let mut end: usize = 0;
    let place = |&(name, width): &(&'static str, usize)| {
        let place = end.next_multiple_of(width.min(POINTER));
        end = place + width;
        Field { name, place, width }
    };
    let fields = fields.iter().map(place).collect();
    Structure {
        name,
        size: end.next_multiple_of(POINTER),
        fields,
    }
}

impl Structure {
    fn sized(self, size: usize) -> Structure {
        Structure { size, ..self }
    }

    /// The field of that name; none where it has no such field.
    pub fn field(&self, name: &str) -> Option<Field> {
        self.fields.iter().find(|field| field.name == name).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The results of compilers for the ESP8266 and for RISC-V with NodeMCU's headers.
    #[test]
    fn the_sizes_are_those_of_the_real_cores() {
        let sizes = NumberModel::ALL.map(|model| {
            let layout = CoreLayout::of(model);
            layout.structures().map(|structure| structure.size)
        });
        assert_eq!(sizes[0], [8, 16, 72, 12, 4]);
        assert_eq!(sizes[1], [12, 16, 72, 12, 4]);
        assert_eq!(sizes[2], [8, 16, 76, 12, 8]);
        assert_eq!(sizes[3..], [[12, 16, 76, 12, 8]; 3]);
        let [lua51, lua53] = [1, 3].map(|i| CoreLayout::of(NumberModel::ALL[i]));
        let place = |structure: &Structure, field| structure.field(field).unwrap().place;
        assert_eq!(place(&lua51.proto, "maxstacksize"), 71);
        assert_eq!(place(&lua53.proto, "sizeupvalues"), 12);
        assert_eq!(place(&lua53.proto, "gclist"), 72);
        assert_eq!(place(&lua51.string, "tsv.len"), 12);
        assert_eq!(place(&lua53.upvalue, "idx"), 5);
        assert_eq!([lua51.string_bytes(0), lua53.string_bytes(0)], [24, 20]);
    }
}
