//! Tests of reading: which comment and value becomes which entry, and what is refused.

use ksops_core::tree::branch::{Branch, Entry, Node};
use ksops_core::value::Value;

use super::load;

/// A tree on one line: comments as `#text` (`!` before inline ones), texts in quotes.
fn shape(branch: &Branch) -> String {
    let entries: Vec<String> = branch
        .entries
        .iter()
        .map(|entry| match entry {
            Entry::Item(key, node) => format!("{key}:{}", node_shape(node)),
            Entry::Comment(comment) => {
                format!(
                    "{}#{}",
                    if comment.inline { "!" } else { "" },
                    comment.text.expose_str().unwrap_or("?")
                )
            }
        })
        .collect();
    format!("{{{}}}", entries.join(" "))
}

fn node_shape(node: &Node) -> String {
    match node {
        Node::Map(branch) => shape(branch),
        Node::List(list) => format!("[{}]", list.iter().map(node_shape).collect::<Vec<_>>().join(" ")),
        Node::Comment(comment) => {
            format!("{}#{}", if comment.inline { "!" } else { "" }, comment.text.expose_str().unwrap_or("?"))
        }
        Node::Leaf(Value::Text(text)) => format!("'{}'", text.expose_str().unwrap_or("?")),
        Node::Leaf(Value::Int(int)) => int.to_string(),
        Node::Leaf(Value::Float(float)) => format!("{float:?}"),
        Node::Leaf(Value::Bool(truth)) => truth.to_string(),
        Node::Leaf(Value::Timestamp(moment)) => format!("@{}", moment.unix_timestamp()),
        Node::Leaf(_) => "null".to_owned(),
    }
}

#[test]
fn texts_become_trees_in_the_order_of_first_mention() {
    for (text, tree) in [
        ("", "{}"),
        ("a = 1\nb = 'x'\nc = 1.5\nd = true\ne = 'null'", "{a:1 b:'x' c:1.5 d:true e:null}"),
        ("a = 0x1F\nb = 1_000\nc = 1e3\nd = -inf\ne = nan", "{a:31 b:1000 c:1000.0 d:-inf e:NaN}"),
        (
            "a = 1970-01-01 00:00:10z\nb = 1970-01-01\nc = 00:10:00.50",
            "{a:@10 b:'1970-01-01' c:'00:10:00.5'}",
        ),
        ("a.b.c = 1\nd = 2\na.e = 3", "{a:{b:{c:1} e:3} d:2}"),
        ("[a.b]\nx = 1\n[c]\n[a]\ny = 2\n[a.d]", "{a:{b:{x:1} y:2 d:{}} c:{}}"),
        ("[[a]]\nx = 1\n[a.b]\n[[a]]\n[[a.c]]\n[[a.c]]", "{a:[{x:1 b:{}} {c:[{} {}]}]}"),
        ("a = [1, [2], {b = 3, c.d = 4}]", "{a:[1 [2] {b:3 c:{d:4}}]}"),
        ("a = \"\"\"\nx\n  y\\\n   z\"\"\"\nb = '''\nq'''", "{a:'x\n  yz' b:'q'}"),
    ] {
        assert_eq!(shape(&load(text, false).expect(text).branch), tree, "{text}");
    }
}

#[test]
fn comments_stand_before_what_they_belong_to() {
    for (text, tree) in [
        ("#a\n#b\nx = 1 #c\n#d", "{#a #b !#c x:1 #d}"),
        ("#a\nx.y = 1 #b\n", "{x:{#a !#b y:1}}"),
        // Above a header: its own if it touches it below a blank line, else of the table in which it stands.
        ("#a\n[x] #b\n#c\ny = 1\n", "{#a #b x:{#c y:1}}"),
        ("[x]\n#a\n[y]\n", "{x:{#a} y:{}}"),
        ("[x]\n#a\n\n#b\n[y]\n", "{x:{#a} #b y:{}}"),
        ("[x]\n#a\n\n#b\n\n[y]\n", "{x:{#a #b} y:{}}"),
        ("[x]\n\n#a\n[y.z]\n\n#b\n[y]\n", "{x:{} y:{#a z:{} #b}}"),
        ("[x]\n\n#a\n[[y]] #b\n\n#c\n[[y]]\n", "{x:{} y:[#a #b {} #c {}]}"),
        ("#a\n[sops]\n#b\n", "{#a sops:{#b}}"),
        ("x = [ #a\n #b\n 1, 2, #c\n 3 #d\n , #e\n #f\n]", "{x:[#a #b 1 !#c 2 !#d 3 #e #f]}"),
        ("x = { #a\n y = 1, #b\n #c\n}", "{x:{#a !#b y:1 #c}}"),
    ] {
        assert_eq!(shape(&load(text, false).expect(text).branch), tree, "{text}");
    }
}

#[test]
fn refusals_name_the_place_and_never_a_value() {
    for (text, line) in [
        ("a = hunter2", 1),
        ("a = \"hunter2", 1),
        ("a = \"hunter2\\q\"", 1),
        ("a = 'hunter2' hunter2", 1),
        ("\na = 99999999999999999999", 2),
        ("a = 1e999", 1),
        ("a = 1979-13-01", 1),
        ("a = 1979-05-27T07:32:60Z", 1),
        ("a = 1\na = 'hunter2'", 2),
        ("a = 1\n[a]\n", 2),
        ("a = { b = 1 }\n[a.c]\n", 2),
        ("a = { b = 1 }\na.c = 2\n", 2),
        ("a = [{ b = 1 }]\n[[a]]\n", 2),
        ("[a]\nb.c = 1\n[a.b]\n", 3),
        ("[a.b]\n[a]\nb.c = 1\n", 3),
        ("[a]\n[a]\n", 2),
        ("[[a]]\n[a]\n", 2),
        ("hunter2", 1),
        ("a = \u{1}", 1),
        ("# \u{1}hunter2", 1),
        ("a = 1\rb = 2", 2),
    ] {
        let error = load(text, false).expect_err(text);
        assert_eq!(error.position.line, line, "{text}: {error}");
        let error = error.to_string();
        assert!(!error.contains("hunter2") && !error.contains("9999") && !error.contains("1979"), "{error}");
    }
}

#[test]
fn a_null_word_is_told() {
    let loaded = load("a = 1\nb = 'null'\nc = 'null'", false).expect("TOML");
    let notices: Vec<_> = loaded.notices.iter().map(|notice| (notice.grave, notice.position.line)).collect();
    assert_eq!(notices, [(false, 2)]);
}
