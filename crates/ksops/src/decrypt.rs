//! Decrypting a file: nothing is given out before the MAC agrees.

use ksops_core::document::decrypt::{DecryptError as TreeError, Options};
use ksops_core::keys::decryption_order::DecryptionOrder;
use ksops_core::keys::recover::RecoverError;
use ksops_core::tree::branch::{Branch, Node};
use ksops_core::value::Value;
use ksops_stores::file::{self, Layout, Like, MetadataError, ReadError, WriteError};
use ksops_stores::format::Format;
use ksops_stores::misfit::Misfit;
use zeroize::Zeroizing;

use crate::extract::{ExtractError, PathPart, find};
use crate::layout::{Layout as Keeping, not_kept};
use crate::open::{OpenRequest, Opened, open_with};
use crate::policy::Policy;
use crate::services::Services;

/// What to decrypt, and how.
pub struct DecryptRequest {
    /// The format of the input.
    pub input_format: Format,
    /// The format of the output.
    pub output_format: Format,
    /// Gives out the values whatever the MAC says. They may have been changed by anybody.
    pub ignore_mac: bool,
    /// Gives out one part of the first document only.
    pub extract: Option<Vec<PathPart>>,
    /// The indentation; nothing or 0 for the format's default.
    pub indent: Option<i64>,
    /// Whether it is upstream's way: numbers that are not encrypted lose their text, and where the output's format
    /// holds one document only the others are left out.
    pub policy: Policy,
    /// Which kinds of keys are tried first.
    pub decryption_order: DecryptionOrder,
    /// Whether the layout of the input is kept, if the format stays.
    pub layout: Keeping,
}

/// A decrypted file.
pub struct Decrypted {
    /// The text; wiped when dropped.
    pub text: Zeroizing<Vec<u8>>,
    /// What the user should know, one line each.
    pub warnings: Vec<String>,
}

/// Why a file was not decrypted. No message holds a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecryptError {
    /// The input cannot be read in its format.
    #[error(transparent)]
    Load(#[from] ReadError),
    /// The metadata is missing or cannot be read.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The data key could not be recovered.
    #[error(transparent)]
    Recover(#[from] RecoverError),
    /// A value cannot be decrypted, or the MAC does not agree.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The part asked for is not there.
    #[error(transparent)]
    Extract(#[from] ExtractError),
    /// The layout cannot be kept, and nothing else will do.
    #[error("the layout of the file cannot be kept: {0}")]
    Layout(Misfit),
    /// The tree cannot be printed in the output's format.
    #[error(transparent)]
    Emit(#[from] WriteError),
}

impl DecryptError {
    /// What the user can do, one sentence each.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Recover(RecoverError::Groups(report)) => {
                report.hints().into_iter().map(str::to_owned).collect()
            }
            Self::Metadata(error) if error.is_missing() => {
                vec!["the file is not encrypted; `ksops encrypt` does that".into()]
            }
            Self::Tree(TreeError::Mac(_)) => vec![
                "the file was changed without sops, or merged by hand; compare it with its last good version"
                    .into(),
            ],
            _ => Vec::new(),
        }
    }
}

/// Decrypts `input`.
///
/// # Errors
/// [`DecryptError`]; nothing of the plaintext is given out then.
pub fn decrypt(
    input: &[u8],
    request: &DecryptRequest,
    services: &Services,
) -> Result<Decrypted, DecryptError> {
    let open = OpenRequest::of(request);
    let Opened { branches, mut warnings, .. } = open_with(input, &open, services, Options::default())?;
    Ok(Decrypted { text: print(branches, input, request, &mut warnings)?, warnings })
}

/// Prints the documents, or the part asked for.
pub(crate) fn print(
    mut branches: Vec<Branch>,
    input: &[u8],
    request: &DecryptRequest,
    warnings: &mut Vec<String>,
) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
    let format = request.output_format;
    let mut layout = Layout { indent: request.indent, like: None };
    let mut is_part = false;
    if request.policy == Policy::Warn && format != Format::Yaml && branches.len() > 1 {
        warnings.push(format!("{format} holds one document only: {} are left out", branches.len() - 1));
        branches.truncate(1);
    }
    if let Some(path) = request.extract.as_deref().filter(|path| !path.is_empty()) {
        let first = branches.first_mut().map(std::mem::take).unwrap_or_default();
        match find(Node::Map(first), path)? {
            Node::Leaf(Value::Text(text)) => return Ok(text.into_bytes()),
            // As upstream: a mapping takes the first document's place and the other documents follow.
            Node::Map(part) => {
                branches[0] = part;
                is_part = true;
            }
            part => return Ok(file::write_value(part, format, layout)?),
        }
    }
    if request.input_format == format && !is_part {
        layout.like = Some(input);
        if request.layout.is_kept() && file::keeps_layout(format) {
            match file::write_plain_like(&branches, format, Like::of(input), request.indent) {
                Ok(text) => return Ok(text),
                Err(misfit) if request.layout == Keeping::PreserveStrictly => {
                    return Err(DecryptError::Layout(misfit));
                }
                Err(misfit) => warnings.push(not_kept(&misfit)),
            }
        }
    }
    Ok(file::write_plain(branches, format, layout)?)
}
