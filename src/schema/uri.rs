//! References of URIs, resolved against a base (RFC 3986, section 5.2).
//!
//! Not a check: whatever is no URI resolves to something that no resource has.

/// A reference in its parts. Scheme and authority with their punctuation; none where it has none.
#[derive(Clone, Copy, Default)]
struct Parts<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: &'a str,
    query: &'a str,
}

/// The address and the fragment behind `#`.
pub(super) fn split_fragment(reference: &str) -> (&str, &str) {
    reference.split_once('#').unwrap_or((reference, ""))
}

fn split(reference: &str) -> Parts<'_> {
    let mut parts = Parts::default();
    let mut rest = reference;
    if let Some(end) = rest.find([':', '/', '?']).filter(|end| rest.as_bytes().get(*end) == Some(&b':')) {
        let (scheme, after) = rest.split_at(end + 1);
        (parts.scheme, rest) = (Some(scheme), after);
    }
    if let Some(after) = rest.strip_prefix("//") {
        let end = after.find(['/', '?']).unwrap_or(after.len()) + 2;
        let (authority, after) = rest.split_at(end);
        (parts.authority, rest) = (Some(authority), after);
    }
    (parts.path, parts.query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
    parts
}

/// The address that a reference without fragment means, standing in a document at `base`.
pub(super) fn resolve(base: &str, reference: &str) -> String {
    let (base, own) = (split(base), split(reference));
    let mut whole = own;
    let mut path = String::new();
    if own.scheme.is_none() {
        whole.scheme = base.scheme;
        if own.authority.is_none() {
            whole.authority = base.authority;
            if own.path.is_empty() {
                path.push_str(base.path);
                if own.query.is_empty() {
                    whole.query = base.query;
                }
            } else if !own.path.starts_with('/') {
                let folder = base.path.rfind('/').map_or(0, |slash| slash + 1);
                path.push_str(base.path.get(..folder).unwrap_or_default());
            }
        }
    }
    if path.is_empty() || !own.path.is_empty() {
        path.push_str(own.path);
    }
    if path.starts_with('/') {
        path = without_dots(&path);
    }
    [whole.scheme.unwrap_or_default(), whole.authority.unwrap_or_default(), &path, whole.query].concat()
}

fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut parts = path.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        match part {
            "." | ".." => {
                if part == ".." {
                    kept.pop();
                }
                if is_last {
                    kept.push("");
                }
            }
            part => kept.push(part),
        }
    }
    kept.iter().flat_map(|part| ["/", part]).collect()
}

/// A fragment with its `%` escapes undone; none where they give no UTF-8.
pub(super) fn percent_decoded(fragment: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = fragment.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digit = |place: usize| char::from(*after.get(place)?).to_digit(16);
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_resolve_as_in_the_standard() {
        // RFC 3986, section 5.4, without fragments.
        for (reference, expected) in [
            ("g:h", "g:h"),
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("g..", "http://a/b/c/g.."),
            ("./g/.", "http://a/b/c/g/"),
            ("g/../h", "http://a/b/c/h"),
        ] {
            assert_eq!(resolve("http://a/b/c/d;p?q", reference), expected, "{reference}");
        }
        assert_eq!(resolve("urn:uuid:1", ""), "urn:uuid:1");
        assert_eq!(resolve("", "item"), "item");
    }

    #[test]
    fn fragments_are_decoded() {
        assert_eq!(percent_decoded("/a%25b%22%zz").as_deref(), Some("/a%b\"%zz"));
        assert_eq!(percent_decoded("%ff"), None);
    }
}
