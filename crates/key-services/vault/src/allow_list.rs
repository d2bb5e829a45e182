//! Which servers may be given the user's token (`SOPS_HC_VAULT_ALLOWLIST`, key-services.md section 7.4). A file names the
//! server, so without a list anybody who can write a file can ask for the token.

/// The variable that holds the list.
pub const VARIABLE: &str = "SOPS_HC_VAULT_ALLOWLIST";

/// The servers that may be asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum AllowList {
    /// Every one.
    #[default]
    All,
    /// None.
    Nobody,
    /// Those whose address begins with one of these, which end with a slash.
    Prefixes(Vec<String>),
    /// The list is wrong, so nobody is asked.
    Wrong(String),
}

impl AllowList {
    /// Reads the variable; empty counts as unset.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            "" | "all" => return Self::All,
            "none" => return Self::Nobody,
            _ => {}
        }
        let mut prefixes = Vec::new();
        for (index, item) in text.split(',').enumerate() {
            let item = item.trim_matches(' ');
            if item.is_empty() {
                return Self::Wrong(format!("{VARIABLE}'s entry {} is empty", index + 1));
            }
            prefixes.push(with_slash(item));
        }
        Self::Prefixes(prefixes)
    }

    /// Whether the server at `address` may be asked.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, address: &str) -> Result<(), String> {
        let refused = || format!("Vault address {address:?} is not allowed by {VARIABLE}; nothing was sent");
        match self {
            Self::All => Ok(()),
            Self::Nobody => Err(refused()),
            Self::Wrong(why) => Err(why.clone()),
            Self::Prefixes(prefixes) => {
                let address = with_slash(address);
                if prefixes.iter().any(|prefix| address.starts_with(prefix)) {
                    Ok(())
                } else {
                    Err(refused())
                }
            }
        }
    }
}

fn with_slash(text: &str) -> String {
    if text.ends_with('/') { text.to_owned() } else { format!("{text}/") }
}

#[cfg(test)]
mod tests {
    use super::AllowList;

    #[test]
    fn only_addresses_below_a_prefix_are_asked() {
        let allowed = |list: &str, address: &str| AllowList::parse(list).check(address).is_ok();
        for (list, address, expected) in [
            ("", "https://evil.example", true),
            ("all", "https://evil.example", true),
            ("none", "https://v.example", false),
            ("https://v.example", "https://v.example", true),
            ("https://v.example", "https://v.example/", true),
            ("https://v.example", "https://v.example.evil.org", false),
            ("https://v.example", "https://v.example:8200", false),
            ("https://v.example", "http://v.example", false),
            (" https://a , https://v.example/ ", "https://v.example", true),
            ("https://a,,https://v.example", "https://v.example", false),
            ("https://a,", "https://a", false),
        ] {
            assert_eq!(allowed(list, address), expected, "{list:?} {address}");
        }
        let wrong = AllowList::parse("https://a,").check("https://a");
        assert_eq!(wrong, Err("SOPS_HC_VAULT_ALLOWLIST's entry 2 is empty".to_owned()));
    }
}
