//! Time zones: UTC and fixed offsets.
//!
//! Not names of places: their rules are a database of their own that changes each year.

use crate::error::{Error, ErrorKind, Result};

/// The offset from UTC in milliseconds: of `UTC`, `GMT`, `Z`, `+hh`, `+hhmm` and `+hh:mm`.
///
/// # Errors
/// `unsupported` for names, `invalid` for offsets beyond a day.
pub(super) fn offset_ms(zone: &str) -> Result<i64> {
    if matches!(zone, "UTC" | "GMT" | "Z") {
        return Ok(0);
    }
    let sign = match zone.as_bytes().first() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => {
            let error = Error::new(ErrorKind::Unsupported, format!("time zone `{zone}` is not supported"));
            return Err(error.with_hint("use `UTC` or an offset like `+02:00`"));
        }
    };
    let digits: Vec<i64> = zone.bytes().filter(u8::is_ascii_digit).map(|digit| i64::from(digit - b'0')).collect();
    let (hours, minutes) = match (digits.as_slice(), zone.len(), zone.as_bytes().get(3)) {
        ([a, b], 3, _) => (a * 10 + b, 0),
        ([a, b, c, d], 5, _) | ([a, b, c, d], 6, Some(b':')) => (a * 10 + b, c * 10 + d),
        _ => (24, 0),
    };
    if hours > 23 || minutes > 59 {
        return Err(Error::invalid(format!("time zone `{zone}` is no offset")).with_hint("e.g. `+02:00` or `-0330`"));
    }
    Ok(sign * (hours * 60 + minutes) * 60_000)
}
