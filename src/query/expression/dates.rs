//! Operators on dates, in UTC or at a fixed offset from it.
//!
//! Not a calendar: that is `calendar.rs`.
//!
//! Invariant: what has a time zone is worked out on the clock of that zone and told as the moment that it is.

use super::arithmetic::date_at;
use super::calendar::{Civil, DAY_MS, days_in, iso_weekday};
use super::operand::Operand;
use super::operator::Arguments;
use super::zone;
use crate::error::{Error, Result};

type Call<'c, 'a> = &'c mut Arguments<'a>;

/// The offset that an argument names; 0 where it is not given.
fn offset(of: &Arguments<'_>, place: usize) -> Result<i64> {
    if of.has(place) { zone::offset_ms(of.get(place).text()?) } else { Ok(0) }
}

/// The date in the first argument, on the clock of the zone in another.
fn local(of: &Arguments<'_>, zone: usize) -> Result<Civil> {
    Ok(Civil::of(of.get(0).date()? + offset(of, zone)?))
}

pub(super) fn part<'a>(of: Call<'_, 'a>, name: &str) -> Result<Operand<'a>> {
    Ok(number(&local(of, 1)?, name).into())
}

fn number(civil: &Civil, name: &str) -> i64 {
    match name {
        "year" => civil.year,
        "month" => civil.month,
        "day" => civil.day,
        "weekday" => civil.iso_weekday() % 7 + 1,
        "isoWeekday" => civil.iso_weekday(),
        "isoWeek" => civil.iso_week().0,
        "isoYear" => civil.iso_week().1,
        "yearday" => civil.day_of_year(),
        "hour" => civil.time_ms / 3_600_000,
        "minute" => civil.time_ms / 60_000 % 60,
        "second" => civil.time_ms / 1000 % 60,
        _ => civil.time_ms % 1000,
    }
}

/// A unit of time: some have no fixed length.
#[derive(Clone, Copy)]
enum Unit {
    Months(i64),
    Week,
    Ms(i64),
}

fn unit(name: &str) -> Result<Unit> {
    Ok(match name {
        "year" => Unit::Months(12),
        "quarter" => Unit::Months(3),
        "month" => Unit::Months(1),
        "week" => Unit::Week,
        "day" => Unit::Ms(DAY_MS),
        "hour" => Unit::Ms(3_600_000),
        "minute" => Unit::Ms(60_000),
        "second" => Unit::Ms(1000),
        "millisecond" => Unit::Ms(1),
        other => {
            let error = Error::invalid(format!("`{other}` is no unit of time"));
            return Err(error.with_hint("units are year, quarter, month, week, day, hour, minute, second, millisecond"));
        }
    })
}

/// The day with which weeks begin, Monday being 1; Sunday where it is not given.
fn week_start(of: &Arguments<'_>, place: usize) -> Result<i64> {
    const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    if !of.has(place) {
        return Ok(7);
    }
    let name = of.get(place).text()?;
    let day = NAMES.iter().position(|day| name.get(..3).is_some_and(|name| name.eq_ignore_ascii_case(day)));
    day.map(|day| day as i64 + 1).ok_or_else(|| Error::invalid(format!("`{name}` is no day of the week")))
}

/// The first day of its kind from 2000-01-01 on, in days since 1970.
fn first_week(start: i64) -> i64 {
    const FIRST: i64 = 10_957;
    FIRST + (start - iso_weekday(FIRST)).rem_euclid(7)
}

/// Bins are counted from the year 2000 on.
pub(super) fn truncate<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let civil = local(of, 3)?;
    let size = of.integer_or(2, 1)?;
    if !(1..=100_000_000_000).contains(&size) {
        return Err(Error::invalid(format!("binSize {size} is not within 1 and 100000000000")));
    }
    let binned = |origin: i64, length: i64| {
        let length = length.saturating_mul(size);
        civil.ms().saturating_sub(civil.ms().saturating_sub(origin).rem_euclid(length))
    };
    let ms = match unit(of.get(1).text()?)? {
        Unit::Months(count) => {
            let months = civil.months();
            Civil::first_of(months - months.rem_euclid(count.saturating_mul(size))).ms()
        }
        Unit::Week => binned(first_week(week_start(of, 4)?) * DAY_MS, 7 * DAY_MS),
        Unit::Ms(length) => binned(10_957 * DAY_MS, length),
    };
    Ok(date_at((ms - offset(of, 3)?) as f64)?.into())
}

pub(super) fn add<'a>(of: Call<'_, 'a>, sign: i64) -> Result<Operand<'a>> {
    let offset = offset(of, 3)?;
    let amount = of.get(2).integer()?.saturating_mul(sign);
    let ms = shift(of.get(0).date()? + offset, of.get(1).text()?, amount)?;
    Ok(date_at((ms - offset) as f64)?.into())
}

/// A date so many units later. Months keep the day, or take the last of the month where it has not so many.
///
/// # Errors
/// `invalid` for what is no unit, and beyond the years that dates know.
pub(crate) fn shift(ms: i64, unit_name: &str, amount: i64) -> Result<i64> {
    let civil = Civil::of(ms);
    let by_ms = |length: i64| ms as f64 + amount as f64 * length as f64;
    let shifted = match unit(unit_name)? {
        Unit::Months(count) => {
            let months = civil.months().saturating_add(amount.saturating_mul(count));
            if months.unsigned_abs() > 4_000_000 {
                date_at(f64::INFINITY)?;
            }
            let day = civil.day.min(days_in(months));
            Civil { day, time_ms: civil.time_ms, ..Civil::first_of(months) }.ms() as f64
        }
        Unit::Week => by_ms(7 * DAY_MS),
        Unit::Ms(length) => by_ms(length),
    };
    date_at(shifted)?;
    Ok(shifted as i64)
}

/// How many beginnings of a unit lie between two dates.
pub(super) fn difference<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let start = local(of, 3)?;
    let end = Civil::of(of.get(1).date()? + offset(of, 3)?);
    let passed = |count: fn(Civil, i64) -> i64, by: i64| count(end, by) - count(start, by);
    Ok(match unit(of.get(2).text()?)? {
        Unit::Months(count) => passed(|civil, count| civil.months().div_euclid(count), count),
        Unit::Week => passed(|civil, first| (civil.days() - first).div_euclid(7), first_week(week_start(of, 4)?)),
        Unit::Ms(length) => passed(|civil, length| civil.ms().div_euclid(length), length),
    }
    .into())
}

pub(super) fn to_text<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    if !of.has(0) {
        return Ok(or_null(of, 3));
    }
    let offset = offset(of, 2)?;
    let civil = local(of, 2)?;
    let format = match (of.has(1), offset) {
        (true, _) => of.get(1).text()?,
        (false, 0) => "%Y-%m-%dT%H:%M:%S.%LZ",
        (false, _) => "%Y-%m-%dT%H:%M:%S.%L",
    };
    of.spend(format.len())?;
    Ok(formatted(&civil, offset, format)?.into())
}

/// The date as `$toString` has it.
pub(super) fn iso(ms: i64) -> Result<String> {
    formatted(&Civil::of(ms), 0, "%Y-%m-%dT%H:%M:%S.%LZ")
}

fn or_null<'a>(of: Call<'_, 'a>, place: usize) -> Operand<'a> {
    match of.take(place) {
        Operand::Missing => Operand::NULL,
        given => given,
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn formatted(civil: &Civil, offset_ms: i64, format: &str) -> Result<String> {
    let mut text = String::new();
    let mut rest = format.chars();
    let minutes = offset_ms / 60_000;
    let sign = if minutes < 0 { '-' } else { '+' };
    while let Some(character) = rest.next() {
        if character != '%' {
            text.push(character);
            continue;
        }
        let month = usize::try_from(civil.month - 1).ok().and_then(|month| MONTHS.get(month)).copied();
        let (value, width) = match rest.next() {
            Some('Y') => (civil.year, 4),
            Some('G') => (number(civil, "isoYear"), 4),
            Some('m') => (civil.month, 2),
            Some('d') => (civil.day, 2),
            Some('H') => (number(civil, "hour"), 2),
            Some('M') => (number(civil, "minute"), 2),
            Some('S') => (number(civil, "second"), 2),
            Some('L') => (number(civil, "millisecond"), 3),
            Some('j') => (civil.day_of_year(), 3),
            Some('u') => (civil.iso_weekday(), 1),
            Some('w') => (civil.iso_weekday() % 7, 1),
            Some('U') => ((civil.day_of_year() + 6 - civil.iso_weekday() % 7) / 7, 2),
            Some('V') => (number(civil, "isoWeek"), 2),
            Some('z') => {
                text.push(sign);
                (minutes.abs() / 60 * 100 + minutes.abs() % 60, 4)
            }
            Some('Z') => {
                text.push(sign);
                (minutes.abs(), 3)
            }
            Some('b') => {
                text.push_str(month.and_then(|month| month.get(..3)).unwrap_or_default());
                continue;
            }
            Some('B') => {
                text.push_str(month.unwrap_or_default());
                continue;
            }
            Some('%') => {
                text.push('%');
                continue;
            }
            other => {
                let other = other.map(String::from).unwrap_or_default();
                return Err(Error::invalid(format!("format `%{other}` is not known")));
            }
        };
        text.push_str(&format!("{value:0width$}"));
    }
    Ok(text)
}

pub(super) fn from_text<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    if !of.has(0) {
        return Ok(or_null(of, 3));
    }
    let parsed = of.get(0).text().and_then(|text| {
        let (ms, has_zone) = parse(text)?;
        if has_zone && of.has(1) {
            return Err(Error::invalid(format!("`{text}` has a time zone, and another is given")));
        }
        date_at((ms - offset(of, 1)?) as f64)
    });
    match (parsed, of.take(2)) {
        (Ok(date), _) => Ok(date.into()),
        (Err(error), Operand::Missing) => Err(error),
        (Err(_), given) => Ok(given),
    }
}

/// Reads ISO 8601: `2026-11-23`, with `T` or a space and `10:20`, then perhaps `:30`, `.125`, and `Z` or an offset.
/// Answers the milliseconds, and whether it names a zone.
///
/// # Errors
/// `invalid` for anything else.
pub(super) fn parse(text: &str) -> Result<(i64, bool)> {
    parse_whole(text).ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        Error::invalid(format!("`{shown}` is no date")).with_hint("dates are written like `2026-11-23T10:20:30.125Z`")
    })
}

fn parse_whole(text: &str) -> Option<(i64, bool)> {
    let (date, time) = match text.split_once(['T', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let mut part = |len: usize| digits(parts.next()?, len);
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    let months = (year - 2000) * 12 + month - 1;
    if parts.next().is_some() || !(1..=12).contains(&month) || !(1..=days_in(months)).contains(&day) {
        return None;
    }
    let (time_ms, offset) = match time {
        Some(time) => parse_time(time)?,
        None => (0, None),
    };
    let ms = Civil { day, time_ms, ..Civil::first_of(months) }.ms();
    Some((ms - offset.unwrap_or(0), offset.is_some()))
}

fn parse_time(text: &str) -> Option<(i64, Option<i64>)> {
    let end = text.find(['Z', '+', '-']).unwrap_or(text.len());
    let (time, zone) = text.split_at_checked(end)?;
    let offset = if zone.is_empty() { None } else { Some(zone::offset_ms(zone).ok()?) };
    let (time, fraction) = match time.split_once('.') {
        Some((time, fraction)) => (time, fraction),
        None => (time, "0"),
    };
    let mut parts = time.split(':');
    let (hour, minute) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let second = parts.next().map_or(Some(0), |second| digits(second, 2))?;
    let is_fraction = (1..=9).contains(&fraction.len()) && fraction.bytes().all(|byte| byte.is_ascii_digit());
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 || !is_fraction {
        return None;
    }
    let ms = fraction.bytes().chain(*b"00").take(3).fold(0, |ms, digit| ms * 10 + i64::from(digit - b'0'));
    Some((((hour * 60 + minute) * 60 + second) * 1000 + ms, offset))
}

fn digits(text: &str, len: usize) -> Option<i64> {
    let is_number = text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}
