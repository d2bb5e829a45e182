//! Texts of comments on their way to the output: they may be secret, and most of them are empty.

use std::ops::Deref;

use zeroize::Zeroize;

/// A text that is wiped when dropped. An empty one costs nothing, which `Zeroizing` does not promise; there are
/// several with every event.
#[derive(Clone, Default)]
pub struct WaitingText(String);

impl WaitingText {
    /// An empty text with room for `length` bytes.
    #[must_use]
    pub fn with_capacity(length: usize) -> Self {
        Self(String::with_capacity(length))
    }

    /// Appends `text` behind a line break, or as the first line.
    pub fn push_line(&mut self, text: &str) {
        let needed = self.0.len() + text.len() + 1;
        if self.0.capacity() < needed {
            // Growing in place could leave a copy behind.
            let mut larger = Self::with_capacity(needed);
            larger.0.push_str(&self.0);
            *self = larger;
        }
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.0.push_str(text);
    }

    /// Appends what another text holds as further lines.
    pub fn append(&mut self, other: Self) {
        if self.0.is_empty() {
            *self = other;
        } else if !other.0.is_empty() {
            self.push_line(&other.0);
        }
    }
}

impl Deref for WaitingText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Drop for WaitingText {
    fn drop(&mut self) {
        if self.0.capacity() > 0 {
            self.0.zeroize();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::WaitingText;

    #[test]
    fn lines_come_in_their_order() {
        let mut text = WaitingText::default();
        text.push_line("#a");
        let mut more = WaitingText::default();
        more.append(text);
        let mut last = WaitingText::with_capacity(2);
        last.push_line("#b");
        more.append(last);
        more.append(WaitingText::default());
        assert_eq!(&*more, "#a\n#b");
    }
}
