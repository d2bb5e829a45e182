//! A new encrypted file, before it has content (`edit` of a file that does not exist). Its data key is encrypted at once, so
//! that nobody types secrets for keys that do not work.

use std::borrow::Cow;

use ksops_core::clock::Clock;
use ksops_core::crypto::data_key::DataKey;
use ksops_core::document::stash::Stash;
use ksops_core::keys::distribute::new_group;
use ksops_core::keys::master_key::MasterKey;
use ksops_core::metadata::model::Metadata;
use ksops_core::random::Random;
use ksops_core::tree::selection::{RuleTexts, Selection};
use ksops_stores::file;
use ksops_stores::format::Format;

use crate::asking::distribute;
use crate::encrypt::{EncryptError, FORMAT_VERSION};
use crate::open::Opened;
use crate::services::Services;
use crate::system::{OsRandom, SystemClock};

/// What the new file is to be.
pub struct CreateRequest {
    /// Its format.
    pub format: Format,
    /// Which leaves are encrypted.
    pub selection: Selection,
    /// Whether the MAC runs over encrypted leaves only.
    pub mac_only_encrypted: bool,
    /// The master keys, by group.
    pub groups: Vec<Vec<MasterKey>>,
    /// How many groups must give their share; 0 for all.
    pub threshold: usize,
}

/// Makes a file with a new data key and the format's [`example`] in it.
///
/// # Errors
/// [`EncryptError`] if the data key cannot be encrypted for every key.
pub fn create(request: &CreateRequest, services: &Services) -> Result<Opened, EncryptError> {
    create_with(request, services, &OsRandom::default(), &SystemClock)
}

fn create_with(
    request: &CreateRequest,
    services: &Services,
    random: &dyn Random,
    clock: &dyn Clock,
) -> Result<Opened, EncryptError> {
    let now = clock.now();
    let data_key = DataKey::generate(random)?;
    let groups: Vec<_> = request.groups.iter().map(|keys| new_group(keys.iter().cloned(), now)).collect();
    let distributed = distribute(&data_key, &groups, request.threshold, services, random)?;
    // The one value of a file of bytes is always encrypted, and no rule is written.
    let is_binary = request.format == Format::Binary;
    let metadata = Metadata {
        key_groups: distributed.groups,
        unknown: Vec::new(),
        shamir_threshold: distributed.threshold,
        last_modified: now,
        mac: String::new(),
        mac_only_encrypted: request.mac_only_encrypted && !is_binary,
        rules: if is_binary { RuleTexts::default() } else { request.selection.to_texts() },
        version: FORMAT_VERSION.to_owned(),
    };
    let text = Cow::Borrowed(example(request.format).as_bytes());
    let branches = file::read_plain(text, request.format, true)?.branches;
    let (format, stash) = (request.format, Stash::default());
    let (warnings, source, digests) = (Vec::new(), Vec::new(), Vec::new());
    Ok(Opened { branches, metadata, warnings, format, data_key, source, digests, stash })
}

/// What stands in a new file, to be replaced (cli-and-config.md section 7.3).
#[must_use]
pub fn example(format: Format) -> &'static str {
    match format {
        Format::Yaml => {
            "hello: Welcome to SOPS! Edit this file as you please!\nexample_key: example_value\n# Example comment\n\
             example_array:\n    - example_value1\n    - example_value2\nexample_number: 1234.56789\n\
             example_booleans:\n    - true\n    - false\n"
        }
        Format::Json => {
            "{\"hello\": \"Welcome to SOPS! Edit this file as you please!\", \"example_key\": \"example_value\", \
             \"example_array\": [\"example_value1\", \"example_value2\"], \"example_number\": 1234.56789, \
             \"example_booleans\": [true, false]}"
        }
        Format::Dotenv => {
            "# This is an example file.\nhello=Welcome to SOPS! Edit this file as you please!\n\
             example_key=example_value\nexample_multiline=foo\\nbar\\nbaz\n"
        }
        Format::Ini => {
            "; This is an example file.\n[Welcome!]\nhello = Welcome to SOPS! Edit this file as you please!\n\
             example_key = example_value\n"
        }
        Format::Toml => {
            "# This is an example file.\nhello = \"Welcome to SOPS! Edit this file as you please!\"\n\
             example_key = \"example_value\"\nexample_array = [\"example_value1\", \"example_value2\"]\n\
             example_number = 1234.56789\nexample_booleans = [true, false]\n"
        }
        Format::Binary => "Welcome to SOPS! Edit this file as you please!",
    }
}
