//! Decrypting a file: nothing is given out before the MAC agrees.

use ksops_core::document::decrypt::{
    DecryptError as TreeError, Decrypted as Tree, Decryptor, Mode, Options, danger, decrypt as decrypt_tree,
};
use ksops_core::keys::decryption_order::DecryptionOrder;
use ksops_core::keys::recover::{RecoverError, recover};
use ksops_core::metadata::wire::{self, WireError};
use ksops_core::tree::branch::{Branch, Node};
use ksops_core::tree::selection::Selection;
use ksops_core::value::Value;
use ksops_stores::file::{self, Layout, MetadataError, ReadError, WriteError};
use ksops_stores::format::Format;
use ksops_stores::notice::Notice;
use ksops_stores::yaml::load::{LoadError, YamlReader};
use ksops_yaml::input;
use zeroize::Zeroizing;

use crate::condense::without_repeated_blocks;
use crate::extract::{ExtractError, PathPart, find};
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
    let (tree, mut warnings) = open(input, request, services)?;
    Ok(Decrypted { text: print(tree.branches, input, request, &mut warnings)?, warnings })
}

/// Decrypts all values and compares the MAC. Gives the documents and what the user should know.
pub(crate) fn open(
    input: &[u8],
    request: &DecryptRequest,
    services: &Services,
) -> Result<(Tree, Vec<String>), DecryptError> {
    let (branches, block, notices) = read(input, request)?;
    let metadata = wire::from_branch(&block?).map_err(MetadataError::from)?;
    let data_key = recover(
        &metadata.key_groups,
        metadata.shamir_threshold,
        &services.as_slice(),
        &request.decryption_order,
    )?;
    let tree = if request.ignore_mac {
        let (selection, _) = Selection::for_decrypting(&metadata.rules).map_err(TreeError::from)?;
        let (key, mac_only) = (&data_key, metadata.mac_only_encrypted);
        let mut decryptor = Decryptor::new(key, &selection, mac_only, Mode::Strict, Options::default());
        for branch in branches {
            decryptor.branch(branch)?;
        }
        danger::finish_ignoring_mac(decryptor)
    } else {
        let mut first = Some(branches);
        // A second attempt is rare; it reads the text again instead of keeping a copy of every tree.
        let read = || first.take().unwrap_or_else(|| read_again(input, request));
        decrypt_tree(&data_key, &metadata, Options::default(), read)?
    };
    let mut warnings: Vec<String> = notices.iter().map(ToString::to_string).collect();
    warnings.extend(tree.warnings.iter().map(ToString::to_string));
    Ok((tree, warnings))
}

pub(crate) type Parts = (Vec<Branch>, Result<Branch, MetadataError>, Vec<Notice>);

/// The documents without metadata, the metadata, and what the store noticed.
pub(crate) fn read(input: &[u8], request: &DecryptRequest) -> Result<Parts, ReadError> {
    // Numbers that are not encrypted keep their text (security.md S13).
    let (format, keeps_numbers) = (request.input_format, request.policy == Policy::Refuse);
    if format != Format::Yaml {
        let file = file::read_encrypted(input, format, keeps_numbers)?;
        return Ok((file.branches, file.metadata, file.notices));
    }
    let mut branches = read_yaml(input, keeps_numbers)?;
    let block =
        branches.first_mut().map_or(Err(WireError::NotFound), wire::take).map_err(MetadataError::from);
    branches.iter_mut().skip(1).for_each(wire::discard);
    Ok((branches, block, Vec::new()))
}

fn read_yaml(input: &[u8], keeps_numbers: bool) -> Result<Vec<Branch>, LoadError> {
    if input.is_empty() {
        return Ok(Vec::new());
    }
    let text = input::decode(input)?;
    let branches = |text: &str| {
        let mut reader = YamlReader::new(text).keeping_numbers(keeps_numbers);
        std::iter::from_fn(|| reader.next_branch()).collect()
    };
    if let Some(short) = without_repeated_blocks(&text)
        && let Ok(branches) = branches(&short)
    {
        return Ok(branches);
    }
    // Also for the right place in an error.
    branches(&text)
}

fn read_again(input: &[u8], request: &DecryptRequest) -> Vec<Branch> {
    // It was read once already, so this succeeds.
    read(input, request).map(|(branches, ..)| branches).unwrap_or_default()
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
    }
    Ok(file::write_plain(branches, format, layout)?)
}
