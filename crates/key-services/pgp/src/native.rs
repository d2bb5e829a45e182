//! Decrypting without GnuPG: exported keys, read as RFC 9580 (and RFC 6637 for elliptic curves) has them.
//!
//! Version 4 keys without a passphrase, RSA or ECDH, and messages in AES with a modification check: what GnuPG makes for
//! SOPS, but for keys that announce OCB. Nothing is encrypted here, because that takes judging signatures and expiry.

mod armour;
mod cipher;
pub(crate) mod decrypt;
mod packet;
mod ring;
mod session;
