//! AES-GCM with nonces of any length, the key schedule set up once per file.
//!
//! Apart from `cipher.rs` because it is the only place that composes primitives. Writing always takes the nonce of
//! 32 bytes and the `aes-gcm` crate; nonces of 12, 16 and 32 bytes are read with it, too. Upstream reads any other
//! length as well; these take the composition at the foot of this file.

use aes_gcm::aead::consts::{U12, U16, U32};
use aes_gcm::aead::generic_array::{ArrayLength, GenericArray};
use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::aes::cipher::{BlockCipher, BlockEncrypt, BlockEncryptMut, BlockSizeUser, InnerIvInit};
use aes_gcm::aes::{Aes128, Aes192, Aes256};
use aes_gcm::{AesGcm, Tag};
use ctr::cipher::StreamCipher;
use ctr::{Ctr32BE, CtrCore};
use ghash::GHash;
use ghash::universal_hash::UniversalHash;
use subtle::ConstantTimeEq;

use crate::crypto::data_key::DataKey;

/// The length of nonces that are written.
pub const IV_LEN: usize = 32;

/// The length of tags.
pub(crate) const TAG_LEN: usize = 16;

/// AES-GCM under one key, whatever the length of key and nonce.
pub(crate) trait Gcm: Send + Sync {
    /// Encrypts in place and gives the tag; nothing if the text is longer than the algorithm allows.
    fn seal(&self, iv: &[u8; IV_LEN], aad: &[u8], text: &mut [u8]) -> Option<[u8; TAG_LEN]>;

    /// Decrypts in place if the tag is right; else leaves the text as it is.
    fn open(&self, iv: &[u8], aad: &[u8], text: &mut [u8], tag: &[u8; TAG_LEN]) -> bool;
}

/// Sets up the key.
pub(crate) fn new(key: &DataKey) -> Box<dyn Gcm> {
    let key = key.expose().expose();
    match key.len() {
        16 => Box::new(Keyed::new(Aes128::new(GenericArray::from_slice(key)))),
        24 => Box::new(Keyed::new(Aes192::new(GenericArray::from_slice(key)))),
        // `DataKey` holds no other length.
        _ => Box::new(Keyed::new(Aes256::new(GenericArray::from_slice(key)))),
    }
}

struct Keyed<C: Aes> {
    long: AesGcm<C, U32>,
    middle: AesGcm<C, U16>,
    short: AesGcm<C, U12>,
    cipher: C,
}

/// What the three AES have in common.
trait Aes:
    BlockCipher + BlockSizeUser<BlockSize = U16> + BlockEncrypt + BlockEncryptMut + Clone + Send + Sync
{
}

impl Aes for Aes128 {}
impl Aes for Aes192 {}
impl Aes for Aes256 {}

impl<C: Aes> Keyed<C> {
    fn new(cipher: C) -> Self {
        Self {
            long: AesGcm::from(cipher.clone()),
            middle: AesGcm::from(cipher.clone()),
            short: AesGcm::from(cipher.clone()),
            cipher,
        }
    }

    /// NIST SP 800-38D, sections 7.1 and 7.2, for nonces of other lengths than 96 bits.
    fn open_composed(&self, iv: &[u8], aad: &[u8], text: &mut [u8], tag: &[u8; TAG_LEN]) -> bool {
        let mut hash_key = ghash::Key::default();
        self.cipher.encrypt_block(&mut hash_key);
        let hash = GHash::new(&hash_key);

        let mut start = hash.clone();
        start.update_padded(iv);
        start.update(&[lengths(0, iv.len())]);
        let start = start.finalize();

        let mut stream = Ctr32BE::<&C>::from_core(CtrCore::inner_iv_init(&self.cipher, &start));
        let mut expected = [0; TAG_LEN];
        stream.apply_keystream(&mut expected);

        let mut sum = hash;
        sum.update_padded(aad);
        sum.update_padded(text);
        sum.update(&[lengths(aad.len(), text.len())]);
        for (byte, sum) in expected.iter_mut().zip(sum.finalize()) {
            *byte ^= sum;
        }
        let agrees: bool = expected.ct_eq(tag).into();
        if agrees {
            stream.apply_keystream(text);
        }
        agrees
    }
}

impl<C: Aes> Gcm for Keyed<C> {
    fn seal(&self, iv: &[u8; IV_LEN], aad: &[u8], text: &mut [u8]) -> Option<[u8; TAG_LEN]> {
        self.long.encrypt_in_place_detached(iv.into(), aad, text).ok().map(Into::into)
    }

    fn open(&self, iv: &[u8], aad: &[u8], text: &mut [u8], tag: &[u8; TAG_LEN]) -> bool {
        match iv.len() {
            0 => false,
            32 => open_with(&self.long, iv, aad, text, tag),
            16 => open_with(&self.middle, iv, aad, text, tag),
            12 => open_with(&self.short, iv, aad, text, tag),
            _ => self.open_composed(iv, aad, text, tag),
        }
    }
}

fn open_with<C: Aes, N: ArrayLength<u8>>(
    gcm: &AesGcm<C, N>,
    iv: &[u8],
    aad: &[u8],
    text: &mut [u8],
    tag: &[u8; TAG_LEN],
) -> bool {
    gcm.decrypt_in_place_detached(GenericArray::from_slice(iv), aad, text, Tag::from_slice(tag)).is_ok()
}

fn lengths(first: usize, second: usize) -> ghash::Block {
    let mut block = ghash::Block::default();
    block[..8].copy_from_slice(&(first as u64 * 8).to_be_bytes());
    block[8..].copy_from_slice(&(second as u64 * 8).to_be_bytes());
    block
}

#[cfg(test)]
mod tests;
