//! Encrypting files that are not YAML from end to end: read whole, encrypted, printed, and checked.
//!
//! YAML that stays YAML takes the way of `encrypt`, a document at a time, because such files can be large.

use std::borrow::Cow;

use ksops_core::clock::Clock;
use ksops_core::crypto::data_key::DataKey;
use ksops_core::document::decrypt::{Decryptor, Mode, Options};
use ksops_core::document::encrypt::{Encryptor, ReservedKeys, Sealed};
use ksops_core::document::stash::Stash;
use ksops_core::document::verify::{Comments, Fidelity, Typing, Verifier};
use ksops_core::metadata::model::Metadata;
use ksops_core::metadata::wire;
use ksops_core::random::Random;
use ksops_core::tree::branch::{Branch, Entry, Node};
use ksops_core::tree::selection::{RuleTexts, Selection};
use ksops_stores::file::{self, Layout, Like, NotKept, Plain};
use ksops_stores::format::Format;
use ksops_stores::wiped::Wiped;
use time::OffsetDateTime;

use crate::encrypt::{EncryptError, EncryptRequest, Encrypted, Guard, seal};
use crate::layout::{Layout as Keeping, not_kept};
use crate::policy::Policy;
use crate::services::Services;

/// The section before any header.
const DEFAULT_SECTION: &str = "DEFAULT";

/// Encrypts `input`; see `encrypt` for the order of things.
pub(crate) fn encrypt(
    input: Cow<'_, [u8]>,
    request: &EncryptRequest,
    services: &Services,
    random: &dyn Random,
    clock: &dyn Clock,
) -> Result<Encrypted, EncryptError> {
    let output_format = request.output_format;
    let mut input = Wiped::new(input);
    let is_binary = request.input_format == Format::Binary;
    // A binary file can be large, and the MAC over its one value tells whether that came back.
    let text = if is_binary { input.take() } else { Cow::Borrowed(&*input) };
    let Plain { mut branches, notices } = file::read_plain(text, request.input_format, true)?;
    let mut warnings = Vec::new();
    let (grave, light): (Vec<_>, Vec<_>) = notices.iter().partition(|notice| notice.grave);
    if request.policy == Policy::Refuse && !grave.is_empty() {
        return Err(EncryptError::Lossy { problems: grave.iter().map(ToString::to_string).collect() });
    }
    warnings.extend(grave.into_iter().chain(light).map(ToString::to_string));
    if branches.is_empty() {
        return Err(EncryptError::NoDocument);
    }

    let rules = if is_binary { Rules::of_bytes(request, &mut warnings) } else { Rules::of(request) };
    let data_key = DataKey::generate(random)?;
    let job = Job { request, rules, data_key: &data_key, random, stash: None };
    let same = request.input_format == output_format;
    let like = same.then_some(&*input);
    let now = clock.now();
    let sealed = job.seal(&mut branches, now, &mut warnings)?;
    let mut metadata = seal(sealed.sealed, request, &data_key, services, random, now)?;
    metadata.mac_only_encrypted = sealed.rules.mac_only_encrypted;
    metadata.rules = sealed.rules.written;
    let like = like.map(Like::of);
    let output = print(branches, &metadata, request, like, &mut warnings)?;
    let plain = || Ok(file::read_plain(Cow::Borrowed(&input), request.input_format, true)?.branches.into());
    check(&output, &metadata, request, &data_key, plain)?;
    Ok(Encrypted { text: output, warnings })
}

/// Encrypting documents that were read.
pub(crate) struct Job<'a> {
    /// Formats, and what is refused.
    pub request: &'a EncryptRequest,
    /// Which leaves are encrypted.
    pub rules: Rules,
    /// The data key.
    pub data_key: &'a DataKey,
    /// Where nonces come from.
    pub random: &'a dyn Random,
    /// The nonces of values that stay as they are.
    pub stash: Option<Stash>,
}

/// What became of a [`Job`].
pub(crate) struct Done {
    /// For the metadata.
    pub sealed: Sealed,
    /// For the metadata, too.
    pub rules: Rules,
}

impl Job<'_> {
    /// Encrypts the documents in place.
    pub(crate) fn seal(
        self,
        branches: &mut [Branch],
        now: OffsetDateTime,
        warnings: &mut Vec<String>,
    ) -> Result<Done, EncryptError> {
        let Self { request, rules, data_key, random, stash } = self;
        let reserved = reserved_keys(request.output_format);
        let (selection, mac_only) = (&rules.selection, rules.mac_only_encrypted);
        let mut encryptor = Encryptor::new(data_key, selection, mac_only, random, stash)
            .reserving(reserved)
            .numbers(request.numbers());
        if request.output_format == Format::Toml {
            encryptor = encryptor.sealing_empty_strings();
        }
        let mut guard = Guard::new(request);
        for branch in branches {
            guard.before(branch, reserved)?;
            encryptor.branch(branch).map_err(EncryptError::from_tree)?;
            guard.after(branch);
        }
        let sealed = encryptor.finish(now)?;
        warnings.extend(sealed.warnings.iter().map(ToString::to_string));
        guard.judge(sealed.counts, warnings)?;
        Ok(Done { sealed, rules })
    }
}

/// Prints the encrypted documents, with the layout of `like` if it is to be kept and can be.
pub(crate) fn print(
    branches: Vec<Branch>,
    metadata: &Metadata,
    request: &EncryptRequest,
    like: Option<Like<'_>>,
    warnings: &mut Vec<String>,
) -> Result<Vec<u8>, EncryptError> {
    let (format, block) = (request.output_format, wire::to_branch(metadata));
    let layout = Layout { indent: request.indent, like: like.map(|like| like.text) };
    let is_kept = request.layout.is_kept() && file::keeps_layout(format);
    let kept = like.filter(|like| is_kept && !like.text.is_empty());
    let Some(like) = kept else { return Ok(file::write_encrypted(branches, &block, format, layout)?) };
    match file::write_encrypted_like(branches, &block, format, like, request.indent)? {
        Ok(text) => Ok(text),
        Err(NotKept { misfit, .. }) if request.layout == Keeping::PreserveStrictly => {
            Err(EncryptError::Layout(misfit))
        }
        Err(NotKept { misfit, branches }) => {
            warnings.push(not_kept(&misfit));
            let mut text = file::write_plain(branches, format, layout)?;
            Ok(std::mem::take(&mut *text))
        }
    }
}

/// Reads and decrypts the output again: it must be what went in (security.md S11).
pub(crate) fn check<'p>(
    output: &[u8],
    metadata: &Metadata,
    request: &EncryptRequest,
    data_key: &DataKey,
    plain: impl FnOnce() -> Result<Cow<'p, [Branch]>, EncryptError>,
) -> Result<(), EncryptError> {
    let check = Check { request, data_key, written: metadata };
    let checked = if request.input_format == Format::Binary {
        check.by_mac(output)
    } else {
        let mut plain = plain()?;
        if request.output_format == Format::Ini {
            plain.to_mut().iter_mut().for_each(with_default_section);
        }
        check.by_values(output, &plain)
    };
    checked.map_err(|problem| EncryptError::verify(problem, request))
}

/// INI is always read with this section first, even if it is empty.
fn with_default_section(branch: &mut Branch) {
    let first = branch.entries.iter().find_map(|entry| match entry {
        Entry::Item(key, _) => Some(key),
        Entry::Comment(_) => None,
    });
    if first.is_none_or(|key| key != DEFAULT_SECTION) {
        let section = Node::Map(Branch::default());
        branch.entries.insert(0, Entry::Item(DEFAULT_SECTION.into(), section));
    }
}

/// Which top-level keys the metadata of a format need.
pub(crate) fn reserved_keys(format: Format) -> ReservedKeys {
    match format {
        Format::Dotenv => ReservedKeys::Prefix,
        _ => ReservedKeys::Block,
    }
}

/// Which leaves are encrypted, and what the file says about it.
pub(crate) struct Rules {
    selection: Selection,
    written: RuleTexts,
    mac_only_encrypted: bool,
}

impl Rules {
    pub(crate) fn of(request: &EncryptRequest) -> Self {
        Self {
            selection: request.selection.clone(),
            written: request.selection.to_texts(),
            mac_only_encrypted: request.mac_only_encrypted,
        }
    }

    /// The one value of a binary file is always encrypted, and no rule is written, as upstream has it.
    fn of_bytes(request: &EncryptRequest, warnings: &mut Vec<String>) -> Self {
        if request.selection.to_texts() != Selection::default().to_texts() {
            warnings.push(
                "a rule that selects values does not make sense with the binary format (its one value is always \
                 encrypted) and is ignored"
                    .to_owned(),
            );
        }
        Self { selection: Selection::default(), written: RuleTexts::default(), mac_only_encrypted: false }
    }
}

/// The check of an output before it is given out (security.md S11).
struct Check<'a> {
    request: &'a EncryptRequest,
    data_key: &'a DataKey,
    written: &'a Metadata,
}

impl Check<'_> {
    /// Decrypts the output and compares every value with the input, read again.
    fn by_values(&self, output: &[u8], plain: &[Branch]) -> Result<(), String> {
        let (branches, metadata) = self.read(output)?;
        let (selection, _) = Selection::for_decrypting(&metadata.rules).map_err(|error| error.to_string())?;
        let mac_only = metadata.mac_only_encrypted;
        let mut verifier = Verifier::new(self.data_key, &selection, mac_only, fidelity(self.request));
        if branches.len() != plain.len() {
            return Err("the number of documents changed".to_owned());
        }
        for (branch, plain) in branches.into_iter().zip(plain) {
            verifier.branch(branch, plain).map_err(|error| error.to_string())?;
        }
        verifier.finish(&metadata).map_err(|error| error.to_string())
    }

    /// Decrypts the output of a binary file and compares the MAC, which was taken over its one value: the value is
    /// not kept twice in memory.
    fn by_mac(&self, output: &[u8]) -> Result<(), String> {
        let (branches, metadata) = self.read(output)?;
        let (selection, _) = Selection::for_decrypting(&metadata.rules).map_err(|error| error.to_string())?;
        let (mode, options) = (Mode::Strict, Options::default());
        let mut decryptor =
            Decryptor::new(self.data_key, &selection, metadata.mac_only_encrypted, mode, options);
        for branch in branches {
            decryptor.branch(branch).map_err(|error| error.to_string())?;
        }
        let tree = decryptor.finish(&metadata).map_err(|error| error.to_string())?;
        match tree.branches.as_slice() {
            [branch] if branch.entries.len() == 1 && branch.node("data").is_some() => Ok(()),
            _ => Err("it is no file of bytes any more".to_owned()),
        }
    }

    fn read(&self, output: &[u8]) -> Result<(Vec<Branch>, Metadata), String> {
        let encrypted = file::read_encrypted(output, self.request.output_format, true)
            .map_err(|error| error.to_string())?;
        let block = encrypted.metadata.map_err(|error| error.to_string())?;
        let metadata = wire::from_branch(&block).map_err(|error| error.to_string())?;
        // A file without a rule reads as one with the default.
        let written = wire::from_branch(&wire::to_branch(self.written)).map_err(|error| error.to_string())?;
        if wire::to_branch(&metadata) != wire::to_branch(&written) {
            return Err("its metadata reads differently".to_owned());
        }
        Ok((encrypted.branches, metadata))
    }
}

/// What the output's format can tell apart.
fn fidelity(request: &EncryptRequest) -> Fidelity {
    let same = request.input_format == request.output_format;
    match request.output_format {
        Format::Yaml | Format::Toml => Fidelity { typing: Typing::Full, comments: Comments::Kept },
        Format::Json | Format::Binary => {
            Fidelity { typing: Typing::WithoutTime, comments: Comments::Dropped }
        }
        Format::Dotenv => Fidelity { typing: Typing::StringsOnly, comments: Comments::Kept },
        // From another format, comments stand in other places, and a second one replaces the first.
        Format::Ini => Fidelity {
            typing: Typing::StringsOnly,
            comments: if same { Comments::Trimmed } else { Comments::Dropped },
        },
    }
}
