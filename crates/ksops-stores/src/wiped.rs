//! Bytes of an input that may be plaintext: borrowed, or owned and then wiped.

use std::borrow::Cow;
use std::ops::Deref;

use zeroize::Zeroizing;

/// An input; owned bytes are wiped when it is dropped.
pub struct Wiped<'a>(Cow<'a, [u8]>);

impl<'a> Wiped<'a> {
    /// Takes an input over.
    #[must_use]
    pub fn new(input: Cow<'a, [u8]>) -> Self {
        Self(input)
    }

    /// Gives the input away, unwiped; nothing is left here.
    #[must_use]
    pub fn take(&mut self) -> Cow<'a, [u8]> {
        std::mem::take(&mut self.0)
    }
}

impl Deref for Wiped<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Wiped<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(bytes) = self.take() {
            drop(Zeroizing::new(bytes));
        }
    }
}
