//! A message and key files to a data key.

use zeroize::Zeroizing;

use crate::native::armour;
use crate::native::cipher;
use crate::native::packet::packets;
use crate::native::ring::{self, SecretKey, SecretKind};
use crate::native::session::Sealed;

const SESSION_KEY: u8 = 1;
const ENCRYPTED: u8 = 9;
const ENCRYPTED_WITH_CHECK: u8 = 18;
const ENCRYPTED_WITH_OCB: u8 = 20;

/// Decrypts `message` with the keys in `file`.
///
/// # Errors
/// Why not, without any of the contents.
pub(crate) fn decrypt(message: &[u8], file: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
    let keys = ring::read(file).ok_or("the key file is not in order")?;
    let bytes = armour::bytes(message).ok_or("the armour of the message is not in order")?;
    let message = packets(&bytes).ok_or("the message is not in order")?;
    let sealed: Vec<Sealed<'_>> = message
        .iter()
        .filter(|packet| packet.tag == SESSION_KEY)
        .filter_map(|packet| Sealed::read(&packet.body))
        .collect();
    let body = message.iter().find_map(|packet| match (packet.tag, packet.body.split_first()) {
        (ENCRYPTED_WITH_CHECK, Some((1, body))) => Some(Ok(body)),
        (ENCRYPTED_WITH_CHECK | ENCRYPTED_WITH_OCB, _) => Some(Err("its cipher (OCB) needs GnuPG")),
        (ENCRYPTED, _) => Some(Err("it has no protection against changes")),
        _ => None,
    });
    let body = body.ok_or("the message holds nothing that is encrypted")??;
    let (mut is_locked, mut is_there) = (false, false);
    let mut last = None;
    for sealed in &sealed {
        let fits = |key: &&SecretKey| sealed.id.is_none_or(|id| id == key.id);
        for key in keys.iter().filter(fits) {
            is_locked |= matches!(key.kind, SecretKind::Locked);
            is_there = true;
            let Some(session) = sealed.open(key) else { continue };
            match cipher::decrypt(body, &session) {
                Ok(plain) => return Ok(plain),
                Err(why) => last = Some(why),
            }
        }
    }
    Err(match (last, is_locked) {
        (Some(why), _) => why.to_owned(),
        (None, true) => "its key is under a passphrase, which needs GnuPG".to_owned(),
        (None, false) if is_there => "its key does not open it, or is of a kind that needs GnuPG".to_owned(),
        (None, false) => {
            let named: Vec<String> = sealed.iter().filter_map(|sealed| sealed.id).map(hex).collect();
            format!("the key file does not hold its key ({})", named.join(", "))
        }
    })
}

fn hex(id: [u8; 8]) -> String {
    id.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::decrypt;

    fn fixture(name: &str) -> Vec<u8> {
        let path = format!("{}/../../../fixtures/pgp/{name}", env!("CARGO_MANIFEST_DIR"));
        fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    #[test]
    fn messages_of_gnupg_are_decrypted_for_every_kind_of_key() {
        let plain: Vec<u8> = (0..32).collect();
        for (message, key) in [
            ("to-rsa.asc", "rsa.key.asc"),
            ("to-rsa.asc", "rsa.key.gpg"),
            ("to-rsa-uncompressed.asc", "rsa.key.asc"),
            ("to-rsa-hidden-zip.asc", "rsa.key.asc"),
            ("to-cv25519.asc", "cv25519.key.asc"),
            ("to-cv25519-aes128.asc", "cv25519.key.asc"),
            ("to-nistp256.asc", "nistp256.key.asc"),
            ("to-nistp521.asc", "nistp521.key.asc"),
        ] {
            let found = decrypt(&fixture(message), &fixture(key));
            assert_eq!(found.as_deref(), Ok(&plain), "{message}, {key}");
        }
    }

    #[test]
    fn what_cannot_be_decrypted_is_told() {
        for (message, key, why) in [
            ("to-locked.asc", "locked.key.asc", "under a passphrase"),
            ("to-rsa.asc", "cv25519.key.asc", "does not hold its key"),
            ("to-rsa-3des.asc", "rsa.key.asc", "is not AES"),
            // Its wrapping key is one of AES-192.
            ("to-nistp384.asc", "nistp384.key.asc", "of a kind that needs GnuPG"),
            ("rsa.key.asc", "rsa.key.asc", "nothing that is encrypted"),
            ("to-rsa.asc", "to-rsa.asc", "does not hold its key"),
        ] {
            let said = decrypt(&fixture(message), &fixture(key)).expect_err(message);
            assert!(said.contains(why), "{message}: {said}");
        }
        assert!(decrypt(b"", b"").is_err() && decrypt(b"-----BEGIN PGP", b"\xff").is_err());
    }

    #[test]
    fn no_change_of_a_message_or_a_key_gives_another_plaintext_or_a_panic() {
        let plain: Vec<u8> = (0..32).collect();
        // RSA takes long in a build without optimisation.
        for (message, key, step) in
            [("to-cv25519.asc", "cv25519.key.asc", 1), ("to-rsa-uncompressed.asc", "rsa.key.asc", 29)]
        {
            let key = crate::native::armour::bytes(&fixture(key)).expect("armour");
            let whole = crate::native::armour::bytes(&fixture(message)).expect("armour");
            for at in (0..whole.len()).step_by(step) {
                for bit in [0, 3, 7] {
                    let mut changed = whole.to_vec();
                    changed[at] ^= 1 << bit;
                    if let Ok(found) = decrypt(&changed, &key) {
                        assert_eq!(*found, plain, "bit {bit} of byte {at}");
                    }
                }
                assert!(decrypt(&whole[..at], &key).is_err(), "cut at {at}");
            }
            for at in (0..key.len()).step_by(step) {
                let mut changed = key.to_vec();
                changed[at] ^= 0x41;
                if let Ok(found) = decrypt(&whole, &changed) {
                    assert_eq!(*found, plain, "byte {at} of the key");
                }
                let _ = decrypt(&whole, &key[..at]);
            }
        }
    }
}
