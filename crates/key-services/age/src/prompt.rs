//! The way to the person before the terminal. This crate knows no terminal: whoever starts it hands one in.

use zeroize::Zeroizing;

/// Asks the user. Called from any thread; one question at a time is the business of whoever implements it.
pub trait Prompt: Send + Sync {
    /// Shows a message, for example that a key has to be touched.
    fn show(&self, message: &str);

    /// Asks for a line that is not echoed.
    ///
    /// # Errors
    /// Why there is no answer: nobody to ask, or the user declined.
    fn secret(&self, question: &str) -> Result<Zeroizing<String>, String>;

    /// Asks for a line that is echoed.
    ///
    /// # Errors
    /// As [`Self::secret`].
    fn public(&self, question: &str) -> Result<String, String>;

    /// Asks for one of two answers; without `no` the user can only agree or cancel.
    ///
    /// # Errors
    /// As [`Self::secret`].
    fn choose(&self, question: &str, yes: &str, no: Option<&str>) -> Result<bool, String>;
}

/// For programs without anybody to ask: every question is an error.
#[derive(Debug, Clone, Copy, Default)]
pub struct NobodyToAsk;

const NOBODY: &str = "there is nobody to ask";

impl Prompt for NobodyToAsk {
    fn show(&self, _: &str) {}

    fn secret(&self, _: &str) -> Result<Zeroizing<String>, String> {
        Err(NOBODY.to_owned())
    }

    fn public(&self, _: &str) -> Result<String, String> {
        Err(NOBODY.to_owned())
    }

    fn choose(&self, _: &str, _: &str, _: Option<&str>) -> Result<bool, String> {
        Err(NOBODY.to_owned())
    }
}
