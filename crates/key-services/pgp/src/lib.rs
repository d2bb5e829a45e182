//! The OpenPGP key service: data keys encrypted and decrypted by GnuPG's program (key-services.md section 4).

mod advice;
mod child;
mod diagnosis;
#[cfg(feature = "native")]
mod native;
pub mod service;
pub mod settings;
