//! The members of the credential chain: which are asked, in which order (key-services.md section 2.6).

use crate::settings::AzureSettings;

/// A member of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Member {
    /// Client secret or certificate.
    Environment,
    /// A federated token in a file.
    WorkloadIdentity,
    /// An identity of the machine.
    ManagedIdentity,
    /// `az`.
    AzureCli,
    /// `azd`.
    AzureDeveloperCli,
}

/// Why a member gave no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is not there; the next member is asked.
    Unavailable(String),
    /// It is set up and gets no token; the chain ends.
    Failed(String),
}

impl Member {
    const ALL: [Self; 5] = [
        Self::Environment,
        Self::WorkloadIdentity,
        Self::ManagedIdentity,
        Self::AzureCli,
        Self::AzureDeveloperCli,
    ];

    /// What messages call it: the word of `AZURE_TOKEN_CREDENTIALS`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Environment => "EnvironmentCredential",
            Self::WorkloadIdentity => "WorkloadIdentityCredential",
            Self::ManagedIdentity => "ManagedIdentityCredential",
            Self::AzureCli => "AzureCLICredential",
            Self::AzureDeveloperCli => "AzureDeveloperCLICredential",
        }
    }

    /// Whether it is a developer's tool, whose every failure counts as "not there".
    pub(crate) fn is_tool(self) -> bool {
        matches!(self, Self::AzureCli | Self::AzureDeveloperCli)
    }
}

/// The members to ask: all, or those that `AZURE_TOKEN_CREDENTIALS`, else `AZURE_AUTH_METHOD`, chooses.
///
/// # Errors
/// A text if a variable holds an unknown word or one that is not supported.
pub(crate) fn members(settings: &AzureSettings) -> Result<Vec<Member>, String> {
    if let Some(word) = &settings.token_credentials {
        return by_token_credentials(word.trim());
    }
    match &settings.auth_method {
        Some(word) => by_auth_method(word.trim()),
        None => Ok(Member::ALL.to_vec()),
    }
}

fn by_token_credentials(word: &str) -> Result<Vec<Member>, String> {
    let lower = word.to_ascii_lowercase();
    match lower.as_str() {
        "prod" => return Ok(Member::ALL[..3].to_vec()),
        "dev" => return Ok(Member::ALL[3..].to_vec()),
        "azurepowershellcredential" => {
            return Err("AZURE_TOKEN_CREDENTIALS is AzurePowerShellCredential, which is not supported: use \
                        AzureCLICredential or AzureDeveloperCLICredential"
                .to_owned());
        }
        _ => {}
    }
    let member = Member::ALL.into_iter().find(|member| member.name().eq_ignore_ascii_case(word));
    member.map(|member| vec![member]).ok_or_else(|| {
        let names = Member::ALL.map(Member::name).join(", ");
        format!("AZURE_TOKEN_CREDENTIALS is {word:?}; it can be dev, prod, {names}")
    })
}

fn by_auth_method(word: &str) -> Result<Vec<Member>, String> {
    match word.to_ascii_lowercase().as_str() {
        "msi" => Ok(vec![Member::ManagedIdentity]),
        "clientcredentials" | "clientcertificate" | "environment" => Ok(vec![Member::Environment]),
        "cli" => Ok(vec![Member::AzureCli]),
        "usernamepassword" => Err("AZURE_AUTH_METHOD is usernamepassword, which is not supported (Entra ID requires \
                                   a second factor): use a client secret, a certificate, a managed identity or \
                                   `az login`"
            .to_owned()),
        _ => Err(format!(
            "AZURE_AUTH_METHOD is {word:?}; it can be msi, clientcredentials, clientcertificate, environment or cli"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::{Member, members};
    use crate::settings::AzureSettings;

    fn chosen(token_credentials: Option<&str>, auth_method: Option<&str>) -> Result<Vec<Member>, String> {
        members(&AzureSettings {
            token_credentials: token_credentials.map(str::to_owned),
            auth_method: auth_method.map(str::to_owned),
            ..AzureSettings::default()
        })
    }

    #[test]
    fn without_a_choice_all_are_asked_in_order() {
        assert_eq!(chosen(None, None), Ok(Member::ALL.to_vec()));
    }

    #[test]
    fn a_choice_is_a_part_or_one_member_in_any_case() {
        use Member::{AzureCli, AzureDeveloperCli, Environment, ManagedIdentity, WorkloadIdentity};
        assert_eq!(chosen(Some("dev"), None), Ok(vec![AzureCli, AzureDeveloperCli]));
        assert_eq!(chosen(Some("PROD"), None), Ok(vec![Environment, WorkloadIdentity, ManagedIdentity]));
        for member in Member::ALL {
            assert_eq!(chosen(Some(&member.name().to_uppercase()), None), Ok(vec![member]));
        }
    }

    #[test]
    fn the_old_switch_chooses_when_the_new_one_is_unset() {
        assert_eq!(chosen(None, Some("msi")), Ok(vec![Member::ManagedIdentity]));
        assert_eq!(chosen(None, Some("clientcredentials")), Ok(vec![Member::Environment]));
        assert_eq!(chosen(None, Some("ClientCertificate")), Ok(vec![Member::Environment]));
        assert_eq!(chosen(None, Some("environment")), Ok(vec![Member::Environment]));
        assert_eq!(chosen(None, Some("cli")), Ok(vec![Member::AzureCli]));
        assert_eq!(chosen(Some("AzureCLICredential"), Some("msi")), Ok(vec![Member::AzureCli]));
    }

    #[test]
    fn unknown_and_unsupported_words_are_errors_that_say_what_to_use() {
        assert!(chosen(Some("az"), None).expect_err("unknown").contains("AzureCLICredential"));
        assert!(
            chosen(Some("AzurePowerShellCredential"), None).expect_err("left out").contains("not supported")
        );
        assert!(chosen(None, Some("usernamepassword")).expect_err("left out").contains("managed identity"));
        assert!(chosen(None, Some("x")).expect_err("unknown").contains("clientcredentials"));
    }
}
