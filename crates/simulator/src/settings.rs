//! What the device keeps outside its file system.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::Error;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Startup {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    pub banner: bool,
    pub delay_mount: bool,
    pub frequency: i64,
}

impl Default for Startup {
    fn default() -> Self {
        Self {
            command: None,
            banner: true,
            delay_mount: false,
            frequency: 80,
        }
    }
}

/// Addresses and sizes in bytes, as in `node.getpartitiontable()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Partitions {
    pub lfs_addr: i64,
    pub lfs_size: i64,
    pub spiffs_addr: i64,
    pub spiffs_size: i64,
}

impl Default for Partitions {
    fn default() -> Self {
        Self {
            lfs_addr: 0,
            lfs_size: 0,
            spiffs_addr: 0x100000,
            spiffs_size: 0x300000 - 0x3000,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Station {
    pub ssid: String,
    pub pwd: String,
    pub auto: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    pub startup: Startup,
    pub partitions: Partitions,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub station: Option<Station>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wifi_mode: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lfs_image: Option<String>,
    #[serde(skip)]
    path: Option<PathBuf>,
}

impl Settings {
    pub fn load(path: Option<&Path>) -> Result<Self, Error> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let mut settings: Self = match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| Error::Settings {
                path: path.to_owned(),
                message: error.to_string(),
            })?,
            Err(error) if error.kind() == ErrorKind::NotFound => Self::default(),
            Err(error) => return Err(Error::io("cannot read", path, error)),
        };
        settings.path = Some(path.to_owned());
        Ok(settings)
    }

    /// Has the settings written where they are kept.
    pub fn save(&self, write: &dyn Fn(&Path, &[u8]) -> io::Result<()>) -> Result<(), Error> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let text = serde_json::to_string_pretty(self).map_err(|error| Error::Settings {
            path: path.clone(),
            message: error.to_string(),
        })?;
        let written = write(path, (text + "\n").as_bytes());
        written.map_err(|error| Error::io("cannot write", path, error))
    }
}
