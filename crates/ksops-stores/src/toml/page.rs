//! A text under construction that leaves no unwiped copies behind while it grows.

use zeroize::Zeroizing;

/// The text.
#[derive(Default)]
pub(crate) struct Page(Zeroizing<String>);

impl Page {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Zeroizing::new(String::with_capacity(capacity)))
    }

    pub(crate) fn push(&mut self, text: &str) {
        let needed = self.0.len() + text.len();
        if needed > self.0.capacity() {
            // `String` would give the old memory back as it is.
            let mut larger = Zeroizing::new(String::with_capacity(needed.max(self.0.capacity() * 2).max(64)));
            larger.push_str(&self.0);
            self.0 = larger;
        }
        self.0.push_str(text);
    }

    pub(crate) fn push_char(&mut self, letter: char) {
        self.push(letter.encode_utf8(&mut [0; 4]));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn finish(self) -> Zeroizing<String> {
        self.0
    }
}
