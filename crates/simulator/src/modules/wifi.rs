//! `wifi`: a station that joins after a moment. No radio is involved: the network is the PC's.

mod names;
mod station;

use std::rc::Rc;

use mlua::{Lua, Table, Value};

use crate::api::{Args, Library};
use crate::device::Device;
use crate::error::{Raise, raise};
use crate::settings::Station;
use names::{AP_UNSIMULATED, CONSTANTS, EVENTS, STA_UNSIMULATED, UNSIMULATED};
pub(crate) use station::Wifi;
use station::{
    ASSOC_LEAVE, AUTH_FAIL, BSSID, CONNECTED, DISCONNECTED, EVENT_MAX, NO_AP_FOUND, STATION,
    Status, emit, join, leave,
};

const SOFTAP: i64 = 2;
const MODE_CHANGED: usize = 8;
/// The callbacks in a station's configuration, and their events.
const CALLBACKS: [(&str, usize); 5] = [
    ("connect_cb", 0),
    ("disconnect_cb", 1),
    ("authmode_change_cb", 2),
    ("got_ip_cb", 3),
    ("dhcp_timeout_cb", 4),
];

pub(crate) fn open(lua: &Lua, device: &Rc<Device>) -> mlua::Result<Rc<Wifi>> {
    let wifi = &Rc::new(Wifi::new(device));
    let library = Library::new(lua, "wifi.")?;
    for (name, value) in CONSTANTS {
        library.constant(name, value)?;
    }
    library.unsimulated(UNSIMULATED)?;
    library.with(wifi, "setmode", move |_, wifi, args| set_mode(wifi, args))?;
    library.with(wifi, "getmode", move |_, wifi, _| Ok(wifi.mode()))?;
    library.with(wifi, "getdefaultmode", move |_, wifi, _| {
        Ok(wifi.device.settings.borrow().wifi_mode.unwrap_or(STATION))
    })?;
    library.function("getchannel", |_, _| Ok(1))?;
    library.function("sleeptype", |_, args| args.opt_integer(1, 2))?;
    library.constant("sta", open_station(lua, wifi)?)?;
    library.constant("ap", open_ap(lua, wifi)?)?;
    library.constant("eventmon", open_events(lua, wifi)?)?;
    library.global("wifi")?;
    let is_auto = wifi
        .state
        .borrow()
        .station
        .as_ref()
        .is_some_and(|station| station.auto);
    if is_auto {
        join(wifi);
    }
    Ok(Rc::clone(wifi))
}

fn set_mode(wifi: &Rc<Wifi>, args: &Args) -> Result<i64, Raise> {
    let mode = args.integer(1)?;
    if !(0..=3).contains(&mode) {
        return args.bad(1, "Invalid mode");
    }
    let old = wifi.mode();
    wifi.state.borrow_mut().mode = Some(mode);
    if args.value(2).is_nil() || args.is_true(2) {
        wifi.device.settings.borrow_mut().wifi_mode = Some(mode);
        wifi.device.save_settings()?;
    }
    if mode & STATION == 0 {
        wifi.state.borrow_mut().status = Status::Idle;
    }
    if mode != old {
        emit(
            wifi,
            MODE_CHANGED,
            vec![("old_mode", old.into()), ("new_mode", mode.into())],
        );
    }
    Ok(mode)
}

fn open_station(lua: &Lua, wifi: &Rc<Wifi>) -> mlua::Result<Table> {
    let library = Library::new(lua, "wifi.sta.")?;
    library.unsimulated(STA_UNSIMULATED)?;
    library.with(wifi, "config", move |_, wifi, args| configure(wifi, args))?;
    library.with(wifi, "connect", move |_, wifi, args| {
        if let Some(callback) = args.opt_function(1) {
            wifi.state.borrow_mut().callbacks[CONNECTED] = Some(callback);
        }
        join(wifi);
        Ok(())
    })?;
    library.with(wifi, "disconnect", move |_, wifi, args| {
        if let Some(callback) = args.opt_function(1) {
            wifi.state.borrow_mut().callbacks[DISCONNECTED] = Some(callback);
        }
        leave(wifi);
        Ok(())
    })?;
    library.with(wifi, "status", move |_, wifi, _| {
        Ok(wifi.state.borrow().status as i64)
    })?;
    library.with(wifi, "getip", move |_, wifi, _| {
        let address = wifi.ip();
        let mask = address.as_ref().map(|_| "255.0.0.0");
        Ok((address.clone(), mask, address))
    })?;
    library.with(wifi, "getbroadcast", move |_, wifi, _| {
        Ok(wifi.has_ip().then_some("127.255.255.255"))
    })?;
    library.function("getmac", |_, _| Ok("02:00:00:51:a1:a7"))?;
    library.with(wifi, "getrssi", move |_, wifi, _| {
        Ok(wifi.has_ip().then_some(-50))
    })?;
    for name in ["getconfig", "getdefaultconfig"] {
        library.with(wifi, name, move |lua, wifi, args| {
            let station = match name {
                "getconfig" => wifi.state.borrow().station.clone(),
                _ => wifi.device.settings.borrow().station.clone(),
            };
            let (ssid, pwd) =
                station.map_or_else(Default::default, |station| (station.ssid, station.pwd));
            if args.is_true(1) {
                let table = lua.create_table_from([
                    ("ssid", ssid),
                    ("pwd", pwd),
                    ("bssid", BSSID.to_owned()),
                ])?;
                table.raw_set("bssid_set", false)?;
                return Ok((Value::Table(table), None, None, None));
            }
            Ok((
                Value::String(lua.create_string(ssid)?),
                Some(pwd),
                Some(0),
                Some(BSSID),
            ))
        })?;
    }
    library.with(wifi, "clearconfig", move |_, wifi, _| {
        leave(wifi);
        wifi.state.borrow_mut().station = None;
        wifi.device.settings.borrow_mut().station = None;
        wifi.device.save_settings().map(|()| true)
    })?;
    library.with(wifi, "autoconnect", move |_, wifi, args| {
        let is_auto = args.integer(1)? != 0;
        if let Some(station) = &mut wifi.device.settings.borrow_mut().station {
            station.auto = is_auto;
        }
        wifi.device.save_settings()
    })?;
    library.with(wifi, "sethostname", move |_, wifi, args| {
        let name = args.text(1)?;
        let is_valid = (1..=32).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !name.starts_with('-')
            && !name.ends_with('-');
        if !is_valid {
            return raise("Invalid hostname");
        }
        wifi.state.borrow_mut().hostname = name;
        Ok(true)
    })?;
    library.with(wifi, "gethostname", move |_, wifi, _| {
        Ok(wifi.state.borrow().hostname.clone())
    })?;
    library.function("sleeptype", |_, args| args.opt_integer(1, 2))?;
    Ok(library.table)
}

fn configure(wifi: &Rc<Wifi>, args: &Args) -> Result<bool, Raise> {
    let Value::Table(table) = args.value(1) else {
        return args.bad(1, "config table not found!");
    };
    let text = |name: &str, most: usize| match table.raw_get(name)? {
        Value::Nil => Ok(None),
        Value::String(text) if text.as_bytes().len() <= most => Ok(Some(text.to_string_lossy())),
        Value::String(_) => args.bad(1, &format!("{name}: length:0-{most}")),
        _ => args.bad(1, &format!("{name}:not string")),
    };
    let flag = |name: &str| match table.raw_get(name)? {
        Value::Nil => Ok(true),
        Value::Boolean(flag) => Ok(flag),
        _ => args.bad(1, &format!("{name}:not boolean")),
    };
    let Some(ssid) = text("ssid", 32)? else {
        return args.bad(1, "ssid required");
    };
    let station = Station {
        ssid,
        pwd: text("pwd", 64)?.unwrap_or_default(),
        auto: flag("auto")?,
    };
    let is_saved = flag("save")?;
    for (name, event) in CALLBACKS {
        match table.raw_get(name)? {
            Value::Nil => {}
            Value::Function(function) => wifi.state.borrow_mut().callbacks[event] = Some(function),
            _ => return args.bad(1, &format!("{name}:not function")),
        }
    }
    leave(wifi);
    let is_auto = station.auto;
    wifi.state.borrow_mut().station = Some(station.clone());
    if is_saved {
        wifi.device.settings.borrow_mut().station = Some(station);
        wifi.device.save_settings()?;
    }
    if is_auto {
        join(wifi);
    }
    Ok(true)
}

fn open_ap(lua: &Lua, wifi: &Rc<Wifi>) -> mlua::Result<Table> {
    let library = Library::new(lua, "wifi.ap.")?;
    library.unsimulated(AP_UNSIMULATED)?;
    library.function("config", |_, args| args.table(1).map(|_| true))?;
    library.with(wifi, "getip", move |_, wifi, _| {
        let address = wifi.device.options.station_ip().to_string();
        let is_on = wifi.mode() & SOFTAP != 0;
        Ok(if is_on {
            (Some(address.clone()), Some("255.0.0.0"), Some(address))
        } else {
            (None, None, None)
        })
    })?;
    library.function("getmac", |_, _| Ok("02:00:00:51:a1:a8"))?;
    library.function("getbroadcast", |_, _| Ok(()))?;
    let dhcp = Library::new(lua, "wifi.ap.dhcp.")?;
    dhcp.unsimulated(&["config", "start", "stop"])?;
    library.constant("dhcp", dhcp.table)?;
    Ok(library.table)
}

fn open_events(lua: &Lua, wifi: &Rc<Wifi>) -> mlua::Result<Table> {
    let library = Library::new(lua, "wifi.eventmon.")?;
    for (name, value) in EVENTS {
        library.constant(name, value)?;
    }
    let reasons = [
        ("ASSOC_LEAVE", ASSOC_LEAVE),
        ("NO_AP_FOUND", NO_AP_FOUND),
        ("AUTH_FAIL", AUTH_FAIL),
    ];
    library.constant("reason", lua.create_table_from(reasons)?)?;
    for name in ["register", "unregister"] {
        library.with(wifi, name, move |_, wifi, args| {
            match usize::try_from(args.integer(1)?) {
                Ok(event @ 0..=EVENT_MAX) => {
                    wifi.state.borrow_mut().callbacks[event] = args.opt_function(2);
                    Ok(())
                }
                _ => raise(format!("valid wifi events:0-{EVENT_MAX}")),
            }
        })?;
    }
    Ok(library.table)
}
