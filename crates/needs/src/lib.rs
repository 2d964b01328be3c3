//! What Lua chunks need of a NodeMCU firmware.

pub mod api;
