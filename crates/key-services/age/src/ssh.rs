//! ssh keys as recipients and identities (key-services.md sections 3.3 and 3.4).
//!
//! Apart from the `age` crate, whose ssh keys stand on the crate `rsa` (RUSTSEC-2023-0071): here RSA is done by what
//! rustls is built on, in constant time.

pub(crate) mod identity;
pub(crate) mod private_key;
pub(crate) mod public_key;
pub(crate) mod recipient;
