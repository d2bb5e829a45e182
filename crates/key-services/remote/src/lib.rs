//! The gRPC key service of sops (cli-and-config.md section 9), both sides: [`client`] asks a service on another machine or
//! in another process, [`server`] lends the keys of this one.
//!
//! There is no encryption on the wire and no log-in: that is the protocol. Use it over a unix socket, or a network that
//! you trust.

pub mod address;
pub mod client;
mod message;
pub mod server;
