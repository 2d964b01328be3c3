//! How long a shipped server looks at a password says nothing about where it is wrong.

use std::cell::Cell;
use std::rc::Rc;

use fastlua_simulator::mlua::{Function, HookTriggers, Lua, Table, VmState};

/// A module as a table, whole, and a Lua for it.
fn module(name: &str) -> (Lua, Table) {
    let lua = Lua::new();
    let file = format!("{name}.lua");
    let (_, source) = fastlua_firmware::modules()
        .find(|(name, _)| *name == file)
        .unwrap();
    let module = lua.load(source).set_name(file).call(()).unwrap();
    (lua, module)
}

/// How many instructions a call takes.
fn instructions(lua: &Lua, call: impl FnOnce()) -> usize {
    let count = Rc::new(Cell::new(0));
    let counted = Rc::clone(&count);
    let triggers = HookTriggers::new().every_nth_instruction(1);
    lua.set_hook(triggers, move |_, _| {
        counted.set(counted.get() + 1);
        Ok(VmState::Continue)
    })
    .unwrap();
    call();
    lua.remove_hook();
    count.get()
}

/// `cost` is what one wrong word takes.
fn takes_the_same(cost: impl Fn(&str) -> usize) {
    let early = cost("Xecret!!");
    for word in ["secret!X", "secXet!!", "XXXXXXXX"] {
        assert_eq!(cost(word), early, "{word}");
    }
    assert!(cost("Xecr") < early, "not byte by byte");
    assert!(cost("Xecret!!Xecret!!") > early, "not byte by byte");
}

#[test]
fn telnet() {
    takes_the_same(|word| {
        let (lua, module) = module("telnet");
        let setup = "local M = ...; M.pass = 'secret!!'; M.after = function() end; return {inp = '', tries = 0}";
        let session: Table = lua.load(setup).call(&module).unwrap();
        let login: Function = module.get("login").unwrap();
        instructions(&lua, || {
            login
                .call::<()>((&module, "sock", session, format!("{word}\n")))
                .unwrap();
        })
    });
}

#[test]
fn ftp() {
    for user in [false, true] {
        takes_the_same(|word| {
            let (lua, module) = module("ftp");
            let setup = "local M, user = ...; M.user, M.pass = 'secret!!', 'secret!!'; M.after = function() end; \
                return {user = user, tries = 0}";
            let (user, pass) = if user {
                (word, "secret!!")
            } else {
                ("secret!!", word)
            };
            let session: Table = lua.load(setup).call((&module, user)).unwrap();
            let login: Function = module.get("login").unwrap();
            instructions(&lua, || {
                login.call::<()>((&module, session, "PASS", pass)).unwrap();
            })
        });
    }
}
