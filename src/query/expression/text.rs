//! Operators on text. Places and lengths are counted in Unicode code points.
//!
//! Not collation: letters compare by their code points.

use super::arrays::window;
use super::convert;
use super::operand::Operand;
use super::operator::Arguments;
use crate::error::{Error, Result};

type Call<'c, 'a> = &'c mut Arguments<'a>;

/// So many bytes of text are a step.
const STEP_BYTES: usize = 64;

fn spend(of: &Arguments<'_>, bytes: usize) -> Result<()> {
    of.spend(bytes / STEP_BYTES)
}

pub(super) fn concat<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let mut whole = String::new();
    for argument in of.all() {
        let text = argument.text()?;
        spend(of, text.len())?;
        whole.push_str(text);
    }
    Ok(whole.into())
}

/// Null gives "", as in MongoDB; numbers and dates are taken as text.
fn folded(of: &Arguments<'_>, place: usize, fold: fn(&str) -> String) -> Result<String> {
    let argument = of.get(place);
    if argument.is_null() {
        return Ok(String::new());
    }
    let text = convert::text_of(argument.or_null())?;
    spend(of, text.len())?;
    Ok(fold(&text))
}

pub(super) fn to_lower<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    folded(of, 0, str::to_lowercase).map(Operand::from)
}

pub(super) fn to_upper<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    folded(of, 0, str::to_uppercase).map(Operand::from)
}

pub(super) fn compare_folded<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let (left, right) = (folded(of, 0, str::to_lowercase)?, folded(of, 1, str::to_lowercase)?);
    Ok((left.cmp(&right) as i64).into())
}

pub(super) fn substring<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let (start, count) = (of.get(1).integer()?, of.get(2).integer()?);
    let Ok(start) = usize::try_from(start) else { return Err(Error::invalid("the first place is below 0")) };
    if of.get(0).is_null() {
        return Ok(String::new().into());
    }
    let text = of.get(0).text()?;
    spend(of, text.len())?;
    // Below zero: all of the rest.
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    Ok(text.chars().skip(start).take(count).collect::<String>().into())
}

pub(super) fn length<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let text = of.get(0).text()?;
    spend(of, text.len())?;
    Ok((text.chars().count() as i64).into())
}

pub(super) fn split<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let (text, by) = (of.get(0).text()?, of.get(1).text()?);
    if by.is_empty() {
        return Err(Error::invalid("the separator is empty"));
    }
    spend(of, text.len())?;
    let mut parts = Vec::new();
    for part in text.split(by) {
        of.spend(1)?;
        parts.push(part.into());
    }
    Ok(parts.into())
}

/// What MongoDB takes off where it is not told what.
fn is_space(character: char) -> bool {
    matches!(character, '\0' | '\t'..='\r' | ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}')
}

pub(super) fn trim<'a>(of: Call<'_, 'a>, (start, end): (bool, bool)) -> Result<Operand<'a>> {
    let text = of.get(0).text()?;
    let chars = if of.has(1) { Some(of.get(1).text()?) } else { None };
    spend(of, text.len())?;
    let is_taken = |character: char| chars.map_or_else(|| is_space(character), |chars| chars.contains(character));
    let text = if start { text.trim_start_matches(is_taken) } else { text };
    let text = if end { text.trim_end_matches(is_taken) } else { text };
    Ok(text.to_owned().into())
}

pub(super) fn index_of<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    if !of.has(0) {
        return Ok(Operand::NULL);
    }
    let (text, wanted) = (of.get(0).text()?, of.get(1).text()?);
    spend(of, text.len())?;
    let Some((start, count)) = window(of, text.chars().count())? else { return Ok((-1).into()) };
    let part: String = text.chars().skip(start).take(count).collect();
    let found = part.split_once(wanted).map(|(before, _)| (start + before.chars().count()) as i64);
    Ok(found.unwrap_or(-1).into())
}

/// At most so many times.
pub(super) fn replace<'a>(of: Call<'_, 'a>, times: usize) -> Result<Operand<'a>> {
    let (text, find, by) = (of.get(0).text()?, of.get(1).text()?, of.get(2).text()?);
    let found = text.matches(find).take(times).count();
    spend(of, text.len().saturating_add(found.saturating_mul(by.len() + STEP_BYTES)))?;
    Ok(text.replacen(find, by, times).into())
}
