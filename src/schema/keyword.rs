//! Keywords: every word of the standard, and what it takes.
//!
//! Not what they mean: that is compiled in `schema/compile.rs`.
//!
//! Source: JSON Schema 2020-12, the meta-schemas of its vocabularies.

use crate::error::{Error, ErrorKind};

/// What a keyword takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Operand {
    /// Anything.
    Any,
    /// `true` or `false`.
    Flag,
    Text,
    /// Strings, each once.
    Names,
    /// An array.
    List,
    /// A number.
    Number,
    /// A number from zero, without a fraction.
    Count,
    /// An object.
    Object,
    /// A schema.
    Schema,
    /// An array of schemas, at least one.
    Schemas,
    /// An object of schemas.
    NamedSchemas,
}

/// Words and what they take.
pub(super) const KEYWORDS: [(&str, Operand); 58] = [
    ("$anchor", Operand::Text),
    ("$comment", Operand::Text),
    ("$defs", Operand::NamedSchemas),
    ("$dynamicAnchor", Operand::Text),
    ("$dynamicRef", Operand::Text),
    ("$id", Operand::Text),
    ("$ref", Operand::Text),
    ("$schema", Operand::Text),
    ("$vocabulary", Operand::Object),
    ("additionalProperties", Operand::Schema),
    ("allOf", Operand::Schemas),
    ("anyOf", Operand::Schemas),
    ("const", Operand::Any),
    ("contains", Operand::Schema),
    ("contentEncoding", Operand::Text),
    ("contentMediaType", Operand::Text),
    ("contentSchema", Operand::Schema),
    ("default", Operand::Any),
    ("dependentRequired", Operand::Object),
    ("dependentSchemas", Operand::NamedSchemas),
    ("deprecated", Operand::Flag),
    ("description", Operand::Text),
    ("else", Operand::Schema),
    ("enum", Operand::List),
    ("examples", Operand::List),
    ("exclusiveMaximum", Operand::Number),
    ("exclusiveMinimum", Operand::Number),
    ("format", Operand::Text),
    ("if", Operand::Schema),
    ("items", Operand::Schema),
    ("maxContains", Operand::Count),
    ("maxItems", Operand::Count),
    ("maxLength", Operand::Count),
    ("maxProperties", Operand::Count),
    ("maximum", Operand::Number),
    ("minContains", Operand::Count),
    ("minItems", Operand::Count),
    ("minLength", Operand::Count),
    ("minProperties", Operand::Count),
    ("minimum", Operand::Number),
    ("multipleOf", Operand::Number),
    ("not", Operand::Schema),
    ("oneOf", Operand::Schemas),
    ("pattern", Operand::Text),
    ("patternProperties", Operand::NamedSchemas),
    ("prefixItems", Operand::Schemas),
    ("properties", Operand::NamedSchemas),
    ("propertyNames", Operand::Schema),
    ("readOnly", Operand::Flag),
    ("required", Operand::Names),
    ("then", Operand::Schema),
    ("title", Operand::Text),
    ("type", Operand::Any),
    ("unevaluatedItems", Operand::Schema),
    ("unevaluatedProperties", Operand::Schema),
    ("uniqueItems", Operand::Flag),
    ("writeOnly", Operand::Flag),
    ("x-type", Operand::Any),
];

/// Words of earlier drafts, and what stands for them now.
const OLD: [(&str, &str); 6] = [
    ("definitions", "$defs"),
    ("dependencies", "dependentRequired` or `dependentSchemas"),
    ("$recursiveRef", "$dynamicRef"),
    ("$recursiveAnchor", "$dynamicAnchor"),
    ("additionalItems", "items` beside `prefixItems"),
    ("id", "$id"),
];

/// The keyword and what it takes; none where it is no keyword.
pub(super) fn find(word: &str) -> Option<(&'static str, Operand)> {
    KEYWORDS.iter().find(|(keyword, _)| *keyword == word).copied()
}

/// Why a word is refused.
pub(super) fn refusal(word: &str) -> Error {
    let error = |message| Error::new(ErrorKind::Unsupported, message);
    if let Some((_, instead)) = OLD.iter().find(|(old, _)| *old == word) {
        let error = error(format!("`{word}` is a keyword of an earlier draft"));
        return error.with_hint(format!("use `{instead}`"));
    }
    let error = error(format!("`{word}` is no keyword of JSON Schema 2020-12"));
    let near = KEYWORDS.iter().map(|(keyword, _)| (distance(keyword, word), *keyword)).min();
    match near.filter(|(distance, keyword)| *distance <= 2 && distance * 3 <= keyword.len()) {
        Some((_, keyword)) => error.with_hint(format!("did you mean `{keyword}`?")),
        None => error.with_hint("let the names of annotations of your own begin with `x-`"),
    }
}

/// How many characters have to be put in, taken out or changed; `usize::MAX` where certainly more than two.
fn distance(left: &str, right: &str) -> usize {
    if left.len().abs_diff(right.len()) > 2 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, from) in left.bytes().enumerate() {
        let (mut diagonal, mut before) = (i, i + 1);
        let mut cells = row.iter_mut();
        if let Some(first) = cells.next() {
            *first = i + 1;
        }
        for (cell, to) in cells.zip(right.bytes()) {
            let change = diagonal + usize::from(!from.eq_ignore_ascii_case(&to));
            diagonal = *cell;
            before = change.min(*cell + 1).min(before + 1);
            *cell = before;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_word_is_told_what_it_may_mean() {
        let hint = |word: &str| refusal(word).hint().to_owned();
        assert_eq!(hint("require"), "did you mean `required`?");
        assert_eq!(hint("minlength"), "did you mean `minLength`?");
        assert_eq!(hint("propertes"), "did you mean `properties`?");
        assert_eq!(hint("definitions"), "use `$defs`");
        assert_eq!(hint("colour"), "let the names of annotations of your own begin with `x-`");
    }
}
