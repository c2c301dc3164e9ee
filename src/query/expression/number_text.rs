//! Numbers as text and back, as JavaScript writes them: the fewest digits that read as the same number.
//!
//! Not for messages: those are content with less (`value/display.rs`).

use super::big::Big;

/// As `String(number)` has it.
pub(super) fn format(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if number == 0.0 {
        return "0".to_owned();
    }
    let (digits, exponent) = digits_of(number.abs());
    let sign = if number < 0.0 { "-" } else { "" };
    let len = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    // Digits in front of the point.
    let whole = exponent + 1;
    if (len..=21).contains(&whole) {
        return format!("{sign}{digits}{}", zeros(whole - len));
    }
    if (1..=21).contains(&whole) {
        let (front, behind) = digits.split_at_checked(usize::try_from(whole).unwrap_or(0)).unwrap_or((&digits, ""));
        return format!("{sign}{front}.{behind}");
    }
    if (-5..=0).contains(&whole) {
        return format!("{sign}0.{}{digits}", zeros(-whole));
    }
    let power = if exponent < 0 { "-" } else { "+" };
    let (first, behind) = digits.split_at_checked(1).unwrap_or((&digits, ""));
    let point = if behind.is_empty() { "" } else { "." };
    format!("{sign}{first}{point}{behind}e{power}{}", exponent.unsigned_abs())
}

/// The fewest digits that read as this number, which is above 0, and the power of ten of the first of them. Source: Burger
/// and Dybvig, "Printing Floating-Point Numbers Quickly and Accurately" (1996), free-format.
fn digits_of(number: f64) -> (String, i32) {
    let bits = number.to_bits();
    let (raw, low) = ((bits >> 52) as i32, bits & (HIDDEN - 1));
    let (mantissa, exponent) = if raw == 0 { (low, -1074) } else { (low | HIDDEN, raw - 1075) };
    // The gap to the next number below is half of the gap to the one above where a power of two is passed.
    let is_edge = low == 0 && raw > 1;
    let twice = 1 + u32::from(is_edge);
    let (mut rest, mut whole) = (Big::new(mantissa), Big::new(1));
    let (mut above, mut below) = (Big::new(1), Big::new(1));
    let up = exponent.max(0).unsigned_abs();
    rest.shift(up + twice);
    above.shift(up + twice - 1);
    below.shift(up);
    whole.shift(exponent.min(0).unsigned_abs() + twice);
    // An estimate that may be one too low.
    let mut power = ((number.log10() - 1e-10).ceil()) as i32;
    if power >= 0 {
        whole.times_power_of_ten(power.unsigned_abs());
    } else {
        for part in [&mut rest, &mut above, &mut below] {
            part.times_power_of_ten(power.unsigned_abs());
        }
    }
    // What lies half way reads as the even one.
    let is_even = mantissa % 2 == 0;
    let reaches = |left: &Big, right: &Big| if is_even { left >= right } else { left > right };
    if reaches(&rest.plus(&above), &whole) {
        power += 1;
    } else {
        for part in [&mut rest, &mut above, &mut below] {
            part.scale(10, 0);
        }
    }
    let mut digits = String::new();
    loop {
        let mut digit = 0;
        while rest >= whole {
            rest.subtract(&whole);
            digit += 1;
        }
        let (is_low, is_high) = (reaches(&below, &rest), reaches(&rest.plus(&above), &whole));
        if is_low || is_high {
            let goes_up = if is_low && is_high { rest.plus(&rest) >= whole } else { is_high };
            digits.push(char::from(b'0' + digit + u8::from(goes_up)));
            return (digits, power - 1);
        }
        digits.push(char::from(b'0' + digit));
        for part in [&mut rest, &mut above, &mut below] {
            part.scale(10, 0);
        }
    }
}

/// The bit of the mantissa that is not written down.
const HIDDEN: u64 = 1 << 52;
/// Longer texts are not looked at.
const TEXT_MAX: usize = 1000;

/// Digits with an optional sign, point and exponent; nothing else. The nearest number, of two the even one.
pub(super) fn parse(text: &str) -> Option<f64> {
    let (text, sign) = match text.strip_prefix('-') {
        Some(rest) => (rest, -1.0),
        None => (text.strip_prefix('+').unwrap_or(text), 1.0),
    };
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (front, behind) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let unsigned = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = is_digits(front) && is_digits(behind) && is_digits(unsigned);
    if !is_number || front.len() + behind.len() == 0 || unsigned.is_empty() || text.len() > TEXT_MAX {
        return None;
    }
    let mut whole = Big::new(0);
    for digit in front.bytes().chain(behind.bytes()) {
        whole.scale(10, u32::from(digit - b'0'));
    }
    // An exponent of more digits is as good as this one.
    let power = exponent.parse::<i64>().unwrap_or(if exponent.starts_with('-') { -9999 } else { 9999 });
    let power = power.clamp(-9999, 9999) as i32 - behind.len() as i32;
    Some(sign * nearest(whole, power))
}

/// The number nearest to `whole * 10^power`.
fn nearest(mut whole: Big, power: i32) -> f64 {
    // 2^3 < 10 < 2^4: far beyond all doubles there is nothing to work out.
    if whole.is_zero() || whole.bits() + power * if power < 0 { 3 } else { 4 } < -1100 {
        return 0.0;
    }
    if whole.bits() + power * if power < 0 { 4 } else { 3 } > 1100 {
        return f64::INFINITY;
    }
    let mut part = Big::new(1);
    if power < 0 { &mut part } else { &mut whole }.times_power_of_ten(power.unsigned_abs());
    // From here on the value is `whole / part * 2^exponent`, the quotient within 1 and 2.
    let mut exponent = whole.bits() - part.bits();
    if exponent > 0 { &mut part } else { &mut whole }.shift(exponent.unsigned_abs());
    if whole < part {
        whole.shift(1);
        exponent -= 1;
    }
    let places = 53.min(exponent + 1075);
    let mut mantissa: u64 = 0;
    for _ in 0..places {
        let is_one = whole >= part;
        if is_one {
            whole.subtract(&part);
        }
        mantissa = mantissa * 2 + u64::from(is_one);
        whole.shift(1);
    }
    let goes_up = match whole.cmp(&part) {
        core::cmp::Ordering::Less => false,
        core::cmp::Ordering::Equal => mantissa % 2 == 1,
        core::cmp::Ordering::Greater => true,
    };
    mantissa += u64::from(goes_up && places >= 0);
    match exponent {
        ..-1022 => f64::from_bits(mantissa),
        1024.. => f64::INFINITY,
        // The hidden bit adds one to the exponent, and so does a mantissa that was rounded up to the next power of two.
        exponent => f64::from_bits((((exponent + 1022) as u64) << 52) + mantissa),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_javascript_writes_them() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-12.5, "-12.5"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e21, "1e+21"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (1.5e-7, "1.5e-7"),
            (0.000_001, "0.000001"),
            (0.000_001_25, "0.00000125"),
            (5e-324, "5e-324"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(format(number), text);
            if number.is_finite() {
                assert_eq!(parse(text), Some(number + 0.0));
            }
        }
        assert_eq!(parse("1n"), None);
        assert_eq!(parse(""), None);
        assert_eq!(parse("inf"), None);
    }

    #[test]
    fn all_numbers_come_out_and_back_as_the_standard_library_has_them() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for round in 0..50_000_u64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let bits = state ^ (state >> 29);
            let number = match round % 4 {
                0 => f64::from_bits(bits >> 1),
                1 => (bits >> 40) as f64 / 1000.0,
                2 => f64::from_bits((round % 2047) << 52 | u64::from(round % 8 == 2)),
                _ => f64::from_bits(bits >> 13),
            };
            if !number.is_finite() || number == 0.0 {
                continue;
            }
            let (digits, exponent) = digits_of(number);
            let expected = format!("{number:e}");
            let shown = format!("{}{}", digits.split_at(1).0, if digits.len() > 1 { "." } else { "" });
            assert_eq!(format!("{shown}{}e{exponent}", digits.split_at(1).1), expected);
            for text in [
                expected.clone(),
                format(number),
                expected.replacen('e', "4999999e", 1),
                expected.replacen('e', "5e", 1),
            ] {
                assert_eq!(parse(&text), text.parse().ok(), "{text}");
            }
        }
        for text in [
            "2.4703282292062327e-324",
            "2.4703282292062328e-324",
            "4.9e-324",
            "1e400",
            "1e-400",
            "0e9",
            "9007199254740993",
            "1.7976931348623158e308",
            "1.7976931348623159e308",
            "2.2250738585072011e-308",
            ".5",
            "5.",
            "1e99999999999999999999",
        ] {
            assert_eq!(parse(text), text.parse().ok(), "{text}");
        }
        for text in [".", "", "1e", "e5", "1e+", "--1", "1.2.3", "1 ", "0x1", "1_0"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
