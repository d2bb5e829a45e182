//! Looks at what is about to be written for secrets that stay in plaintext (security.md S1).

use ksops_core::tree::branch::{Branch, Entry, Node};
use ksops_core::value::Value;

/// How deep values below `data` are searched; a Secret's values are scalars.
const MAX_DEPTH: usize = 1_000;

/// Finds the values of Kubernetes Secrets that an encrypted document leaves in plaintext.
///
/// Looked at are `data` and `stringData` of a `kind: Secret`, at the top or among the `items` of a `List`.
/// Gives the paths, never the values.
#[must_use]
pub(crate) fn plain_secret_values(branch: &Branch) -> Vec<String> {
    let mut found = Vec::new();
    inspect(branch, "", &mut found);
    if let Some(Node::List(items)) = branch.node("items") {
        for (index, item) in items.iter().enumerate() {
            if let Node::Map(item) = item {
                inspect(item, &format!("items[{index}]."), &mut found);
            }
        }
    }
    found
}

/// Finds comments in mappings without items: upstream's reader drops them, and so does ours.
#[must_use]
pub(crate) fn doomed_comments(branch: &Branch) -> Vec<String> {
    let mut found = Vec::new();
    for entry in &branch.entries {
        if let Entry::Item(key, node) = entry {
            doomed_in(node, &key.to_string(), 0, &mut found);
        }
    }
    found
}

fn doomed_in(node: &Node, path: &str, depth: usize, found: &mut Vec<String>) {
    if depth > MAX_DEPTH {
        return;
    }
    match node {
        Node::Leaf(_) | Node::Comment(_) => {}
        Node::List(items) => {
            for (index, item) in items.iter().enumerate() {
                if !matches!(item, Node::Leaf(_)) {
                    doomed_in(item, &format!("{path}[{index}]"), depth + 1, found);
                }
            }
        }
        Node::Map(branch) => {
            let has_items = branch.entries.iter().any(|entry| matches!(entry, Entry::Item(..)));
            if !has_items && !branch.entries.is_empty() {
                found.push(path.to_owned());
            }
            for entry in &branch.entries {
                if let Entry::Item(key, node @ (Node::Map(_) | Node::List(_))) = entry {
                    doomed_in(node, &format!("{path}.{key}"), depth + 1, found);
                }
            }
        }
    }
}

fn inspect(branch: &Branch, prefix: &str, found: &mut Vec<String>) {
    let is_secret = matches!(branch.node("kind"),
        Some(Node::Leaf(Value::Text(kind))) if kind.expose().eq_ignore_ascii_case(b"Secret"));
    if !is_secret {
        return;
    }
    for field in ["data", "stringData"] {
        if let Some(node) = branch.node(field) {
            plain_leaves(node, &format!("{prefix}{field}"), 0, found);
        }
    }
}

fn plain_leaves(node: &Node, path: &str, depth: usize, found: &mut Vec<String>) {
    if depth > MAX_DEPTH {
        return;
    }
    match node {
        Node::Leaf(Value::Null) | Node::Comment(_) => {}
        Node::Leaf(Value::Text(text)) if text.is_empty() || text.expose().starts_with(b"ENC[") => {}
        Node::Leaf(_) => found.push(path.to_owned()),
        Node::List(items) => {
            for (index, item) in items.iter().enumerate() {
                plain_leaves(item, &format!("{path}[{index}]"), depth + 1, found);
            }
        }
        Node::Map(branch) => {
            for entry in &branch.entries {
                if let Entry::Item(key, node) = entry {
                    plain_leaves(node, &format!("{path}.{key}"), depth + 1, found);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ksops_core::tree::branch::{Branch, Entry, Node};
    use ksops_core::value::Value;

    use super::plain_secret_values;

    fn map(items: Vec<(&str, Node)>) -> Branch {
        Branch { entries: items.into_iter().map(|(key, node)| Entry::Item(key.into(), node)).collect() }
    }

    fn text(text: &str) -> Node {
        Node::Leaf(Value::text(text))
    }

    fn secret(value: &str) -> Branch {
        map(vec![("kind", text("Secret")), ("stringData", Node::Map(map(vec![("password", text(value))])))])
    }

    #[test]
    fn names_the_path_of_a_value_left_plain() {
        assert_eq!(plain_secret_values(&secret("hunter2")), ["stringData.password"]);
    }

    #[test]
    fn looks_into_the_items_of_a_list() {
        let list = map(vec![("kind", text("List")), ("items", Node::List(vec![Node::Map(secret("x"))]))]);
        assert_eq!(plain_secret_values(&list), ["items[0].stringData.password"]);
    }

    #[test]
    fn accepts_envelopes_empty_values_and_other_kinds() {
        assert!(plain_secret_values(&secret("ENC[AES256_GCM,data:x]")).is_empty());
        assert!(plain_secret_values(&secret("")).is_empty());
        assert!(plain_secret_values(&map(vec![("data", text("x"))])).is_empty());
    }
}
