//! Master keys, key groups and the services that use them.

pub mod decryption_order;
pub mod diagnosis;
pub mod distribute;
pub mod key_group;
pub mod key_service;
pub mod master_key;
pub mod recover;
pub mod recovery;
mod wrap;
