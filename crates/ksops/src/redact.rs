//! The document with every secret masked, for logs, reviews and AI assistants.
//!
//! The masks are made of the encrypted file alone: a plaintext never gets near the output, also when the file was
//! decrypted before to check it.

use ksops_core::document::decrypt::{DecryptError as TreeError, Options};
use ksops_core::document::mask::{Strings, mask};
use ksops_core::document::warning::Warning;
use ksops_core::metadata::wire;
use ksops_core::tree::branch::Branch;
use ksops_core::tree::selection::Selection;
use ksops_stores::file::MetadataError;
use ksops_stores::format::Format;
use memchr::memmem;

use crate::decrypt::{DecryptError, DecryptRequest, print};
use crate::open::{OpenRequest, Opened, open_with, read};
use crate::services::Services;

/// How many places a warning names.
const NAMED_PLACES: usize = 5;

/// A masked file.
pub struct Redacted {
    /// The text.
    pub text: Vec<u8>,
    /// What the user should know, one line each.
    pub warnings: Vec<String>,
}

/// Masks `input` without any key. Nothing is authenticated: anybody may have changed what stands there plain.
///
/// What `request` says of the MAC and of keys is not looked at.
///
/// # Errors
/// [`DecryptError`] if the file is not encrypted: without metadata nothing tells what is secret.
///
/// ```
/// use ksops::decrypt::DecryptRequest;
/// use ksops::ksops_stores::format::Format;
/// use ksops::policy::Policy;
/// use ksops::redact::view;
///
/// let request = DecryptRequest {
///     input_format: Format::Yaml,
///     output_format: Format::Yaml,
///     ignore_mac: false,
///     extract: None,
///     indent: None,
///     policy: Policy::Refuse,
///     decryption_order: Default::default(),
///     layout: Default::default(),
/// };
/// assert!(view(b"password: plain\n", &request).is_err());
/// ```
pub fn view(input: &[u8], request: &DecryptRequest) -> Result<Redacted, DecryptError> {
    let (mut branches, block, notices) = read(input, &OpenRequest::of(request))?;
    let metadata = wire::from_branch(&block?).map_err(MetadataError::from)?;
    let (selection, problem) = Selection::for_decrypting(&metadata.rules).map_err(TreeError::from)?;
    let mut warnings: Vec<String> = notices.iter().map(ToString::to_string).collect();
    warnings.extend(problem.map(|problem| Warning::InvalidPattern(problem).to_string()));
    mask_all(&mut branches, &selection, request, &mut warnings)?;
    Ok(Redacted { text: printed(branches, input, request, &mut warnings)?, warnings })
}

/// As [`crate::decrypt::decrypt`], to the MAC and with all its errors; but gives the masked document. So what stands
/// there plain is as its writer left it.
///
/// # Errors
/// [`DecryptError`].
pub fn decrypt_redacted(
    input: &[u8],
    request: &DecryptRequest,
    services: &Services,
) -> Result<Redacted, DecryptError> {
    let opened = open_with(input, &OpenRequest::of(request), services, Options::default())?;
    let Opened { mut warnings, .. } = opened;
    let shown = view(input, request)?;
    let known: Vec<String> = shown.warnings.into_iter().filter(|line| !warnings.contains(line)).collect();
    warnings.extend(known);
    Ok(Redacted { text: shown.text, warnings })
}

fn mask_all(
    branches: &mut [Branch],
    selection: &Selection,
    request: &DecryptRequest,
    warnings: &mut Vec<String>,
) -> Result<(), DecryptError> {
    let is_binary = request.input_format == Format::Binary;
    let strings = if is_binary { Strings::Bytes } else { Strings::Text };
    // The one value of a binary file is always encrypted, whatever the metadata say.
    let all = Selection::default();
    let selection = if is_binary { &all } else { selection };
    let mut bare = Vec::new();
    for (document, branch) in branches.iter_mut().enumerate() {
        bare.extend(mask(branch, document, selection, strings)?);
    }
    if !bare.is_empty() {
        let named: Vec<String> = bare.iter().take(NAMED_PLACES).map(ToString::to_string).collect();
        let more = if bare.len() > NAMED_PLACES { ", …" } else { "" };
        warnings.push(format!(
            "not encrypted in the file, although its rule says so, and masked all the same: {}{more}",
            named.join(", ")
        ));
    }
    Ok(())
}

fn printed(
    branches: Vec<Branch>,
    input: &[u8],
    request: &DecryptRequest,
    warnings: &mut Vec<String>,
) -> Result<Vec<u8>, DecryptError> {
    let mut text = print(branches, input, request, warnings)?.to_vec();
    match request.output_format {
        // The mask alone is no line yet.
        Format::Binary => text.push(b'\n'),
        Format::Json => text = with_brackets(&text),
        _ => {}
    }
    Ok(text)
}

/// JSON with the brackets of masks as such: upstream's form of JSON, made for web pages, has escapes for them.
fn with_brackets(json: &[u8]) -> Vec<u8> {
    const START: &[u8] = b"\"\\u003credacted";
    const END: &[u8] = b"\\u003e\"";
    let mut out = Vec::with_capacity(json.len());
    let mut copied = 0;
    // What follows a quotation mark is an escape, never the end of an escaped backslash.
    for start in memmem::find_iter(json, START) {
        let inner = start + START.len();
        let rest = &json[inner..];
        let length =
            rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b" -".contains(byte)).count();
        if rest[length..].starts_with(END) {
            out.extend_from_slice(&json[copied..start]);
            out.extend_from_slice(b"\"<redacted");
            out.extend_from_slice(&rest[..length]);
            out.extend_from_slice(b">\"");
            copied = inner + length + END.len();
        }
    }
    out.extend_from_slice(&json[copied..]);
    out
}

#[cfg(test)]
mod tests {
    use super::with_brackets;

    #[test]
    fn brackets_of_masks_are_written_as_such_and_nothing_else_changes() {
        let cases = [
            (
                r#"["\u003credacted str 1-8\u003e", "\u003credacted\u003e"]"#,
                r#"["<redacted str 1-8>", "<redacted>"]"#,
            ),
            (r#"{"a": "\u003cb\u003e"}"#, r#"{"a": "\u003cb\u003e"}"#),
            (r#""\\u003credacted str 1-8\u003e""#, r#""\\u003credacted str 1-8\u003e""#),
            (r#""\u003credacted str 1-8\\u003e""#, r#""\u003credacted str 1-8\\u003e""#),
            (r#""\u003credacted"#, r#""\u003credacted"#),
        ];
        for (json, expected) in cases {
            assert_eq!(String::from_utf8(with_brackets(json.as_bytes())).expect("text"), expected);
        }
    }
}
