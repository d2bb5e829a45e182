//! Where in a document something stands, for messages and for the nonces of unchanged values.

use std::fmt;
use std::iter;

use crate::tree::branch::Key;

/// One step from a container to what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// The document itself.
    Root,
    /// To the value of a key.
    Key(&'a Key),
    /// To an element of a list.
    Index(usize),
}

/// The way from the root to where a walk stands: a list on the stack, so that leaves cost no allocation.
#[derive(Debug, Clone, Copy)]
pub struct Trail<'a> {
    above: Option<&'a Trail<'a>>,
    step: Step<'a>,
}

impl<'a> Trail<'a> {
    /// The root of a document.
    #[must_use]
    pub fn root() -> Self {
        Self { above: None, step: Step::Root }
    }

    /// One step further.
    #[must_use]
    pub fn below<'b>(&'b self, step: Step<'b>) -> Trail<'b>
    where
        'a: 'b,
    {
        Trail { above: Some(self), step }
    }

    /// The steps, the last one first, the root at the end.
    pub fn steps_upwards(&self) -> impl Iterator<Item = Step<'_>> {
        iter::successors(Some(self), |trail| trail.above).map(|trail| trail.step)
    }

    /// A copy that can be kept.
    #[must_use]
    pub fn to_path(&self) -> TreePath {
        let mut steps: Vec<PathStep> = self
            .steps_upwards()
            .filter_map(|step| match step {
                Step::Root => None,
                Step::Key(key) => Some(PathStep::Key(key.clone())),
                Step::Index(index) => Some(PathStep::Index(index)),
            })
            .collect();
        steps.reverse();
        TreePath(steps)
    }
}

/// A place in a document; `Display` gives `data.password`, `list[2]`, or `the top level`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TreePath(
    /// The steps from the root.
    pub Vec<PathStep>,
);

/// A step of a [`TreePath`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathStep {
    /// To the value of a key.
    Key(Key),
    /// To an element of a list.
    Index(usize),
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("the top level");
        }
        for (at, step) in self.0.iter().enumerate() {
            match step {
                PathStep::Index(index) => write!(f, "[{index}]")?,
                PathStep::Key(key) => match key.to_str().filter(|text| is_plain(text)) {
                    Some(text) if at == 0 => f.write_str(text)?,
                    Some(text) => write!(f, ".{text}")?,
                    None => write!(f, "[{key:?}]")?,
                },
            }
        }
        Ok(())
    }
}

/// Whether a key can stand between dots without being misread.
fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '/'))
}

#[cfg(test)]
mod tests {
    use super::{Step, Trail};
    use crate::tree::branch::Key;

    #[test]
    fn shows_keys_and_indexes() {
        let (data, odd) = (Key::from("data"), Key::from("a.b"));
        let root = Trail::root();
        assert_eq!(root.to_path().to_string(), "the top level");
        let data = root.below(Step::Key(&data));
        let item = data.below(Step::Index(2));
        assert_eq!(item.to_path().to_string(), "data[2]");
        assert_eq!(item.below(Step::Key(&odd)).to_path().to_string(), r#"data[2]["a.b"]"#);
        assert_eq!(data.below(Step::Key(&"password".into())).to_path().to_string(), "data.password");
    }
}
