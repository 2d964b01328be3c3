//! The strings that every core of 5.3 has, and that an image of 5.3 therefore names without bringing them.

/// Bytes of the longest of them.
pub(crate) const LONGEST: usize = 17;

/// How many different ones there are.
pub(crate) const COUNT: usize = 71;

/// Where among them the string is that is there twice, for the first time: the chip's table does not give this one.
pub(crate) const HIDDEN: usize = 65;

/// Tokens, the message of a heap that is full, the environment, events and types: as the loader on the chip
/// numbers them. It keeps "userdata" twice, and the chip's table of strings gives the second, which was put in last:
/// what names the first is equal to no other "userdata". `luac.cross` counts one and names the first, so a
/// constant "thread" of its images is "userdata" on the chip, and "proto" is "thread". Names of types that are tokens,
/// "nil" and "function", are kept once by both.
pub(crate) const STRINGS: [&str; COUNT + 1] = [
    "and",
    "break",
    "do",
    "else",
    "elseif",
    "end",
    "false",
    "for",
    "function",
    "goto",
    "if",
    "in",
    "local",
    "nil",
    "not",
    "or",
    "repeat",
    "return",
    "then",
    "true",
    "until",
    "while",
    "//",
    "..",
    "...",
    "==",
    ">=",
    "<=",
    "~=",
    "<<",
    ">>",
    "::",
    "<eof>",
    "<number>",
    "<integer>",
    "<name>",
    "<string>",
    "not enough memory",
    "_ENV",
    "__index",
    "__newindex",
    "__gc",
    "__mode",
    "__len",
    "__eq",
    "__add",
    "__sub",
    "__mul",
    "__mod",
    "__pow",
    "__div",
    "__idiv",
    "__band",
    "__bor",
    "__bxor",
    "__shl",
    "__shr",
    "__unm",
    "__bnot",
    "__lt",
    "__le",
    "__concat",
    "__call",
    "no value",
    "boolean",
    "userdata",
    "number",
    "string",
    "table",
    "userdata",
    "thread",
    "proto",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn their_count_and_length_are_right() {
        let different: std::collections::BTreeSet<_> = STRINGS.iter().collect();
        assert_eq!(different.len(), COUNT);
        assert_eq!(STRINGS.iter().map(|s| s.len()).max(), Some(LONGEST));
        let again = STRINGS[HIDDEN + 1..]
            .iter()
            .position(|s| *s == STRINGS[HIDDEN]);
        assert_eq!(again, Some(3));
    }
}
