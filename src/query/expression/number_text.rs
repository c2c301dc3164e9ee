//! Numbers as text and back, as JavaScript writes them: the fewest digits that read as the same number.
//!
//! Not for messages: those are content with less (`value/display.rs`).

/// As `String(number)` has it.
pub(super) fn format(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if number == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if number < 0.0 { "-" } else { "" };
    let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
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

/// Digits with an optional sign, point and exponent; nothing else.
pub(super) fn parse(text: &str) -> Option<f64> {
    let is_number = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'));
    if is_number { text.parse().ok() } else { None }
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
}
