//! HashiCorp Vault and OpenBao (key-services.md section 7).
//!
//! [`client`] speaks to a server with the credentials that [`settings`] finds; [`service`] is the transit engine as a key
//! service of the core. The client serves publishing to the KV engines, too.

mod diagnosis;
mod transit;

pub mod allow_list;
pub mod client;
pub mod failure;
pub mod kv;
pub mod service;
pub mod settings;
