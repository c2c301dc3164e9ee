//! Digits: how text of hexadecimal digits at the end of a key is put into half its bytes.
//!
//! Not compression: ids are mostly random, and so are the bytes that are left. Keys that programs make are UUIDs or plain
//! hexadecimal digits; each stands in its document's key and in an entry of every index, and LZ4, which finds only what
//! was there before, leaves a byte a digit.
//!
//! Eight digits make a word of four bytes. A form says what a text is: [`UUID`], or the number of its words + [`UUID`].
//!
//! Invariant: what was put away comes back byte for byte; capital letters, and any other number of digits, stay text.

use crate::value::key::{END, TAG_STRING};

/// The least form: four words, with hyphens where they belong.
pub(super) const UUID: usize = 2;
/// Longer text is left alone.
const WORDS_MAX: usize = 8;

const UUID_WORDS: usize = 4;
const UUID_TEXT_BYTES: usize = 36;
/// Where the hyphens of a UUID stand.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
const HYPHEN: u8 = b'-';
/// The low bit of each byte.
const ONES: u64 = 0x0101_0101_0101_0101;

/// What text of a key could be of: how many words, and how many bytes it has.
const fn measure(form: usize) -> Option<(usize, usize)> {
    match form.checked_sub(UUID) {
        Some(0) => Some((UUID_WORDS, UUID_TEXT_BYTES)),
        Some(words @ 1..=WORDS_MAX) => Some((words, 8 * words)),
        _ => None,
    }
}

/// How many bytes stand for text of this form; none for what is no form.
pub(super) fn packed_len(form: usize) -> Option<usize> {
    measure(form).map(|(words, _)| 4 * words)
}

/// How many bytes the component has that [`unpack`] appends; none for what is no form.
pub(super) fn unpacked_len(form: usize) -> Option<usize> {
    measure(form).map(|(_, text)| text + 2)
}

/// The form of the text at the end of a key, as far as can be seen from where its digits end.
pub(super) fn form_of(key: &[u8]) -> Option<usize> {
    let (&END, text) = key.split_last()? else { return None };
    let count = text.iter().rev().take(8 * WORDS_MAX).take_while(|byte| is_digit(**byte)).count();
    let last_of_uuid = UUID_TEXT_BYTES - HYPHENS[3] - 1;
    match count {
        0 => None,
        _ if count == last_of_uuid => Some(UUID),
        _ => count.is_multiple_of(8).then_some(UUID + count / 8),
    }
}

const fn is_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// Appends the bytes that stand for the text at the end of a key, and answers where its component begins. None, and
/// nothing is appended, where it is not of this form.
pub(super) fn pack(form: usize, key: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let (words, len) = measure(form)?;
    let start = key.len().checked_sub(len + 2)?;
    let ([TAG_STRING, text @ ..], [.., END]) = (key.get(start..)?, key) else { return None };
    let text = text.get(..len)?;
    let mut digits = [[0; 8]; WORDS_MAX];
    if form == UUID {
        let all = digits.as_flattened_mut().iter_mut();
        let mut hyphens = HYPHENS.iter().filter(|place| text.get(**place) == Some(&HYPHEN));
        if hyphens.by_ref().count() < HYPHENS.len() {
            return None;
        }
        all.zip(text.iter().filter(|byte| **byte != HYPHEN)).for_each(|(digit, byte)| *digit = *byte);
    } else {
        digits.as_flattened_mut().get_mut(..len)?.copy_from_slice(text);
    }
    let begin = out.len();
    for digits in digits.iter().take(words) {
        let text = u64::from_be_bytes(*digits);
        let word = word_of(text);
        if digits_of(word) != text {
            out.truncate(begin);
            return None;
        }
        out.extend_from_slice(&word.to_be_bytes());
    }
    Some(start)
}

/// Appends the component that these bytes, [`packed_len`] of them, stand for.
pub(super) fn unpack(form: usize, bytes: &[u8], key: &mut Vec<u8>) {
    let mut text = [[0; 8]; WORDS_MAX];
    for (digits, word) in text.iter_mut().zip(bytes.as_chunks().0) {
        *digits = digits_of(u32::from_be_bytes(*word)).to_be_bytes();
    }
    let text = text.as_flattened().get(..2 * bytes.len()).unwrap_or_default();
    key.push(TAG_STRING);
    if form == UUID {
        let mut done = 0;
        for (before, hyphen) in HYPHENS.iter().enumerate() {
            key.extend_from_slice(text.get(done..hyphen - before).unwrap_or_default());
            key.push(HYPHEN);
            done = hyphen - before;
        }
        key.extend_from_slice(text.get(done..).unwrap_or_default());
    } else {
        key.extend_from_slice(text);
    }
    key.push(END);
}

/// Eight digits as the number that they are, all at once. Of what is no digit it makes some number.
const fn word_of(text: u64) -> u32 {
    // Of digits, only letters have the bit 0x40.
    let each = (text & (0x0f * ONES)).wrapping_add(9 * ((text >> 6) & ONES)) & (0x0f * ONES);
    let pairs = (each | each >> 4) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
    (fours | fours >> 16) as u32
}

/// A number as eight digits, all at once.
const fn digits_of(word: u32) -> u64 {
    let fours = (word as u64 | (word as u64) << 16) & 0x0000_ffff_0000_ffff;
    let pairs = (fours | fours << 8) & 0x00ff_00ff_00ff_00ff;
    let each = (pairs | pairs << 4) & (0x0f * ONES);
    let are_letters = ((each + 6 * ONES) >> 4) & ONES;
    each + b'0' as u64 * ONES + (b'a' - b'9' - 1) as u64 * are_letters
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::value::{View, key};

    fn check(text: &str, expected: Option<usize>) {
        let key = [&b"front"[..], &key::encode(View::String(text)).unwrap()].concat();
        let mut bytes = Vec::new();
        let found = form_of(&key).and_then(|form| Some((form, pack(form, &key, &mut bytes)?)));
        assert_eq!(found.map(|(form, _)| form), expected, "{text}");
        let Some((form, start)) = found else { return assert!(bytes.is_empty()) };
        assert_eq!(Some(bytes.len()), packed_len(form));
        let mut back = key.get(..start).unwrap().to_vec();
        unpack(form, &bytes, &mut back);
        assert_eq!(back, key, "{text}");
    }

    #[test]
    fn digits_come_back_from_half_the_bytes() {
        check("0009aaaf", Some(UUID + 1));
        check("0123456789abcdef", Some(UUID + 2));
        check("0123456789abcdef99ff00aa", Some(UUID + 3));
        check(&"f0e1d2c3".repeat(8), Some(UUID + 8));
        check("550e8400-e29b-41d4-a716-446655440000", Some(UUID));
        check("ffffffff-ffff-ffff-ffff-ffffffffffff", Some(UUID));
    }

    #[test]
    fn all_other_text_is_left_alone() {
        let long = "f0e1d2c3".repeat(9);
        for text in [
            "",
            "abc",
            "0123456",
            "012345678",
            "0123456789ABCDEF",
            "x0123456789abcdef",
            "0123456789abcdef-",
            &long,
            "550e8400-e29b-41d4-a71-6446655440000",
            "550e84000e29b041d40a7160446655440000",
            "0123456789ab",
            "550e8400-e29b-41d4-a716e446655440000",
            "-50e8400-e29b-41d4-a716-446655440000",
            "\x00123456789abcdef",
            "50e8400-e29b-41d4-a716-446655440000",
            "550E8400-e29b-41d4-a716-446655440000",
            "550e840--e29b-41d4-a716-446655440000",
        ] {
            check(text, None);
        }
        for (form, key) in [(UUID + 1, &b""[..]), (UUID, b"\0"), (UUID + 2, b"0123456789abcdef\0"), (0, b"\x18\0")] {
            assert_eq!(pack(form, key, &mut Vec::new()), None);
        }
    }
}
