//! Stops what Lua runs, on the word of another thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mlua::{HookTriggers, Lua, VmState};

/// So many instructions of Lua's run between two looks.
const RARELY: u32 = 1000;

/// Stops the chunk or callback that runs, which then ends with the error `interrupted!`; the device goes on.
#[derive(Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Asks for it, from any thread. False where it was asked for before and nothing has come of it yet: Lua is then in a
    /// function of its own that takes long, and can't be stopped.
    pub fn ask(&self) -> bool {
        !self.0.swap(true, Ordering::SeqCst)
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Has a Lua state look now and then whether it was asked for.
    pub(crate) fn watch(&self, lua: &Lua) -> mlua::Result<()> {
        self.look(lua, RARELY)
    }

    /// Forgets that it was asked for, once control is back.
    pub(crate) fn settle(&self, lua: &Lua) -> mlua::Result<()> {
        match self.0.swap(false, Ordering::SeqCst) {
            true => self.watch(lua),
            false => Ok(()),
        }
    }

    fn look(&self, lua: &Lua, every: u32) -> mlua::Result<()> {
        let interrupt = self.clone();
        let triggers = HookTriggers::new().every_nth_instruction(every);
        lua.set_global_hook(triggers, move |lua, _| {
            if !interrupt.is_asked() {
                return Ok(VmState::Continue);
            }
            // From now on at each instruction, so that no loop around a `pcall` goes on.
            if every > 1 {
                interrupt.look(lua, 1)?;
            }
            Err(mlua::Error::runtime("interrupted!"))
        })
    }
}
