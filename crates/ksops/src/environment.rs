//! A document as environment variables (cli-and-config.md section 8.1).

use ksops_core::tree::branch::{Branch, Entry, Node};
use ksops_core::value::Value;
use ksops_stores::scalar;
use zeroize::Zeroizing;

/// A name, and its value; wiped when dropped.
pub type Variable = (String, Zeroizing<Vec<u8>>);

/// What becomes of null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Null {
    /// The text `<nil>`, as upstream has it.
    AsNil,
    /// The empty string.
    AsEmpty,
}

/// A document that is no list of variables.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// A list or mapping.
    #[error("cannot use complex value in environment; offending key {0}")]
    ComplexValue(String),
    /// A name with `=`.
    #[error("cannot use keys with '=' in environment: {0}")]
    EqualsInKey(String),
    /// A name that is empty or no UTF-8.
    #[error("cannot use a key that is empty or no text in environment: {0:?}")]
    UnusableKey(String),
    /// A NUL byte, which no variable can hold.
    #[error("cannot use a value or key with a NUL byte in environment; offending key {0:?}")]
    Nul(String),
    /// A moment without an RFC 3339 form.
    #[error("cannot use a timestamp without an RFC 3339 form in environment; offending key {0}")]
    Timestamp(String),
}

/// The variables of a document, in its order; comments are left out.
///
/// # Errors
/// [`EnvironmentError`] if an entry is no variable.
pub fn variables(branch: &Branch, null: Null) -> Result<Vec<Variable>, EnvironmentError> {
    branch.entries.iter().filter_map(|entry| variable(entry, null).transpose()).collect()
}

fn variable(entry: &Entry, null: Null) -> Result<Option<Variable>, EnvironmentError> {
    let Entry::Item(key, node) = entry else { return Ok(None) };
    let Node::Leaf(value) = node else { return Err(EnvironmentError::ComplexValue(key.to_string())) };
    let name = key.to_str().filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| EnvironmentError::UnusableKey(key.to_string()))?.to_owned();
    if name.contains('=') {
        return Err(EnvironmentError::EqualsInKey(name));
    }
    let text = match (value.plain(), null) {
        (Value::Null, Null::AsEmpty) => Zeroizing::new(Vec::new()),
        (plain, _) => {
            let text = scalar::text(plain).ok_or_else(|| EnvironmentError::Timestamp(name.clone()))?;
            Zeroizing::new(text.to_vec())
        }
    };
    if text.contains(&0) || name.contains('\0') {
        return Err(EnvironmentError::Nul(name));
    }
    Ok(Some((name, text)))
}

#[cfg(test)]
mod tests {
    use ksops_core::tree::branch::{Branch, Entry, Node};
    use ksops_core::value::Value;

    use super::{EnvironmentError, Null, variables};

    fn one(key: &str, node: Node) -> Branch {
        Branch { entries: vec![Entry::Item(key.into(), node)] }
    }

    fn text(key: &str, value: Value, null: Null) -> Result<Vec<u8>, EnvironmentError> {
        variables(&one(key, Node::Leaf(value)), null).map(|mut list| list.remove(0).1.to_vec())
    }

    #[test]
    fn scalars_have_upstreams_texts() {
        assert_eq!(text("a", Value::text("x\ny"), Null::AsNil).as_deref(), Ok(b"x\ny".as_slice()));
        assert_eq!(text("a", Value::Int(5), Null::AsNil).as_deref(), Ok(b"5".as_slice()));
        assert_eq!(text("a", Value::Float(1.5), Null::AsNil).as_deref(), Ok(b"1.5".as_slice()));
        assert_eq!(text("a", Value::Null, Null::AsNil).as_deref(), Ok(b"<nil>".as_slice()));
        assert_eq!(text("a", Value::Null, Null::AsEmpty).as_deref(), Ok(b"".as_slice()));
    }

    #[test]
    fn what_is_no_variable_is_refused() {
        let complex = variables(&one("a", Node::Map(Branch::default())), Null::AsNil);
        assert_eq!(complex, Err(EnvironmentError::ComplexValue("a".into())));
        assert_eq!(text("a=b", Value::Int(1), Null::AsNil), Err(EnvironmentError::EqualsInKey("a=b".into())));
        assert_eq!(text("a", Value::text("x\0"), Null::AsNil), Err(EnvironmentError::Nul("a".into())));
        assert_eq!(text("", Value::Int(1), Null::AsNil), Err(EnvironmentError::UnusableKey("".into())));
    }
}
