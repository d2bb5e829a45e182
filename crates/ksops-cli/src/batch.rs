//! Several files in one call: which, side by side, and what is said of them in their order.

pub(crate) mod files;
pub(crate) mod progress;
pub(crate) mod state;
pub(crate) mod work;
