//! The text form of an encrypted value, `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]` (file-format.md section 2.3).

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::crypto::gcm::TAG_LEN;

/// Padding is required on reading, unused trailing bits are not looked at.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

const HEAD: &[u8] = b"ENC[AES256_GCM,data:";
const IV: &[u8] = b",iv:";
const TAG: &[u8] = b",tag:";
const TYPE: &[u8] = b",type:";

/// The parts of an envelope, still in base64.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Envelope<'a> {
    data: &'a [u8],
    iv: &'a [u8],
    tag: &'a [u8],
    kind: &'a [u8],
}

/// A part of an envelope, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The ciphertext.
    Data,
    /// The nonce.
    Iv,
    /// The tag.
    Tag,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Data => "data",
            Self::Iv => "iv",
            Self::Tag => "tag",
        })
    }
}

impl<'a> Envelope<'a> {
    /// Finds the parts of `text`, or nothing if it is no envelope.
    ///
    /// Upstream matches at the start with greedy groups of at least one character that hold no newline, and ignores
    /// what follows the last `]`. Each group then ends at the last separator that still leaves room for the rest,
    /// so looking from the end finds the same parts in linear time. One text more is taken than upstream takes: no
    /// ciphertext at all, as rops writes an empty string. Its tag authenticates it as any other.
    #[must_use]
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let rest = text.strip_prefix(HEAD)?;
        let line = memchr::memchr(b'\n', rest).map_or(rest, |end| &rest[..end]);
        let end = line.iter().rposition(|byte| *byte == b']')?;
        let (before, kind) = split_last(line.get(..end)?, TYPE)?;
        let (before, tag) = split_last(before, TAG)?;
        let (data, iv) = split_last(before, IV)?;
        Some(Self { data, iv, tag, kind })
    }

    /// The text of the type, unchecked.
    #[must_use]
    pub fn kind(&self) -> &'a [u8] {
        self.kind
    }

    /// The number of bytes of the plaintext, told by the length of the base64 alone. Wrong if a part is not base64.
    #[must_use]
    pub fn plaintext_len(&self) -> usize {
        // As in decrypting: the tag is the last bytes of both parts together.
        (decoded_len(self.data) + decoded_len(self.tag)).saturating_sub(TAG_LEN)
    }

    /// Decodes the ciphertext with the tag behind it.
    ///
    /// # Errors
    /// The part that is not base64, the ciphertext before the tag.
    pub fn decode_sealed(&self) -> Result<Vec<u8>, Part> {
        let mut sealed = Vec::with_capacity((self.data.len() + self.tag.len()) / 4 * 3 + 6);
        decode(self.data, &mut sealed).ok_or(Part::Data)?;
        decode(self.tag, &mut sealed).ok_or(Part::Tag)?;
        Ok(sealed)
    }

    /// Decodes the nonce into `buffer`, whose content it replaces.
    ///
    /// # Errors
    /// [`Part::Iv`] if it is not base64.
    pub fn decode_iv(&self, buffer: &mut Vec<u8>) -> Result<(), Part> {
        buffer.clear();
        decode(self.iv, buffer).ok_or(Part::Iv)
    }
}

/// Writes an envelope, in one allocation.
#[must_use]
pub fn write(data: &[u8], iv: &[u8], tag: &[u8], kind: &str) -> Vec<u8> {
    let base64_len = |bytes: &[u8]| bytes.len().div_ceil(3) * 4;
    let fixed = HEAD.len() + IV.len() + TAG.len() + TYPE.len() + kind.len() + 1;
    let mut text = Vec::with_capacity(fixed + base64_len(data) + base64_len(iv) + base64_len(tag));
    for (head, part) in [(HEAD, data), (IV, iv), (TAG, tag)] {
        text.extend_from_slice(head);
        let start = text.len();
        text.resize(start + base64_len(part), 0);
        // The room is exact, so the only error, too little of it, cannot happen; it would cut the text.
        let written = BASE64.encode_slice(part, &mut text[start..]).unwrap_or(0);
        text.truncate(start + written);
    }
    text.extend_from_slice(TYPE);
    text.extend_from_slice(kind.as_bytes());
    text.push(b']');
    text
}

/// Splits at the last `separator` that has something behind it.
fn split_last<'a>(text: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let last = text.len().checked_sub(separator.len() + 1)?;
    let starts = |start: &usize| text[*start] == b',' && text[*start..].starts_with(separator);
    let start = (0..=last).rev().find(starts)?;
    Some((&text[..start], &text[start + separator.len()..]))
}

/// How many bytes a base64 text stands for.
fn decoded_len(text: &[u8]) -> usize {
    let signs = text.iter().filter(|byte| !matches!(byte, b'\r' | b'=')).count();
    signs / 4 * 3 + (signs % 4).saturating_sub(1)
}

/// Appends the decoded text to `out`; carriage returns are skipped as upstream does.
fn decode(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    if text.contains(&b'\r') {
        let text: Vec<u8> = text.iter().copied().filter(|byte| *byte != b'\r').collect();
        BASE64.decode_vec(&text, out).ok()
    } else {
        BASE64.decode_vec(text, out).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::{Envelope, Part, write};

    fn parts(text: &str) -> Option<(Vec<u8>, Vec<u8>, String)> {
        let envelope = Envelope::parse(text.as_bytes())?;
        let mut iv = Vec::new();
        envelope.decode_iv(&mut iv).ok()?;
        Some((envelope.decode_sealed().ok()?, iv, String::from_utf8(envelope.kind().to_vec()).ok()?))
    }

    #[test]
    fn ignores_what_follows_the_last_bracket() {
        let expected = Some((b"abc".to_vec(), b"i".to_vec(), "str".to_owned()));
        assert_eq!(parts("ENC[AES256_GCM,data:YWI=,iv:aQ==,tag:Yw==,type:str]"), expected);
        assert_eq!(parts("ENC[AES256_GCM,data:YWI=,iv:aQ==,tag:Yw==,type:str]trail\n]"), expected);
    }

    #[test]
    fn groups_are_greedy() {
        let text = b"ENC[AES256_GCM,data:a,iv:b,iv:c,tag:d,tag:e,type:f,type:g]h]";
        let envelope = Envelope::parse(text).expect("an envelope");
        assert_eq!(envelope.data, b"a,iv:b");
        assert_eq!(envelope.iv, b"c,tag:d");
        assert_eq!(envelope.tag, b"e,type:f");
        assert_eq!(envelope.kind, b"g]h");
    }

    #[test]
    fn the_ciphertext_of_an_empty_string_is_empty_in_rops() {
        let expected = Some((b"c".to_vec(), b"i".to_vec(), "str".to_owned()));
        assert_eq!(parts("ENC[AES256_GCM,data:,iv:aQ==,tag:Yw==,type:str]"), expected);
    }

    #[test]
    fn every_group_but_the_ciphertext_needs_a_character() {
        for text in [
            "ENC[AES256_GCM,data:YWI=,iv:,tag:Yw==,type:str]",
            "ENC[AES256_GCM,data:YWI=,iv:aQ==,tag:,type:str]",
            "ENC[AES256_GCM,data:YWI=,iv:aQ==,tag:Yw==,type:]",
            "ENC[AES256_GCM,data:YWI=,iv:aQ==,tag:Yw==,type:str",
            " ENC[AES256_GCM,data:YWI=,iv:aQ==,tag:Yw==,type:str]",
            "ENC[AES256_GCM,data:YW\nI=,iv:aQ==,tag:Yw==,type:str]",
            "ENC[",
            "",
        ] {
            assert!(parts(text).is_none(), "{text}");
        }
        // The last separator that leaves room ends the data, so the first belongs to it.
        let envelope = Envelope::parse(b"ENC[AES256_GCM,data:,iv:,iv:x,tag:y,type:z]").expect("an envelope");
        assert_eq!(envelope.data, b",iv:");
    }

    #[test]
    fn base64_is_read_as_upstream_reads_it() {
        assert!(parts("ENC[AES256_GCM,data:YW\rI=,iv:aQ==,tag:Yw==,type:str]").is_some());
        assert!(parts("ENC[AES256_GCM,data:YWJ=,iv:aQ==,tag:Yw==,type:str]").is_some(), "trailing bits");
        let envelope = Envelope::parse(b"ENC[AES256_GCM,data:YWI=,iv:aQ,tag:Yw==,type:str]").expect("one");
        assert_eq!(envelope.decode_iv(&mut Vec::new()), Err(Part::Iv), "padding is required");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            data in proptest::collection::vec(any::<u8>(), 1..200),
            iv in proptest::collection::vec(any::<u8>(), 1..40),
        ) {
            let text = write(&data, &iv, &[7; 16], "float");
            prop_assert_eq!(text.capacity(), text.len());
            let envelope = Envelope::parse(&text).expect("an envelope");
            let mut sealed = data;
            sealed.extend([7; 16]);
            prop_assert_eq!(envelope.plaintext_len(), sealed.len() - 16);
            prop_assert_eq!(envelope.decode_sealed(), Ok(sealed));
            let mut read = Vec::new();
            prop_assert!(envelope.decode_iv(&mut read).is_ok());
            prop_assert_eq!(read, iv);
            prop_assert_eq!(envelope.kind(), b"float");
        }

        #[test]
        fn reading_never_panics(text in proptest::collection::vec(any::<u8>(), 0..100)) {
            let mut envelope = b"ENC[AES256_GCM,data:".to_vec();
            envelope.extend(text);
            let _ = Envelope::parse(&envelope).map(|envelope| envelope.decode_sealed());
        }
    }
}
