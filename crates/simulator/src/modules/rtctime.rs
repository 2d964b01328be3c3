//! `rtctime`: the calendar clock.

use std::rc::Rc;

use mlua::{Lua, Table};

use crate::api::Library;
use crate::device::Device;

const MICROS: i64 = 1_000_000;

pub(crate) fn open(lua: &Lua, device: &Rc<Device>) -> mlua::Result<()> {
    let library = Library::new(lua, "rtctime.")?;
    library.unsimulated(&["dsleep", "dsleep_aligned"])?;
    library.with(device, "set", move |_, device, args| {
        let mut calendar = device.clock.calendar.get();
        if !args.value(1).is_nil() {
            calendar.set = Some((
                device.clock.now(),
                args.integer(1)? * MICROS + args.opt_integer(2, 0)?,
            ));
        }
        calendar.rate = args.opt_integer(3, calendar.rate)?;
        device.clock.calendar.set(calendar);
        Ok(())
    })?;
    library.with(device, "get", move |_, device, _| {
        let calendar = device.clock.calendar.get();
        let micros = calendar.set.map_or(0, |(instant, micros)| {
            micros + (device.clock.now() - instant).as_micros() as i64
        });
        Ok((
            micros.div_euclid(MICROS),
            micros.rem_euclid(MICROS),
            calendar.rate,
        ))
    })?;
    library.with(device, "adjust_delta", move |_, device, args| {
        let micros = args.integer(1)?;
        Ok(micros + ((micros * device.clock.calendar.get().rate) >> 32))
    })?;
    library.function("epoch2cal", |lua, args| {
        let stamp = args.integer(1)?;
        if stamp < 0 {
            return args.bad(1, "wrong arg range");
        }
        Ok(date(lua, stamp)?)
    })?;
    library.global("rtctime")
}

/// The date of a count of seconds since 1970, by counting years of 400-year cycles from March on.
fn date(lua: &Lua, stamp: i64) -> mlua::Result<Table> {
    let (days, second) = (stamp / 86400, stamp % 86400);
    let shifted = days + 719_468;
    let (cycle, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (month, day) = ((month + 2) % 12 + 1, day - (153 * month + 2) / 5 + 1);
    let year = year + cycle * 400 + i64::from(month < 3);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][month as usize - 1];
    lua.create_table_from([
        ("year", year),
        ("mon", month),
        ("day", day),
        ("hour", second / 3600),
        ("min", second / 60 % 60),
        ("sec", second % 60),
        ("yday", before + day + i64::from(is_leap && month > 2)),
        ("wday", (days + 4) % 7 + 1),
    ])
}
