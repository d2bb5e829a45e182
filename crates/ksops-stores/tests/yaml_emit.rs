//! Where the printer differs from sops on purpose: what sops prints there is lost or is no YAML. The fuzzer of
//! `tests/oracle/yaml-emit` found these.

use ksops_stores::yaml::emit::YamlWriter;
use ksops_stores::yaml::load::load;

/// Loads, prints, and prints again what was printed.
fn printed_twice(text: &str, indent: i64) -> [String; 2] {
    let print = |text: &str| {
        let mut writer = YamlWriter::new(indent).expect("an indentation");
        for branch in &load(text.as_bytes()).expect("YAML") {
            writer.branch(branch).expect("printable");
        }
        writer.finish().to_string()
    };
    let once = print(text);
    let twice = print(&once);
    [once, twice]
}

#[test]
fn a_waiting_comment_stays_behind_an_empty_collection() {
    // sops prints `d: # c`, a line break and `[]` in the first column.
    let [once, twice] = printed_twice("a: &x {k: 1}\nb: *x # c\nd: []\n", 4);
    assert_eq!(once, "a:\n    k: 1\nb:\n    k: 1\nd: [] # c\n");
    assert!(twice.contains("# c"), "{twice}");
}

#[test]
fn texts_of_empty_lines_are_literals_in_lists_too() {
    // As sops: the indicator is wrong there, but no line depends on it.
    let text = "a:\n    - |4+\n\n    - |4+\n\n\n    - b: |4+\n\n";
    assert_eq!(printed_twice(text, 4), [text, text]);
}

#[test]
fn comments_behind_a_final_block_move_into_it() {
    let [once, twice] = printed_twice("a:\n  - b:\n      c: 1\n    # inner\n  # last\nd: 1\n", 2);
    assert_eq!(once, twice);
    assert_eq!(once.matches('#').count(), 2, "{once}");
}
