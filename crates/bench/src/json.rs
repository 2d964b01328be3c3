//! JSON whose innermost objects are lines.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

/// Objects and arrays at this depth and below are written in one line.
const DEPTH: usize = 7;

/// Indented JSON of a value and a newline.
pub(crate) fn lines(value: &impl Serialize) -> serde_json::Result<String> {
    let mut bytes = Vec::new();
    let formatter = Lines {
        pretty: PrettyFormatter::new(),
        depth: 0,
    };
    value.serialize(&mut Serializer::with_formatter(&mut bytes, formatter))?;
    bytes.push(b'\n');
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

struct Lines {
    pretty: PrettyFormatter<'static>,
    depth: usize,
}

/// What the indenting formatter would write.
type Pretty<W> = fn(&mut PrettyFormatter<'static>, &mut W) -> io::Result<()>;

/// The same before a value or a key, which may be the first one.
type PrettyItem<W> = fn(&mut PrettyFormatter<'static>, &mut W, bool) -> io::Result<()>;

/// Objects and arrays alike: their mark in a line, or as they are indented.
impl Lines {
    fn in_line(&self) -> bool {
        self.depth >= DEPTH
    }

    fn write<W: ?Sized + Write>(
        &mut self,
        to: &mut W,
        mark: &str,
        pretty: Pretty<W>,
    ) -> io::Result<()> {
        match self.in_line() {
            true => to.write_all(mark.as_bytes()),
            false => pretty(&mut self.pretty, to),
        }
    }

    fn begin<W: ?Sized + Write>(
        &mut self,
        to: &mut W,
        mark: &str,
        pretty: Pretty<W>,
    ) -> io::Result<()> {
        self.depth += 1;
        self.write(to, mark, pretty)
    }

    fn end<W: ?Sized + Write>(
        &mut self,
        to: &mut W,
        mark: &str,
        pretty: Pretty<W>,
    ) -> io::Result<()> {
        let written = self.write(to, mark, pretty);
        self.depth -= 1;
        written
    }

    fn item<W: ?Sized + Write>(
        &mut self,
        to: &mut W,
        first: bool,
        pretty: PrettyItem<W>,
    ) -> io::Result<()> {
        match (self.in_line(), first) {
            (true, true) => Ok(()),
            (true, false) => to.write_all(b", "),
            (false, _) => pretty(&mut self.pretty, to, first),
        }
    }
}

impl Formatter for Lines {
    fn begin_array<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.begin(to, "[", PrettyFormatter::begin_array)
    }

    fn end_array<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.end(to, "]", PrettyFormatter::end_array)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.item(to, first, PrettyFormatter::begin_array_value)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.write(to, "", PrettyFormatter::end_array_value)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.begin(to, "{", PrettyFormatter::begin_object)
    }

    fn end_object<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.end(to, "}", PrettyFormatter::end_object)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.item(to, first, PrettyFormatter::begin_object_key)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.pretty.begin_object_value(to)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.write(to, "", PrettyFormatter::end_object_value)
    }
}
