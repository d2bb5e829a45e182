//! ssh public keys: their text and wire forms.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest, Sha256};

/// No key needs more; the largest RSA key in use has 16384 bits.
const WIRE_LIMIT: usize = 8192;
/// How many bits an RSA key has at least.
const RSA_BITS: usize = 2048;

/// A public key of one of the two kinds that age knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SshPublicKey {
    /// The key as ssh sends it.
    pub(crate) wire: Vec<u8>,
    /// Its content.
    pub(crate) key: SshKey,
}

/// The content of a public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SshKey {
    /// `ssh-ed25519`: the point.
    Ed25519([u8; 32]),
    /// `ssh-rsa`: modulus and exponent, big-endian.
    Rsa {
        /// The modulus.
        modulus: Vec<u8>,
        /// The exponent.
        exponent: Vec<u8>,
    },
}

impl SshPublicKey {
    /// Reads the one-line form of `authorized_keys`: type, base64, comment.
    ///
    /// # Errors
    /// What is wrong with it; the wording is upstream's where it has one.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut words = text.split_ascii_whitespace();
        let kind = words.next().unwrap_or_default();
        let key = words.next().ok_or("ssh: no key found")?;
        let wire = STANDARD.decode(key).map_err(|_| "ssh: no key found; the key is not in base64")?;
        if kind != "ssh-ed25519" && kind != "ssh-rsa" {
            return Err("unknown type; ssh-ed25519 and ssh-rsa are known");
        }
        let parsed = Self::from_wire(&wire)?;
        if parsed.kind() != kind {
            return Err("ssh: the key is of another type than it says");
        }
        Ok(parsed)
    }

    /// Reads the wire form.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn from_wire(wire: &[u8]) -> Result<Self, &'static str> {
        const CUT: &str = "ssh: the key is cut off";
        if wire.len() > WIRE_LIMIT {
            return Err("ssh: the key is too long");
        }
        let mut rest = wire;
        let kind = field(&mut rest).ok_or(CUT)?;
        let key = match kind {
            b"ssh-ed25519" => {
                let point = field(&mut rest).ok_or(CUT)?;
                SshKey::Ed25519(point.try_into().map_err(|_| "ssh: an ed25519 key has 32 bytes")?)
            }
            b"ssh-rsa" => {
                let exponent = number(field(&mut rest).ok_or(CUT)?)?;
                let modulus = number(field(&mut rest).ok_or(CUT)?)?;
                if bits(&modulus) < RSA_BITS {
                    return Err("RSA key size is too small");
                }
                SshKey::Rsa { modulus, exponent }
            }
            _ => return Err("unknown type; ssh-ed25519 and ssh-rsa are known"),
        };
        if !rest.is_empty() {
            return Err("ssh: there is more behind the key");
        }
        Ok(Self { wire: wire.to_vec(), key })
    }

    /// An RSA key of its numbers, big-endian.
    ///
    /// # Errors
    /// If it is too small.
    pub(crate) fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, &'static str> {
        let mut wire = Vec::new();
        put(&mut wire, b"ssh-rsa");
        put_number(&mut wire, exponent);
        put_number(&mut wire, modulus);
        Self::from_wire(&wire)
    }

    /// An ed25519 key.
    pub(crate) fn ed25519(point: [u8; 32]) -> Self {
        let mut wire = Vec::new();
        put(&mut wire, b"ssh-ed25519");
        put(&mut wire, &point);
        Self { wire, key: SshKey::Ed25519(point) }
    }

    /// The word for its kind, which is also the type of its stanza.
    pub(crate) fn kind(&self) -> &'static str {
        match self.key {
            SshKey::Ed25519(_) => "ssh-ed25519",
            SshKey::Rsa { .. } => "ssh-rsa",
        }
    }

    /// The text form, without a comment.
    pub(crate) fn text(&self) -> String {
        format!("{} {}", self.kind(), STANDARD.encode(&self.wire))
    }

    /// What a stanza names the key by.
    pub(crate) fn tag(&self) -> String {
        STANDARD_NO_PAD.encode(&Sha256::digest(&self.wire)[..4])
    }
}

/// How many bits a number without leading zeros has.
fn bits(number: &[u8]) -> usize {
    let top = number.first().map_or(0, |byte| byte.leading_zeros() as usize);
    (number.len() * 8).saturating_sub(top)
}

/// Takes a field: four bytes of length, and the content.
fn field<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, tail) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    if length > tail.len() {
        return None;
    }
    let (content, tail) = tail.split_at(length);
    *rest = tail;
    Some(content)
}

/// A positive number, without its leading zeros.
fn number(field: &[u8]) -> Result<Vec<u8>, &'static str> {
    if field.first().is_none_or(|byte| *byte >= 0x80) {
        return Err("ssh: a number of the key is not positive");
    }
    let start = field.iter().position(|byte| *byte != 0).ok_or("ssh: a number of the key is zero")?;
    Ok(field[start..].to_vec())
}

fn put(wire: &mut Vec<u8>, content: &[u8]) {
    // A key has some thousand bytes at most.
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    wire.extend(length.to_be_bytes());
    wire.extend(content);
}

fn put_number(wire: &mut Vec<u8>, number: &[u8]) {
    let start = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    let number = &number[start..];
    let sign: &[u8] = if number.first().is_some_and(|byte| *byte >= 0x80) { &[0] } else { &[] };
    put(wire, &[sign, number].concat());
}

#[cfg(test)]
mod tests {
    use super::{SshKey, SshPublicKey, put, put_number};

    const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN";

    #[test]
    fn the_text_is_read_and_written() {
        let key = SshPublicKey::parse(&format!("{ED25519} me@host more")).expect("valid");
        assert_eq!(key.text(), ED25519);
        let SshKey::Ed25519(point) = key.key else { panic!("{key:?}") };
        assert_eq!(SshPublicKey::ed25519(point).wire, key.wire);
        let rsa = SshPublicKey::rsa(&[0x81; 256], &[1, 0, 1]).expect("large enough");
        assert_eq!(SshPublicKey::parse(&rsa.text()), Ok(rsa));
    }

    #[test]
    fn keys_that_are_not_in_order_are_refused() {
        assert!(SshPublicKey::rsa(&[0x7f; 256], &[3]).is_err(), "2047 bits");
        for end in 0..50 {
            let wire = SshPublicKey::parse(ED25519).expect("valid").wire;
            assert!(SshPublicKey::from_wire(&wire[..end]).is_err());
            assert!(SshPublicKey::from_wire(&[wire, vec![0]].concat()).is_err());
        }
        let mut wire = Vec::new();
        put(&mut wire, b"ssh-rsa");
        put_number(&mut wire, &[]);
        put(&mut wire, &[0x80; 300]);
        assert!(SshPublicKey::from_wire(&wire).is_err(), "no exponent, negative modulus");
    }
}
