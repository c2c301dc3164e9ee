//! The shape of the source: floors, sizes, headers, and where JavaScript may be named.
//!
//! Not style: that is rustfmt's and clippy's. Each rule says which line broke it.

use std::fs;
use std::path::{Path, PathBuf};

/// Which floor a top-level module stands on. A new module must be given its place here.
const FLOORS: [(&str, u8); 28] = [
    ("bytes", 0),
    ("env", 0),
    ("error", 0),
    ("limits", 0),
    ("part", 0),
    ("planted", 0),
    ("sorted", 0),
    ("hlc", 1),
    ("metrics", 1),
    ("pattern", 1),
    ("value", 1),
    ("words", 1),
    ("query", 2),
    ("schema", 2),
    ("storage", 2),
    ("access", 3),
    ("engine", 4),
    ("audit", 5),
    ("backup", 5),
    ("cache", 5),
    ("exchange", 5),
    ("monitor", 5),
    ("scheduler", 5),
    ("sync", 5),
    ("db", 6),
    ("http", 7),
    ("bindings", 8),
    ("lib", 9),
];

/// What only the skin may name.
const JAVASCRIPT: [&str; 8] =
    ["wasm_bindgen::", "wasm_bindgen]", "wasm_bindgen(", "js_sys::", "web_sys::", "rexie::", "gloo::", "idb::"];

const LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// The text before the unit tests at the foot.
    fn production(&self) -> &str {
        self.text.split("\n#[cfg(test)]\n").next().unwrap_or_default()
    }

    /// The top-level module under `src` that the file belongs to.
    fn module(&self) -> String {
        let first = self.path.strip_prefix("src").unwrap().components().next().unwrap();
        first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
    }
}

fn sources(folder: &str, extension: &str) -> Vec<Source> {
    fn walk(folder: &Path, extension: &str, found: &mut Vec<Source>) {
        let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                walk(&path, extension, found);
            } else if path.extension().is_some_and(|found| found == extension) {
                let text = fs::read_to_string(&path).unwrap();
                found.push(Source { path, text });
            }
        }
    }
    let mut found = Vec::new();
    walk(Path::new(folder), extension, &mut found);
    assert!(!found.is_empty(), "no {extension} file under {folder}");
    found
}

fn floor(module: &str) -> u8 {
    let found = FLOORS.iter().find(|(name, _)| *name == module);
    found.unwrap_or_else(|| panic!("`{module}` has no floor: give it one in tests/native/tidy.rs")).1
}

/// Every module that a text names as `crate::module`, with its line.
fn named_modules(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for rest in code.split("crate::").skip(1) {
            let module: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            found.push((number + 1, module));
        }
    }
    found
}

fn report(broken: Vec<String>) {
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn arrows_point_down() {
    let mut broken = Vec::new();
    for source in sources("src", "rs") {
        let own = source.module();
        for (line, module) in named_modules(&source.text) {
            if module.is_empty() || module == own {
                continue;
            }
            let (from, to) = (floor(&own), floor(&module));
            if to > from || (to == from && from > 0) {
                broken.push(format!("{}:{line}: {own} (floor {from}) names {module} (floor {to})", source.name()));
            }
        }
    }
    report(broken);
}

#[test]
fn only_the_skin_names_javascript() {
    let mut broken = Vec::new();
    for source in sources("src", "rs") {
        let is_skin = source.text.lines().take_while(|line| line.starts_with("//!")).any(|line| line.contains("[JS]"));
        for (number, line) in source.text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if !is_skin && JAVASCRIPT.iter().any(|name| code.contains(name)) {
                broken.push(format!("{}:{}: names JavaScript, but is not marked [JS]", source.name(), number + 1));
            }
        }
    }
    report(broken);
}

#[test]
fn every_file_says_what_it_is_and_can_be_read_in_one_sitting() {
    let mut broken = Vec::new();
    let rust = ["src", "tests"].into_iter().flat_map(|folder| sources(folder, "rs"));
    let script = sources("src", "ts");
    for source in rust.chain(script) {
        let opens_with = if source.path.extension().unwrap() == "rs" { "//!" } else { "/" };
        if !source.text.starts_with(opens_with) {
            broken.push(format!("{}:1: does not open with what it is", source.name()));
        }
        let lines = source.production().lines().count();
        if lines > LINES_MAX {
            broken.push(format!("{}: {lines} lines, at most {LINES_MAX}", source.name()));
        }
        for word in ["todo!", "unimplemented!", "FIXME", "XXX"] {
            if source.path.file_name().unwrap() != "tidy.rs" && source.text.contains(word) {
                broken.push(format!("{}: has a `{word}`", source.name()));
            }
        }
    }
    report(broken);
}

#[test]
fn functions_are_short() {
    let mut broken = Vec::new();
    for source in sources("src", "rs") {
        let mut open: Option<(usize, usize, String)> = None;
        for (number, line) in source.production().lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let text = line.trim_start();
            let is_function = !text.starts_with("//") && (text.starts_with("fn ") || text.contains(" fn "));
            if is_function && text.ends_with(['{', '(', '>']) {
                open = Some((number, indent, text.to_owned()));
            } else if let Some((start, at, head)) = &open
                && text == "}"
                && indent == *at
            {
                let lines = number - start + 1;
                if lines > FUNCTION_LINES_MAX {
                    broken.push(format!("{}:{}: {lines} lines: {head}", source.name(), start + 1));
                }
                open = None;
            }
        }
    }
    report(broken);
}

#[test]
fn rust_sources_are_ascii() {
    let mut broken = Vec::new();
    for source in sources("src", "rs") {
        for (number, line) in source.production().lines().enumerate() {
            if !line.is_ascii() {
                broken.push(format!("{}:{}: {line}", source.name(), number + 1));
            }
        }
    }
    report(broken);
}

#[test]
fn the_facade_knows_every_error_code() {
    let text = fs::read_to_string("src/facade/errors.ts").unwrap();
    for kind in hyphadb::error::ErrorKind::ALL {
        assert!(text.contains(&format!("'{}'", kind.code())), "src/facade/errors.ts lacks `{}`", kind.code());
    }
}
