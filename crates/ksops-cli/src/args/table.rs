//! The one table of flags: names, variables, kinds, levels and help lines. Parser, help and completion all read it, so
//! a flag is added in one place (specification cli-and-config.md section 2).

use crate::args::level::Levels;

/// What a flag takes and how repeats add up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Takes no separate word; `on` is its state when absent.
    Switch {
        /// State without flag and variable.
        on: bool,
    },
    /// Takes a word; the last one counts.
    Value,
    /// Takes a word; all count.
    Repeatable,
    /// Takes a whole number; the last one counts.
    Number,
}

/// One flag.
pub(crate) struct Flag {
    /// Canonical long name, without dashes.
    pub name: &'static str,
    /// The other name, or empty.
    pub alias: &'static str,
    /// The variable read when the flag is absent, or empty.
    pub variable: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// The levels that know it.
    pub levels: Levels,
    /// What stands for the value in help, or empty.
    pub hint: &'static str,
    /// One line of help.
    pub help: &'static str,
}

const OFF: Kind = Kind::Switch { on: false };
const ON: Kind = Kind::Switch { on: true };
const VALUE: Kind = Kind::Value;
const MANY: Kind = Kind::Repeatable;
const NUMBER: Kind = Kind::Number;

const TOP: Levels = Levels::TOP;
/// Where new files get their keys from flags.
const KEYS: Levels = TOP.or(Levels::ENCRYPT).or(Levels::EDIT);
/// The same, and where such keys are looked at.
const KEYS_SEEN: Levels = KEYS.or(Levels::DOCTOR);
const ROTATES: Levels = TOP.or(Levels::ROTATE);
const GROUP: Levels = Levels::GROUPS_ADD;
const IN_PLACE: Levels = TOP
    .or(Levels::ENCRYPT)
    .or(Levels::DECRYPT)
    .or(Levels::ROTATE)
    .or(Levels::GROUPS_ADD)
    .or(Levels::GROUPS_DELETE);
const OUTPUT: Levels = TOP.or(Levels::ENCRYPT).or(Levels::DECRYPT).or(Levels::ROTATE);
const OUTPUT_TYPE: Levels = OUTPUT.or(Levels::EDIT).or(Levels::SET).or(Levels::UNSET).or(Levels::EXEC_FILE);
const VIEW: Levels = Levels::VIEW;
const INPUT_TYPE: Levels = OUTPUT_TYPE.or(Levels::UPDATEKEYS).or(Levels::FILESTATUS).or(Levels::VERIFY);
const IGNORE_MAC: Levels = TOP.or(Levels::DECRYPT).or(Levels::EDIT).or(Levels::SET).or(Levels::UNSET);
const ORDER: Levels = IGNORE_MAC
    .or(Levels::ROTATE)
    .or(Levels::EXEC_ENV)
    .or(Levels::EXEC_FILE)
    .or(Levels::PUBLISH)
    .or(Levels::VERIFY)
    .or(Levels::UPDATEKEYS);
/// Where key services are asked.
const ASKS: Levels = TOP.or(Levels::CONTENT).or(Levels::DOCTOR).or(Levels::VERIFY);
const CONTEXT: Levels = KEYS.or(Levels::ROTATE).or(GROUP);
const THRESHOLD: Levels =
    KEYS.or(Levels::SET).or(Levels::UNSET).or(GROUP).or(Levels::GROUPS_DELETE).or(Levels::UPDATEKEYS);
const EXEC: Levels = Levels::EXEC_ENV.or(Levels::EXEC_FILE);
const SET: Levels = Levels::SET;
/// Where an encrypted file is changed.
const CHANGES: Levels = ROTATES.or(Levels::SET).or(Levels::UNSET).or(Levels::EDIT);
/// Where several files can be named.
pub(crate) const SEVERAL: Levels = Levels::ENCRYPT
    .or(Levels::DECRYPT)
    .or(Levels::ROTATE)
    .or(Levels::SET)
    .or(Levels::UNSET)
    .or(Levels::UPDATEKEYS)
    .or(Levels::FILESTATUS)
    .or(Levels::VERIFY);
/// Where git asks.
const MERGES: Levels = Levels::GIT_TEXTCONV.or(Levels::GIT_MERGE).or(Levels::MERGETOOL);
/// Where files are written or shown.
const LAID_OUT: Levels = TOP.or(Levels::CONTENT).or(VIEW);
/// Where values are encrypted.
const WRITES: Levels = CHANGES.or(Levels::ENCRYPT);

const fn row(
    name: &'static str,
    alias: &'static str,
    kind: Kind,
    levels: Levels,
    hint: &'static str,
    help: &'static str,
) -> Flag {
    Flag { name, alias, variable: "", kind, levels, hint, help }
}

const fn from_env(
    name: &'static str,
    alias: &'static str,
    variable: &'static str,
    kind: Kind,
    levels: Levels,
    hint: &'static str,
    help: &'static str,
) -> Flag {
    Flag { name, alias, variable, kind, levels, hint, help }
}

const TYPES_IN: &str = "Format of the input: yaml, json, dotenv, ini or binary (default: from the file name)";
const TYPES_OUT: &str = "Format of the output: yaml, json, dotenv, ini or binary (default: as the input)";

/// Every flag of every level, in the order of the help texts.
#[rustfmt::skip]
pub(crate) static FLAGS: &[Flag] = &[
    row("encrypt", "e", OFF, TOP, "", "Encrypt the file"),
    row("decrypt", "d", OFF, TOP, "", "Decrypt the file"),
    row("rotate", "r", OFF, TOP, "", "Encrypt the file again under a new data key"),
    row("set", "", VALUE, TOP, "'PATH VALUE'", "Set one value, as in '[\"a\"][0] {\"b\":1}'"),
    row("in-place", "i", OFF, IN_PLACE, "", "Write the result back to the file"),
    row("output", "", VALUE, OUTPUT.or(Levels::AZURE_FETCH_KEY), "FILE", "Write the result to FILE instead of standard output"),
    row("output", "o", VALUE, Levels::KEYGEN, "FILE", "Write the key to FILE instead of the default place"),
    row("directory", "", VALUE, Levels::MAN, "DIR", "Write all pages as files into DIR instead"),
    row("file", "f", VALUE, GROUP.or(Levels::GROUPS_DELETE), "FILE", "The file to change"),
    row("extract", "", VALUE, TOP.or(Levels::DECRYPT).or(VIEW), "PATH", "Print one value or branch only, as in '[\"a\"][0]'"),
    row("redact", "", OFF, Levels::DECRYPT, "", "Check the file, then show masks in place of its secrets (see `view`)"),
    row("json", "", OFF, Levels::DOCTOR, "", "Print JSON, for programs"),
    row("input-type", "", VALUE, INPUT_TYPE.or(VIEW).or(Levels::DOCTOR).or(MERGES), "TYPE", TYPES_IN),
    row("output-type", "", VALUE, OUTPUT_TYPE.or(VIEW), "TYPE", TYPES_OUT),
    row("filename-override", "", VALUE, OUTPUT.or(VIEW), "NAME", "Use NAME to find rules and formats; needed when reading standard input"),
    row("value-file", "", OFF, SET, "", "Take VALUE as the name of a file that holds the JSON value"),
    row("value-stdin", "", OFF, SET, "", "Read the JSON value from standard input"),
    row("idempotent", "", OFF, SET.or(Levels::UNSET), "", "Leave the file alone when nothing changes"),
    row("yes", "y", OFF, Levels::UPDATEKEYS.or(Levels::PUBLISH).or(Levels::GIT_INSTALL), "", "Do not ask, go ahead"),
    row("omit-extensions", "", OFF, Levels::PUBLISH, "", "Publish under the name without its extension"),
    row("recursive", "r", OFF, SEVERAL, "", "Go into folders: to files that a creation rule covers or that are encrypted, as the command needs"),
    row("recursive", "", OFF, Levels::PUBLISH, "", "Publish all files of a directory"),
    row("background", "", OFF, EXEC, "", "Do not wait for the command (deprecated)"),
    row("pristine", "", OFF, Levels::EXEC_ENV, "", "Give the command the decrypted values only, not the present environment"),
    row("null-as-empty", "", OFF, Levels::EXEC_ENV, "", "Give null as the empty string, not as <nil>"),
    row("same-process", "", OFF, Levels::EXEC_ENV, "", "Replace this process by the command"),
    row("no-fifo", "", OFF, Levels::EXEC_FILE, "", "Use a regular temporary file, not a named pipe"),
    row("filename", "", VALUE, Levels::EXEC_FILE, "NAME", "Name of the temporary file (default: tmp-file)"),
    row("user", "", VALUE, EXEC, "NAME", "Run the command as this user"),
    row("network", "net", VALUE, Levels::KEYSERVICE, "NET", "Kind of network: tcp or unix (default: tcp)"),
    row("address", "addr", VALUE, Levels::KEYSERVICE, "ADDR", "Address to listen on (default: 127.0.0.1:5000)"),
    row("prompt", "", OFF, Levels::KEYSERVICE, "", "Ask before every request"),

    from_env("age", "a", "SOPS_AGE_RECIPIENTS", VALUE, KEYS_SEEN, "LIST", "age recipients, separated by commas"),
    from_env("azure-kv", "", "SOPS_AZURE_KEYVAULT_URLS", VALUE, KEYS_SEEN, "LIST", "Azure Key Vault key URLs, separated by commas"),
    from_env("pgp", "p", "SOPS_PGP_FP", VALUE, KEYS_SEEN, "LIST", "PGP fingerprints, separated by commas"),
    from_env("kms", "k", "SOPS_KMS_ARN", VALUE, KEYS_SEEN, "LIST", "AWS KMS ARNs, separated by commas"),
    row("aws-profile", "", VALUE, KEYS_SEEN.or(GROUP), "NAME", "AWS profile for requests to AWS"),
    from_env("gcp-kms", "", "SOPS_GCP_KMS_IDS", VALUE, KEYS_SEEN, "LIST", "GCP KMS resource IDs, separated by commas"),
    from_env("hckms", "", "SOPS_HUAWEICLOUD_KMS_IDS", VALUE, KEYS_SEEN, "LIST", "HuaweiCloud KMS key IDs (region:uuid), separated by commas"),
    from_env("hc-vault-transit", "", "SOPS_VAULT_URIS", VALUE, KEYS_SEEN, "LIST", "Vault transit key URIs, separated by commas"),
    row("age", "", VALUE, Levels::INIT, "LIST", "age recipients for the new rule, separated by commas"),
    row("azure-kv", "", VALUE, Levels::INIT, "LIST", "Azure Key Vault key URLs for the new rule, separated by commas"),
    row("age", "", MANY, GROUP, "RECIPIENT", "age recipient of the new group (repeatable)"),
    row("azure-kv", "", MANY, GROUP, "URL", "Azure Key Vault key URL of the new group (repeatable)"),
    row("pgp", "", MANY, GROUP, "FINGERPRINT", "PGP fingerprint of the new group (repeatable)"),
    row("kms", "", MANY, GROUP, "ARN", "AWS KMS ARN of the new group (repeatable)"),
    row("gcp-kms", "", MANY, GROUP, "ID", "GCP KMS resource ID of the new group (repeatable)"),
    row("hckms", "", MANY, GROUP, "ID", "HuaweiCloud KMS key ID of the new group (repeatable)"),
    row("hc-vault-transit", "", MANY, GROUP, "URI", "Vault transit key URI of the new group (repeatable)"),

    row("add-age", "", VALUE, ROTATES, "LIST", "Add age recipients"),
    row("rm-age", "", VALUE, ROTATES, "LIST", "Remove age recipients"),
    row("add-azure-kv", "", VALUE, ROTATES, "LIST", "Add Azure Key Vault key URLs"),
    row("rm-azure-kv", "", VALUE, ROTATES, "LIST", "Remove Azure Key Vault key URLs"),
    row("add-pgp", "", VALUE, ROTATES, "LIST", "Add PGP fingerprints"),
    row("rm-pgp", "", VALUE, ROTATES, "LIST", "Remove PGP fingerprints"),
    row("add-kms", "", VALUE, ROTATES, "LIST", "Add AWS KMS ARNs"),
    row("rm-kms", "", VALUE, ROTATES, "LIST", "Remove AWS KMS ARNs"),
    row("add-gcp-kms", "", VALUE, ROTATES, "LIST", "Add GCP KMS resource IDs"),
    row("rm-gcp-kms", "", VALUE, ROTATES, "LIST", "Remove GCP KMS resource IDs"),
    row("add-hckms", "", VALUE, ROTATES, "LIST", "Add HuaweiCloud KMS key IDs"),
    row("rm-hckms", "", VALUE, ROTATES, "LIST", "Remove HuaweiCloud KMS key IDs"),
    row("add-hc-vault-transit", "", VALUE, ROTATES, "LIST", "Add Vault transit key URIs"),
    row("rm-hc-vault-transit", "", VALUE, ROTATES, "LIST", "Remove Vault transit key URIs"),

    row("encrypted-regex", "", VALUE, KEYS, "REGEX", "Encrypt only values whose key matches"),
    row("unencrypted-regex", "", VALUE, KEYS, "REGEX", "Leave values plain whose key matches"),
    row("encrypted-suffix", "", VALUE, KEYS, "SUFFIX", "Encrypt only values whose key ends so"),
    row("unencrypted-suffix", "", VALUE, KEYS, "SUFFIX", "Leave values plain whose key ends so (default: _unencrypted)"),
    row("encrypted-comment-regex", "", VALUE, KEYS, "REGEX", "Encrypt only values whose comment matches"),
    row("unencrypted-comment-regex", "", VALUE, KEYS, "REGEX", "Leave values plain whose comment matches"),
    row("mac-only-encrypted", "", OFF, KEYS, "", "Compute the MAC over encrypted values only"),
    row("as-string", "", OFF, WRITES, "", "Encrypt numbers that would be rewritten (1.10, 0x1F) as strings"),
    row("allow-unencrypted", "", OFF, WRITES, "", "Accept that no value of the file gets encrypted"),
    row("accept-selector", "", OFF, CHANGES, "", "Go on although the file selects other values than its creation rule"),
    row("accept-recipients", "", OFF, ROTATES.or(GROUP), "", "Go on although the file has recipients that its creation rule does not name"),
    row("keep-data-key", "", OFF, Levels::UPDATEKEYS.or(Levels::GROUPS_DELETE), "", "Keep the data key although a recipient is removed, who can read later versions then"),
    row("all-keys", "", OFF, Levels::VERIFY, "", "Ask every master key, and compare what they yield"),
    row("check", "", OFF, Levels::UPDATEKEYS, "", "Change nothing; the status is 1 if a file would change"),
    row("encryption-context", "", VALUE, CONTEXT, "PAIRS", "AWS KMS encryption context, as in a:b,c:d"),
    row("shamir-secret-sharing-threshold", "", NUMBER, THRESHOLD, "N", "Number of key groups needed to decrypt"),

    row("show-master-keys", "s", OFF, TOP.or(Levels::EDIT), "", "Show the metadata in the editor"),
    row("ignore-mac", "", OFF, IGNORE_MAC, "", "Do not check the integrity of the whole file"),
    from_env("decryption-order", "", "SOPS_DECRYPTION_ORDER", VALUE, ORDER.or(MERGES), "LIST", "Kinds of key to try first (default: age,pgp)"),
    from_env("enable-local-keyservice", "", "SOPS_ENABLE_LOCAL_KEYSERVICE", ON, ASKS, "", "Use the keys of this machine (default: true)"),
    from_env("keyservice", "", "SOPS_KEYSERVICE", MANY, ASKS, "URI", "Ask this key service too, as in tcp://host:5000 (repeatable)"),
    from_env("offline", "", "KSOPS_OFFLINE", OFF, ASKS, "", "Never use the network; what needs it is an error"),
    from_env("azure-public-key", "", "KSOPS_AZURE_PUBLIC_KEYS", MANY, ASKS, "[URL=]FILE", "Encrypt for this Azure key without the vault: a JWK, PEM or DER file, or a folder of JWK files (repeatable)"),

    from_env("config", "", "SOPS_CONFIG", VALUE, TOP.or(Levels::WORK), "FILE", "Use this configuration file, do not search for one"),
    row("indent", "", NUMBER, TOP.or(Levels::WORK), "N", "Number of spaces to indent YAML and JSON by"),
    from_env("layout", "", "KSOPS_LAYOUT", VALUE, LAID_OUT, "WAY", "preserve: change only the bytes of what changes; upstream: lay the file out as sops does"),
    row("strict-layout", "", OFF, LAID_OUT, "", "Treat it as an error if the layout of a file cannot be kept"),
    row("verbose", "", OFF, TOP.or(Levels::WORK), "", "Report more on standard error"),
    row("strict", "", OFF, TOP.or(Levels::WORK), "", "Treat flags without effect as errors"),
    from_env("disable-version-check", "", "SOPS_DISABLE_VERSION_CHECK", OFF, TOP, "", "Accepted; the network is never asked"),
    row("check-for-updates", "", OFF, TOP, "", "Accepted; the network is never asked"),
    row("help", "h", OFF, Levels::ALL, "", "Show this help"),
    row("version", "v", OFF, TOP, "", "Show the version"),
];

/// Flags that count for a subcommand although they stand before it.
pub(crate) const REACHING: &[&str] =
    &["config", "indent", "layout", "mac-only-encrypted", "strict", "strict-layout", "verbose"];

/// The same for most commands as `sops`, where `--verbose` stays without effect and gets a warning.
pub(crate) const REACHING_AS_SOPS: &[&str] =
    &["config", "indent", "layout", "mac-only-encrypted", "strict", "strict-layout"];

/// The flag a level knows under this name or alias.
pub(crate) fn find(name: &str, levels: Levels) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| {
        flag.levels.meets(levels) && (flag.name == name || (!flag.alias.is_empty() && flag.alias == name))
    })
}
