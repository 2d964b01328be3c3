//! The station: joining a network, leaving it, and the events that tell.

use std::cell::RefCell;
use std::rc::Rc;

use mlua::Function;

use crate::device::{Call, Device, Job, LOW};
use crate::settings::Station;

pub(super) const STATION: i64 = 1;
pub(super) const CONNECTED: usize = 0;
pub(super) const DISCONNECTED: usize = 1;
const GOT_IP: usize = 3;
pub(super) const EVENT_MAX: usize = 9;

pub(super) const BSSID: &str = "02:00:00:00:00:01";
pub(super) const NO_AP_FOUND: i64 = 201;
pub(super) const AUTH_FAIL: i64 = 202;
pub(super) const ASSOC_LEAVE: i64 = 8;

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Status {
    #[default]
    Idle = 0,
    Connecting = 1,
    WrongPassword = 2,
    NotFound = 3,
    GotIp = 5,
}

pub(crate) struct Wifi {
    pub(super) device: Rc<Device>,
    pub(super) state: RefCell<State>,
}

pub(super) struct State {
    pub mode: Option<i64>,
    pub station: Option<Station>,
    pub status: Status,
    /// Counts the attempts to join, so that an old one does not end a new one.
    attempt: usize,
    pub hostname: String,
    pub callbacks: [Option<Function>; EVENT_MAX + 1],
}

impl Wifi {
    /// As the settings have it.
    pub(super) fn new(device: &Rc<Device>) -> Self {
        let settings = device.settings.borrow();
        Self {
            device: Rc::clone(device),
            state: RefCell::new(State {
                mode: settings.wifi_mode,
                station: settings.station.clone(),
                status: Status::Idle,
                attempt: 0,
                hostname: "NODE-51A1A7".to_owned(),
                callbacks: Default::default(),
            }),
        }
    }

    pub(super) fn has_ip(&self) -> bool {
        self.state.borrow().status == Status::GotIp
    }

    /// The station's address, once it has joined.
    pub fn ip(&self) -> Option<String> {
        self.has_ip()
            .then(|| self.device.options.station_ip().to_string())
    }

    pub(super) fn mode(&self) -> i64 {
        self.state.borrow().mode.unwrap_or(STATION)
    }
}

/// Begins to join the configured network.
pub(super) fn join(wifi: &Rc<Wifi>) {
    let attempt = {
        let mode = wifi.mode();
        let mut state = wifi.state.borrow_mut();
        let has_network = state
            .station
            .as_ref()
            .is_some_and(|station| !station.ssid.is_empty());
        if !has_network || mode & STATION == 0 || state.status == Status::GotIp {
            return;
        }
        state.status = Status::Connecting;
        state.attempt += 1;
        state.attempt
    };
    let joining = Rc::clone(wifi);
    let job: Job = Box::new(move |_, _| {
        joined(&joining, attempt);
        Ok(())
    });
    wifi.device.after(wifi.device.options.join_after, job);
}

fn joined(wifi: &Rc<Wifi>, attempt: usize) {
    let Some(station) = wifi.state.borrow().station.clone() else {
        return;
    };
    if wifi.state.borrow().attempt != attempt || wifi.state.borrow().status != Status::Connecting {
        return;
    }
    let networks = &wifi.device.options.networks;
    let status = match networks.iter().find(|(ssid, _)| *ssid == station.ssid) {
        _ if networks.is_empty() => Status::GotIp,
        Some((_, pwd)) if *pwd == station.pwd => Status::GotIp,
        Some(_) => Status::WrongPassword,
        None => Status::NotFound,
    };
    wifi.state.borrow_mut().status = status;
    let ssid = Field::from(station.ssid);
    let bssid = Field::from(BSSID.to_owned());
    match status {
        Status::GotIp => {
            emit(
                wifi,
                CONNECTED,
                vec![("SSID", ssid), ("BSSID", bssid), ("channel", 1.into())],
            );
            let address = wifi.device.options.station_ip().to_string();
            let mask = "255.0.0.0".to_owned();
            let fields = vec![
                ("IP", address.clone().into()),
                ("netmask", mask.into()),
                ("gateway", address.into()),
            ];
            emit(wifi, GOT_IP, fields);
        }
        _ => {
            let reason = if status == Status::NotFound {
                NO_AP_FOUND
            } else {
                AUTH_FAIL
            };
            emit(
                wifi,
                DISCONNECTED,
                vec![("SSID", ssid), ("BSSID", bssid), ("reason", reason.into())],
            );
        }
    }
}

pub(super) fn leave(wifi: &Rc<Wifi>) {
    let left = {
        let mut state = wifi.state.borrow_mut();
        state.attempt += 1;
        let was_joined = std::mem::take(&mut state.status) == Status::GotIp;
        state.station.clone().filter(|_| was_joined)
    };
    if let Some(station) = left {
        let fields = vec![
            ("SSID", station.ssid.into()),
            ("BSSID", BSSID.to_owned().into()),
            ("reason", ASSOC_LEAVE.into()),
        ];
        emit(wifi, DISCONNECTED, fields);
    }
}

pub(super) enum Field {
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
pub(super) fn emit(wifi: &Rc<Wifi>, event: usize, fields: Vec<(&'static str, Field)>) {
    if wifi.state.borrow().callbacks[event].is_none() {
        return;
    }
    let told = Rc::clone(wifi);
    let job: Job = Box::new(move |lua, device| {
        let table = lua.create_table()?;
        for (name, field) in fields {
            match field {
                Field::Number(number) => table.raw_set(name, number)?,
                Field::Text(text) => table.raw_set(name, text)?,
            }
        }
        let callback = told.state.borrow().callbacks[event].clone();
        if let Some(callback) = callback {
            device.call(Call::Protected, &callback, table);
        }
        Ok(())
    });
    if wifi.device.post(LOW, job).is_err() {
        wifi.device.failed(
            Call::Unprotected,
            &mlua::Error::runtime("Task queue overflow. Task not posted"),
        );
    }
}
