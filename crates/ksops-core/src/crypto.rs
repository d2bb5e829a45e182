//! The cipher of values, the MAC and the sharing of data keys.

pub mod cipher;
pub mod data_key;
pub mod envelope;
pub mod gcm;
pub mod iv;
pub mod key_der;
pub mod mac;
pub mod number;
pub mod plaintext;
pub mod shamir;
pub mod timestamp;
