//! What can be wrong with the use of SPLIT markers.

/// Why a file cannot be split, and the line, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct SplitError {
    /// The line, counted from 1.
    pub line: u32,
    /// What is wrong there.
    pub kind: SplitErrorKind,
}

/// What is wrong with the use of SPLIT markers. Lines are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SplitErrorKind {
    /// Lua's lexer refuses the text.
    #[error("{0}")]
    Syntax(String),
    /// A comment that looks like a marker, but is none.
    #[error(
        "`{0}` is not a SPLIT marker: write `--[[SPLIT MODULE name]]`, `--[[SPLIT HERE chunk]]`, \
         `--[[SPLIT HERE]]` or `--[[SPLIT IGNORE]]`"
    )]
    Unknown(String),
    /// HERE or IGNORE without MODULE before it.
    #[error("SPLIT {0} before `--[[SPLIT MODULE name]]`")]
    NoModule(&'static str),
    /// A second MODULE.
    #[error("second SPLIT MODULE, after the one on line {0}: a file is one module")]
    Nested(u32),
    /// Two markers on one line.
    #[error("two SPLIT markers on one line")]
    SameLine,
    /// Not a name that a module can have.
    #[error("`{0}` cannot name a module: letters, digits and `_` only, not beginning with a digit")]
    ModuleName(String),
    /// Not a name that a chunk can have.
    #[error(
        "`{0}` cannot name a chunk: letters, digits, `_`, `-` and `.` only, not beginning with `-` or `.`"
    )]
    ChunkName(String),
    /// The same chunk again.
    #[error("chunk `{0}` already begins on line {1}")]
    Twice(String, u32),
    /// Many chunks far down, each with the line ends before it.
    #[error(
        "the chunks up to here exceed {} MiB, because each has the line ends of all lines before it: \
         divide the file into several", .0 >> 20
    )]
    TooLong(usize),
    /// `--[[SPLIT HERE]]` outside of a chunk.
    #[error("no chunk to end here")]
    NothingToEnd,
    /// Code behind HERE on its line.
    #[error("code after the SPLIT marker would be lost: the marker must end its line")]
    Behind,
    /// Code before the first chunk.
    #[error("code before `--[[SPLIT MODULE name]]` would be lost: only comments are allowed there")]
    Before,
    /// Code outside of the chunks.
    #[error("this line belongs to no chunk: mark it `--[[SPLIT IGNORE]]` if that is intended")]
    Outside,
    /// A left-out line begins or ends inside a string or comment.
    #[error("a string or comment continues beyond the marked line")]
    Torn,
    /// The file declares what the splitter declares.
    #[error("`local {0}` hides the variable that is true in each chunk: do not declare it")]
    Declared(String),
}

pub(super) fn fail<T>(line: u32, kind: SplitErrorKind) -> Result<T, SplitError> {
    Err(SplitError { line, kind })
}
