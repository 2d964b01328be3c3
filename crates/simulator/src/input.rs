//! The UART's receiving side and the interactive Lua.

use std::io::{self, Read};
use std::rc::Rc;
use std::thread;

use mlua::{Function, IntoLuaMulti, Lua, MultiValue};

use crate::api::Raise;
use crate::device::{Call, Completion, Device, Job, LOW};
use crate::error::{Error, message};

/// How `uart.on("data")` wants its data cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Each byte.
    Byte,
    /// So many bytes.
    Length(usize),
    /// Up to this byte, which comes with the data.
    End(u8),
}

/// Bytes on their way from the UART to `uart.on` and to the interpreter.
#[derive(Default)]
pub(crate) struct Input {
    pub on_data: Option<(Function, Cut)>,
    /// Whether typed lines do not reach the interpreter.
    pub is_taken: bool,
    typed: Vec<u8>,
    last: u8,
    stream: Stream,
    lines: Vec<u8>,
    is_posted: bool,
    statement: Option<Vec<u8>>,
    prompt: String,
}

#[derive(Default, PartialEq, Eq)]
enum Stream {
    #[default]
    None,
    Open,
    Ended,
}

impl Input {
    pub fn reset(&mut self) {
        let stream = std::mem::take(&mut self.stream);
        *self = Self {
            stream,
            ..Self::default()
        };
    }

    pub fn is_open(&self) -> bool {
        self.stream == Stream::Open
    }

    pub fn has_ended(&self) -> bool {
        self.stream == Stream::Ended
    }

    pub fn end(&mut self) {
        self.stream = Stream::Ended;
    }
}

/// Reads standard input in a thread of its own, since the event loop cannot wait for a file.
pub(crate) fn attach(device: &Device) -> Result<(), Error> {
    if std::mem::replace(&mut device.input.borrow_mut().stream, Stream::Open) == Stream::Open {
        return Ok(());
    }
    let sender = device.completions.0.clone();
    let waker = device.net.borrow().waker();
    let reader = move || {
        let mut buffer = [0; 1024];
        loop {
            let completion = match io::stdin().lock().read(&mut buffer) {
                Ok(0) | Err(_) => Completion::InputEnd,
                Ok(count) => Completion::Input(buffer[..count].to_vec()),
            };
            let is_last = matches!(completion, Completion::InputEnd);
            if sender.send(completion).is_err() || waker.wake().is_err() || is_last {
                return;
            }
        }
    };
    thread::Builder::new()
        .name("standard input".to_owned())
        .spawn(reader)
        .map(drop)
        .map_err(|source| Error::Io {
            what: "cannot read standard input".to_owned(),
            source,
        })
}

/// Takes bytes as the UART does: by lines for the interpreter, or as `uart.on` asked for.
pub(crate) fn feed(device: &Device, bytes: &[u8]) {
    for &byte in bytes {
        let is_taken = device.input.borrow().is_taken;
        if is_taken {
            feed_raw(device, byte)
        } else {
            feed_line(device, byte)
        }
    }
}

fn feed_raw(device: &Device, byte: u8) {
    let ready = {
        let mut input = device.input.borrow_mut();
        input.typed.push(byte);
        let is_whole = match &input.on_data {
            None => return input.typed.clear(),
            Some((_, Cut::Byte)) => true,
            Some((_, Cut::Length(length))) => input.typed.len() >= *length,
            Some((_, Cut::End(end))) => byte == *end || input.typed.len() >= 255,
        };
        if !is_whole {
            return;
        }
        let typed = std::mem::take(&mut input.typed);
        input.on_data.clone().map(|(function, _)| (function, typed))
    };
    if let Some((function, typed)) = ready {
        device.call(Call::Protected, &function, mlua::BString::from(typed));
    }
}

fn feed_line(device: &Device, byte: u8) {
    let (line, on_data) = {
        let mut input = device.input.borrow_mut();
        match (byte, input.last) {
            (b'\r', b'\n') | (b'\n', b'\r') => {
                input.last = 0;
                return;
            }
            (8 | 127, _) => {
                input.typed.pop();
                input.last = 0;
                return;
            }
            _ => input.last = byte,
        }
        if byte != b'\r' && byte != b'\n' {
            input.typed.push(byte);
            return;
        }
        (std::mem::take(&mut input.typed), input.on_data.clone())
    };
    if let Some((function, _)) = on_data {
        device.call(
            Call::Protected,
            &function,
            mlua::BString::from(line.clone()),
        );
    }
    if line.is_empty() {
        let prompt = device.input.borrow().prompt.clone();
        device.uart(if prompt.is_empty() {
            b"> "
        } else {
            prompt.as_bytes()
        });
        return;
    }
    let mut line = line;
    line.push(b'\n');
    if let Err(error) = interpret(device, &line) {
        let text = match error {
            Raise::Text(text) | Raise::Argument(_, text) => text,
        };
        device.failed(Call::Protected, &mlua::Error::RuntimeError(text));
    }
}

/// Queues text for the interpreter, which runs one line a task, as `node.input` does.
pub(crate) fn interpret(device: &Device, text: &[u8]) -> Result<(), Raise> {
    device.input.borrow_mut().lines.extend_from_slice(text);
    post(device)
}

fn post(device: &Device) -> Result<(), Raise> {
    let is_needed = {
        let input = device.input.borrow();
        !input.is_posted && input.lines.contains(&b'\n')
    };
    if is_needed {
        let job: Job = Box::new(|lua, device| {
            device.input.borrow_mut().is_posted = false;
            run_line(lua, device);
            post(device).map_err(|_| mlua::Error::runtime("Task queue overflow. Task not posted"))
        });
        device.post(LOW, job)?;
        device.input.borrow_mut().is_posted = true;
    }
    Ok(())
}

fn run_line(lua: &Lua, device: &Rc<Device>) {
    let source = {
        let mut input = device.input.borrow_mut();
        let Some(end) = input.lines.iter().position(|&byte| byte == b'\n') else {
            return;
        };
        let mut line: Vec<u8> = input.lines.drain(..=end).collect();
        line.pop();
        match input.statement.take() {
            Some(mut statement) => {
                statement.push(b'\n');
                statement.extend(line);
                statement
            }
            None => match line.strip_prefix(b"=") {
                Some(expression) => [b"return ", expression].concat(),
                None => line,
            },
        }
    };
    match lua
        .load(source.as_slice())
        .set_name("=stdin")
        .into_function()
    {
        Err(mlua::Error::SyntaxError {
            incomplete_input: true,
            ..
        }) => {
            device.input.borrow_mut().statement = Some(source);
        }
        Err(error) => print(lua, device, error_line(&error)),
        Ok(chunk) => match chunk.call::<MultiValue>(()) {
            Ok(results) if results.is_empty() => {}
            Ok(results) => print(lua, device, results),
            Err(error) => print(lua, device, error_line(&error)),
        },
    }
    prompt(lua, device);
}

fn error_line(error: &mlua::Error) -> String {
    format!("Lua error: {}", message(error))
}

/// Prints with Lua's `print`, which may have been replaced.
fn print(lua: &Lua, device: &Device, values: impl IntoLuaMulti) {
    let result = lua
        .globals()
        .get::<Function>("print")
        .and_then(|print| print.call::<()>(values));
    if let Err(error) = result {
        device.uart(format!("error calling 'print' ({})\n", message(&error)).as_bytes());
    }
}

pub(crate) fn prompt(lua: &Lua, device: &Device) {
    let (name, default) = if device.input.borrow().statement.is_some() {
        ("_PROMPT2", ">> ")
    } else {
        ("_PROMPT", "> ")
    };
    let text = lua
        .globals()
        .get::<String>(name)
        .unwrap_or_else(|_| default.to_owned());
    device.input.borrow_mut().prompt.clone_from(&text);
    if let Err(Raise::Text(text)) = device.print(text.as_bytes()) {
        device.failed(Call::Protected, &mlua::Error::RuntimeError(text));
    }
}
