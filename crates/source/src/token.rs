//! Token kinds of both dialects.

use fastlua_bytecode::Dialect;

/// A token and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Offset of its first byte.
    pub start: u32,
    /// Offset behind its last byte.
    pub end: u32,
    /// Line of its first byte, counted from 1.
    pub line: u32,
}

impl Token {
    /// Its bytes in `text`, the text it was read from.
    pub fn bytes<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        &text[self.start as usize..self.end as usize]
    }
}

/// Text of a source as messages show it: without control characters, and only its beginning where it is long.
pub(crate) fn shown(text: &[u8]) -> String {
    const LONGEST: usize = 60;
    let mut shown = String::new();
    for part in text[..text.len().min(LONGEST)].utf8_chunks() {
        for character in part.valid().chars() {
            match character.is_control() {
                true => shown.extend(character.escape_default()),
                false => shown.push(character),
            }
        }
        shown += &part.invalid().escape_ascii().to_string();
    }
    if text.len() > LONGEST {
        shown += "...";
    }
    shown
}

macro_rules! kinds {
    ($($name:ident $text:literal,)* ; $($word:ident $spelling:literal,)*) => {
        /// What a token is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind {
            /// An identifier.
            Name,
            /// A number, perhaps malformed.
            Number,
            /// A string in quotes or long brackets.
            String,
            /// A comment up to the end of its line.
            Comment,
            /// A comment in long brackets.
            LongComment,
            /// A byte that belongs to no token.
            Unknown,
            /// The end of the text.
            End,
            $(#[doc = concat!("`", $text, "`")] $name,)*
            $(#[doc = concat!("`", $spelling, "`")] $word,)*
        }

        impl Kind {
            /// How an operator or keyword is written; a description of the other kinds.
            pub fn spelling(self) -> &'static str {
                match self {
                    Kind::Name => "name",
                    Kind::Number => "number",
                    Kind::String => "string",
                    Kind::Comment | Kind::LongComment => "comment",
                    Kind::Unknown => "symbol",
                    Kind::End => "<eof>",
                    $(Kind::$name => $text,)*
                    $(Kind::$word => $spelling,)*
                }
            }

            /// The keyword `word` of either dialect.
            fn any_keyword(word: &[u8]) -> Option<Kind> {
                $(if word == $spelling.as_bytes() { return Some(Kind::$word); })*
                None
            }
        }
    };
}

kinds! {
    Plus "+", Minus "-", Star "*", Slash "/", Percent "%", Caret "^", Hash "#",
    Equal "==", NotEqual "~=", LessEqual "<=", GreaterEqual ">=", Less "<", Greater ">", Assign "=",
    LeftParen "(", RightParen ")", LeftBrace "{", RightBrace "}", LeftBracket "[", RightBracket "]",
    Semicolon ";", Colon ":", Comma ",", Dot ".", Concat "..", Dots "...",
    DoubleSlash "//", ShiftLeft "<<", ShiftRight ">>", Ampersand "&", Pipe "|", Tilde "~", DoubleColon "::",
    ;
    And "and", Break "break", Do "do", Else "else", ElseIf "elseif", EndWord "end", False "false",
    For "for", Function "function", Goto "goto", If "if", In "in", Local "local", Nil "nil", Not "not",
    Or "or", Repeat "repeat", Return "return", Then "then", True "true", Until "until", While "while",
}

impl Kind {
    /// Whether it is a comment of either form.
    pub fn is_comment(self) -> bool {
        matches!(self, Kind::Comment | Kind::LongComment)
    }

    /// The keyword that `word` is in `dialect`.
    pub fn keyword(word: &[u8], dialect: Dialect) -> Option<Kind> {
        if !(2..=8).contains(&word.len()) || !(b'a'..=b'w').contains(&word[0]) {
            return None;
        }
        Kind::any_keyword(word).filter(|&kind| kind != Kind::Goto || dialect == Dialect::Lua53)
    }

    /// The operator at the start of `text`, which is not empty, and its length.
    pub(crate) fn operator(text: &[u8], dialect: Dialect) -> (Kind, usize) {
        let second = text.get(1).copied();
        let new = dialect == Dialect::Lua53;
        // 5.1 takes a NUL for a second or third dot.
        let dot = |byte: Option<&u8>| byte == Some(&b'.') || !new && byte == Some(&0);
        match (text[0], second) {
            (b'.', _) if dot(text.get(1)) && dot(text.get(2)) => (Kind::Dots, 3),
            (b'.', _) if dot(text.get(1)) => (Kind::Concat, 2),
            (b'=', Some(b'=')) => (Kind::Equal, 2),
            (b'~', Some(b'=')) => (Kind::NotEqual, 2),
            (b'<', Some(b'=')) => (Kind::LessEqual, 2),
            (b'>', Some(b'=')) => (Kind::GreaterEqual, 2),
            (b'<', Some(b'<')) if new => (Kind::ShiftLeft, 2),
            (b'>', Some(b'>')) if new => (Kind::ShiftRight, 2),
            (b'/', Some(b'/')) if new => (Kind::DoubleSlash, 2),
            (b':', Some(b':')) if new => (Kind::DoubleColon, 2),
            (first, _) => (Kind::single(first, new), 1),
        }
    }

    fn single(byte: u8, new: bool) -> Kind {
        match byte {
            b'+' => Kind::Plus,
            b'-' => Kind::Minus,
            b'*' => Kind::Star,
            b'/' => Kind::Slash,
            b'%' => Kind::Percent,
            b'^' => Kind::Caret,
            b'#' => Kind::Hash,
            b'<' => Kind::Less,
            b'>' => Kind::Greater,
            b'=' => Kind::Assign,
            b'(' => Kind::LeftParen,
            b')' => Kind::RightParen,
            b'{' => Kind::LeftBrace,
            b'}' => Kind::RightBrace,
            b']' => Kind::RightBracket,
            b';' => Kind::Semicolon,
            b':' => Kind::Colon,
            b',' => Kind::Comma,
            b'.' => Kind::Dot,
            b'&' if new => Kind::Ampersand,
            b'|' if new => Kind::Pipe,
            b'~' if new => Kind::Tilde,
            _ => Kind::Unknown,
        }
    }
}
