//! The arrows of the house: which crate may know which, and which file a name may be imported from.
//!
//! Kept by a test instead of memory; docs/ARCHITECTURE.md draws the map.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ksops_tests::failures;
use ksops_tests::fixtures;
use serde_json::Value;

/// The crates of ours that each may import.
const ARROWS: [(&str, &[&str]); 15] = [
    ("ksops-yaml", &[]),
    ("ksops-core", &[]),
    ("ksops-transport", &[]),
    ("ksops-stores", &["ksops-core", "ksops-yaml"]),
    ("ksops-config", &["ksops-core", "ksops-yaml"]),
    ("ksops-age", &["ksops-core", "ksops-transport"]),
    ("ksops-azure-kv", &["ksops-core", "ksops-transport"]),
    ("ksops-pgp", &["ksops-core", "ksops-transport"]),
    ("ksops-aws-kms", &["ksops-core", "ksops-transport"]),
    ("ksops-gcp-kms", &["ksops-core", "ksops-transport"]),
    ("ksops-huawei-kms", &["ksops-core", "ksops-transport"]),
    ("ksops-vault", &["ksops-core", "ksops-transport"]),
    ("ksops-remote", &["ksops-core", "ksops-transport"]),
    (
        "ksops",
        &[
            "ksops-yaml",
            "ksops-core",
            "ksops-transport",
            "ksops-stores",
            "ksops-config",
            "ksops-age",
            "ksops-azure-kv",
            "ksops-pgp",
            "ksops-aws-kms",
            "ksops-gcp-kms",
            "ksops-huawei-kms",
            "ksops-vault",
            "ksops-remote",
        ],
    ),
    ("ksops-cli", &["ksops", "ksops-krm"]),
];

/// Crates that may only be there where the table of the house admits what they do.
const FOREIGN: [(&str, &[&str]); 4] = [
    ("clap", &["ksops-cli"]),
    ("reqwest", &["ksops-transport"]),
    ("getrandom", &["ksops"]),
    ("aes-gcm", &["ksops-core"]),
];

/// The floors inside the core; what is not named is ground. Strangers share a number.
const CORE_FLOORS: [(&str, u8); 5] =
    [("tree", 1), ("crypto", 1), ("keys", 2), ("metadata", 3), ("document", 4)];

/// The most lines of code in a file, without comments, blank lines and the tests at its foot.
const MOST_LINES: usize = 400;

/// A source file of a crate.
struct Source {
    krate: String,
    /// `crate::tree::branch` as `["tree", "branch"]`; empty for `lib.rs` and `main.rs`.
    module: Vec<String>,
    path: PathBuf,
    text: String,
    is_test: bool,
}

impl Source {
    fn says(&self, line: usize, what: &str) -> String {
        let path = self.path.strip_prefix(fixtures::workspace()).unwrap_or(&self.path);
        format!("{}:{line}: {what}", path.display())
    }

    /// The text without the tests at the foot.
    fn code(&self) -> &str {
        if self.is_test {
            return "";
        }
        let mut before = 0;
        for line in self.text.split_inclusive('\n') {
            let module = self.text[before + line.len()..].lines().next().unwrap_or_default();
            if gates_tests(line) && module.contains("mod ") && module.ends_with('{') {
                return &self.text[..before];
            }
            before += line.len();
        }
        &self.text
    }
}

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(fixtures::workspace())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    for package in packages() {
        let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap_or_default());
        let top = manifest.parent().expect("a manifest has a folder").join("src");
        let krate = package["name"].as_str().unwrap_or_default().to_owned();
        let mut folders = vec![top.clone()];
        while let Some(folder) = folders.pop() {
            for path in fixtures::entries(&folder) {
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|end| end == "rs") {
                    found.push(source(&krate, &top, path));
                }
            }
        }
    }
    found
}

fn source(krate: &str, top: &Path, path: PathBuf) -> Source {
    let relative = path.strip_prefix(top).unwrap_or(&path).with_extension("");
    let mut module: Vec<String> = relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if module.len() == 1 && (module[0] == "lib" || module[0] == "main") {
        module.clear();
    }
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let is_test =
        module.iter().any(|part| part == "tests" || part.starts_with("test_") || part == "property");
    Source { krate: krate.to_owned(), module, path, text, is_test: is_test && krate != "ksops-tests" }
}

/// The `use` items of `text`: line, and each path with its group spelled out.
fn uses(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let start = line.trim_start();
        let start = start.strip_prefix("pub ").or_else(|| start.strip_prefix("pub(crate) ")).unwrap_or(start);
        let start = start.strip_prefix("pub(super) ").unwrap_or(start);
        let Some(rest) = start.strip_prefix("use ") else { continue };
        let mut item = rest.to_owned();
        while !item.contains(';') {
            let Some((_, more)) = lines.next() else { break };
            item.push_str(more.trim());
        }
        let item = item.split(';').next().unwrap_or_default();
        found.extend(spell_out(item).into_iter().map(|path| (index + 1, path)));
    }
    found
}

/// `a::{b::{c, d}, e}` as `a::b::c`, `a::b::d`, `a::e`.
fn spell_out(item: &str) -> Vec<String> {
    let mut prefixes = vec![String::new()];
    let mut word = String::new();
    let mut found = Vec::new();
    let mut emit = |prefixes: &[String], word: &mut String| {
        let name = word.split(" as ").next().unwrap_or_default().trim().to_owned();
        if !name.is_empty() {
            let prefix = prefixes.last().map(String::as_str).unwrap_or_default();
            found.push(if name == "self" {
                prefix.trim_end_matches("::").to_owned()
            } else {
                format!("{prefix}{name}")
            });
        }
        word.clear();
    };
    for sign in item.chars() {
        match sign {
            '{' => {
                let prefix =
                    format!("{}{}", prefixes.last().map(String::as_str).unwrap_or_default(), word.trim());
                prefixes.push(prefix);
                word.clear();
            }
            ',' => emit(&prefixes, &mut word),
            '}' => {
                emit(&prefixes, &mut word);
                prefixes.pop();
            }
            sign => word.push(sign),
        }
    }
    emit(&prefixes, &mut word);
    found
}

/// Whether `text` itself defines `name`, not only hands it on.
fn defines(text: &str, name: &str) -> bool {
    const KINDS: [&str; 9] = ["struct", "enum", "trait", "fn", "type", "const", "static", "union", "mod"];
    let is_name = |rest: &str| {
        rest.strip_prefix(name)
            .is_some_and(|rest| !rest.starts_with(|sign: char| sign.is_alphanumeric() || sign == '_'))
    };
    KINDS.iter().any(|kind| {
        let word = format!("{kind} ");
        text.match_indices(&word).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            before.is_none_or(|sign| sign.is_whitespace()) && is_name(&text[at + word.len()..])
        })
    }) || text.contains(&format!("macro_rules! {name}"))
        || text.contains(&format!("use {name};"))
}

#[test]
fn every_dependency_points_downward() {
    let packages = packages();
    let ours: BTreeSet<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let mut failed = Vec::new();
    for package in &packages {
        let name = package["name"].as_str().unwrap_or_default();
        let outside = matches!(name, "ksops-tests" | "ksops-benches");
        let arrows = ARROWS.iter().find(|(krate, _)| *krate == name).map(|(_, arrows)| *arrows);
        if arrows.is_none() && !outside {
            failed.push(format!("{name}: not in the table of arrows"));
        }
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let to = dependency["name"].as_str().unwrap_or_default();
            let is_dev = dependency["kind"] == "dev";
            if ours.contains(to) && !outside && !arrows.is_some_and(|arrows| arrows.contains(&to)) {
                failed.push(format!("{name} -> {to}: an arrow upward"));
            }
            let limit = FOREIGN.iter().find(|(foreign, _)| *foreign == to);
            if !is_dev && !outside && limit.is_some_and(|(_, crates)| !crates.contains(&name)) {
                failed.push(format!("{name} -> {to}: not the place for it"));
            }
        }
    }
    failures::none("packages", packages.len(), &failed);
}

#[test]
fn every_name_is_imported_from_the_file_that_defines_it() {
    let sources = sources();
    let files: BTreeMap<(&str, &[String]), &Source> =
        sources.iter().map(|source| ((source.krate.as_str(), source.module.as_slice()), source)).collect();
    let mut failed = Vec::new();
    let mut seen = 0;
    for source in &sources {
        for (line, path) in uses(source.code()) {
            if path.ends_with("::*") {
                failed.push(source.says(line, &format!("use {path}: no wildcard")));
            }
            let mut parts: Vec<String> = path.split("::").map(str::to_owned).collect();
            let (krate, base) = match parts[0].as_str() {
                "crate" => (source.krate.as_str(), Vec::new()),
                "self" => (source.krate.as_str(), source.module.clone()),
                "super" => {
                    let mut base = source.module.clone();
                    base.pop();
                    (source.krate.as_str(), base)
                }
                first => match files.keys().find(|(krate, _)| krate.replace('-', "_") == first) {
                    Some((krate, _)) => (*krate, Vec::new()),
                    None => continue,
                },
            };
            seen += 1;
            parts.splice(0..1, base);
            let Some((name, module)) = parts.split_last() else { continue };
            // The longest part of the path that is a file; the rest is a name in it.
            let whole = files.get(&(krate, parts.as_slice()));
            if let Some(target) = whole {
                if is_face(target) {
                    failed.push(source.says(line, &format!("use {path}: a folder's face, name the file")));
                }
                continue;
            }
            let depth =
                (0..=module.len()).rev().find(|depth| files.contains_key(&(krate, &module[..*depth])));
            let Some(target) = depth.and_then(|depth| files.get(&(krate, &module[..depth]))) else {
                continue;
            };
            let first = depth.and_then(|depth| parts.get(depth)).unwrap_or(name);
            if path.starts_with("super::") && depth == Some(source.module.len().saturating_sub(1)) {
                failed.push(source.says(line, &format!("use {path}: no import from the parent")));
            } else if !defines(&target.text, first) {
                failed.push(source.says(line, &format!("use {path}: {first} is not defined there")));
            }
        }
    }
    failures::none("imports", seen, &failed);
}

/// `#[cfg(test)]`, `#[cfg(all(test, unix))]`
fn gates_tests(line: &str) -> bool {
    line.starts_with("#[cfg(") && line.contains("test")
}

/// A file that declares public modules is a face.
fn is_face(source: &Source) -> bool {
    let lines: Vec<&str> = source.code().lines().collect();
    lines.iter().enumerate().any(|(index, line)| {
        let after_gate =
            index.checked_sub(1).and_then(|above| lines.get(above)).is_some_and(|line| gates_tests(line));
        let declares = line.starts_with("pub mod ") || line.starts_with("pub(crate) mod ");
        declares && line.ends_with(';') && !after_gate
    })
}

#[test]
fn a_face_defines_nothing() {
    let sources = sources();
    let faces: Vec<&Source> = sources.iter().filter(|source| is_face(source)).collect();
    let mut failed = Vec::new();
    for face in &faces {
        let is_main = face.path.ends_with("main.rs");
        for (index, line) in face.code().lines().enumerate() {
            let word = line.trim_start_matches("pub ").trim_start_matches("pub(crate) ").split(' ').next();
            let defines = matches!(
                word,
                Some("struct" | "enum" | "trait" | "fn" | "impl" | "const" | "static" | "type")
            );
            if defines && !is_main && face.krate != "ksops-tests" {
                failed.push(face.says(index + 1, "a face that defines something"));
            }
        }
    }
    failures::none("faces", faces.len(), &failed);
}

#[test]
fn the_core_reads_bottom_up() {
    let floor =
        |module: &str| CORE_FLOORS.iter().find(|(name, _)| *name == module).map_or(0, |(_, floor)| *floor);
    let mut failed = Vec::new();
    let mut seen = 0;
    for source in sources().iter().filter(|source| source.krate == "ksops-core") {
        let Some(own) = source.module.first() else { continue };
        for (line, path) in uses(source.code()) {
            // The path of a leaf is ground in the house (style.md section 3), though its file lies among the tree's.
            if path.starts_with("crate::tree::path") {
                continue;
            }
            let Some(other) = path.strip_prefix("crate::").and_then(|path| path.split("::").next()) else {
                continue;
            };
            seen += 1;
            let stranger = floor(own) == floor(other) && floor(own) > 0;
            if own != other && (floor(other) > floor(own) || stranger) {
                failed.push(source.says(line, &format!("use {path}: {own} may not know {other}")));
            }
        }
    }
    failures::none("imports inside the core", seen, &failed);
}

#[test]
fn every_file_says_what_lives_in_it_and_is_short() {
    let sources = sources();
    let mut failed = Vec::new();
    for source in &sources {
        if !source.text.starts_with("//!") {
            failed.push(source.says(1, "the file does not begin with //!"));
        }
        let lines =
            source.code().lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
        let lines = lines.count();
        if lines > MOST_LINES {
            failed.push(source.says(1, &format!("{lines} lines of code, {MOST_LINES} are allowed")));
        }
        let printing =
            source.krate.starts_with("ksops") && !source.path.ends_with("ui.rs") && !source.is_test;
        let inside = !matches!(source.krate.as_str(), "ksops-tests" | "ksops-benches");
        for (index, line) in source.code().lines().enumerate() {
            let printed = ["println!(", "print!(", "eprintln!(", "eprint!("]
                .iter()
                .any(|word| line.trim_start().starts_with(word));
            if printing && inside && printed {
                failed.push(source.says(index + 1, "prints outside ksops-cli/src/ui.rs"));
            }
        }
    }
    failures::none("files", sources.len(), &failed);
}

#[test]
fn main_is_at_most_thirty_lines() {
    let sources = sources();
    let main = sources.iter().find(|source| source.krate == "ksops-cli" && source.path.ends_with("main.rs"));
    let lines = main.map_or(usize::MAX, |main| main.text.lines().count());
    assert!(lines <= 30, "crates/ksops-cli/src/main.rs has {lines} lines");
}

#[test]
fn groups_in_imports_are_spelled_out() {
    assert_eq!(
        spell_out("crate::a::{B, c::{self, D as E}}"),
        ["crate::a::B", "crate::a::c", "crate::a::c::D"]
    );
    assert_eq!(uses("use a::{\n    B,\n    C,\n};\n"), [(1, "a::B".to_owned()), (1, "a::C".to_owned())]);
    assert!(defines("pub struct Name<'a> {", "Name") && !defines("pub use x::Name;", "Name"));
}
