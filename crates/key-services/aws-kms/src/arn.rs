//! What the name of a key says (key-services.md section 5.1), and what a session of a role is called (section 5.3).

use crate::failure::Failure;

/// The region in an ARN of a key or alias.
///
/// # Errors
/// [`Failure::Name`], in upstream's words.
pub(crate) fn region_of(arn: &str) -> Result<&str, Failure> {
    let fail = || Failure::Name(format!("no valid ARN found in {arn:?}"));
    let mut parts = arn.splitn(6, ':');
    let mut next = || parts.next().unwrap_or_default();
    let (word, partition, service, region, account, resource) =
        (next(), next(), next(), next(), next(), next());
    let is_plain = |text: &str| text.chars().all(|sign| sign.is_ascii_alphanumeric() || "-_".contains(sign));
    let (kind, name) = resource.split_once('/').unwrap_or_default();
    let is_arn = word == "arn"
        && partition.starts_with("aws")
        && is_plain(partition)
        && service == "kms"
        // It becomes a part of the host.
        && !region.is_empty()
        && is_plain(region)
        && !account.is_empty()
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && ["key", "alias"].contains(&kind)
        && !name.is_empty();
    if is_arn { Ok(region) } else { Err(fail()) }
}

/// `sops@HOST`, without what such a name may not hold.
pub(crate) fn role_session_name() -> String {
    session_name(&host())
}

fn session_name(host: &str) -> String {
    let allowed = |sign: &char| sign.is_ascii_alphanumeric() || "=,.@-_".contains(*sign);
    format!("sops@{}", host.chars().filter(allowed).collect::<String>()).chars().take(64).collect()
}

#[cfg(unix)]
fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn host() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{region_of, session_name};

    #[test]
    fn the_region_is_that_of_the_arn() {
        for (arn, region) in [
            ("arn:aws:kms:eu-west-1:123456789012:key/mrk-1", "eu-west-1"),
            ("arn:aws-cn:kms:cn-north-1:1:alias/a/b", "cn-north-1"),
            ("arn:aws-us-gov:kms:us-gov-west-1:1:key/k:x", "us-gov-west-1"),
        ] {
            assert_eq!(region_of(arn), Ok(region));
        }
        for arn in [
            "arn:aws:kms::1:key/k",
            "arn:aws:kms:r:x:key/k",
            "arn:aws:kms:r:1:grant/k",
            "arn:aws:kms:r:1:key/",
            "arn:gcp:kms:r:1:key/k",
            "arn:aws:kms:evil.example/:1:key/k",
        ] {
            assert!(region_of(arn).is_err(), "{arn}");
        }
    }

    #[test]
    fn names_of_sessions_are_short_and_plain() {
        assert_eq!(session_name("my host/ü.local"), "sops@myhost.local");
        assert_eq!(session_name(&"h".repeat(99)).len(), 64);
    }
}
