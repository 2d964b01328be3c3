//! `wifi`: a station that joins after a moment. No radio is involved: the network is the PC's.

mod names;

use std::rc::Rc;

use mlua::{Function, Lua, Table, Value};

use crate::api::{Args, Library, Raise, raise};
use crate::device::{Call, Device, Job, LOW};
use crate::settings::Station;
use names::{AP_UNSIMULATED, CONSTANTS, EVENTS, STA_UNSIMULATED, UNSIMULATED};

const STATION: i64 = 1;
const SOFTAP: i64 = 2;
const CONNECTED: usize = 0;
const DISCONNECTED: usize = 1;
const GOT_IP: usize = 3;
const MODE_CHANGED: usize = 8;
const EVENT_MAX: usize = 9;
/// The callbacks in a station's configuration, and their events.
const CALLBACKS: [(&str, usize); 5] = [
    ("connect_cb", 0),
    ("disconnect_cb", 1),
    ("authmode_change_cb", 2),
    ("got_ip_cb", 3),
    ("dhcp_timeout_cb", 4),
];

const BSSID: &str = "02:00:00:00:00:01";
const NO_AP_FOUND: i64 = 201;
const AUTH_FAIL: i64 = 202;
const ASSOC_LEAVE: i64 = 8;

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Status {
    #[default]
    Idle = 0,
    Connecting = 1,
    WrongPassword = 2,
    NotFound = 3,
    GotIp = 5,
}

pub(crate) struct Wifi {
    mode: Option<i64>,
    station: Option<Station>,
    status: Status,
    /// Counts the attempts to join, so that an old one does not end a new one.
    attempt: usize,
    hostname: String,
    callbacks: [Option<Function>; EVENT_MAX + 1],
}

impl Default for Wifi {
    fn default() -> Self {
        Self {
            mode: None,
            station: None,
            status: Status::Idle,
            attempt: 0,
            hostname: "NODE-51A1A7".to_owned(),
            callbacks: Default::default(),
        }
    }
}

impl Wifi {
    pub fn has_ip(&self) -> bool {
        self.status == Status::GotIp
    }

    fn mode(&self) -> i64 {
        self.mode.unwrap_or(STATION)
    }
}

pub(crate) fn open(lua: &Lua, device: &Rc<Device>) -> mlua::Result<()> {
    {
        let settings = device.settings.borrow();
        let mut wifi = device.wifi.borrow_mut();
        wifi.mode = settings.wifi_mode;
        wifi.station = settings.station.clone();
    }
    let library = Library::new(lua, "wifi.")?;
    for (name, value) in CONSTANTS {
        library.constant(name, value)?;
    }
    library.unsimulated(UNSIMULATED)?;
    library.with(device, "setmode", move |_, device, args| {
        set_mode(device, args)
    })?;
    library.with(device, "getmode", move |_, device, _| {
        Ok(device.wifi.borrow().mode())
    })?;
    library.with(device, "getdefaultmode", move |_, device, _| {
        Ok(device.settings.borrow().wifi_mode.unwrap_or(STATION))
    })?;
    library.function("getchannel", |_, _| Ok(1))?;
    library.function("sleeptype", |_, args| args.opt_integer(1, 2))?;
    library.constant("sta", open_station(lua, device)?)?;
    library.constant("ap", open_ap(lua, device)?)?;
    library.constant("eventmon", open_events(lua, device)?)?;
    library.global("wifi")?;
    let is_auto = device
        .wifi
        .borrow()
        .station
        .as_ref()
        .is_some_and(|station| station.auto);
    if is_auto {
        join(device);
    }
    Ok(())
}

fn set_mode(device: &Rc<Device>, args: &Args) -> Result<i64, Raise> {
    let mode = args.integer(1)?;
    if !(0..=3).contains(&mode) {
        return args.bad(1, "Invalid mode");
    }
    let old = device.wifi.borrow().mode();
    device.wifi.borrow_mut().mode = Some(mode);
    if args.value(2).is_nil() || args.is_true(2) {
        device.settings.borrow_mut().wifi_mode = Some(mode);
        device.save_settings()?;
    }
    if mode & STATION == 0 {
        device.wifi.borrow_mut().status = Status::Idle;
    }
    if mode != old {
        emit(
            device,
            MODE_CHANGED,
            vec![("old_mode", old.into()), ("new_mode", mode.into())],
        );
    }
    Ok(mode)
}

fn open_station(lua: &Lua, device: &Rc<Device>) -> mlua::Result<Table> {
    let library = Library::new(lua, "wifi.sta.")?;
    library.unsimulated(STA_UNSIMULATED)?;
    library.with(device, "config", move |_, device, args| {
        configure(device, args)
    })?;
    library.with(device, "connect", move |_, device, args| {
        if let Some(callback) = args.opt_function(1) {
            device.wifi.borrow_mut().callbacks[CONNECTED] = Some(callback);
        }
        join(device);
        Ok(())
    })?;
    library.with(device, "disconnect", move |_, device, args| {
        if let Some(callback) = args.opt_function(1) {
            device.wifi.borrow_mut().callbacks[DISCONNECTED] = Some(callback);
        }
        leave(device);
        Ok(())
    })?;
    library.with(device, "status", move |_, device, _| {
        Ok(device.wifi.borrow().status as i64)
    })?;
    library.with(device, "getip", move |_, device, _| {
        let address = device
            .wifi
            .borrow()
            .has_ip()
            .then(|| device.options.station_ip().to_string());
        let mask = address.as_ref().map(|_| "255.0.0.0");
        Ok((address.clone(), mask, address))
    })?;
    library.with(device, "getbroadcast", move |_, device, _| {
        Ok(device.wifi.borrow().has_ip().then_some("127.255.255.255"))
    })?;
    library.function("getmac", |_, _| Ok("02:00:00:51:a1:a7"))?;
    library.with(device, "getrssi", move |_, device, _| {
        Ok(device.wifi.borrow().has_ip().then_some(-50))
    })?;
    for name in ["getconfig", "getdefaultconfig"] {
        library.with(device, name, move |lua, device, args| {
            let station = match name {
                "getconfig" => device.wifi.borrow().station.clone(),
                _ => device.settings.borrow().station.clone(),
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
    library.with(device, "clearconfig", move |_, device, _| {
        leave(device);
        device.wifi.borrow_mut().station = None;
        device.settings.borrow_mut().station = None;
        device.save_settings().map(|()| true)
    })?;
    library.with(device, "autoconnect", move |_, device, args| {
        let is_auto = args.integer(1)? != 0;
        if let Some(station) = &mut device.settings.borrow_mut().station {
            station.auto = is_auto;
        }
        device.save_settings()
    })?;
    library.with(device, "sethostname", move |_, device, args| {
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
        device.wifi.borrow_mut().hostname = name;
        Ok(true)
    })?;
    library.with(device, "gethostname", move |_, device, _| {
        Ok(device.wifi.borrow().hostname.clone())
    })?;
    library.function("sleeptype", |_, args| args.opt_integer(1, 2))?;
    Ok(library.table)
}

fn configure(device: &Rc<Device>, args: &Args) -> Result<bool, Raise> {
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
            Value::Function(function) => device.wifi.borrow_mut().callbacks[event] = Some(function),
            _ => return args.bad(1, &format!("{name}:not function")),
        }
    }
    leave(device);
    let is_auto = station.auto;
    device.wifi.borrow_mut().station = Some(station.clone());
    if is_saved {
        device.settings.borrow_mut().station = Some(station);
        device.save_settings()?;
    }
    if is_auto {
        join(device);
    }
    Ok(true)
}

fn open_ap(lua: &Lua, device: &Rc<Device>) -> mlua::Result<Table> {
    let library = Library::new(lua, "wifi.ap.")?;
    library.unsimulated(AP_UNSIMULATED)?;
    library.function("config", |_, args| args.table(1).map(|_| true))?;
    library.with(device, "getip", move |_, device, _| {
        let address = device.options.station_ip().to_string();
        let is_on = device.wifi.borrow().mode() & SOFTAP != 0;
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

fn open_events(lua: &Lua, device: &Rc<Device>) -> mlua::Result<Table> {
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
        library.with(device, name, move |_, device, args| {
            match usize::try_from(args.integer(1)?) {
                Ok(event @ 0..=EVENT_MAX) => {
                    device.wifi.borrow_mut().callbacks[event] = args.opt_function(2);
                    Ok(())
                }
                _ => raise(format!("valid wifi events:0-{EVENT_MAX}")),
            }
        })?;
    }
    Ok(library.table)
}

/// Begins to join the configured network.
fn join(device: &Rc<Device>) {
    let attempt = {
        let mut wifi = device.wifi.borrow_mut();
        let has_network = wifi
            .station
            .as_ref()
            .is_some_and(|station| !station.ssid.is_empty());
        if !has_network || wifi.mode() & STATION == 0 || wifi.status == Status::GotIp {
            return;
        }
        wifi.status = Status::Connecting;
        wifi.attempt += 1;
        wifi.attempt
    };
    let job: Job = Box::new(move |_, device| {
        joined(device, attempt);
        Ok(())
    });
    device.after(device.options.join_after, job);
}

fn joined(device: &Rc<Device>, attempt: usize) {
    let Some(station) = device.wifi.borrow().station.clone() else {
        return;
    };
    if device.wifi.borrow().attempt != attempt || device.wifi.borrow().status != Status::Connecting
    {
        return;
    }
    let networks = &device.options.networks;
    let status = match networks.iter().find(|(ssid, _)| *ssid == station.ssid) {
        _ if networks.is_empty() => Status::GotIp,
        Some((_, pwd)) if *pwd == station.pwd => Status::GotIp,
        Some(_) => Status::WrongPassword,
        None => Status::NotFound,
    };
    device.wifi.borrow_mut().status = status;
    let ssid = Field::from(station.ssid);
    let bssid = Field::from(BSSID.to_owned());
    match status {
        Status::GotIp => {
            emit(
                device,
                CONNECTED,
                vec![("SSID", ssid), ("BSSID", bssid), ("channel", 1.into())],
            );
            let address = device.options.station_ip().to_string();
            let mask = "255.0.0.0".to_owned();
            let fields = vec![
                ("IP", address.clone().into()),
                ("netmask", mask.into()),
                ("gateway", address.into()),
            ];
            emit(device, GOT_IP, fields);
        }
        _ => {
            let reason = if status == Status::NotFound {
                NO_AP_FOUND
            } else {
                AUTH_FAIL
            };
            emit(
                device,
                DISCONNECTED,
                vec![("SSID", ssid), ("BSSID", bssid), ("reason", reason.into())],
            );
        }
    }
}

fn leave(device: &Rc<Device>) {
    let left = {
        let mut wifi = device.wifi.borrow_mut();
        wifi.attempt += 1;
        let was_joined = std::mem::take(&mut wifi.status) == Status::GotIp;
        wifi.station.clone().filter(|_| was_joined)
    };
    if let Some(station) = left {
        let fields = vec![
            ("SSID", station.ssid.into()),
            ("BSSID", BSSID.to_owned().into()),
            ("reason", ASSOC_LEAVE.into()),
        ];
        emit(device, DISCONNECTED, fields);
    }
}

enum Field {
    Number(i64),
    Text(String),
}

impl From<i64> for Field {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<String> for Field {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// Posts the task that calls an event's callback, where there is one.
fn emit(device: &Rc<Device>, event: usize, fields: Vec<(&'static str, Field)>) {
    if device.wifi.borrow().callbacks[event].is_none() {
        return;
    }
    let job: Job = Box::new(move |lua, device| {
        let table = lua.create_table()?;
        for (name, field) in fields {
            match field {
                Field::Number(number) => table.raw_set(name, number)?,
                Field::Text(text) => table.raw_set(name, text)?,
            }
        }
        let callback = device.wifi.borrow().callbacks[event].clone();
        if let Some(callback) = callback {
            device.call(Call::Protected, &callback, table);
        }
        Ok(())
    });
    if device.post(LOW, job).is_err() {
        device.failed(
            Call::Unprotected,
            &mlua::Error::runtime("Task queue overflow. Task not posted"),
        );
    }
}
