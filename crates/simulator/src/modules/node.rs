//! `node`: the chip, tasks, the interpreter's input and output, compiling, boot command and partitions.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::rc::Rc;

use mlua::{Function, Lua, MultiValue, Table, Value};

use crate::api::{Args, Library, Raise, raise};
use crate::device::{Device, HIGH, Job, LOW, MEDIUM, Stop};
use crate::modules::{file, pipe};
use crate::settings::{Partitions, Startup};
use crate::{base, input};

const FLASH_SIZE: i64 = 0x400000;
const SECTOR: i64 = 0x1000;
const CHIP_ID: i64 = 0x51A1A7;
const FLASH_ID: i64 = 0x1640EF;
/// The smallest LFS image that the firmware takes, in bytes.
const LFS_SMALLEST: usize = 200;

/// Pointers are twice as wide here as on the chip, and so is most of what Lua allocates.
const WIDER: usize = 2;
/// What is left is never said to be less than this, in bytes.
const HEAP_FLOOR: usize = 1024;

#[derive(Default)]
pub(crate) struct Node {
    pub on_error: Option<Function>,
    /// What Lua used when the device had started, in bytes.
    pub base_memory: usize,
    strip: i64,
    frequency: Option<i64>,
    random: u64,
}

pub(crate) fn open(lua: &Lua, device: &Rc<Device>) -> mlua::Result<()> {
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
    add_chip(&library, device)?;
    add_console(&library, device)?;
    add_startup(&library, device)?;
    add_compile(&library, device)?;
    add_partitions(&library, device)?;
    library.constant("task", open_task(lua, device)?)?;
    library.constant("LFS", open_lfs(lua, device)?)?;
    if cfg!(feature = "lua51") {
        library.constant("egc", open_egc(lua, device)?)?;
    }
    library.global("node")
}

fn add_chip(library: &Library, device: &Rc<Device>) -> mlua::Result<()> {
    library.with(device, "heap", move |lua, device, _| {
        // The firmware collects whenever it allocates, so what could be collected counts as free.
        lua.gc_collect()?;
        let grown = lua
            .used_memory()
            .saturating_sub(device.node.borrow().base_memory)
            / WIDER;
        Ok(device.options.heap.saturating_sub(grown).max(HEAP_FLOOR))
    })?;
    library.function("chipid", |_, _| Ok(CHIP_ID))?;
    library.function("flashid", |_, _| Ok(FLASH_ID))?;
    library.function("flashsize", |_, _| Ok(FLASH_SIZE))?;
    library.with(device, "info", move |lua, device, args| {
        info(lua, device, args)
    })?;
    library.function("bootreason", |_, _| Ok((2, 6)))?;
    library.with(device, "setcpufreq", move |_, device, args| {
        let frequency = if args.integer(1)? == 160 { 160 } else { 80 };
        device.node.borrow_mut().frequency = Some(frequency);
        Ok(frequency)
    })?;
    library.with(device, "getcpufreq", move |_, device, _| {
        Ok(device.node.borrow().frequency.unwrap_or(80))
    })?;
    library.with(device, "random", move |_, device, args| {
        random(device, args)
    })?;
    library.with(device, "setonerror", move |_, device, args| {
        device.node.borrow_mut().on_error = args.opt_function(1);
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
        "lfs" => lfs_config(lua, device)?,
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
            table.raw_set("modules", "bit,file,net,node,pipe,rtctime,tmr,uart,wifi")?;
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

fn random(device: &Device, args: &Args) -> Result<Value, Raise> {
    let mut node = device.node.borrow_mut();
    node.random += 1;
    let bits = RandomState::new().hash_one(node.random);
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

fn add_console(library: &Library, device: &Rc<Device>) -> mlua::Result<()> {
    library.with(device, "input", move |_, device, args| {
        input::interpret(device, &args.string(1)?.as_bytes())
    })?;
    library.with(device, "output", move |lua, device, args| {
        let is_serial = !(args.is_number(2) && args.integer(2)? == 0);
        let pipe = match args.opt_function(1) {
            Some(function) => Some(pipe::create(lua, Some((function, MEDIUM)))?),
            None => None,
        };
        device.redirect(pipe, is_serial);
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

fn add_compile(library: &Library, device: &Rc<Device>) -> mlua::Result<()> {
    library.with(device, "compile", move |lua, device, args| {
        let name = args.string(1)?;
        let name = name.as_bytes();
        let Some(stem) = name.strip_suffix(b".lua") else {
            return raise("not a .lua file");
        };
        let shown = String::from_utf8_lossy(&name).into_owned();
        let Some(source) = file::read(device, &name) else {
            return raise(format!("cannot open {shown}"));
        };
        let chunk = base::load(lua, &source, &format!("@{shown}"))?;
        // The firmware's stripping keeps line numbers; stock Lua's does not, so nothing is stripped.
        if file::write(device, &[stem, b".lc"].concat(), &chunk.dump(false)) {
            Ok(())
        } else {
            raise("cannot open/write to file")
        }
    })?;
    library.with(device, "stripdebug", move |_, device, args| {
        let mut node = device.node.borrow_mut();
        if args.len() > 1 {
            return Ok(0);
        }
        if !args.value(1).is_nil() {
            let level = args.integer(1)?;
            if !(1..=3).contains(&level) {
                return args.bad(1, "Invalid strip level");
            }
            node.strip = level;
        }
        Ok(if node.strip == 0 { 2 } else { node.strip })
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

fn open_egc(lua: &Lua, device: &Rc<Device>) -> mlua::Result<Table> {
    let library = Library::new(lua, "node.egc.")?;
    for (name, value) in [
        ("NOT_ACTIVE", 0),
        ("ON_ALLOC_FAILURE", 1),
        ("ON_MEM_LIMIT", 2),
        ("ALWAYS", 4),
    ] {
        library.constant(name, value)?;
    }
    library.function("setmode", |_, args| {
        let (mode, limit) = (args.integer(1)?, args.opt_integer(2, 0)?);
        if !(0..=7).contains(&mode) {
            return args.bad(1, "invalid mode");
        }
        if mode & 2 != 0 && limit == 0 {
            return args.bad(1, "limit must be non-zero");
        }
        Ok(())
    })?;
    library.with(device, "meminfo", move |lua, device, _| {
        let used = lua
            .used_memory()
            .saturating_sub(device.node.borrow().base_memory)
            / WIDER;
        Ok((used, used))
    })?;
    Ok(library.table)
}

fn lfs_config(lua: &Lua, device: &Device) -> mlua::Result<Table> {
    let settings = device.settings.borrow();
    let image = settings
        .lfs_image
        .as_deref()
        .and_then(|name| file::read(device, name.as_bytes()));
    lua.create_table_from([
        ("lfs_mapped", 0x4020_0000 + settings.partitions.lfs_addr),
        ("lfs_base", settings.partitions.lfs_addr),
        ("lfs_size", settings.partitions.lfs_size),
        ("lfs_used", image.map_or(0, |image| image.len() as i64)),
    ])
}

/// LFS without code: an image can be put there, but its functions are for the chip and stay unavailable.
fn open_lfs(lua: &Lua, device: &Rc<Device>) -> mlua::Result<Table> {
    let library = Library::new(lua, "node.LFS.")?;
    library.function("get", |_, _| Ok(Value::Nil))?;
    library.function("list", |_, _| Ok(Value::Nil))?;
    library.with(device, "reload", move |_, device, args| {
        reload(device, args)
    })?;
    let shared = Rc::clone(device);
    let index =
        lua.create_function(move |lua, (_, key): (Value, Value)| match key.as_string() {
            Some(key) if key == "config" => lfs_config(lua, &shared).map(Value::Table),
            _ => Ok(Value::Nil),
        })?;
    let meta = lua.create_table()?;
    meta.raw_set("__index", index)?;
    library.table.set_metatable(Some(meta))?;
    Ok(library.table)
}

fn reload(device: &Device, args: &Args) -> Result<Option<&'static str>, Raise> {
    let name = args.text(1)?;
    if device.settings.borrow().partitions.lfs_size == 0 {
        return Ok(Some("No LFS partition allocated"));
    }
    match file::read(device, name.as_bytes()) {
        None => return Ok(Some("LFS image file not found")),
        Some(image) if image.len() <= LFS_SMALLEST => {
            return Ok(Some("read error on LFS image file"));
        }
        Some(_) => {}
    }
    device.settings.borrow_mut().lfs_image = Some(name);
    device.save_settings()?;
    device.uart(b"LFS region updated (its functions cannot run here).  Restarting.\n");
    device.stop(Stop::Restart);
    Ok(None)
}

fn add_partitions(library: &Library, device: &Rc<Device>) -> mlua::Result<()> {
    library.with(device, "getpartitiontable", move |lua, device, _| {
        let partitions = device.settings.borrow().partitions;
        Ok(lua.create_table_from([
            ("lfs_addr", partitions.lfs_addr),
            ("lfs_size", partitions.lfs_size),
            ("spiffs_addr", partitions.spiffs_addr),
            ("spiffs_size", partitions.spiffs_size),
        ])?)
    })?;
    library.with(device, "setpartitiontable", move |_, device, args| {
        let Value::Table(table) = args.value(1) else {
            return args.bad(1, "must be table");
        };
        let old = device.settings.borrow().partitions;
        let Some(partitions) = changed_partitions(old, table)? else {
            return args.bad(1, "invalid partition setting");
        };
        if !is_possible(&partitions) {
            return raise("Partition value out of range");
        }
        device.settings.borrow_mut().partitions = partitions;
        device.save_settings()?;
        device.stop(Stop::Restart);
        Ok(())
    })?;
    Ok(())
}

/// None where a key is no partition value.
fn changed_partitions(
    mut partitions: Partitions,
    table: &Table,
) -> mlua::Result<Option<Partitions>> {
    let mut has_spiffs_address = false;
    let mut has_spiffs_size = false;
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        let (Some(key), Some(value)) = (
            key.as_string().map(|key| key.to_string_lossy()),
            value.as_i64(),
        ) else {
            return Ok(None);
        };
        match key.as_str() {
            "lfs_addr" => partitions.lfs_addr = value,
            "lfs_size" => partitions.lfs_size = value,
            "spiffs_addr" => (partitions.spiffs_addr, has_spiffs_address) = (value, true),
            "spiffs_size" => (partitions.spiffs_size, has_spiffs_size) = (value, true),
            _ => return Ok(None),
        }
    }
    if has_spiffs_size && !has_spiffs_address {
        // The firmware puts a file system that fits behind the first megabyte.
        let fits = partitions.spiffs_size <= FLASH_SIZE - 3 * SECTOR - 0x100000;
        partitions.spiffs_addr = if fits {
            0x100000
        } else {
            partitions.lfs_addr + partitions.lfs_size
        };
    }
    Ok(Some(partitions))
}

fn is_possible(partitions: &Partitions) -> bool {
    let Partitions {
        lfs_addr,
        lfs_size,
        spiffs_addr,
        spiffs_size,
    } = *partitions;
    let values = [lfs_addr, lfs_size, spiffs_addr, spiffs_size];
    values
        .iter()
        .all(|value| (0..=FLASH_SIZE).contains(value) && value % SECTOR == 0)
        && lfs_addr + lfs_size <= FLASH_SIZE
        && spiffs_addr + spiffs_size <= FLASH_SIZE
        && (lfs_size == 0 || spiffs_size == 0 || lfs_addr + lfs_size <= spiffs_addr)
}
