//! The audit log to PostgreSQL (cli-and-config.md section 6.3).

#[cfg(feature = "audit")]
pub(crate) mod connection_string;
pub(crate) mod log;
#[cfg(feature = "audit")]
pub(crate) mod postgres;
#[cfg(feature = "audit")]
pub(crate) mod tls;
