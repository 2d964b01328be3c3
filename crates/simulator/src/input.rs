//! The UART's receiving side and the interactive Lua.

use std::cell::RefCell;
use std::rc::Rc;

use mlua::chunk::ChunkMode;
use mlua::{Function, IntoLuaMulti, Lua, MultiValue};

use crate::device::{Call, Device, Job, LOW};
use crate::error::{Raise, message};

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
pub(crate) struct Input {
    device: Rc<Device>,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    on_data: Option<(Function, Cut)>,
    /// Whether typed lines do not reach the interpreter.
    is_taken: bool,
    typed: Vec<u8>,
    last: u8,
    lines: Vec<u8>,
    is_posted: bool,
    statement: Option<Vec<u8>>,
    prompt: String,
}

impl Input {
    pub fn new(device: &Rc<Device>) -> Self {
        Self {
            device: Rc::clone(device),
            state: RefCell::default(),
        }
    }

    /// What `uart.on("data")` asks for: a function, and whether typed lines do not reach the interpreter.
    pub fn on_data(&self, function: Option<(Function, Cut)>, is_taken: bool) {
        let mut state = self.state.borrow_mut();
        state.on_data = function;
        state.is_taken = is_taken;
    }

    /// Takes bytes as the UART does: by lines for the interpreter, or as `uart.on` asked for.
    pub fn feed(self: &Rc<Self>, bytes: &[u8]) {
        for &byte in bytes {
            let is_taken = self.state.borrow().is_taken;
            if is_taken {
                self.feed_raw(byte)
            } else {
                self.feed_line(byte)
            }
        }
    }

    fn feed_raw(&self, byte: u8) {
        let ready = {
            let mut state = self.state.borrow_mut();
            state.typed.push(byte);
            let is_whole = match &state.on_data {
                None => return state.typed.clear(),
                Some((_, Cut::Byte)) => true,
                Some((_, Cut::Length(length))) => state.typed.len() >= *length,
                Some((_, Cut::End(end))) => byte == *end || state.typed.len() >= 255,
            };
            if !is_whole {
                return;
            }
            let typed = std::mem::take(&mut state.typed);
            state.on_data.clone().map(|(function, _)| (function, typed))
        };
        if let Some((function, typed)) = ready {
            self.device
                .call(Call::Protected, &function, mlua::BString::from(typed));
        }
    }

    fn feed_line(self: &Rc<Self>, byte: u8) {
        let (line, on_data) = {
            let mut state = self.state.borrow_mut();
            match (byte, state.last) {
                (b'\r', b'\n') | (b'\n', b'\r') => {
                    state.last = 0;
                    return;
                }
                (8 | 127, _) => {
                    state.typed.pop();
                    state.last = 0;
                    return;
                }
                _ => state.last = byte,
            }
            if byte != b'\r' && byte != b'\n' {
                state.typed.push(byte);
                return;
            }
            (std::mem::take(&mut state.typed), state.on_data.clone())
        };
        if let Some((function, _)) = on_data {
            self.device.call(
                Call::Protected,
                &function,
                mlua::BString::from(line.clone()),
            );
        }
        if line.is_empty() {
            if self.device.terminal.borrow().is_none() {
                self.device.uart(self.shown_prompt().as_bytes());
            }
            return;
        }
        let mut line = line;
        line.push(b'\n');
        if let Err(error) = self.interpret(&line) {
            self.device.failed(Call::Protected, &error.into());
        }
    }

    fn shown_prompt(&self) -> String {
        let prompt = self.state.borrow().prompt.clone();
        if prompt.is_empty() {
            return "> ".to_owned();
        }
        prompt
    }

    /// The prompt to edit a line behind, unless a line is still to be interpreted. What takes the bytes itself has none.
    pub fn awaits(&self) -> Option<String> {
        let (is_posted, is_taken) = {
            let state = self.state.borrow();
            (state.is_posted, state.is_taken)
        };
        match is_taken {
            true => Some(String::new()),
            false => (!is_posted).then(|| self.shown_prompt()),
        }
    }

    /// Drops what was begun and not ended, as on Ctrl-C.
    pub fn abandon(&self, lua: &Lua) {
        {
            let mut state = self.state.borrow_mut();
            state.statement = None;
            state.typed.clear();
            state.lines.clear();
        }
        self.prompt(lua);
    }

    /// Queues text for the interpreter, which runs one line a task, as `node.input` does.
    pub fn interpret(self: &Rc<Self>, text: &[u8]) -> Result<(), Raise> {
        self.state.borrow_mut().lines.extend_from_slice(text);
        self.post()
    }

    fn post(self: &Rc<Self>) -> Result<(), Raise> {
        let is_needed = {
            let state = self.state.borrow();
            !state.is_posted && state.lines.contains(&b'\n')
        };
        if is_needed {
            let input = Rc::clone(self);
            let job: Job = Box::new(move |lua, _| {
                input.state.borrow_mut().is_posted = false;
                input.run_line(lua);
                Ok(input.post()?)
            });
            self.device.post(LOW, job)?;
            self.state.borrow_mut().is_posted = true;
        }
        Ok(())
    }

    fn run_line(&self, lua: &Lua) {
        let source = {
            let mut state = self.state.borrow_mut();
            let Some(end) = state.lines.iter().position(|&byte| byte == b'\n') else {
                return;
            };
            let mut line: Vec<u8> = state.lines.drain(..=end).collect();
            line.pop();
            match state.statement.take() {
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
        match compile(lua, source) {
            Line::Begun(statement) => self.state.borrow_mut().statement = Some(statement),
            Line::Wrong(error) => print(lua, &self.device, error_line(&error)),
            Line::Whole(chunk) => {
                let results = chunk.call::<MultiValue>(());
                if let Some(interrupt) = &self.device.options.interrupt
                    && let Err(error) = interrupt.settle(lua)
                {
                    self.device.failed(Call::Protected, &error);
                }
                match results {
                    Ok(results) if results.is_empty() => {}
                    Ok(results) => print(lua, &self.device, results),
                    Err(error) => print(lua, &self.device, error_line(&error)),
                }
            }
        }
        self.prompt(lua);
    }

    pub fn prompt(&self, lua: &Lua) {
        let (name, default) = if self.state.borrow().statement.is_some() {
            ("_PROMPT2", ">> ")
        } else {
            ("_PROMPT", "> ")
        };
        let text = lua
            .globals()
            .get::<String>(name)
            .unwrap_or_else(|_| default.to_owned());
        self.state.borrow_mut().prompt.clone_from(&text);
        if let Err(error) = self.device.prompt(text.as_bytes()) {
            self.device.failed(Call::Protected, &error.into());
        }
    }
}

/// What a line is, together with those before it that were not whole.
enum Line {
    Whole(Function),
    Begun(Vec<u8>),
    Wrong(mlua::Error),
}

/// Compiles a statement, as the firmware does, or else an expression, whose values are then printed.
fn compile(lua: &Lua, mut source: Vec<u8>) -> Line {
    // The escape sequence of an arrow key begins with ESC, like bytecode.
    if source.first() == Some(&0x1B) {
        source.insert(0, b' ');
    }
    let load = |source: &[u8]| {
        let chunk = lua.load(source).set_mode(ChunkMode::Text);
        chunk.set_name("=stdin").into_function()
    };
    let is_begun = |error: &mlua::Error| {
        matches!(
            error,
            mlua::Error::SyntaxError {
                incomplete_input: true,
                ..
            }
        )
    };
    let error = match load(&source) {
        Ok(chunk) => return Line::Whole(chunk),
        Err(error) if is_begun(&error) => return Line::Begun(source),
        Err(error) => error,
    };
    let expression = [b"return ", source.as_slice()].concat();
    match load(&expression) {
        Ok(chunk) => Line::Whole(chunk),
        Err(error) if is_begun(&error) => Line::Begun(expression),
        Err(_) => Line::Wrong(error),
    }
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
