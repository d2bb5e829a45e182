//! What one side made of a case.

/// The result of one operation of one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// `0`, an exit status of the command line, or how it died: `crash`, `panic`.
    pub class: String,
    /// What it said; for the report, never compared.
    pub message: String,
    /// What it printed; empty unless it succeeded.
    pub text: Vec<u8>,
}

impl Outcome {
    /// A success.
    #[must_use]
    pub fn done(text: Vec<u8>) -> Self {
        Self { class: "0".to_owned(), message: String::new(), text }
    }

    /// A refusal.
    #[must_use]
    pub fn refused(class: impl ToString, message: impl ToString) -> Self {
        Self { class: class.to_string(), message: message.to_string(), text: Vec::new() }
    }

    /// Whether it succeeded.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.class == "0"
    }

    /// Whether both did the same; what they say does not count.
    #[must_use]
    pub fn agrees(&self, other: &Self) -> bool {
        self.class == other.class && self.text == other.text
    }
}
