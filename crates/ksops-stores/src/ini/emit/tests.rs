//! How INI is printed.

use ksops_core::tree::branch::{Branch, Comment, Entry, Node};
use ksops_core::value::Value;

use super::emit;
use crate::ini::load::load;

fn again(text: &str) -> String {
    let branch = load(text.as_bytes()).expect("INI").branch;
    String::from_utf8_lossy(&emit(&branch).expect("printed")).into_owned()
}

fn of_section(name: &str, entries: Vec<Entry>) -> Result<String, String> {
    let branch = Branch { entries: vec![Entry::Item(name.into(), Node::Map(Branch { entries }))] };
    match emit(&branch) {
        Ok(text) => Ok(String::from_utf8_lossy(&text).into_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn item(key: &str, node: Node) -> Entry {
    Entry::Item(key.into(), node)
}

fn text(key: &str, text: &str) -> Entry {
    item(key, Node::Leaf(Value::text(text)))
}

fn comment(text: &str) -> Entry {
    Entry::Comment(Comment { text: text.into(), inline: false })
}

#[test]
fn sections_and_keys_are_laid_out_as_in_upstream() {
    assert_eq!(again("a=1\n[s]\nbb:2\n`c=d`=\n[t]\n"), "a = 1\n\n[s]\nbb    = 2\n`c=d` = \n\n[t]\n");
    assert_eq!(again("[DEFAULT]\na=1"), "[DEFAULT]\na = 1\n");
    assert_eq!(of_section("default", vec![text("a", "1")]).as_deref(), Ok("a = 1\n"));
    assert_eq!(of_section("DEFAULT", vec![comment("c")]).as_deref(), Ok("; c\n"));
}

#[test]
fn comments_stand_above_their_key() {
    assert_eq!(again(";a\n#b\n[s] ;c\n#d\nk=v #e"), "; a\n# b\n; c\n[s]\n; d\n# e\nk = v\n");
    assert_eq!(again("#\n#  b\n[s]"), ";\n# b\n[s]\n");
    assert_eq!(again("#\nk=v"), "k = v\n");
    let entries = vec![text("a", "1"), comment("one"), comment(" two \n three "), text("b", "2")];
    assert_eq!(of_section("s", entries).as_deref(), Ok("[s]\n; two\n; three\na = 1\nb = 2\n"));
    assert_eq!(of_section("s", vec![comment(" a \nb"), comment("lost")]).as_deref(), Ok(";  a \n; b\n[s]\n"));
}

#[test]
fn an_empty_first_line_of_a_comment_survives() {
    let printed = again("#\n# b\nk = v");
    assert_eq!(printed, ";\n# b\nk = v\n");
    assert_eq!(again(&printed), printed);
}

#[test]
fn values_are_quoted_where_upstream_does() {
    let entries =
        vec![text("a", "x\ny"), text("b", "x;y"), text("c", " x"), text("d", "`"), text("e", "\"x\"")];
    let expected = "[s]\na = \"\"\"x\ny\"\"\"\nb = `x;y`\nc = \" x\"\nd = \"\"\"`\"\"\"\ne = \"x\"\n";
    assert_eq!(of_section("s", entries).as_deref(), Ok(expected));
}

#[test]
fn refuses_what_has_no_readable_form() {
    let error = |entry| of_section("s", vec![entry]).expect_err("refused");
    assert!(error(text("a`=", "x")).contains("could not be read again"));
    assert!(error(text("", "x")).contains("empty key name"));
    assert!(error(item("k", Node::List(Vec::new()))).contains("offending key k in section s"));
    assert!(of_section("", Vec::new()).expect_err("refused").contains("empty section name"));
    let top = emit(&Branch { entries: vec![text("k", "x")] }).expect_err("refused");
    assert!(top.to_string().contains("Section values should always be TreeBranches (key k)"));
}

#[test]
fn a_long_key_cannot_blow_the_text_up() {
    let mut entries: Vec<Entry> = (0..1000).map(|number| text(&format!("k{number}"), "v")).collect();
    entries.push(text(&"x".repeat(100_000), "v"));
    assert!(of_section("s", entries).expect_err("refused").contains("too long"));
}

#[test]
fn the_room_is_enough() {
    let entries = vec![comment("#\n#\n;"), text("a:", "x;y"), comment("\n\n"), text("`b", "\n")];
    let branch = Branch { entries: vec![Entry::Item("s".into(), Node::Map(Branch { entries }))] };
    let printed = emit(&branch).expect("printed");
    let sections: Vec<_> = branch
        .entries
        .iter()
        .map(|entry| match entry {
            Entry::Item(name, Node::Map(items)) => super::section(name, items).expect("a section"),
            _ => panic!("no section"),
        })
        .collect();
    assert!(printed.len() <= sections[0].most_bytes() + sections[0].padding());
}
