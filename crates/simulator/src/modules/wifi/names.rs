//! The numbers that `wifi` gives names, and what it has that is not simulated.

pub(super) const CONSTANTS: [(&str, i64); 22] = [
    ("NULLMODE", 0),
    ("STATION", 1),
    ("SOFTAP", 2),
    ("STATIONAP", 3),
    ("PHYMODE_B", 1),
    ("PHYMODE_G", 2),
    ("PHYMODE_N", 3),
    ("NONE_SLEEP", 0),
    ("LIGHT_SLEEP", 1),
    ("MODEM_SLEEP", 2),
    ("OPEN", 0),
    ("WPA_PSK", 2),
    ("WPA2_PSK", 3),
    ("WPA_WPA2_PSK", 4),
    ("STA_IDLE", 0),
    ("STA_CONNECTING", 1),
    ("STA_WRONGPWD", 2),
    ("STA_APNOTFOUND", 3),
    ("STA_FAIL", 4),
    ("STA_GOTIP", 5),
    ("COUNTRY_AUTO", 0),
    ("COUNTRY_MANUAL", 1),
];

pub(super) const UNSIMULATED: &[&str] = &[
    "setphymode",
    "getphymode",
    "setmaxtxpower",
    "suspend",
    "resume",
    "nullmodesleep",
    "startsmart",
    "stopsmart",
    "setcountry",
    "getcountry",
];
pub(super) const STA_UNSIMULATED: &[&str] = &[
    "changeap",
    "getap",
    "getapindex",
    "getapinfo",
    "setaplimit",
    "setip",
    "setmac",
];
pub(super) const AP_UNSIMULATED: &[&str] = &[
    "deauth",
    "setip",
    "setmac",
    "getclient",
    "getconfig",
    "getdefaultconfig",
];

pub(super) const EVENTS: [(&str, i64); 10] = [
    ("STA_CONNECTED", 0),
    ("STA_DISCONNECTED", 1),
    ("STA_AUTHMODE_CHANGE", 2),
    ("STA_GOT_IP", 3),
    ("STA_DHCP_TIMEOUT", 4),
    ("AP_STACONNECTED", 5),
    ("AP_STADISCONNECTED", 6),
    ("AP_PROBEREQRECVED", 7),
    ("WIFI_MODE_CHANGED", 8),
    ("EVENT_MAX", 9),
];
