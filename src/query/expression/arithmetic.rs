//! Arithmetic: on numbers, bigints, and dates as far as they are counted in milliseconds.
//!
//! Not decimals: `0.1 + 0.2` is what it is in JavaScript.

use super::numeric::{Join, Numeric};
use super::operand::Operand;
use super::operator::Arguments;
use crate::error::{Error, Result};
use crate::value::{Value, View};

type Call<'c, 'a> = &'c mut Arguments<'a>;

/// A date; what lies beyond the years that JavaScript's dates know is refused.
///
/// # Errors
/// `invalid` beyond them.
pub(super) fn date_at(ms: f64) -> Result<Value> {
    const DATE_MS_MAX: f64 = 8.64e15;
    let whole = ms.round_ties_even();
    if whole.abs() <= DATE_MS_MAX {
        return Ok(Value::Date(whole as i64));
    }
    Err(Error::invalid("a date lies beyond the year 275760"))
}

pub(super) fn add<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let mut sum = Numeric::Float(0.0);
    let mut date = None;
    for (place, argument) in of.all().iter().enumerate() {
        if let View::Date(ms) = argument.or_null() {
            if date.replace(ms).is_some() {
                return Err(Error::invalid("two dates cannot be added"));
            }
            continue;
        }
        let number = argument.number()?;
        sum = if place == 0 { number } else { sum.join(Join::Add, number) };
    }
    Ok(match date {
        Some(ms) => date_at(ms as f64 + sum.float())?.into(),
        None => sum.into(),
    })
}

pub(super) fn subtract<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    Ok(match (of.get(0).or_null(), of.get(1).or_null()) {
        (View::Date(left), View::Date(right)) => (left - right).into(),
        (View::Date(left), _) => date_at(left as f64 - of.get(1).number()?.float())?.into(),
        _ => of.get(0).number()?.join(Join::Subtract, of.get(1).number()?).into(),
    })
}

pub(super) fn multiply<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let mut product = None;
    for argument in of.all() {
        let number = argument.number()?;
        product = Some(product.map_or(number, |product: Numeric| product.join(Join::Multiply, number)));
    }
    Ok(product.unwrap_or(Numeric::Float(1.0)).into())
}

pub(super) fn divide<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let (number, by) = (of.get(0).number()?.float(), not_zero(of)?.float());
    Ok(Numeric::Float(number / by).into())
}

pub(super) fn remainder<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let by = not_zero(of)?;
    Ok(of.get(0).number()?.join(Join::Remainder, by).into())
}

fn not_zero(of: &Arguments<'_>) -> Result<Numeric> {
    let by = of.get(1).number()?;
    if by.float() == 0.0 { Err(Error::invalid("the divisor is 0")) } else { Ok(by) }
}

pub(super) fn abs<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    Ok(match of.get(0).number()? {
        Numeric::Big(number) => number.checked_abs().map_or(Numeric::Float((number as f64).abs()), Numeric::Big),
        Numeric::Float(number) => Numeric::Float(number.abs()),
    }
    .into())
}

pub(super) fn ceil<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    by_float(of, f64::ceil)
}

pub(super) fn floor<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    by_float(of, f64::floor)
}

/// A bigint is whole already.
fn by_float<'a>(of: Call<'_, 'a>, float: fn(f64) -> f64) -> Result<Operand<'a>> {
    Ok(match of.get(0).number()? {
        Numeric::Float(number) => Numeric::Float(float(number)),
        whole => whole,
    }
    .into())
}

pub(super) fn round<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    to_place(of, f64::round_ties_even)
}

pub(super) fn trunc<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    to_place(of, f64::trunc)
}

/// To so many places behind the point, or in front of it where they are below zero.
fn to_place<'a>(of: Call<'_, 'a>, whole: fn(f64) -> f64) -> Result<Operand<'a>> {
    let place = of.integer_or(1, 0)?;
    if !(-20..=100).contains(&place) {
        return Err(Error::invalid(format!("place {place} is not within -20 and 100")));
    }
    let number = match of.get(0).number()? {
        Numeric::Big(number) if place >= 0 => return Ok(Numeric::Big(number).into()),
        number => number,
    };
    let power = (0..place.unsigned_abs()).fold(1.0, |power, _| power * 10.0);
    let float = number.float();
    let rounded = if place < 0 { whole(float / power) * power } else { whole(float * power) / power };
    let rounded = Numeric::Float(if rounded.is_finite() { rounded } else { float });
    Ok(match number {
        Numeric::Big(_) => rounded.as_integer().map_or(rounded, Numeric::Big),
        Numeric::Float(_) => rounded,
    }
    .into())
}

pub(super) fn sqrt<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let number = of.get(0).number()?.float();
    if number < 0.0 {
        return Err(Error::invalid("a number below 0 has no square root"));
    }
    Ok(Numeric::Float(number.sqrt()).into())
}

pub(super) fn pow<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let (base, exponent) = (of.get(0).number()?, of.get(1).number()?);
    if base.float() == 0.0 && exponent.float() < 0.0 {
        return Err(Error::invalid("0 has no power below 0"));
    }
    if let (Numeric::Big(base), Some(exponent)) = (base, exponent.as_integer())
        && let Some(exact) = u32::try_from(exponent).ok().and_then(|exponent| base.checked_pow(exponent))
    {
        return Ok(Numeric::Big(exact).into());
    }
    Ok(Numeric::Float(base.float().powf(exponent.float())).into())
}

pub(super) fn exp<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    Ok(Numeric::Float(of.get(0).number()?.float().exp()).into())
}

pub(super) fn ln<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    Ok(Numeric::Float(above_zero(of.get(0))?.ln()).into())
}

pub(super) fn log<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let (number, base) = (above_zero(of.get(0))?, above_zero(of.get(1))?);
    if base == 1.0 {
        return Err(Error::invalid("1 is no base of logarithms"));
    }
    Ok(Numeric::Float(number.ln() / base.ln()).into())
}

pub(super) fn log10<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    Ok(Numeric::Float(above_zero(of.get(0))?.log10()).into())
}

fn above_zero(argument: &Operand<'_>) -> Result<f64> {
    let number = argument.number()?.float();
    if number > 0.0 { Ok(number) } else { Err(Error::invalid("only numbers above 0 have logarithms")) }
}
