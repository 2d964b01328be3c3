//! `node`: the chip, tasks, the interpreter's input and output, compiling, boot command and partitions.

mod partitions;

use std::cell::Cell;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::rc::Rc;

use mlua::{Lua, MultiValue, Table, Value};

use super::{base, pipe};
use crate::api::{Args, Library};
#[cfg(feature = "lua51")]
use crate::collector;
use crate::device::{Device, HIGH, Job, LOW, MEDIUM, Sink, Stop};
use crate::error::{Raise, raise};
use crate::input::Input;
use crate::settings::Startup;
use partitions::FLASH_SIZE;

const CHIP_ID: i64 = 0x51A1A7;
const FLASH_ID: i64 = 0x1640EF;
/// What is left is never said to be less than this, in bytes.
const HEAP_FLOOR: usize = 1024;

#[derive(Default)]
struct Node {
    strip: Cell<i64>,
    frequency: Cell<Option<i64>>,
    random: Cell<u64>,
}

pub(crate) fn open(lua: &Lua, device: &Rc<Device>, input: &Rc<Input>) -> mlua::Result<()> {
    let library = Library::new(lua, "node.")?;
    library
        .constant("CPU80MHZ", 80)?
        .constant("CPU160MHZ", 160)?;
    library.unsimulated(&[
        "dsleep",
        "dsleepMax",
        "sleep",
        "restore",
        "startupcounts",
        "flashindex",
        "flashreload",
    ])?;
    let node = Rc::default();
    add_chip(&library, device, &node)?;
    add_console(&library, device, input)?;
    add_startup(&library, device)?;
    add_compile(&library, device, &node)?;
    partitions::add(&library, device)?;
    library.constant("task", open_task(lua, device)?)?;
    library.constant("LFS", partitions::open_lfs(lua, device)?)?;
    #[cfg(feature = "lua51")]
    library.constant("egc", open_egc(lua, device)?)?;
    library.global("node")
}

fn add_chip(library: &Library, device: &Rc<Device>, node: &Rc<Node>) -> mlua::Result<()> {
    library.with(device, "heap", move |lua, device, _| {
        // The firmware collects whenever it allocates, so what could be collected counts as free.
        lua.gc_collect()?;
        let left = device.options.heap.saturating_sub(device.used_heap(lua));
        Ok(left.max(HEAP_FLOOR))
    })?;
    library.function("chipid", |_, _| Ok(CHIP_ID))?;
    library.function("flashid", |_, _| Ok(FLASH_ID))?;
    library.function("flashsize", |_, _| Ok(FLASH_SIZE))?;
    library.with(device, "info", move |lua, device, args| {
        info(lua, device, args)
    })?;
    library.function("bootreason", |_, _| Ok((2, 6)))?;
    library.with(node, "setcpufreq", move |_, node, args| {
        let frequency = if args.integer(1)? == 160 { 160 } else { 80 };
        node.frequency.set(Some(frequency));
        Ok(frequency)
    })?;
    library.with(node, "getcpufreq", move |_, node, _| {
        Ok(node.frequency.get().unwrap_or(80))
    })?;
    library.with(node, "random", move |_, node, args| random(node, args))?;
    library.with(device, "setonerror", move |_, device, args| {
        device.on_error.replace(args.opt_function(1));
        Ok(())
    })?;
    library.with(device, "restart", move |_, device, _| {
        device.stop(Stop::Restart);
        Ok(())
    })?;
    library.function("osprint", |_, _| Ok(()))?;
    Ok(())
}

fn info(lua: &Lua, device: &Device, args: &Args) -> Result<MultiValue, Raise> {
    let Some(group) = args.opt_string(1)? else {
        return raise(
            "node.info without a group is not simulated: name one of lfs, hw, sw_version, build_config",
        );
    };
    let table = match group.to_string_lossy().as_str() {
        "lfs" => partitions::lfs_config(lua, device)?,
        "hw" => lua.create_table_from([
            ("chip_id", CHIP_ID),
            ("flash_id", FLASH_ID),
            ("flash_size", FLASH_SIZE / 1024),
            ("flash_mode", 2),
            ("flash_speed", 40_000_000),
        ])?,
        "sw_version" => {
            let table = lua.create_table_from([
                ("node_version_major", 3),
                ("node_version_minor", 0),
                ("node_version_revision", 0),
            ])?;
            for name in [
                "git_branch",
                "git_commit_id",
                "git_release",
                "git_commit_dts",
            ] {
                table.raw_set(name, "simulator")?;
            }
            table
        }
        "build_config" => {
            let table = lua.create_table()?;
            table.raw_set("ssl", false)?;
            table.raw_set("lfs_size", device.settings.borrow().partitions.lfs_size)?;
            table.raw_set("modules", crate::modules::NAMES.join(","))?;
            table.raw_set(
                "number_type",
                if cfg!(feature = "lua53") {
                    "64bit"
                } else {
                    "float"
                },
            )?;
            table
        }
        other => return args.bad(1, &format!("invalid option '{other}'")),
    };
    Ok(MultiValue::from_iter([Value::Table(table)]))
}

fn random(node: &Node, args: &Args) -> Result<Value, Raise> {
    node.random.set(node.random.get() + 1);
    let bits = RandomState::new().hash_one(node.random.get());
    let (low, high) = match args.len() {
        0 => return Ok(Value::Number((bits >> 11) as f64 / (1u64 << 53) as f64)),
        1 => (1, args.integer(1)?),
        2 => (args.integer(1)?, args.integer(2)?),
        _ => return raise("wrong number of arguments"),
    };
    if low > high {
        return args.bad(2, "interval is empty");
    }
    let range = (i128::from(high) - i128::from(low) + 1) as u128;
    Ok(Value::Integer(
        (i128::from(low) + (u128::from(bits) % range) as i128) as i64,
    ))
}

fn add_console(library: &Library, device: &Rc<Device>, input: &Rc<Input>) -> mlua::Result<()> {
    library.with(input, "input", move |_, input, args| {
        input.interpret(&args.string(1)?.as_bytes())
    })?;
    library.with(device, "output", move |lua, device, args| {
        let is_serial = !(args.is_number(2) && args.integer(2)? == 0);
        let Some(function) = args.opt_function(1) else {
            device.redirect(None);
            return Ok(());
        };
        let pipe = pipe::create(lua, Some((function, MEDIUM)))?;
        let sink: Sink = Rc::new(move |device, bytes| pipe::write(device, &pipe, bytes));
        device.redirect(Some((sink, is_serial)));
        Ok(())
    })?;
    Ok(())
}

fn add_startup(library: &Library, device: &Rc<Device>) -> mlua::Result<()> {
    library.with(device, "startupcommand", move |_, device, args| {
        device.settings.borrow_mut().startup.command = Some(args.text(1)?);
        device.save_settings().map(|()| true)
    })?;
    library.with(device, "startup", move |lua, device, args| {
        if args.len() > 0 {
            let startup = changed_startup(&device.settings.borrow().startup, &args.table(1)?)?;
            device.settings.borrow_mut().startup = startup;
            device.save_settings()?;
        }
        let startup = device.settings.borrow().startup.clone();
        let table = lua.create_table()?;
        table.raw_set("command", startup.command)?;
        table.raw_set("banner", startup.banner)?;
        table.raw_set("delay_mount", startup.delay_mount)?;
        table.raw_set("frequency", startup.frequency)?;
        Ok(table)
    })?;
    Ok(())
}

/// An empty table resets everything, as on the device.
fn changed_startup(old: &Startup, table: &Table) -> Result<Startup, Raise> {
    if table.is_empty() {
        return Ok(Startup::default());
    }
    let mut startup = old.clone();
    if let Some(command) = table.raw_get::<Option<String>>("command")? {
        startup.command = Some(command);
    }
    if let Some(banner) = table.raw_get::<Option<bool>>("banner")? {
        startup.banner = banner;
    }
    if let Some(delay_mount) = table.raw_get::<Option<bool>>("delay_mount")? {
        startup.delay_mount = delay_mount;
    }
    if let Some(frequency) = table.raw_get::<Option<i64>>("frequency")? {
        startup.frequency = if frequency == 160 { 160 } else { 80 };
    }
    Ok(startup)
}

fn add_compile(library: &Library, device: &Rc<Device>, node: &Rc<Node>) -> mlua::Result<()> {
    library.with(device, "compile", move |lua, device, args| {
        let name = args.string(1)?;
        let name = name.as_bytes();
        let Some(stem) = name.strip_suffix(b".lua") else {
            return raise("not a .lua file");
        };
        let shown = String::from_utf8_lossy(&name).into_owned();
        let Some(source) = device.flash.read(&name) else {
            return raise(format!("cannot open {shown}"));
        };
        let chunk = base::load(lua, &source, &format!("@{shown}"))?;
        // The firmware's stripping keeps line numbers; stock Lua's does not, so nothing is stripped.
        let is_written = device
            .flash
            .write(&[stem, b".lc"].concat(), &chunk.dump(false));
        if is_written {
            Ok(())
        } else {
            raise("cannot open/write to file")
        }
    })?;
    library.with(node, "stripdebug", move |_, node, args| {
        if args.len() > 1 {
            return Ok(0);
        }
        if !args.value(1).is_nil() {
            let level = args.integer(1)?;
            if !(1..=3).contains(&level) {
                return args.bad(1, "Invalid strip level");
            }
            node.strip.set(level);
        }
        Ok(match node.strip.get() {
            0 => 2,
            level => level,
        })
    })?;
    Ok(())
}

fn open_task(lua: &Lua, device: &Rc<Device>) -> mlua::Result<Table> {
    let library = Library::new(lua, "node.task.")?;
    library
        .constant("LOW_PRIORITY", LOW)?
        .constant("MEDIUM_PRIORITY", MEDIUM)?
        .constant("HIGH_PRIORITY", HIGH)?;
    library.with(device, "post", move |_, device, args| {
        let (priority, index) = if args.is_number(1) {
            (args.integer(1)?, 2)
        } else {
            (MEDIUM as i64, 1)
        };
        let Some(priority) = usize::try_from(priority)
            .ok()
            .filter(|priority| *priority <= HIGH)
        else {
            return args.bad(1, "invalid  priority");
        };
        let function = args.function(index)?;
        let job: Job = Box::new(move |_, _| function.call(priority));
        device.post(priority, job)
    })?;
    Ok(library.table)
}

#[cfg(feature = "lua51")]
fn open_egc(lua: &Lua, device: &Rc<Device>) -> mlua::Result<Table> {
    let library = Library::new(lua, "node.egc.")?;
    for (name, mode) in collector::MODES {
        library.constant(name, mode)?;
    }
    library.with(device, "setmode", |lua, device, args| {
        let (mode, limit) = (args.integer(1)? as i32, args.opt_integer(2, 0)? as i32);
        if !(0..=collector::ALL).contains(&mode) {
            return args.bad(1, "invalid mode");
        }
        if mode & collector::ON_MEM_LIMIT != 0 && limit == 0 {
            return args.bad(1, "limit must be non-zero");
        }
        Ok(collector::set(lua, device, mode, limit)?)
    })?;
    library.with(device, "meminfo", move |lua, device, _| {
        let used = device.used_heap(lua);
        Ok((used, used))
    })?;
    Ok(library.table)
}
