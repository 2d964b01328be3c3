//! `node`'s partition table and LFS, as the settings keep them.

use std::rc::Rc;

use mlua::{Lua, Table, Value};

use crate::api::{Args, Library};
use crate::device::{Device, Stop};
use crate::error::{Raise, raise};
use crate::settings::Partitions;

/// The chip's flash in bytes, and what is erased at once.
pub(super) const FLASH_SIZE: i64 = 0x400000;
const SECTOR: i64 = 0x1000;
/// The smallest LFS image that the firmware takes, in bytes.
const LFS_SMALLEST: usize = 200;

pub(super) fn lfs_config(lua: &Lua, device: &Device) -> mlua::Result<Table> {
    let settings = device.settings.borrow();
    let image = settings
        .lfs_image
        .as_deref()
        .and_then(|name| device.flash.read(name.as_bytes()));
    lua.create_table_from([
        ("lfs_mapped", 0x4020_0000 + settings.partitions.lfs_addr),
        ("lfs_base", settings.partitions.lfs_addr),
        ("lfs_size", settings.partitions.lfs_size),
        ("lfs_used", image.map_or(0, |image| image.len() as i64)),
    ])
}

/// LFS without code: an image can be put there, but its functions are for the chip and stay unavailable.
pub(super) fn open_lfs(lua: &Lua, device: &Rc<Device>) -> mlua::Result<Table> {
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
    match device.flash.read(name.as_bytes()) {
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

pub(super) fn add(library: &Library, device: &Rc<Device>) -> mlua::Result<()> {
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

/// None if a key is not a partition value.
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
