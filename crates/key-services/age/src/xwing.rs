//! X-Wing (draft-connolly-cfrg-xwing-kem; HPKE's KEM 0x647a): ML-KEM-768 and X25519 side by side.
//!
//! Apart, because the version of the `hpke` crate that `age` stands on has no such KEM. The parts are the crates that
//! `age` itself uses; only their combination is written here.

use hpke::generic_array::GenericArray;
use hpke::generic_array::typenum::{Sum, U32, U96, U192, U1024};
use hpke::kem::SharedSecret;
use hpke::rand_core::{CryptoRng, RngCore};
use hpke::{Deserializable, HpkeError, Serializable};
use ml_kem::kem::{Decapsulate, Encapsulate};
use ml_kem::{Ciphertext, Encoded, EncodedSizeUser, KemCore, MlKem768};
use sha3::digest::{ExtendableOutput, Update, XofReader};
use sha3::{Digest, Sha3_256, Shake256};
use x25519_dalek::{PublicKey as X25519Public, StaticSecret};
use zeroize::Zeroizing;

/// How long a public key is.
pub(crate) const PUBLIC_LENGTH: usize = 1216;
/// How long the ML-KEM part of a public key is.
const ML_KEM_PUBLIC_LENGTH: usize = 1184;
/// How long an encapsulated key is.
pub(crate) const ENCAPPED_LENGTH: usize = 1120;
/// How long the ML-KEM part of an encapsulated key is.
const ML_KEM_CIPHERTEXT_LENGTH: usize = 1088;
/// How long a seed is, which is the whole secret key.
pub(crate) const SEED_LENGTH: usize = 32;
/// What separates this KEM from others that hash the same parts.
const LABEL: &[u8] = br"\.//^\";

type DecapsulationKey = <MlKem768 as KemCore>::DecapsulationKey;
type EncapsulationKey = <MlKem768 as KemCore>::EncapsulationKey;

/// The KEM.
pub(crate) struct XWing;

/// A secret key: the seed of both parts.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SecretKey(Zeroizing<[u8; SEED_LENGTH]>);

/// A public key in its wire form; checked.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PublicKey(Box<[u8; PUBLIC_LENGTH]>);

/// An encapsulated key in its wire form.
#[derive(Clone)]
pub(crate) struct EncappedKey(Box<[u8; ENCAPPED_LENGTH]>);

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PublicKey")
    }
}

/// The two secret parts of a key.
struct Expanded {
    ml_kem: DecapsulationKey,
    ml_kem_public: EncapsulationKey,
    x25519: StaticSecret,
    x25519_public: X25519Public,
}

impl SecretKey {
    fn expand(&self) -> Expanded {
        let mut seeds = Zeroizing::new([0_u8; 96]);
        Shake256::default().chain(*self.0).finalize_xof().read(seeds.as_mut());
        let part = |from: usize| {
            let mut part = Zeroizing::new([0_u8; 32]);
            part.copy_from_slice(&seeds[from..from + 32]);
            part
        };
        let (d, z, scalar) = (part(0), part(32), part(64));
        let (ml_kem, ml_kem_public) = MlKem768::generate_deterministic(&(*d).into(), &(*z).into());
        let x25519 = StaticSecret::from(*scalar);
        let x25519_public = X25519Public::from(&x25519);
        Expanded { ml_kem, ml_kem_public, x25519, x25519_public }
    }
}

impl PublicKey {
    fn ml_kem(&self) -> Result<EncapsulationKey, HpkeError> {
        let part: &[u8] = &self.0[..ML_KEM_PUBLIC_LENGTH];
        let encoded = Encoded::<EncapsulationKey>::try_from(part).map_err(|_| HpkeError::ValidationError)?;
        let key = EncapsulationKey::from_bytes(&encoded);
        // FIPS 203 section 7.2: a key with numbers out of range is none. Reading reduces them, writing shows it.
        if key.as_bytes() == encoded { Ok(key) } else { Err(HpkeError::ValidationError) }
    }

    fn x25519(&self) -> X25519Public {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(&self.0[ML_KEM_PUBLIC_LENGTH..]);
        bytes.into()
    }
}

fn combine(
    ml_kem: &[u8],
    x25519: &[u8],
    ciphertext: &X25519Public,
    public: &X25519Public,
) -> SharedSecret<XWing> {
    let hash = Sha3_256::new()
        .chain_update(ml_kem)
        .chain_update(x25519)
        .chain_update(ciphertext.as_bytes())
        .chain_update(public.as_bytes())
        .chain_update(LABEL);
    SharedSecret(GenericArray::clone_from_slice(&hash.finalize()))
}

fn wrong_length(expected: usize, given: usize) -> HpkeError {
    HpkeError::IncorrectInputLength(expected, given)
}

impl Serializable for SecretKey {
    type OutputSize = U32;

    fn write_exact(&self, buffer: &mut [u8]) {
        buffer.copy_from_slice(self.0.as_ref());
    }
}

impl Deserializable for SecretKey {
    fn from_bytes(bytes: &[u8]) -> Result<Self, HpkeError> {
        let mut seed = Zeroizing::new([0; SEED_LENGTH]);
        if bytes.len() != seed.len() {
            return Err(wrong_length(SEED_LENGTH, bytes.len()));
        }
        seed.copy_from_slice(bytes);
        Ok(Self(seed))
    }
}

impl Serializable for PublicKey {
    type OutputSize = Sum<U1024, U192>;

    fn write_exact(&self, buffer: &mut [u8]) {
        buffer.copy_from_slice(self.0.as_ref());
    }
}

impl Deserializable for PublicKey {
    fn from_bytes(bytes: &[u8]) -> Result<Self, HpkeError> {
        let fixed = bytes.try_into().map_err(|_| wrong_length(PUBLIC_LENGTH, bytes.len()))?;
        let key = Self(Box::new(fixed));
        key.ml_kem()?;
        Ok(key)
    }
}

impl Serializable for EncappedKey {
    type OutputSize = Sum<U1024, U96>;

    fn write_exact(&self, buffer: &mut [u8]) {
        buffer.copy_from_slice(self.0.as_ref());
    }
}

impl Deserializable for EncappedKey {
    fn from_bytes(bytes: &[u8]) -> Result<Self, HpkeError> {
        let fixed = bytes.try_into().map_err(|_| wrong_length(ENCAPPED_LENGTH, bytes.len()))?;
        Ok(Self(Box::new(fixed)))
    }
}

impl hpke::Kem for XWing {
    type PublicKey = PublicKey;
    type PrivateKey = SecretKey;
    type EncappedKey = EncappedKey;
    type NSecret = U32;
    const KEM_ID: u16 = 0x647a;

    fn sk_to_pk(secret: &SecretKey) -> PublicKey {
        let expanded = secret.expand();
        let mut bytes = Box::new([0; PUBLIC_LENGTH]);
        bytes[..ML_KEM_PUBLIC_LENGTH].copy_from_slice(&expanded.ml_kem_public.as_bytes());
        bytes[ML_KEM_PUBLIC_LENGTH..].copy_from_slice(expanded.x25519_public.as_bytes());
        PublicKey(bytes)
    }

    fn derive_keypair(ikm: &[u8]) -> (SecretKey, PublicKey) {
        let mut seed = Zeroizing::new([0; SEED_LENGTH]);
        Shake256::default().chain(ikm).finalize_xof().read(seed.as_mut());
        let secret = SecretKey(seed);
        let public = Self::sk_to_pk(&secret);
        (secret, public)
    }

    fn decap(
        secret: &SecretKey,
        sender: Option<&PublicKey>,
        encapped: &EncappedKey,
    ) -> Result<SharedSecret<Self>, HpkeError> {
        // X-Wing has no authenticated form.
        if sender.is_some() {
            return Err(HpkeError::DecapError);
        }
        let expanded = secret.expand();
        let (ml_kem, x25519) = encapped.0.split_at(ML_KEM_CIPHERTEXT_LENGTH);
        let ciphertext = Ciphertext::<MlKem768>::try_from(ml_kem).map_err(|_| HpkeError::DecapError)?;
        let mut point = [0; 32];
        point.copy_from_slice(x25519);
        let point = X25519Public::from(point);
        let mut first = expanded.ml_kem.decapsulate(&ciphertext).map_err(|()| HpkeError::DecapError)?;
        let second = expanded.x25519.diffie_hellman(&point);
        // As upstream: a point of low order is refused.
        if !second.was_contributory() {
            return Err(HpkeError::DecapError);
        }
        let shared = combine(&first, second.as_bytes(), &point, &expanded.x25519_public);
        zeroize::Zeroize::zeroize(first.as_mut_slice());
        Ok(shared)
    }

    fn encap<R: CryptoRng + RngCore>(
        public: &PublicKey,
        sender: Option<(&SecretKey, &PublicKey)>,
        random: &mut R,
    ) -> Result<(SharedSecret<Self>, EncappedKey), HpkeError> {
        if sender.is_some() {
            return Err(HpkeError::EncapError);
        }
        let (ciphertext, mut first) =
            public.ml_kem()?.encapsulate(random).map_err(|()| HpkeError::EncapError)?;
        let mut scalar = Zeroizing::new([0; 32]);
        random.fill_bytes(scalar.as_mut());
        let ephemeral = StaticSecret::from(*scalar);
        let point = X25519Public::from(&ephemeral);
        let theirs = public.x25519();
        let second = ephemeral.diffie_hellman(&theirs);
        if !second.was_contributory() {
            return Err(HpkeError::EncapError);
        }
        let mut encapped = Box::new([0; ENCAPPED_LENGTH]);
        encapped[..ML_KEM_CIPHERTEXT_LENGTH].copy_from_slice(&ciphertext);
        encapped[ML_KEM_CIPHERTEXT_LENGTH..].copy_from_slice(point.as_bytes());
        let shared = combine(&first, second.as_bytes(), &point, &theirs);
        zeroize::Zeroize::zeroize(first.as_mut_slice());
        Ok((shared, EncappedKey(encapped)))
    }
}

#[cfg(test)]
mod tests {
    use hpke::{Deserializable, Kem, Serializable};
    use rand::rngs::OsRng;

    use super::{ENCAPPED_LENGTH, EncappedKey, PUBLIC_LENGTH, PublicKey, XWing};

    #[test]
    fn both_sides_get_the_same_secret() {
        let (secret, public) = XWing::derive_keypair(&[7; 32]);
        assert_eq!(public.to_bytes().len(), PUBLIC_LENGTH);
        let (sent, encapped) = XWing::encap(&public, None, &mut OsRng).expect("encapsulates");
        let read = EncappedKey::from_bytes(&encapped.to_bytes()).expect("reads");
        let received = XWing::decap(&secret, None, &read).expect("decapsulates");
        assert_eq!(sent.0, received.0);
        let (other, _) = XWing::derive_keypair(&[8; 32]);
        // ML-KEM rejects silently: another secret, not an error.
        assert_ne!(XWing::decap(&other, None, &read).expect("another secret").0, sent.0);
    }

    #[test]
    fn keys_out_of_range_are_refused() {
        let (_, public) = XWing::derive_keypair(&[7; 32]);
        let mut bytes = public.to_bytes().to_vec();
        bytes[..2].fill(0xff);
        assert!(PublicKey::from_bytes(&bytes).is_err(), "a number above the modulus");
        assert!(PublicKey::from_bytes(&bytes[1..]).is_err());
        let mut low = public.to_bytes().to_vec();
        low[PUBLIC_LENGTH - 32..].fill(0);
        let low = PublicKey::from_bytes(&low).expect("seen when used");
        assert!(XWing::encap(&low, None, &mut OsRng).is_err());
        let (secret, _) = XWing::derive_keypair(&[7; 32]);
        let zeros = EncappedKey::from_bytes(&[0; ENCAPPED_LENGTH]).expect("any bytes");
        assert!(XWing::decap(&secret, None, &zeros).is_err());
    }
}
