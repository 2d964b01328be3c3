//! A writer of C text that streams, so that no text is held whole.

use std::fmt::{self, Write};
use std::ops::AddAssign;

use sha2::{Digest, Sha256};

/// A writer of text. After an error it writes nothing more, and [`Text::done`] returns the error.
pub(super) struct Text<'a> {
    out: &'a mut dyn Write,
    outcome: fmt::Result,
}

impl<'a> Text<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Text<'a> {
        let outcome = Ok(());
        Text { out, outcome }
    }

    pub(super) fn done(self) -> fmt::Result {
        self.outcome
    }
}

impl Write for Text<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.outcome = self.outcome.and_then(|()| self.out.write_str(part));
        self.outcome
    }
}

impl AddAssign<&str> for Text<'_> {
    fn add_assign(&mut self, part: &str) {
        let _ = self.write_str(part);
    }
}

/// Hashes what goes through it.
#[derive(Default)]
pub(super) struct Hashed<'a> {
    /// The next writer, if any.
    out: Option<&'a mut dyn Write>,
    hash: Sha256,
}

impl<'a> Hashed<'a> {
    pub(super) fn new(out: &'a mut (dyn Write + 'a)) -> Hashed<'a> {
        Hashed {
            out: Some(out),
            hash: Sha256::new(),
        }
    }

    /// 16 hexadecimal digits that depend on all of it.
    pub(super) fn name(self) -> String {
        Hex(&self.hash.finalize()[..8]).to_string()
    }
}

impl Write for Hashed<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.hash.update(part);
        self.out.as_mut().map_or(Ok(()), |out| out.write_str(part))
    }
}

/// Bytes in hexadecimal.
pub(super) struct Hex<'a>(pub(super) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", base16ct::HexDisplay(self.0))
    }
}
