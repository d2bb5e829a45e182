//! The document with every secret masked, for logs, reviews and AI assistants.
//!
//! The masks are made of the encrypted file alone: a plaintext never gets near the output, also when the file was
//! decrypted before to check it.

use ksops_core::document::decrypt::DecryptError as TreeError;
use ksops_core::document::mask::{Strings, mask};
use ksops_core::document::warning::Warning;
use ksops_core::metadata::wire;
use ksops_core::tree::branch::Branch;
use ksops_core::tree::selection::Selection;
use ksops_stores::file::MetadataError;
use ksops_stores::format::Format;

use crate::decrypt::{DecryptError, DecryptRequest, open, print, read};
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
/// };
/// assert!(view(b"password: plain\n", &request).is_err());
/// ```
pub fn view(input: &[u8], request: &DecryptRequest) -> Result<Redacted, DecryptError> {
    let (mut branches, block, notices) = read(input, request)?;
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
    let (tree, mut warnings) = open(input, request, services)?;
    drop(tree);
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
    if request.output_format == Format::Binary {
        // The mask alone is no line yet.
        text.push(b'\n');
    }
    Ok(text)
}
