//! Facts about patterns: what matches, what is refused, and what it costs.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::error::ErrorKind;

#[track_caller]
fn check(pattern: &str, matching: &[&str], others: &[&str]) {
    check_with("", pattern, matching, others);
}

#[track_caller]
fn check_with(flags: &str, pattern: &str, matching: &[&str], others: &[&str]) {
    let pattern = Pattern::parse(pattern, Flags::parse(flags).unwrap()).unwrap();
    for (texts, expected) in [(matching, true), (others, false)] {
        for text in texts {
            let found = pattern.matches(text, &mut 100_000).unwrap();
            assert_eq!(found, expected, "`{}` in {text:?}", pattern.source);
        }
    }
}

#[test]
fn patterns_match_as_in_ecmascript() {
    check("a+", &["xxaayy"], &["", "b"]);
    check("^a*$", &["", "aaa"], &["ab", "b"]);
    check("^(?:ab|c){2,3}$", &["abc", "cc", "abcab"], &["c", "cccc", "abb"]);
    check("^x{2}y{1,}z{0,1}$", &["xxy", "xxyyz"], &["xy", "xxz", "xxyzz"]);
    check(r"^\d{4}-\d\d$", &["2026-11"], &["2026-1", "\u{0967}\u{0967}\u{0967}\u{0967}-11"]);
    check(r"^[^a-c\d]$", &["d", "\u{e9}"], &["a", "5", ""]);
    check(r"^[\w.-]+@[a-z]+$", &["a.b-c@d"], &["a b@c", "@d"]);
    check("^.$", &["\u{1f432}", "\u{e9}"], &["\n", "\u{2028}", "ab"]);
    check(r"^\s\S$", &["\u{feff}x", " x", "\u{b}x"], &["xx"]);
    check(r"\bab\b", &["x ab!", "ab"], &["cab", "ab_"]);
    check(r"a\Bb", &["ab"], &["a b"]);
    check(r"^\u{1F600}\uD83D\uDE00\x41\cA\0\/\-$", &["\u{1f600}\u{1f600}A\u{1}\0/-"], &[""]);
    check("^[^]$", &["\n"], &[""]);
    check("[]", &[], &["", "a"]);
    check("^(a*)*$", &["", "aa"], &["b"]);
    check("^(?<year>a|)b??$", &["", "a", "ab", "b"], &["c"]);
    check("^[\\]\\-a-c\\b]+$", &["]-b\u{8}"], &["d"]);
    check("^a|b$", &["ax", "xb"], &["xa", "bx"]);
}

#[test]
fn what_is_not_linear_or_not_a_pattern_is_refused() {
    for (pattern, kind) in [
        (r"(a)\1", ErrorKind::Unsupported),
        ("(?=a)", ErrorKind::Unsupported),
        ("(?<!a)", ErrorKind::Unsupported),
        (r"\p{Letter}", ErrorKind::Unsupported),
        ("(a", ErrorKind::Invalid),
        ("a)", ErrorKind::Invalid),
        ("*a", ErrorKind::Invalid),
        ("a**", ErrorKind::Invalid),
        ("^*", ErrorKind::Invalid),
        ("a{2,1}", ErrorKind::Invalid),
        ("{", ErrorKind::Invalid),
        ("[b-a]", ErrorKind::Invalid),
        ("[a", ErrorKind::Invalid),
        (r"\Z", ErrorKind::Invalid),
        (r"\", ErrorKind::Invalid),
        (r"\u{110000}", ErrorKind::Invalid),
        ("(a{1000}){1000}", ErrorKind::Limit),
    ] {
        assert_eq!(Pattern::parse(pattern, Flags::default()).unwrap_err().kind(), kind, "{pattern}");
    }
    assert_eq!(Pattern::parse(&"(".repeat(900), Flags::default()).unwrap_err().kind(), ErrorKind::Limit);
    assert_eq!(Pattern::parse(&"a".repeat(5000), Flags::default()).unwrap_err().kind(), ErrorKind::Limit);
    assert!(Pattern::parse("(((){1000000000}){1000000000}){1000000000}", Flags::default()).is_ok());
}

#[test]
fn a_text_takes_no_more_steps_than_its_length_times_the_pattern() {
    let pattern = Pattern::parse("^(a+)+$", Flags::default()).unwrap();
    let text = format!("{}!", "a".repeat(10_000));
    assert!(!pattern.matches(&text, &mut 100_000).unwrap());
    let error = pattern.matches(&text, &mut 1000).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
}

#[test]
fn without_case_large_and_small_letters_are_the_same() {
    check_with("i", "^ab[c-e]$", &["ABC", "aBd"], &["abf"]);
    check_with("i", "^[^a]$", &["b"], &["a", "A"]);
    check_with("i", r"^\W$", &["-", "\u{212a}"], &["k", "K"]);
    check_with("i", "^\u{e9}\u{3c3}$", &["\u{c9}\u{3a3}", "\u{e9}\u{3c2}"], &["e\u{3c3}"]);
    check_with("i", "^[\u{400}-\u{1000}]$", &["\u{451}"], &["a"]);
    check_with("i", "^[^\u{3a3}]$", &["a"], &["\u{3c2}"]);
    // ASCII letters are those of ASCII only: the sign of the Kelvin is none, nor is the long s.
    check_with("i", "^[ks]$", &["K", "S"], &["\u{212a}", "\u{17f}"]);
    check("a", &["a"], &["A"]);
}

#[test]
fn lines_dots_and_blanks_are_as_the_flags_say() {
    check_with("m", "^b$", &["a\nb", "b\r\nc", "a\u{2028}b"], &["ab", "a b"]);
    check("^b$", &["b"], &["a\nb"]);
    check_with("s", "a.b", &["a\nb"], &["ab"]);
    check("a.b", &["a-b"], &["a\nb"]);
    check_with("x", " a b # the rest\n (?: c | d ) + ", &["abc", "abdc"], &["a b c", "ab"]);
    check_with("x", r"^a\ [ #]$", &["a  ", "a #"], &["a"]);
    check_with("x", "# nothing", &["", "a"], &[]);
    check_with("imsx", "^ A . b $", &["x\na\nB"], &["ab"]);
    assert_eq!(Flags::parse("g").unwrap_err().to_string(), "`g` is no option of a pattern, they are i, m, s and x");
    assert_eq!(Flags::parse("ii").unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn what_every_match_begins_with_is_known() {
    let prefix = |flags: &str, pattern: &str| Pattern::parse(pattern, Flags::parse(flags).unwrap()).unwrap().prefix();
    for (flags, pattern, expected, is_exact) in [
        ("", "^abc", "abc", true),
        ("s", "^(?:a)(b)", "ab", true),
        ("", "^ab{1}", "ab", true),
        ("x", "^ a b # c", "ab", true),
        ("", r"^\.\u0041\x42[c]\u{e9}", ".ABc\u{e9}", true),
        ("", "^(a|a)b", "", false),
        ("", "^abc*", "ab", false),
        ("", "^abc+", "abc", false),
        ("", "^abc?d", "ab", false),
        ("", "^a{2,3}b", "aa", false),
        ("", "^(ab)+c", "ab", false),
        ("", "^(ab)*c", "", false),
        ("", "^abc$", "abc", false),
        ("", r"^ab\b", "ab", false),
        ("", "^a.b", "a", false),
        ("", "^a[bc]", "a", false),
        ("", "^a[^b]", "a", false),
        ("", "^a[]", "a", false),
        ("", "^ab^", "ab", false),
        ("", "(^ab)", "ab", true),
        ("", "^ab|cd", "", false),
        ("", "(^ab|cd)", "", false),
        ("", "^(ab|ac)", "", false),
        ("", "^(^ab|c)", "", false),
        ("", "(^a)?b", "", false),
        ("", "(?:)^a", "a", true),
        ("", "abc", "", false),
        ("", "^", "", false),
        ("", r"^\ud800a", "", false),
        ("m", "^abc", "", false),
        ("i", "^abc", "", false),
        ("i", "^12-a", "12-", false),
        ("i", "^\u{e9}", "", false),
    ] {
        let expected = (!expected.is_empty()).then(|| (expected.to_owned(), is_exact));
        assert_eq!(prefix(flags, pattern), expected, "`{pattern}`");
    }
}

#[test]
fn a_pattern_finds_the_same_again() {
    let pattern = Pattern::parse("^(a|b)*c$", Flags::default()).unwrap();
    for _ in 0..3 {
        assert!(pattern.matches("abac", &mut 1000).unwrap());
        assert!(pattern.matches("ababababab", &mut 3).is_err());
        assert!(!pattern.matches("aba", &mut 1000).unwrap());
    }
}
