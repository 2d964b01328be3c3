//! What the bytes of a chunk are, numbered as in `fast_index.h`.

/// What the bytes of a chunk are: `kind` of its entry in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChunkKind {
    /// A dump.
    Bytecode = 0,
    /// Source.
    Source = 1,
    /// Data.
    Data = 2,
    /// Source, deflated.
    Deflated = 3,
    /// A packed chunk.
    Packed = 4,
}

impl ChunkKind {
    /// All of them, each at the place of its number.
    pub const ALL: [ChunkKind; 5] = [
        ChunkKind::Bytecode,
        ChunkKind::Source,
        ChunkKind::Data,
        ChunkKind::Deflated,
        ChunkKind::Packed,
    ];

    /// Its number.
    pub fn number(self) -> u32 {
        self as u32
    }

    /// The kind of this number; none where there is none.
    pub fn of_number(number: u32) -> Option<ChunkKind> {
        ChunkKind::ALL.get(usize::try_from(number).ok()?).copied()
    }

    /// Its macro in `fast_index.h`.
    pub fn macro_name(self) -> &'static str {
        match self {
            ChunkKind::Bytecode => "FAST_BYTECODE",
            ChunkKind::Source => "FAST_SOURCE",
            ChunkKind::Data => "FAST_DATA",
            ChunkKind::Deflated => "FAST_DEFLATED",
            ChunkKind::Packed => "FAST_PACKED",
        }
    }

    /// A C expression: the macros have these numbers.
    pub fn assertion() -> String {
        let equal = |kind: &ChunkKind| format!("{} == {}", kind.macro_name(), kind.number());
        let all: Vec<String> = ChunkKind::ALL.iter().map(equal).collect();
        all.join(" && ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_header() {
        let header = include_str!("../fast_index.h");
        for (number, kind) in (0..).zip(ChunkKind::ALL) {
            assert_eq!(kind.number(), number);
            assert_eq!(ChunkKind::of_number(number), Some(kind));
            let line = format!("#define {}\t{number}", kind.macro_name());
            assert!(
                header
                    .lines()
                    .any(|l| l.split("\t/*").next() == Some(&line)),
                "{line}"
            );
        }
        assert_eq!(ChunkKind::of_number(5), None);
    }
}
