//! The prompt at a terminal: lines that can be edited, with a history.
//!
//! The editor reads in a thread of its own, one line for each that it is asked for. While it reads, what the device prints
//! goes through the editor, which puts it above the line that is being typed.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use mio::Waker;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Config, Editor, ExternalPrinter};

use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::stdin::{Typed, in_thread};

/// So many lines are kept in the history.
const HISTORY: usize = 1000;

pub(crate) struct Terminal {
    asked: Sender<String>,
    printed: Sender<String>,
    is_reading: bool,
    /// What is printed while the editor reads: a line that is not ended may yet be, in this turn of the event loop.
    waiting: Vec<u8>,
    /// Whether the last that was printed ended a line.
    is_at_start: bool,
    #[cfg(unix)]
    before: Option<rustix::termios::Termios>,
}

/// Whether there is one to type at.
pub(crate) fn is_there() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

impl Terminal {
    /// The terminal and what is typed there; nothing where it can't edit.
    pub fn attach(
        waker: Arc<Waker>,
        history: Option<&Path>,
        interrupt: Option<Interrupt>,
    ) -> Result<Option<(Self, Receiver<Typed>)>, Error> {
        let Some((mut editor, mut printer)) = editor() else {
            return Ok(None);
        };
        let history = history.map(Path::to_owned);
        if let Some(path) = &history {
            // Without it the lines are kept for as long as the run lasts.
            if let Some(folder) = path.parent() {
                let _ = fs::create_dir_all(folder);
            }
            let _ = editor.load_history(path);
        }
        let (typed, typed_here) = channel();
        let (asked, asked_there) = channel::<String>();
        let (printed, printed_there) = channel::<String>();
        in_thread("terminal", move || {
            for prompt in asked_there {
                let answer = answer(editor.readline(&prompt));
                if let (Some(path), Typed::Bytes(_)) = (&history, &answer) {
                    let _ = editor.append_history(path);
                }
                // Ctrl-C is for what runs meanwhile, too.
                if let (Some(interrupt), Typed::Abandoned) = (&interrupt, &answer) {
                    interrupt.ask();
                }
                let is_over = matches!(answer, Typed::End);
                if typed.send(answer).is_err() || waker.wake().is_err() || is_over {
                    return;
                }
            }
        })?;
        // The editor takes one text at a time, and none while it hands over a line.
        in_thread("terminal's output", move || {
            for text in printed_there {
                let _ = printer.print(text);
            }
        })?;
        let terminal = Self {
            asked,
            printed,
            is_reading: false,
            waiting: Vec::new(),
            is_at_start: true,
            #[cfg(unix)]
            before: rustix::termios::tcgetattr(io::stdin()).ok(),
        };
        Ok(Some((terminal, typed_here)))
    }

    pub fn is_reading(&self) -> bool {
        self.is_reading
    }

    /// Asks for a line, behind this prompt.
    pub fn ask(&mut self, prompt: &str, output: &mut dyn Write) -> io::Result<()> {
        // The editor would write over a line that is not ended.
        if !std::mem::replace(&mut self.is_at_start, true) {
            output.write_all(b"\n")?;
        }
        output.flush()?;
        self.is_reading = self.asked.send(prompt.to_owned()).is_ok();
        Ok(())
    }

    /// The line was taken, or the editor has stopped.
    pub fn answered(&mut self) {
        self.is_reading = false;
    }

    pub fn print(&mut self, bytes: &[u8], output: &mut dyn Write) -> io::Result<()> {
        if self.is_reading {
            self.waiting.extend_from_slice(bytes);
            if bytes.ends_with(b"\n") {
                self.flush();
            }
            return Ok(());
        }
        if let Some(last) = bytes.last() {
            self.is_at_start = *last == b'\n';
        }
        output.write_all(bytes)
    }

    pub fn flush(&mut self) {
        if !self.waiting.is_empty() {
            let text = String::from_utf8_lossy(&self.waiting).into_owned();
            let _ = self.printed.send(text);
            self.waiting.clear();
        }
    }
}

impl Drop for Terminal {
    /// The run may end while the editor reads: the terminal then becomes what it was before.
    fn drop(&mut self) {
        if !self.is_reading {
            return;
        }
        #[cfg(unix)]
        if let Some(before) = &self.before {
            let _ = rustix::termios::tcsetattr(
                io::stdin(),
                rustix::termios::OptionalActions::Drain,
                before,
            );
        }
        let rest = [b"\x1b[?2004l\r\n", self.waiting.as_slice()].concat();
        let _ = io::stdout().write_all(&rest);
    }
}

type Lines = Editor<(), FileHistory>;

fn editor() -> Option<(Lines, impl ExternalPrinter + Send)> {
    let config = Config::builder()
        .max_history_size(HISTORY)
        .ok()?
        .history_ignore_space(true)
        .auto_add_history(true)
        .build();
    let mut editor = Lines::with_config(config).ok()?;
    let printer = editor.create_external_printer().ok()?;
    Some((editor, printer))
}

fn answer(line: rustyline::Result<String>) -> Typed {
    match line {
        Ok(mut line) => {
            line.push('\n');
            Typed::Bytes(line.into_bytes())
        }
        Err(ReadlineError::Interrupted) => Typed::Abandoned,
        Err(_) => Typed::End,
    }
}
