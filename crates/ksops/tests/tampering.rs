//! Every single-bit change of a ciphertext, a tag or a hashed value is refused, in each format.

mod support {
    pub(crate) mod open_service;
}

use ksops::decrypt::{DecryptRequest, decrypt};
use ksops::encrypt::{EncryptRequest, encrypt};
use ksops::policy::Policy;
use ksops_core::keys::master_key::{AgeKey, MasterKey};
use ksops_core::tree::selection::{RuleTexts, Selection};
use ksops_stores::format::Format;
use support::open_service::services;

fn encrypted(text: &str, format: Format) -> Vec<u8> {
    let rules = RuleTexts { encrypted_suffix: "s".to_owned(), ..RuleTexts::default() };
    let request = EncryptRequest {
        input_format: format,
        output_format: format,
        selection: Selection::for_encrypting(&rules).expect("a rule"),
        mac_only_encrypted: false,
        groups: vec![vec![MasterKey::Age(AgeKey { recipient: "age1test".into() })]],
        threshold: 0,
        indent: None,
        policy: Policy::Refuse,
        as_string: false,
        allow_unencrypted: false,
        layout: Default::default(),
    };
    encrypt(text.as_bytes(), &request, &services()).expect("encrypted").text
}

fn decrypted(text: &[u8], format: Format) -> Option<Vec<u8>> {
    let request = DecryptRequest {
        input_format: format,
        output_format: format,
        ignore_mac: false,
        extract: None,
        indent: None,
        policy: Policy::Refuse,
        decryption_order: Default::default(),
        layout: Default::default(),
    };
    decrypt(text, &request, &services()).ok().map(|decrypted| decrypted.text.to_vec())
}

/// Flips each bit between `start` and `end`; what is still read must be what it was (base64 has unused bits).
fn flip_all(file: &[u8], span: std::ops::Range<usize>, format: Format) -> usize {
    let original = decrypted(file, format).expect("unchanged");
    let mut changed = file.to_vec();
    let mut accepted = 0;
    for at in span {
        for bit in 0..8 {
            changed[at] ^= 1 << bit;
            if let Some(found) = decrypted(&changed, format) {
                assert!(
                    found == original,
                    "{format}: bit {bit} of byte {at} changes the plaintext unnoticed"
                );
                accepted += 1;
            }
            changed[at] ^= 1 << bit;
        }
    }
    accepted
}

fn spans(file: &[u8], head: &str, tail: char) -> Vec<std::ops::Range<usize>> {
    let text = std::str::from_utf8(file).expect("text");
    text.match_indices(head)
        .map(|(at, _)| at + head.len()..at + head.len() + text[at + head.len()..].find(tail).expect("an end"))
        .collect()
}

#[test]
fn every_changed_bit_is_refused() {
    let cases = [
        (Format::Yaml, "s: secret text\nls:\n    - 42\nplain: visible\n"),
        (Format::Json, "{\"s\": \"secret text\", \"ls\": [42], \"plain\": \"visible\"}"),
        (Format::Dotenv, "s=secret text\nls=42\nplain=visible\n"),
        (Format::Ini, "[a]\ns = secret text\nls = 42\nplain = visible\n"),
    ];
    for (format, text) in cases {
        let file = encrypted(text, format);
        let envelopes = [spans(&file, "data:", ','), spans(&file, "tag:", ',')].concat();
        assert_eq!(envelopes.len(), 6, "two values and the MAC, {format}");
        for span in envelopes {
            // Only the last characters of base64 have bits without a meaning.
            assert!(flip_all(&file, span, format) <= 8, "{format}");
        }
        let at = file.windows(7).position(|window| window == b"visible").expect("left plain");
        assert_eq!(flip_all(&file, at..at + 7, format), 0, "{format}: a hashed value");
    }
}
