//! What the lexer and the parser accept and refuse is what Lua's accept and refuse.

mod support;

use fastlua_bytecode::NumberModel;
use fastlua_source::squash::squash;
use fastlua_testing::programs::program;
use proptest::prelude::*;
use support::compile_with_lines;

/// What only Lua's compilers look at, or count in another way.
const BEYOND_GRAMMAR: [&str; 9] = [
    "no loop to break",
    "not inside a loop",
    "jumps into the scope",
    "no visible label",
    "already defined",
    "malformed number",
    "too many",
    "has more than",
    "levels",
];

const PIECES: [&[u8]; 34] = [
    b"[[",
    b"]]",
    b"[==[",
    b"]==]",
    b"--",
    b"\\",
    b"\"",
    b"'",
    b"\n",
    b"\r\n",
    b"(",
    b")",
    b";",
    b"=",
    b"0x",
    b"1e",
    b".",
    b"..",
    b"...",
    b"::",
    b"//",
    b"~",
    b" end ",
    b" do ",
    b" local ",
    b"\0",
    b"\xff",
    b"#",
    b"\\z",
    b"\\x4",
    b"\\u{1}",
    b"999",
    b" return ",
    b" goto a ",
];

fn check(text: &[u8]) -> Result<(), TestCaseError> {
    for target in [NumberModel::ALL[1], NumberModel::ALL[3]] {
        let lua = compile_with_lines(text, &target).map_err(|e| e.to_string());
        let ours = squash(text, &[target]);
        let agreed = match (&lua, &ours) {
            (Ok(_), Ok(_)) | (Err(_), Err(_)) => true,
            (Ok(_), Err(_)) => false,
            (Err(lua), Ok(_)) => BEYOND_GRAMMAR.iter().any(|words| lua.contains(words)),
        };
        prop_assert!(
            agreed,
            "{target}: {:?}, {:?}\n{}",
            lua.err(),
            ours.err(),
            text.escape_ascii()
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_programs(
        seed: u64,
        new: bool,
        damages in prop::collection::vec((any::<prop::sample::Index>(), 0..PIECES.len(), 0..5usize), 1..4),
    ) {
        let mut text = program(seed, new).into_bytes();
        text.truncate(2000);
        for (place, piece, skip) in damages {
            let start = place.index(text.len() + 1);
            let end = (start + skip).min(text.len());
            text.splice(start..end, PIECES[piece].iter().copied());
        }
        check(&text)?;
    }

    #[test]
    fn any_bytes(text in prop::collection::vec(
        prop_oneof![any::<u8>().prop_map(|b| vec![b]), prop::sample::select(&PIECES[..]).prop_map(<[u8]>::to_vec)], 0..12,
    )) {
        check(&text.concat())?;
    }
}
