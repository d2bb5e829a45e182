//! New X25519 identities in the text that `age-keygen` writes.

use age::secrecy::ExposeSecret;
use age::x25519;
use ksops_core::keys::master_key::AgeKey;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// A new identity and its recipient.
pub struct NewIdentity {
    /// The key file's text: two comments and the secret line.
    pub text: Zeroizing<String>,
    /// The recipient that belongs to it.
    pub recipient: AgeKey,
}

impl std::fmt::Debug for NewIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewIdentity").field("recipient", &self.recipient).finish_non_exhaustive()
    }
}

/// Makes an X25519 identity, dated `created` (whole seconds, in the offset given).
#[must_use]
pub fn generate(created: OffsetDateTime) -> NewIdentity {
    let identity = x25519::Identity::generate();
    let recipient = identity.to_public().to_string();
    let secret = identity.to_string();
    let head = format!("# created: {}\n# public key: {recipient}\n", rfc3339(created));
    let secret = secret.expose_secret();
    // Grown once, so that no copy of the secret is left behind in freed memory.
    let mut text = Zeroizing::new(String::with_capacity(head.len() + secret.len() + 1));
    text.push_str(&head);
    text.push_str(secret);
    text.push('\n');
    NewIdentity { text, recipient: AgeKey { recipient } }
}

fn rfc3339(moment: OffsetDateTime) -> String {
    let offset = moment.offset();
    let zone = if offset.is_utc() {
        "Z".to_owned()
    } else {
        let sign = if offset.is_negative() { '-' } else { '+' };
        let (hours, minutes, _) = offset.as_hms();
        format!("{sign}{:02}:{:02}", hours.unsigned_abs(), minutes.unsigned_abs())
    };
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{zone}",
        moment.year(),
        u8::from(moment.month()),
        moment.day(),
        moment.hour(),
        moment.minute(),
        moment.second()
    )
}

#[cfg(test)]
mod tests {
    use time::{OffsetDateTime, UtcOffset};

    use super::generate;
    use crate::identities::{Line, parse_identities};

    fn moment() -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_793_460_727).expect("in range")
    }

    #[test]
    fn writes_the_form_of_age_keygen() {
        let new = generate(moment());
        let lines: Vec<&str> = new.text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0], "# created: 2026-10-31T15:32:07Z");
        assert_eq!(lines[1], format!("# public key: {}", new.recipient.recipient));
        assert!(lines[2].starts_with("AGE-SECRET-KEY-1"));
        assert!(new.text.ends_with('\n'));
    }

    #[test]
    fn the_text_is_read_back_as_the_same_recipient() {
        let new = generate(moment());
        let parsed = parse_identities(new.text.as_bytes(), Line::OneIdentity).expect("valid");
        assert_eq!(parsed.recipients(), [new.recipient.recipient]);
    }

    #[test]
    fn the_offset_of_the_time_is_kept() {
        let offset = UtcOffset::from_hms(-3, -30, 0).expect("in range");
        let new = generate(moment().to_offset(offset));
        assert!(new.text.starts_with("# created: 2026-10-31T12:02:07-03:30\n"));
    }

    #[test]
    fn debug_shows_the_recipient_only() {
        assert!(!format!("{:?}", generate(moment())).contains("SECRET"));
    }
}
