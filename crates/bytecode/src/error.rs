//! Errors of a dump or a model, with their place.

use std::fmt;

use bstr::BString;

use crate::layout::Layout;
use crate::model::FunctionPath;

/// Why a dump is refused, and the place.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("offset {offset}{}: {kind}", Inside(function))]
pub struct ReadError {
    /// Bytes from the start of the dump to the field that is wrong.
    pub offset: usize,
    /// The function that the field belongs to; none in the header and behind the main function.
    pub function: Option<FunctionPath>,
    /// What is wrong.
    pub kind: ReadErrorKind,
}

/// An error of a dump.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ReadErrorKind {
    /// No dump has this layout.
    #[error("{0} is not a valid layout of a dump")]
    Layout(Layout),
    /// The header is not the one of the expected layout.
    #[error("{}", HeaderText(expected, found))]
    Header {
        /// The layout that was asked for.
        expected: Layout,
        /// The layouts with this header; empty if the header is unknown.
        found: Vec<Layout>,
    },
    /// The header is unknown.
    #[error("not a dump of Lua 5.1 or 5.3")]
    NoDump,
    /// Several layouts fit and give different functions.
    #[error("ambiguous: gives different chunks as {}", AnyOf(.0))]
    Ambiguous(Vec<Layout>),
    /// The dump ends inside a field.
    #[error("{what} of {}, but {} left", Bytes(*needed), AreLeft(*left))]
    Cut {
        /// Name of the field.
        what: &'static str,
        /// Bytes that it takes.
        needed: u64,
        /// Bytes up to the end of the dump.
        left: usize,
    },
    /// A count is higher than the rest of the dump can hold.
    #[error("{count} {what} of {} or more each, but {} left", Bytes(*least), AreLeft(*left))]
    Count {
        /// Name of what is counted.
        what: &'static str,
        /// The count.
        count: u64,
        /// Bytes that one takes at least.
        least: u64,
        /// Bytes up to the end of the dump.
        left: usize,
    },
    /// Bytes follow the main function.
    #[error("{} after the main function", Bytes(*.0 as u64))]
    Trailing(usize),
    /// Functions are nested deeper than Lua allows.
    #[error(
        "functions are nested more than {} levels deep",
        crate::model::MAX_NESTING
    )]
    Nesting,
    /// A padding byte is not zero.
    #[error("padding byte is {0:#04x}, not 0")]
    Padding(u8),
    /// A truth value is neither 0 nor 1.
    #[error("{what} is {value}, not 0 or 1")]
    Boolean {
        /// Name of the field.
        what: &'static str,
        /// Its value.
        value: u8,
    },
    /// A number does not fit the type that the loader keeps it in.
    #[error("{what} out of range")]
    Range {
        /// Name of the field.
        what: &'static str,
    },
    /// A number takes more bytes than it needs.
    #[error("{what} is encoded in more bytes than needed")]
    Overlong {
        /// Name of the field.
        what: &'static str,
    },
    /// The type byte of a constant is unknown to the format.
    #[error("unknown constant type {0:#04x}")]
    ConstantType(u8),
    /// A string has another type's tag.
    #[error("{what} has the invalid tag {tag:#04x}")]
    StringTag {
        /// Name of the field.
        what: &'static str,
        /// The tag.
        tag: u8,
    },
    /// The tag says short for a string over 40 bytes, or long for another.
    #[error("{what} of {} has the tag of a {} string", Bytes(*length as u64), if *short { "short" } else { "long" })]
    StringLength {
        /// Name of the field.
        what: &'static str,
        /// Bytes of the string.
        length: usize,
        /// Whether the tag says short.
        short: bool,
    },
    /// A string does not end in its NUL.
    #[error("{what} does not end in a zero byte")]
    Unterminated {
        /// Name of the field.
        what: &'static str,
    },
    /// A string of an image that it does not have.
    #[error("{what} is string number {number}, but there are {count}")]
    Reference {
        /// Name of the field.
        what: &'static str,
        /// Number of the string, from 1 on.
        number: u64,
        /// Their number.
        count: usize,
    },
    /// Strings of an image are named so often that copies of them would fill the memory.
    #[error("copies of its strings exceed {} MiB", crate::model::MOST_COPIED >> 20)]
    Copied,
    /// A string constant has no string.
    #[error("string constant without a string")]
    NoString,
    /// More upvalues than a closure can have, or, in 5.1, than instructions that could use them.
    #[error("{count} upvalues, more than the {limit} possible")]
    Upvalues {
        /// Number of upvalues.
        count: u64,
        /// Highest number possible here.
        limit: usize,
    },
    /// The header's upvalue count is not the main function's.
    #[error("upvalue count {main}, but {header} in the header")]
    MainUpvalues {
        /// Count in the header.
        header: u8,
        /// Count in the main function.
        main: usize,
    },
    /// Names are there for some of the upvalues only, or, in 5.1, counted and left out.
    #[error("{names} of {upvalues} upvalues have names")]
    UpvalueNames {
        /// Number of names.
        names: usize,
        /// Number of upvalues.
        upvalues: usize,
    },
    /// Line info has a zero before its end, or none there.
    #[error("line info does not end in its only zero byte")]
    LineEnd,
    /// Line info has a count byte over the format's maximum, or none behind a delta.
    #[error("line info has a count of {0}")]
    LineRun(u8),
    /// Line info is for another number of instructions.
    #[error("line info covers {lines} of {code} instructions")]
    LineCount {
        /// Instructions with a line, as far as read.
        lines: usize,
        /// Instructions.
        code: usize,
    },
    /// Line info leads to a line that a C `int` does not hold.
    #[error("line info gives the line {0}, out of range")]
    Line(i64),
    /// A packed chunk is written in another way than ours, or with another pool.
    #[error("not packed as fastlua packs it")]
    Unpacked,
}

/// Why a model cannot be written, and the function.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("function {function}: {kind}")]
pub struct WriteError {
    /// The function that cannot be written.
    pub function: FunctionPath,
    /// The part that its dump can't hold.
    pub kind: WriteErrorKind,
}

/// A part that a dump can't hold. Constants are numbered from 0.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WriteErrorKind {
    /// No dump has this layout.
    #[error("{0} is not a valid layout of a dump")]
    Layout(Layout),
    /// An integer, but the layout has none.
    #[error("constant {constant} is the integer {value}, but {layout} has no integers")]
    NoIntegers {
        /// Index of the constant.
        constant: usize,
        /// Its value.
        value: i64,
        /// The layout.
        layout: Layout,
    },
    /// A float, but the layout has none.
    #[error("constant {constant} is the float {value:?}, but {layout} has no floats")]
    NoFloats {
        /// Index of the constant.
        constant: usize,
        /// Its value.
        value: f64,
        /// The layout.
        layout: Layout,
    },
    /// An integer outside 32 bits.
    #[error("constant {constant} is {value}, which does not fit in 32 bits")]
    IntegerWidth {
        /// Index of the constant.
        constant: usize,
        /// Its value.
        value: i64,
    },
    /// A float that a 32-bit float does not hold exactly.
    #[error("constant {constant} is {value:?}, which a 32-bit float does not hold exactly")]
    FloatWidth {
        /// Index of the constant.
        constant: usize,
        /// Its value.
        value: f64,
    },
    /// A count, length or line beyond what the loader's `int` holds.
    #[error("{what} is {value}, more than {}", i32::MAX)]
    Int {
        /// Name of the field.
        what: &'static str,
        /// Its value.
        value: u64,
    },
    /// Functions are nested deeper than Lua allows.
    #[error(
        "functions are nested more than {} levels deep",
        crate::model::MAX_NESTING
    )]
    Nesting,
    /// Another number of lines than of instructions.
    #[error("{lines} lines for {code} instructions")]
    Lines {
        /// Number of lines.
        lines: usize,
        /// Number of instructions.
        code: usize,
    },
    /// More upvalues than a closure can have, or, in 5.1, than instructions that could use them.
    #[error("{count} upvalues, more than the {limit} possible")]
    Upvalues {
        /// Number of upvalues.
        count: usize,
        /// Highest number possible here.
        limit: usize,
    },
    /// A 5.1 dump does not say where an upvalue comes from.
    #[error("upvalue {0} has a place, which a 5.1 dump can't store")]
    UpvaluePlace(usize),
    /// Debug data, which a packed chunk does not hold.
    #[error("it has {0}, which a packed chunk can't store: use strip level 2")]
    DebugData(&'static str),
    /// A string that has no number in the image.
    #[error("the image has no string {0:?}")]
    NoNumber(BString),
    /// NodeMCU's own compiler gives no line info to compare with.
    #[error(
        "luac.cross has no line info for it: luac.cross writes outside of its memory and crashes"
    )]
    ReferenceFails,
}

/// `, function main.2.0`, or nothing.
struct Inside<'a>(&'a Option<FunctionPath>);

impl fmt::Display for Inside<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(path) => write!(f, ", function {path}"),
            None => Ok(()),
        }
    }
}

struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} byte{}", self.0, if self.0 == 1 { "" } else { "s" })
    }
}

struct AreLeft(usize);

impl fmt::Display for AreLeft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.0 == 1 { "is" } else { "are" };
        write!(f, "{} {verb}", Bytes(self.0 as u64))
    }
}

struct AnyOf<'a>(&'a [Layout]);

impl fmt::Display for AnyOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, layout) in self.0.iter().enumerate() {
            let between = if index == 0 { "" } else { " or " };
            write!(f, "{between}{layout}")?;
        }
        Ok(())
    }
}

struct HeaderText<'a>(&'a Layout, &'a [Layout]);

impl fmt::Display for HeaderText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            [] => write!(f, "unknown header, not that of {}", self.0),
            found => write!(f, "header of {} instead of {}", AnyOf(found), self.0),
        }
    }
}
