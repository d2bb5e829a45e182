//! What can be done about what GnuPG says.

/// A part of what GnuPG says, and what helps; `KEY` stands for the key.
const ADVICE: [(&str, &str); 10] = [
    (
        "Unusable public key",
        "the key KEY is expired, revoked, disabled, or cannot encrypt: `gpg --list-keys KEY` tells which",
    ),
    ("No public key", "import the public key: `gpg --import FILE`, or `gpg --recv-keys KEY`"),
    (
        "No secret key",
        "the secret key of KEY is not in this GnuPG home: import it with `gpg --import FILE`, or set GNUPGHOME to the home that has it",
    ),
    (
        "not a valid long keyID",
        "name the key by its fingerprint of 40 digits: `gpg --list-keys --fingerprint`",
    ),
    ("Inappropriate ioctl for device", "the passphrase cannot be asked for: `export GPG_TTY=$(tty)`"),
    (
        "No pinentry",
        "the passphrase cannot be asked for: install a pinentry program, or unlock the key in gpg-agent before",
    ),
    ("Operation cancelled", "the passphrase was not entered"),
    ("Bad passphrase", "the passphrase was wrong"),
    (
        "waiting for lock",
        "another gpg keeps the key ring locked; if there is none, remove the lock file that it names",
    ),
    ("unsafe permissions", "only its owner may use a GnuPG home: `chmod 700` it"),
];

/// The sentences that fit.
pub(crate) fn hints(said: &str, key: &str) -> Vec<String> {
    let fitting = ADVICE.iter().filter(|(part, _)| said.contains(part));
    fitting.map(|(_, hint)| hint.replace("KEY", key)).collect()
}

#[cfg(test)]
mod tests {
    use super::hints;

    #[test]
    fn what_gpg_says_leads_to_a_hint_that_names_the_key() {
        let said = "gpg: encrypted with RSA key\ngpg: decryption failed: No secret key";
        let found = hints(said, "AB12");
        assert!(found.len() == 1 && found[0].contains("secret key of AB12"), "{found:?}");
        assert!(hints("all is well", "AB12").is_empty());
    }
}
