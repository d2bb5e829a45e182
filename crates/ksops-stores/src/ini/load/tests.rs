//! How INI is read.

use ksops_core::tree::branch::{Entry, Node};
use ksops_core::value::Value;

use super::load;

/// The tree in short: `[section] key=value ;comment`.
fn short(text: &str) -> String {
    let mut out = Vec::new();
    for entry in load(text.as_bytes()).expect("INI").branch.entries {
        let Entry::Item(name, Node::Map(section)) = entry else { panic!("no section") };
        out.push(format!("[{name}]"));
        for entry in section.entries {
            out.push(match entry {
                Entry::Item(key, Node::Leaf(Value::Text(text))) => {
                    format!("{key}={}", String::from_utf8_lossy(text.expose()))
                }
                Entry::Comment(comment) => format!(";{}", String::from_utf8_lossy(comment.text.expose())),
                Entry::Item(..) => panic!("no text"),
            });
        }
    }
    out.join("|")
}

fn error(text: &str) -> String {
    load(text.as_bytes()).err().expect("refused").to_string()
}

fn notices(text: &str) -> Vec<String> {
    load(text.as_bytes()).expect("INI").notices.iter().map(ToString::to_string).collect()
}

#[test]
fn values_end_as_in_upstream() {
    for (text, expected) in [
        ("a = b ; c", "a=b|;c"),
        ("a = \"b ; c\"", "a=\"b|;c\""),
        ("a = 'b'", "a=b"),
        ("a = 'b'c'", "a='b'c'"),
        ("a = \"\"", "a="),
        ("a = \"", "a=\""),
        ("a = \"\"\"", "a=\"\"\""),
        ("a = \"\"\"\"\"\"", "a="),
        ("a = \"\"\"b\n c\"\"\" # d", "a=b\n c|;d"),
        ("a = \"\"\"b\nc\"\"\" \\\nd\"\"\"", "a=b\nc\"\"\" \\\nd"),
        ("a = `b;c` d", "a=b;c"),
        ("a = b \\\n  c\\\n d ; e\nf = g", "a=b cd ; e|f=g"),
        ("a = b\\\n\nf = g", "a=b|f=g"),
        ("a = b\\", "a=b"),
        ("a = %(x)s\\n", "a=%(x)s\\n"),
        ("a =\u{a0}b\u{2003}", "a=b"),
    ] {
        assert_eq!(short(text), format!("[DEFAULT]|{expected}"), "{text}");
    }
}

#[test]
fn comments_follow_their_key() {
    assert_eq!(
        short("; a\n# b\n[s] # c\n;; d\n; e\nk = v ; f"),
        "[DEFAULT]|[s]|;a\n# b\n# c|k=v|;d\n; e\n; f"
    );
    assert_eq!(short("#\n; a\nk = v"), "[DEFAULT]|k=v|;\n; a");
    assert_eq!(short("#\nk = v"), "[DEFAULT]|k=v|;");
    assert_eq!(short("k = 1\n# a\nj = 2\n# b\nk = 3\n; lost"), "[DEFAULT]|k=3|;b|j=2|;a");
}

#[test]
fn errors_say_where_and_never_what() {
    assert_eq!(
        error("a = 1\n  hunter2\n"),
        "Could not unmarshal input data: key-value delimiter not found (at line 2, column 3)"
    );
    assert!(error("[hunter2").contains("unclosed section (at line 1, column 1)"));
    assert!(error("\n[]").contains("empty section name (at line 2, column 1)"));
    assert!(error("= x").contains("empty key name"));
    assert!(error("\"a = x").contains("missing closing key quote (at"));
    assert!(error("k\u{e9} = `hunter2\nx").contains("of the value of \"k\u{e9}\" (at line 1, column 5)"));
}

#[test]
fn a_key_that_would_be_lost_is_grave() {
    assert_eq!(short("[s]\n- = a\n- = b\n[t]\n- = c"), "[DEFAULT]|[s]|#1=a|#2=b|[t]|#1=c");
    for text in ["- = a", "a = 1\na = 2", "a = `b` c"] {
        assert!(load(text.as_bytes()).expect("INI").notices[0].grave, "{text}");
    }
}

#[test]
fn warns_of_what_a_person_may_not_expect() {
    assert!(notices("a = \"b;c\"")[0].starts_with("the value of \"a\" ends before"));
    assert!(notices("a = b;c")[0].ends_with("(at line 1, column 4)"));
    assert!(notices("a = `b` c")[0].contains("behind the closing quote"));
    assert!(notices("a = 1\na = 2")[0].contains("is repeated"));
    assert!(notices("a = 1\n# c\n")[0].ends_with("is lost (at line 2, column 1)"));
    assert!(notices("# c\na = 'b' ; c\nd = # e\n").is_empty());
}

#[test]
fn a_grave_notice_is_never_lost_in_the_crowd() {
    let odd: String = (0..1000).map(|index| format!("a{index} = b;c\n")).collect();
    let text = odd + &"- = x\n".repeat(1000);
    let notices = load(text.as_bytes()).expect("INI").notices;
    assert_eq!(notices.len(), 101);
    assert_eq!(notices.iter().filter(|notice| notice.grave).count(), 1);
}
