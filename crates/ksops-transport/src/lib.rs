//! What key services need to reach a network: one HTTP client with retries, and the one thread on which async code
//! runs behind the synchronous interface of the core. Knows neither SOPS nor clouds nor credentials.

pub mod https;
pub mod message;
pub mod pace;
pub mod retry;
pub mod runtime;
