//! The floor: AES-GCM and SHA-512 alone over the bytes of the same values, in this process.
//!
//! No program that writes the format can be faster, so this is what the others are reported against.

use std::time::{Duration, Instant};

use aes_gcm::aead::consts::U32;
use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::aes::Aes256;
use aes_gcm::{AesGcm, Nonce};
use sha2::{Digest, Sha512};

/// The time for one encryption of each of `values` and one hash over all; the least of `runs`.
///
/// The nonces are counted up: getting random bytes is not part of the floor.
pub(crate) fn time(values: &[String], runs: usize) -> Duration {
    let mut least = Duration::MAX;
    for _ in 0..runs.max(1) {
        let mut buffers: Vec<Vec<u8>> = values.iter().map(|value| value.clone().into_bytes()).collect();
        let started = Instant::now();
        let mut hash = Sha512::new();
        let cipher = AesGcm::<Aes256, U32>::new(&[7; 32].into());
        let mut last = 0_u8;
        for (index, buffer) in buffers.iter_mut().enumerate() {
            hash.update(&*buffer);
            let mut nonce = [0; 32];
            nonce[..8].copy_from_slice(&(index as u64).to_le_bytes());
            if let Ok(tag) =
                cipher.encrypt_in_place_detached(Nonce::from_slice(&nonce), b"items:stringData:", buffer)
            {
                last ^= tag[0];
            }
        }
        let digest = hash.finalize();
        std::hint::black_box((digest, last));
        least = least.min(started.elapsed());
    }
    least
}
