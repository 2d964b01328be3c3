//! Each file of `tests/split` splits into chunks that compile and keep their line numbers; each one of
//! `tests/split/wrong` is refused with the words of its last line.

mod support;

use fastlua_bytecode::{Dialect, Function, NumberModel};
use fastlua_source::lexer::lex;
use fastlua_source::split::{Loader, Piece, split};
use support::{compile_with_lines, files};

const TARGETS: [NumberModel; 2] = [NumberModel::ALL[1], NumberModel::ALL[3]];

fn pieces(text: &[u8], loader: Loader) -> Vec<Piece> {
    split(text, loader).unwrap().expect("a marker")
}

/// Lines and bytes of all tokens.
fn tokens(text: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let tokens = lex(text, Dialect::Lua53).unwrap();
    tokens
        .iter()
        .map(|t| (t.line, t.bytes(text).to_vec()))
        .filter(|t| !t.1.is_empty())
        .collect()
}

/// Every line that an instruction has.
fn lines(function: &Function) -> Vec<u32> {
    let mut lines: Vec<u32> = function
        .lines
        .iter()
        .map(|line| line.unsigned_abs())
        .collect();
    lines.extend(function.functions.iter().flat_map(self::lines));
    lines
}

fn newlines(bytes: &[u8]) -> u32 {
    bytes.iter().filter(|&&b| b == b'\n').count() as u32
}

#[test]
fn chunks_keep_their_lines() {
    for file in files("split") {
        let name = file.display();
        let text = std::fs::read(&file).unwrap();
        let whole = tokens(&text);
        for (loader, prefix) in [(Loader::Fast, "FAST_"), (Loader::Spiffs, "SPIFFS_")] {
            let pieces = pieces(&text, loader);
            assert!(!pieces.is_empty(), "{name}");
            let local = format!("local {prefix}{}=true", pieces[0].name);
            for piece in &pieces {
                let found = tokens(&piece.text);
                assert!(
                    piece.text.starts_with(local.as_bytes()),
                    "{name}: {}",
                    piece.name
                );
                for token in &found[4..] {
                    assert!(whole.contains(token), "{name}: {}: {token:?}", piece.name);
                }
                for target in TARGETS {
                    let main = compile_with_lines(&piece.text, &target)
                        .unwrap_or_else(|e| panic!("{name}: {}: {e}", piece.name));
                    // A string over several lines counts for its last one.
                    let end = |(line, bytes): &(u32, Vec<u8>)| line + newlines(bytes);
                    let last = 1 + newlines(&piece.text);
                    for line in lines(&main) {
                        let known = line == last || found.iter().any(|token| end(token) == line);
                        assert!(known, "{name}: {}: line {line}", piece.name);
                    }
                }
            }
        }
        for target in TARGETS {
            compile_with_lines(&text, &target).unwrap_or_else(|e| panic!("{name}: whole: {e}"));
        }
    }
}

#[test]
fn wrong_use_is_refused() {
    for file in files("split/wrong") {
        let text = std::fs::read(&file).unwrap();
        let last = text
            .trim_ascii_end()
            .rsplit(|&b| b == b'\n')
            .next()
            .unwrap();
        let expected = std::str::from_utf8(last)
            .unwrap()
            .strip_prefix("--> ")
            .unwrap();
        let error = split(&text, Loader::Fast).expect_err(&file.display().to_string());
        assert_eq!(error.to_string(), expected, "{}", file.display());
    }
}

#[test]
fn texts_without_markers() {
    for text in [
        "return 1",
        "--SPLIT HERE x",
        "-- [[SPLIT HERE x]]",
        "--[[ Split here x]]",
        "--[[SPLITTER x]]",
        "--[[SPLIT MODULE\nx]]",
        "return '--[[SPLIT MODULE x]]'",
        "return [[\n--[=[SPLIT MODULE x]=]\n]]",
    ] {
        assert_eq!(split(text.as_bytes(), Loader::Fast), Ok(None), "{text}");
    }
}

#[test]
fn what_the_chunks_are() {
    let text = b"-- head\n--[[SPLIT MODULE m]] local m = {}\nm.v = 1 --[[SPLIT IGNORE]]\nm.w = 2\n\
        function m.f(...) --[[SPLIT HERE m-f]]\n  return ...\nend --[[SPLIT HERE]]\n-- tail\nreturn m --[[SPLIT IGNORE]]";
    let pieces = pieces(text, Loader::Spiffs);
    let texts: Vec<_> = pieces
        .iter()
        .map(|p| (&*p.name, p.line, str::from_utf8(&p.text).unwrap()))
        .collect();
    assert_eq!(
        texts,
        [
            ("m", 2, "local SPIFFS_m=true \n local m = {}\n--\nm.w = 2\n"),
            ("m-f", 5, "local SPIFFS_m=true \n\n\n\n\n  return ...\n"),
        ]
    );
}

/// A lone CR behind the padding would make one line end of two.
#[test]
fn line_ends_of_all_kinds() {
    for end in ["\n", "\r", "\r\n", "\n\r"] {
        let text = [
            "--[[SPLIT MODULE m]]",
            "x() --[[SPLIT IGNORE]]",
            "",
            "f() --[[SPLIT HERE a]]",
            "",
            "x = y + 1",
            "--[[SPLIT HERE]]",
            "",
        ]
        .join(end);
        let pieces = pieces(text.as_bytes(), Loader::Fast);
        let token = tokens(&pieces[1].text)
            .into_iter()
            .find(|t| t.1 == b"y")
            .unwrap();
        assert_eq!(token.0, 6, "{end:?}");
    }
}

/// A module of so many chunks.
fn many_chunks(count: usize) -> Vec<u8> {
    let mut text = b"--[[SPLIT MODULE m]]\nlocal M = {}\n".to_vec();
    for i in 0..count {
        text.extend(
            format!(
                "function M.f{i}() --[[SPLIT HERE m-f{i}]]\nreturn {i}\nend --[[SPLIT IGNORE]]\n"
            )
            .into_bytes(),
        );
    }
    text
}

#[test]
fn line_ends_of_many_chunks_are_bounded() {
    assert_eq!(pieces(&many_chunks(2_000), Loader::Fast).len(), 2_001);
    let error = split(&many_chunks(20_000), Loader::Fast).unwrap_err();
    let message = error.to_string();
    assert!(message.starts_with("line 2"), "{message}");
    assert!(message.contains("exceed 64 MiB"), "{message}");
}
