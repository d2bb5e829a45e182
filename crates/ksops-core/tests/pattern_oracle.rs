//! Compares `Pattern` with Go's `regexp` on random patterns (cli-and-config.md section 5.6).
//!
//! The oracle is `tests/oracle/go-regexp`. Without a Go tool chain the test says "skipped"; with `CI` set that is a
//! failure. `KSOPS_PATTERN_ROUNDS` and `KSOPS_PATTERN_SEED` choose a longer or another run.

// The core is pure; this test asks another program.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use ksops_core::pattern::Pattern;

/// Pieces that patterns are made of; each construct of the table is among them.
const PIECES: &[&str] = &[
    "a",
    "b",
    "s",
    "k",
    "_",
    "-",
    "é",
    "ſ",
    "K",
    "7",
    "]",
    "}",
    "{",
    ",",
    "&&",
    "~~",
    "--",
    ":",
    "\n",
    " ",
    "#",
    "/",
    "(",
    ")",
    "(",
    ")",
    "(?:",
    "(?i)",
    "(?i:",
    "(?-i)",
    "(?s)",
    "(?m)",
    "(?U)",
    "(?ms-i:",
    "(?P<n>",
    "(?<n>",
    "(?P<",
    "(?x)",
    "(?=",
    "(?!",
    "(?<=",
    "(?>",
    "(?#",
    "(?)",
    "(?-)",
    "(?i-)",
    "(?R)",
    "(?u)",
    "(?-u)",
    "|",
    "|",
    "*",
    "+",
    "?",
    "??",
    "*?",
    "+?",
    "++",
    "**",
    "{2}",
    "{,2}",
    "{2,}",
    "{2,3}",
    "{0}",
    "{0,0}",
    "{0,}",
    "{1}",
    "{40}",
    "{1000}",
    "{1001}",
    "{3,2}",
    "{2",
    "{02}",
    "{2}?",
    "^",
    "$",
    ".",
    "[",
    "]",
    "[^",
    "[]",
    "[^]",
    "[a-z]",
    "[^a-z]",
    "[b-a]",
    "[a",
    "[[a]",
    "[[:word:]]",
    "[[:^space:]]",
    "[:alpha:]",
    "[[:foo:]]",
    "[[:punct:]_]",
    "a-s",
    "[\\w-a]",
    "[a-\\d]",
    "[\\d-]",
    "[&&]",
    "[a&&b]",
    "[~~]",
    "[a--b]",
    "[--a]",
    "[\\]]",
    "[\\-a]",
    "[\\n\\t]",
    "[\\x{D800}-\\x{E000}]",
    "[^\\x00-\\x{10FFFF}]",
    "\\w",
    "\\W",
    "\\d",
    "\\D",
    "\\s",
    "\\S",
    "\\b",
    "\\B",
    "\\A",
    "\\z",
    "\\Z",
    "\\<",
    "\\>",
    "\\b{start}",
    "\\_",
    "\\/",
    "\\-",
    "\\@",
    "\\%",
    "\\'",
    "\\ ",
    "\\Q",
    "\\E",
    "\\Q.*\\E",
    "\\101",
    "\\07",
    "\\0",
    "\\1",
    "\\9",
    "\\12",
    "\\18",
    "\\x61",
    "\\x{61}",
    "\\x{017F}",
    "\\x{}",
    "\\x{110000}",
    "\\xg",
    "\\x",
    "\\u0061",
    "\\h",
    "\\R",
    "\\X",
    "\\K",
    "\\G",
    "\\C",
    "\\a",
    "\\f",
    "\\v",
    "\\t",
    "\\n",
    "\\r",
    "\\é",
    "\\",
    "\\pL",
    "\\PL",
    "\\pN",
    "\\p{Greek}",
    "\\p{greek}",
    "\\p{^Greek}",
    "\\P{^Greek}",
    "\\p{Lu}",
    "\\P{Lu}",
    "\\p{ll}",
    "\\p{C}",
    "\\p{LC}",
    "\\p{Any}",
    "\\P{any}",
    "\\p{ASCII}",
    "\\p{Assigned}",
    "\\p{Cs}",
    "\\p{Uppercase_Letter}",
    "\\p{IsGreek}",
    "\\p{Script=Greek}",
    "\\p{Old_Italic}",
    "\\p{",
    "\\pX",
    "[\\p{Lu}\\W]",
    "[^\\P{Ll}7]",
    "[\\pL-\\d]",
];

const LETTERS: &[&str] = &[
    "a", "b", "s", "S", "ſ", "k", "K", "K", "A", "_", "-", "7", "é", "α", "Ω", "Ω", "\n", "\t", "\u{b}", " ",
    "]", "[", "{", "}", "&", "~", ".", "*", "2", ",", "\u{fffd}", "<", "\u{0}", "\u{7}", "start", "\\", "٣",
    "ǅ", "\u{ad}",
];

/// Small and repeatable; the quality does not matter here.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % limit
    }

    fn join(&mut self, pieces: &[&str], at_most: usize) -> String {
        let count = self.below(at_most + 1);
        (0..count).map(|_| pieces[self.below(pieces.len())]).collect()
    }
}

fn json(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\0'..='\u{1f}' => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(letter));
            }
            _ => quoted.push(letter),
        }
    }
    quoted + "\""
}

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn random_patterns_mean_the_same_as_in_go() {
    let oracle = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracle/go-regexp");
    if Command::new("go").arg("version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "CI needs a Go tool chain");
        let _ = writeln!(std::io::stderr(), "skipped: there is no Go tool chain");
        return;
    }
    let rounds = from_environment("KSOPS_PATTERN_ROUNDS", 20_000);
    let mut dice = Dice(from_environment("KSOPS_PATTERN_SEED", 0x5eed).max(1));
    let cases: Vec<(String, Vec<String>)> = (0..rounds)
        .map(|_| (dice.join(PIECES, 6), (0..6).map(|_| dice.join(LETTERS, 4)).collect()))
        .collect();
    let mut questions = String::new();
    for (pattern, texts) in &cases {
        let texts: Vec<String> = texts.iter().map(|text| json(text)).collect();
        let _ = writeln!(questions, "{{\"pattern\":{},\"texts\":[{}]}}", json(pattern), texts.join(","));
    }
    let mut child = Command::new("go")
        .args(["run", "."])
        .current_dir(oracle)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("go starts");
    let mut input = child.stdin.take().expect("piped");
    let writer = std::thread::spawn(move || input.write_all(questions.as_bytes()));
    let output = child.wait_with_output().expect("go ends");
    writer.join().expect("no panic").expect("go reads everything");
    let answers = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    assert_eq!(answers.lines().count(), cases.len());

    let mut differences = Vec::new();
    let mut accepted = 0;
    for ((pattern, texts), answer) in cases.iter().zip(answers.lines()) {
        let go = answer.starts_with("{\"ok\":true");
        match Pattern::new(pattern) {
            Ok(compiled) => {
                accepted += 1;
                let matches: Vec<String> =
                    texts.iter().map(|text| compiled.is_match(text.as_bytes()).to_string()).collect();
                let ours = format!("{{\"ok\":true,\"matches\":[{}]}}", matches.join(","));
                if ours != *answer {
                    differences.push(format!("{pattern:?} on {texts:?}\n  ours {ours}\n  go   {answer}"));
                }
            }
            // A large class a thousand times is over the limit on memory (security.md S15), which Go does not have.
            Err(error) if error.reason.starts_with("expression too large") && pattern.contains("{1000}") => {}
            Err(error) if go => differences.push(format!("only Go accepts {pattern:?}: {}", error.reason)),
            Err(_) => {}
        }
    }
    assert!(accepted > cases.len() / 5, "only {accepted} of {} patterns were valid", cases.len());
    assert!(
        differences.is_empty(),
        "{} differences, {accepted} accepted:\n{}",
        differences.len(),
        differences.iter().take(40).cloned().collect::<Vec<_>>().join("\n")
    );
}
