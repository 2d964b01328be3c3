//! Numbers of fixed width, as every format but NodeMCU's 5.3 (for integers) writes them.

use crate::cursor::{self, Cursor};
use crate::error::WriteErrorKind;
use crate::layout::Layout;
use crate::sink::{self, Sink};

pub(crate) fn read_integer(cursor: &mut Cursor, layout: &Layout) -> cursor::Result<i64> {
    let bits = cursor.uint("integer constant", layout.integer)?;
    Ok(if layout.integer == 4 {
        (bits as u32 as i32).into()
    } else {
        bits as i64
    })
}

pub(crate) fn write_integer(
    sink: &mut Sink,
    layout: &Layout,
    constant: usize,
    value: i64,
) -> sink::Result<()> {
    check_integer(sink, layout, constant, value)?;
    sink.uint(value as u64, layout.integer);
    Ok(())
}

/// Whether integers of `layout` hold `value`.
pub(crate) fn check_integer(
    sink: &Sink,
    layout: &Layout,
    constant: usize,
    value: i64,
) -> sink::Result<()> {
    match layout.integer {
        0 => sink.fail(WriteErrorKind::NoIntegers {
            constant,
            value,
            layout: *layout,
        }),
        4 if i32::try_from(value).is_err() => {
            sink.fail(WriteErrorKind::IntegerWidth { constant, value })
        }
        _ => Ok(()),
    }
}

pub(crate) fn read_float(cursor: &mut Cursor, layout: &Layout) -> cursor::Result<f64> {
    let bits = cursor.uint("float constant", layout.float)?;
    Ok(if layout.float == 4 {
        widen(bits as u32)
    } else {
        f64::from_bits(bits)
    })
}

pub(crate) fn write_float(
    sink: &mut Sink,
    layout: &Layout,
    constant: usize,
    value: f64,
) -> sink::Result<()> {
    match layout.float {
        0 => {
            return sink.fail(WriteErrorKind::NoFloats {
                constant,
                value,
                layout: *layout,
            });
        }
        4 => match narrow(value) {
            Some(bits) => sink.uint(bits.into(), 4),
            None => return sink.fail(WriteErrorKind::FloatWidth { constant, value }),
        },
        _ => sink.uint(value.to_bits(), 8),
    }
    Ok(())
}

/// Bits of a NaN's payload that a 64-bit float has and a 32-bit float has not.
const LOST: u32 = 52 - 23;

/// The 32-bit float `bits` as a 64-bit one. A NaN keeps its sign and payload, of which the processor's
/// own conversion changes one bit.
pub(crate) fn widen(bits: u32) -> f64 {
    let value = f32::from_bits(bits);
    if !value.is_nan() {
        return value.into();
    }
    let sign = u64::from(bits >> 31) << 63;
    let payload = u64::from(bits & 0x007f_ffff) << LOST;
    f64::from_bits(sign | 0x7ff << 52 | payload)
}

/// The bits of the 32-bit float that is exactly `value`.
pub(crate) fn narrow(value: f64) -> Option<u32> {
    let bits = if value.is_nan() {
        let wide = value.to_bits();
        let payload = (wide >> LOST) as u32 & 0x007f_ffff;
        ((wide >> 63) as u32) << 31 | 0xff << 23 | payload
    } else {
        (value as f32).to_bits()
    };
    (widen(bits).to_bits() == value.to_bits()).then_some(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_floats_keep_their_bits() {
        let infinities_and_nans = 0x7f7f_ffff..=0x7f80_0003;
        let quiet = 0x7fc0_0000..=0x7fc0_0003;
        for bits in infinities_and_nans
            .chain(quiet)
            .chain([0, 1, 0x007f_ffff, 0x3f80_0001])
        {
            for bits in [bits, bits | 1 << 31] {
                assert_eq!(narrow(widen(bits)), Some(bits), "{bits:08x}");
            }
        }
    }

    #[test]
    fn what_32_bits_do_not_hold_is_refused() {
        let payload = f64::from_bits(0x7ff8_0000_0000_0001);
        let signalling = f64::from_bits(0x7ff0_0000_0000_0001);
        for value in [0.1, 1e39, 1e-60, 16_777_217.0, payload, signalling] {
            assert_eq!(narrow(value), None, "{value}");
        }
        assert_eq!(narrow(0.5), Some(0x3f00_0000));
    }
}
