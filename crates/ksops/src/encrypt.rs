//! Encrypting a file: text in, verified text out.

use std::borrow::Cow;

use ksops_core::clock::Clock;
use ksops_core::crypto::data_key::DataKey;
use ksops_core::document::ambiguity::first_ambiguous_path;
use ksops_core::document::encrypt::{
    Counts, EncryptError as TreeError, EncryptErrorKind, Encryptor, Numbers, ReservedKeys, Sealed,
    reserved_key,
};
use ksops_core::document::verify::{Comments, Fidelity, Typing, Verifier, VerifyError};
use ksops_core::keys::distribute::{DistributeError, new_group};
use ksops_core::keys::master_key::MasterKey;
use ksops_core::metadata::model::Metadata;
use ksops_core::metadata::wire::{self, WireError};
use ksops_core::random::{Random, RandomError};
use ksops_core::tree::branch::Branch;
use ksops_core::tree::selection::{Rule, Selection, SelectionError};
use ksops_stores::file::{ReadError, WriteError};
use ksops_stores::format::Format;
use ksops_stores::misfit::Misfit;
use ksops_stores::wiped::Wiped;
use ksops_stores::yaml::emit::EmitError;
use ksops_stores::yaml::load::{LoadError, YamlReader};
use ksops_stores::yaml::preserve;
use ksops_yaml::input;
use time::OffsetDateTime;

use crate::asking::distribute;
use crate::beside::read_beside;
use crate::condense::without_repeated_blocks;
use crate::guard::{doomed_comments, plain_secret_values};
use crate::layout::{Layout, not_kept};
use crate::policy::Policy;
use crate::services::Services;
use crate::sheet::{Sheet, Unwritable};
use crate::system::{OsRandom, SystemClock};
use crate::whole;

/// The version that is written into files: the release of upstream whose format this is.
pub const FORMAT_VERSION: &str = "3.13.3";

/// It may stand at the start of a text whose layout was kept.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// How many paths a message names.
const NAMED_PATHS: usize = 5;

/// What to encrypt, and how.
pub struct EncryptRequest {
    /// The format of the input.
    pub input_format: Format,
    /// The format of the output.
    pub output_format: Format,
    /// Which leaves are encrypted.
    pub selection: Selection,
    /// Whether the MAC runs over encrypted leaves only.
    pub mac_only_encrypted: bool,
    /// The master keys, by group.
    pub groups: Vec<Vec<MasterKey>>,
    /// How many groups must give their share; 0 for all.
    pub threshold: usize,
    /// The indentation; nothing or 0 for the format's default.
    pub indent: Option<i64>,
    /// What happens when secrets would stay in plaintext.
    pub policy: Policy,
    /// Encrypts a number as a string where its text would change otherwise (security.md S13).
    pub as_string: bool,
    /// Accepts an output in which nothing is encrypted (security.md S1).
    pub allow_unencrypted: bool,
    /// Whether the layout of the input is kept, if the format stays.
    pub layout: Layout,
}

impl EncryptRequest {
    /// What becomes of numbers whose text would change.
    pub(crate) fn numbers(&self) -> Numbers {
        match (self.as_string, self.policy) {
            (true, _) => Numbers::AsText,
            (false, Policy::Refuse) => Numbers::Refuse,
            (false, Policy::Warn) => Numbers::Rewrite,
        }
    }
}

/// An encrypted file that was decrypted again in memory and found equal to the input.
pub struct Encrypted {
    /// The text.
    pub text: Vec<u8>,
    /// What the user should know, one line each.
    pub warnings: Vec<String>,
}

/// Why a file was not encrypted. No message holds a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncryptError {
    /// The input cannot be read in its format.
    #[error(transparent)]
    Load(#[from] ReadError),
    /// The input can be read, but not without losing something (security.md S12).
    #[error("the file cannot be encrypted as it is: {}", .problems.join("; "))]
    Lossy {
        /// What would be lost, and where.
        problems: Vec<String>,
    },
    /// The input holds no document.
    #[error("File cannot be completely empty, it must contain at least one document")]
    NoDocument,
    /// The input has a top-level `sops` entry.
    #[error(
        "the file has a top-level entry called `sops`: it is encrypted already, or the entry must be renamed"
    )]
    AlreadyEncrypted,
    /// A value or key cannot be encrypted.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The rule in the metadata of a file cannot be applied.
    #[error("the rule of the file: {0}")]
    Rule(#[from] SelectionError),
    /// A later document has a top-level `sops` entry.
    #[error("Error marshaling metadata: {0}")]
    ReservedKey(TreeError),
    /// Two leaves have the same path (security.md S5).
    #[error("two values have the same path {path}: their ciphertexts could be exchanged unnoticed")]
    AmbiguousPath {
        /// The path.
        path: String,
    },
    /// The rule selects nothing (security.md S1).
    #[error("nothing would be encrypted: the rule {rule} selects none of the {plain} values of the file")]
    NothingSelected {
        /// The rule, as in the metadata.
        rule: String,
        /// The number of values.
        plain: usize,
    },
    /// Values of a Kubernetes Secret would stay in plaintext (security.md S1).
    #[error("values of a Kubernetes Secret would stay in plaintext: {}", .paths.join(", "))]
    PlainSecret {
        /// The paths of some of them.
        paths: Vec<String>,
    },
    /// The data key could not be encrypted for every master key.
    #[error("Could not generate data key: {0}")]
    Distribute(#[from] DistributeError),
    /// There is no randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The tree cannot be printed in the output's format.
    #[error(transparent)]
    Emit(#[from] WriteError),
    /// The format of the output cannot hold the input so that it reads the same.
    #[error("{output} cannot hold this file: {problem}")]
    Unfit {
        /// The format of the output.
        output: Format,
        /// What would be different, and where.
        problem: String,
    },
    /// The layout cannot be kept, and nothing else will do.
    #[error("the layout of the file cannot be kept: {0}")]
    Layout(Misfit),
    /// What was printed is not what went in: a defect of this program, and nothing was written.
    #[error("the encrypted text was checked before writing and found wrong: {0}")]
    Verify(String),
}

impl From<LoadError> for EncryptError {
    fn from(error: LoadError) -> Self {
        Self::Load(error.into())
    }
}

impl From<EmitError> for EncryptError {
    fn from(error: EmitError) -> Self {
        Self::Emit(error.into())
    }
}

impl EncryptError {
    /// What the user can do, one sentence each.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::NothingSelected { .. } => vec![
                "check the rule's spelling against the keys of the file; `--allow-unencrypted` writes it anyway".into(),
            ],
            Self::PlainSecret { .. } => {
                vec!["`encrypted_regex: ^(data|stringData)$` covers both; `--allow-unencrypted` writes it anyway".into()]
            }
            Self::Lossy { .. } => vec!["remove what is not needed; upstream sops takes it without a word".into()],
            Self::Unfit { .. } => {
                vec!["write the values as text in the input, or choose another `--output-type`".into()]
            }
            Self::Tree(TreeError { kind: EncryptErrorKind::InexactNumber, .. }) => {
                vec!["`--as-string` encrypts such numbers as strings, with their text as it is".into()]
            }
            Self::Layout(_) => {
                vec!["without `--strict-layout` it is written as sops lays it out; `--layout upstream` does so at once".into()]
            }
            Self::AmbiguousPath { .. } => vec!["rename one of the keys".into()],
            Self::Distribute(error) => error.hints().into_iter().map(str::to_owned).collect(),
            Self::Verify(_) => {
                vec!["please report this with the structure of the file (without its values)".into()]
            }
            _ => Vec::new(),
        }
    }

    pub(crate) fn from_tree(error: TreeError) -> Self {
        match error.kind.is_reserved_key() {
            true => Self::ReservedKey(error),
            false => Self::Tree(error),
        }
    }

    /// What a failed check of the output means.
    pub(crate) fn verify(problem: String, request: &EncryptRequest) -> Self {
        match request.input_format == request.output_format {
            true => Self::Verify(problem),
            // Formats differ in what they can hold.
            false => Self::Unfit { output: request.output_format, problem },
        }
    }
}

/// Encrypts `input` with the system's clock and randomness.
///
/// # Errors
/// [`EncryptError`]; nothing of the output is given out then.
pub fn encrypt<'a>(
    input: impl Into<Cow<'a, [u8]>>,
    request: &EncryptRequest,
    services: &Services,
) -> Result<Encrypted, EncryptError> {
    encrypt_with(input, request, services, &OsRandom::default(), &SystemClock)
}

/// As [`encrypt`], with a clock and randomness of the caller's, so that the output can be reproduced.
///
/// The order: every document is read, encrypted and printed; only then is a key service asked, so that an input that
/// cannot be encrypted costs no request; at last the output is read and decrypted again and compared with the input
/// (security.md S11).
///
/// # Errors
/// As [`encrypt`].
pub fn encrypt_with<'a>(
    input: impl Into<Cow<'a, [u8]>>,
    request: &EncryptRequest,
    services: &Services,
    random: &dyn Random,
    clock: &dyn Clock,
) -> Result<Encrypted, EncryptError> {
    let input = input.into();
    if [request.input_format, request.output_format] != [Format::Yaml; 2] {
        return whole::encrypt(input, request, services, random, clock);
    }
    let input = Wiped::new(input);
    if input.is_empty() {
        return Err(EncryptError::NoDocument);
    }
    let text = input::decode(&input).map_err(LoadError::from)?;
    let data_key = DataKey::generate(random)?;
    let now = clock.now();
    let work = Work { input: &input, text: &text, request, data_key: &data_key, random, now };
    let (mut sheet, mut sealed, mut warnings) = work.encrypt(request.layout)?;
    if let Some(misfit) = sheet.misfit() {
        (sheet, sealed, warnings) = work.encrypt_anew(&misfit)?;
    }
    let mut metadata = seal(sealed, request, &data_key, services, random, now)?;
    let wanted = sheet.digests();
    let checked = sheet.finish(wire::to_branch(&metadata)).and_then(|output| {
        let checked = verify(&text, &output, &data_key, &metadata, wanted.as_deref());
        checked.map(|()| output).map_err(|problem| match wanted {
            Some(_) => Unwritable::Misfit(Misfit { line: 0, construct: problem }),
            None => Unwritable::Other(EncryptError::Verify(problem)),
        })
    });
    let output = match checked {
        Ok(output) => output,
        Err(Unwritable::Other(error)) => return Err(error),
        Err(Unwritable::Misfit(misfit)) => {
            let anew = work.encrypt_anew(&misfit)?;
            // The same data key, so no key service is asked again.
            metadata.mac = anew.1.mac;
            warnings = anew.2;
            let output = anew.0.finish(wire::to_branch(&metadata)).map_err(EncryptError::from)?;
            verify(&text, &output, &data_key, &metadata, None).map_err(EncryptError::Verify)?;
            output
        }
    };
    Ok(Encrypted { text: output.into_bytes(), warnings })
}

/// What the encryption of a YAML file needs.
struct Work<'a> {
    input: &'a [u8],
    text: &'a str,
    request: &'a EncryptRequest,
    data_key: &'a DataKey,
    random: &'a dyn Random,
    now: OffsetDateTime,
}

impl<'a> Work<'a> {
    /// Reads, encrypts and writes down every document, without metadata.
    fn encrypt(&self, layout: Layout) -> Result<(Sheet<'a>, Sealed, Vec<String>), EncryptError> {
        let Self { input, text, request, data_key, random, now } = *self;
        let mut encryptor =
            Encryptor::new(data_key, &request.selection, request.mac_only_encrypted, random, None)
                .numbers(request.numbers());
        let mut sheet = Sheet::new(input, text, request.indent, layout)?;
        let mut guard = Guard::new(request);
        while let Some(branch) = sheet.next_branch() {
            let mut branch = branch?;
            guard.before(&branch, ReservedKeys::Block)?;
            encryptor.branch(&mut branch).map_err(EncryptError::from_tree)?;
            guard.after(&branch);
            sheet.add(branch)?;
        }
        if guard.documents == 0 {
            return Err(EncryptError::NoDocument);
        }
        let sealed = encryptor.finish(now)?;
        let mut warnings: Vec<String> = sealed.warnings.iter().map(ToString::to_string).collect();
        guard.judge(sealed.counts, &mut warnings)?;
        Ok((sheet, sealed, warnings))
    }

    /// As [`Work::encrypt`], laid out anew because the layout cannot be kept.
    fn encrypt_anew(&self, misfit: &Misfit) -> Result<(Sheet<'a>, Sealed, Vec<String>), EncryptError> {
        if self.request.layout == Layout::PreserveStrictly {
            return Err(EncryptError::Layout(misfit.clone()));
        }
        let (sheet, sealed, mut warnings) = self.encrypt(Layout::Upstream)?;
        warnings.push(not_kept(misfit));
        Ok((sheet, sealed, warnings))
    }
}

/// Gives the data key to every master key, and puts the metadata together.
pub(crate) fn seal(
    sealed: Sealed,
    request: &EncryptRequest,
    data_key: &DataKey,
    services: &Services,
    random: &dyn Random,
    now: OffsetDateTime,
) -> Result<Metadata, EncryptError> {
    let groups: Vec<_> = request.groups.iter().map(|keys| new_group(keys.iter().cloned(), now)).collect();
    let distributed = distribute(data_key, &groups, request.threshold, services, random)?;
    Ok(Metadata {
        key_groups: distributed.groups,
        unknown: Vec::new(),
        shamir_threshold: distributed.threshold,
        last_modified: sealed.last_modified,
        mac: sealed.mac,
        mac_only_encrypted: request.mac_only_encrypted,
        rules: request.selection.to_texts(),
        version: FORMAT_VERSION.to_owned(),
    })
}

/// Keeps watch for secrets that stay in plaintext (security.md S1, S5).
pub(crate) struct Guard<'a> {
    request: &'a EncryptRequest,
    documents: usize,
    plain: Vec<String>,
    ambiguous: Option<String>,
    doomed: Vec<String>,
}

impl<'a> Guard<'a> {
    pub(crate) fn new(request: &'a EncryptRequest) -> Self {
        Self { request, documents: 0, plain: Vec::new(), ambiguous: None, doomed: Vec::new() }
    }

    pub(crate) fn before(&mut self, branch: &Branch, reserved: ReservedKeys) -> Result<(), EncryptError> {
        if self.documents == 0 && reserved_key(branch, reserved).is_some() {
            return Err(EncryptError::AlreadyEncrypted);
        }
        self.documents += 1;
        if self.ambiguous.is_none() {
            self.ambiguous = first_ambiguous_path(branch).map(|path| path.to_string());
        }
        self.doomed.extend(doomed_comments(branch));
        Ok(())
    }

    pub(crate) fn after(&mut self, encrypted: &Branch) {
        if self.plain.len() < NAMED_PATHS {
            self.plain.extend(plain_secret_values(encrypted));
        }
    }

    pub(crate) fn judge(self, counts: Counts, warnings: &mut Vec<String>) -> Result<(), EncryptError> {
        warnings.extend(self.doomed.iter().map(|path| {
            format!(
                "the comment in the empty mapping {path} will be gone after decrypting; put it before the key"
            )
        }));
        let mut problems = Vec::new();
        if let Some(path) = self.ambiguous {
            problems.push(EncryptError::AmbiguousPath { path });
        }
        if !self.request.allow_unencrypted {
            if counts.encrypted == 0 && counts.plain > 0 {
                let rule = describe(self.request.selection.rule());
                problems.push(EncryptError::NothingSelected { rule, plain: counts.plain });
            } else if !self.plain.is_empty() {
                let paths = self.plain.into_iter().take(NAMED_PATHS).collect();
                problems.push(EncryptError::PlainSecret { paths });
            }
        }
        match (self.request.policy, problems.into_iter()) {
            (Policy::Refuse, mut problems) => problems.next().map_or(Ok(()), Err),
            (Policy::Warn, problems) => {
                warnings.extend(problems.map(|problem| problem.to_string()));
                Ok(())
            }
        }
    }
}

fn describe(rule: &Rule) -> String {
    match rule {
        Rule::UnencryptedSuffix(suffix) => format!("unencrypted_suffix: {suffix}"),
        Rule::EncryptedSuffix(suffix) => format!("encrypted_suffix: {suffix}"),
        Rule::UnencryptedRegex(matcher) => format!("unencrypted_regex: {}", matcher.as_str()),
        Rule::EncryptedRegex(matcher) => format!("encrypted_regex: {}", matcher.as_str()),
        Rule::UnencryptedCommentRegex(matcher) => format!("unencrypted_comment_regex: {}", matcher.as_str()),
        Rule::EncryptedCommentRegex(matcher) => format!("encrypted_comment_regex: {}", matcher.as_str()),
        _ => "of the request".to_owned(),
    }
}

/// Reads the output as anybody would, decrypts it and compares it with the input, document by document.
///
/// `wanted`: what each document of the output must be, exactly.
fn verify(
    input: &str,
    output: &str,
    data_key: &DataKey,
    written: &Metadata,
    wanted: Option<&[u64]>,
) -> Result<(), String> {
    let (selection, _) = Selection::for_decrypting(&written.rules).map_err(|error| error.to_string())?;
    let fidelity = Fidelity { typing: Typing::Full, comments: Comments::Kept };
    let mut verifier = Verifier::new(data_key, &selection, written.mac_only_encrypted, fidelity);
    let mut metadata = None;
    let mut wanted = wanted.map(<[u64]>::iter);
    let mut inputs = YamlReader::new(input).keeping_numbers(true);
    let output = output.strip_prefix(BYTE_ORDER_MARK).unwrap_or(output);
    // The block that every document ends with is parsed once.
    let short = without_repeated_blocks(output);
    // Numbers that kept their text must have it again.
    read_beside(short.as_deref().unwrap_or(output), |outputs| {
        loop {
            let (input, output) = match (inputs.next_branch(), outputs.next()) {
                (None, None) => return Ok(()),
                (Some(input), Some(output)) => (input, output),
                _ => return Err("the number of documents changed".to_owned()),
            };
            let input = input.map_err(|error| error.to_string())?;
            let mut output = output.map_err(|error| error.to_string())?;
            let block = wire::take(&mut output).map_err(|error: WireError| error.to_string())?;
            let digest = wanted.is_some().then(|| preserve::digest(&output));
            if metadata.is_none() {
                metadata = Some(wire::from_branch(&block).map_err(|error| error.to_string())?);
            }
            verifier.branch(output, &input).map_err(|error: VerifyError| error.to_string())?;
            if digest.as_ref() != wanted.as_mut().and_then(Iterator::next) {
                return Err("a comment would be read as one of something else".to_owned());
            }
        }
    })?;
    let metadata = metadata.ok_or("it holds no document")?;
    // Compared as written: the block has the keys ordered by type.
    if wire::to_branch(&metadata) != wire::to_branch(written) {
        return Err("its metadata reads differently".to_owned());
    }
    verifier.finish(&metadata).map_err(|error| error.to_string())
}
