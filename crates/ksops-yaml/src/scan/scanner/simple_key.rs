//! Keys without `?`: whether a token is one is known only at its colon.

use crate::error::SyntaxError;
use crate::scan::cursor::Mark;
use crate::scan::scanner::{Scanner, scan_error};

/// How far a key may reach before its colon, in characters.
const MAX_SIMPLE_KEY: usize = 1024;

/// A place where a key without `?` may begin.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SimpleKey {
    pub(super) possible: bool,
    /// Whether the queue waits for it. go-yaml forgets that when an empty flow collection ends, and then takes the
    /// collection for a value at once.
    pub(super) awaited: bool,
    pub(super) required: bool,
    pub(super) token_number: usize,
    pub(super) mark: Mark,
}

impl Scanner<'_> {
    /// Whether the first token may turn out to be the beginning of a key.
    pub(super) fn head_may_be_key(&mut self) -> Result<bool, SyntaxError> {
        let level = self.simple_keys.partition_point(|key| key.token_number < self.taken);
        match self.simple_keys.get(level) {
            Some(key) if key.possible && key.awaited && key.token_number == self.taken => {
                self.simple_key_is_valid(level)
            }
            _ => Ok(false),
        }
    }

    /// A key must end on its line and within [`MAX_SIMPLE_KEY`].
    pub(super) fn simple_key_is_valid(&mut self, level: usize) -> Result<bool, SyntaxError> {
        let now = self.cursor.mark;
        let Some(key) = self.simple_keys.get_mut(level).filter(|key| key.possible) else { return Ok(false) };
        if key.mark.line < now.line || key.mark.index + MAX_SIMPLE_KEY < now.index {
            if key.required {
                return Err(scan_error("could not find expected ':'", Some(key.mark), now));
            }
            key.possible = false;
            return Ok(false);
        }
        Ok(true)
    }

    pub(super) fn save_simple_key(&mut self) -> Result<(), SyntaxError> {
        if !self.simple_key_allowed {
            return Ok(());
        }
        self.remove_simple_key()?;
        let required = self.flow_level == 0 && self.indent == self.cursor.mark.column;
        let key = SimpleKey {
            possible: true,
            awaited: true,
            required,
            token_number: self.taken + self.tokens.len(),
            mark: self.cursor.mark,
        };
        if let Some(last) = self.simple_keys.last_mut() {
            *last = key;
        }
        Ok(())
    }

    pub(super) fn remove_simple_key(&mut self) -> Result<(), SyntaxError> {
        let now = self.cursor.mark;
        if let Some(key) = self.simple_keys.last_mut().filter(|key| key.possible) {
            if key.required {
                return Err(scan_error("could not find expected ':'", Some(key.mark), now));
            }
            key.possible = false;
        }
        Ok(())
    }
}
