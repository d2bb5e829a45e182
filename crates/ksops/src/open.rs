//! Opening an encrypted file: its documents decrypted, with all that is needed to write it again. Apart from `decrypt`,
//! which only prints.

use ksops_core::crypto::data_key::DataKey;
use ksops_core::document::decrypt::{
    DecryptError as TreeError, Decryptor, Mode, Options, danger, decrypt as decrypt_tree,
};
use ksops_core::document::stash::Stash;
use ksops_core::keys::decryption_order::DecryptionOrder;
use ksops_core::metadata::model::Metadata;
use ksops_core::metadata::wire::{self, WireError};
use ksops_core::tree::branch::Branch;
use ksops_core::tree::selection::Selection;
use ksops_stores::file::{self, MetadataError, ReadError};
use ksops_stores::format::Format;
use ksops_stores::notice::Notice;
use ksops_stores::yaml::load::{LoadError, YamlReader};
use ksops_stores::yaml::preserve;
use ksops_yaml::input;

use crate::asking::recover;
use crate::condense::without_repeated_blocks;
use crate::decrypt::{DecryptError, DecryptRequest};
use crate::policy::Policy;
use crate::services::Services;

/// What to open, and how.
pub struct OpenRequest {
    /// The format of the file.
    pub format: Format,
    /// Opens the file whatever the MAC says. Values may have been changed by anybody.
    pub ignore_mac: bool,
    /// Whether it is upstream's way: numbers that are not encrypted lose their text.
    pub policy: Policy,
    /// Which kinds of keys are tried first.
    pub decryption_order: DecryptionOrder,
}

impl OpenRequest {
    /// What opening means for a request to decrypt.
    pub(crate) fn of(request: &DecryptRequest) -> Self {
        Self {
            format: request.input_format,
            ignore_mac: request.ignore_mac,
            policy: request.policy,
            decryption_order: request.decryption_order.clone(),
        }
    }
}

/// An encrypted file, decrypted. Change the documents and [`save`](crate::save) it.
pub struct Opened {
    /// The documents.
    pub branches: Vec<Branch>,
    /// The metadata, as in the file.
    pub metadata: Metadata,
    /// What the user should know, one line each.
    pub warnings: Vec<String>,
    /// The format of the file.
    pub(crate) format: Format,
    pub(crate) data_key: DataKey,
    /// The text of the file.
    pub(crate) source: Vec<u8>,
    /// What each document was as it is encrypted.
    pub(crate) digests: Vec<u64>,
    /// The nonces, for values that stay as they are.
    pub(crate) stash: Stash,
}

/// Opens `input`.
///
/// # Errors
/// [`DecryptError`]; nothing of the plaintext is given out then.
pub fn open(input: &[u8], request: &OpenRequest, services: &Services) -> Result<Opened, DecryptError> {
    open_with(input, request, services, Options { with_stash: true, ..Options::default() })
}

pub(crate) fn open_with(
    input: &[u8],
    request: &OpenRequest,
    services: &Services,
    options: Options,
) -> Result<Opened, DecryptError> {
    open_by(input, request, options, |metadata| Ok(recover(metadata, services, &request.decryption_order)?))
}

/// Opens with the data key that `key_of` finds.
pub(crate) fn open_by(
    input: &[u8],
    request: &OpenRequest,
    options: Options,
    key_of: impl FnOnce(&Metadata) -> Result<DataKey, DecryptError>,
) -> Result<Opened, DecryptError> {
    let (branches, block, notices) = read(input, request)?;
    let metadata = wire::from_branch(&block?).map_err(MetadataError::from)?;
    let digests =
        if options.with_stash { branches.iter().map(preserve::digest).collect() } else { Vec::new() };
    let data_key = key_of(&metadata)?;
    let tree = if request.ignore_mac {
        let (selection, _) = Selection::for_decrypting(&metadata.rules).map_err(TreeError::from)?;
        let (key, mac_only) = (&data_key, metadata.mac_only_encrypted);
        let mut decryptor = Decryptor::new(key, &selection, mac_only, Mode::Strict, options);
        for branch in branches {
            decryptor.branch(branch)?;
        }
        danger::finish_ignoring_mac(decryptor)
    } else {
        let mut first = Some(branches);
        // A second attempt is rare; it reads the text again instead of keeping a copy of every tree.
        let read = || first.take().unwrap_or_else(|| read_again(input, request));
        decrypt_tree(&data_key, &metadata, options, read)?
    };
    let mut warnings: Vec<String> = notices.iter().map(ToString::to_string).collect();
    warnings.extend(tree.warnings.iter().map(ToString::to_string));
    let (branches, stash, format) = (tree.branches, tree.stash, request.format);
    let source = if options.with_stash { input.to_vec() } else { Vec::new() };
    Ok(Opened { branches, metadata, warnings, format, data_key, source, digests, stash })
}

pub(crate) type Parts = (Vec<Branch>, Result<Branch, MetadataError>, Vec<Notice>);

/// The documents without metadata, the metadata, and what the store noticed.
pub(crate) fn read(input: &[u8], request: &OpenRequest) -> Result<Parts, ReadError> {
    // Numbers that are not encrypted keep their text (security.md S13).
    let (format, keeps_numbers) = (request.format, request.policy == Policy::Refuse);
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

fn read_again(input: &[u8], request: &OpenRequest) -> Vec<Branch> {
    // It was read once already, so this succeeds.
    read(input, request).map(|(branches, ..)| branches).unwrap_or_default()
}
