//! The credential chain of the process: asks its members in order, keeps the tokens (key-services.md section 2.6).

use std::collections::HashMap;
use std::sync::Arc;

use azure_core::credentials::{AccessToken, TokenCredential};
use ksops_transport::https::HttpsClient;
use ksops_transport::retry::RetryPolicy;
use time::{Duration, OffsetDateTime};
use tokio::sync::Mutex;

use crate::failure::{Answer, CredentialFailure, Failure};
use crate::member::{Member, Refusal, members};
use crate::settings::AzureSettings;
use crate::{entra, managed_identity, tools};

/// A token with less than this left is not used any more.
const REFRESH: Duration = Duration::minutes(5);

/// Where members get their tokens; the network, or a test.
#[async_trait::async_trait]
pub(crate) trait TokenSource: Send + Sync {
    /// Asks a member. `alone`: whether it is the only one, chosen by name.
    async fn ask(
        &self,
        member: Member,
        tenant: Option<&str>,
        scope: &str,
        alone: bool,
    ) -> Result<AccessToken, Refusal>;
}

/// The chain with its cache: one for the process.
pub(crate) struct Chain {
    members: Result<Vec<Member>, String>,
    source: Box<dyn TokenSource>,
    /// By tenant and scope. The lock is held while a token is fetched, so that many operations cause one request.
    tokens: Mutex<HashMap<Place, Kept>>,
}

/// A tenant and a scope.
pub(crate) type Place = (Option<String>, String);

/// A token, and how it was found.
struct Kept {
    token: AccessToken,
    walk: Walk,
}

/// The way through the chain to a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Walk {
    /// The members before, with their reasons.
    pub(crate) passed: Vec<(Member, String)>,
    /// The member that gave the token.
    pub(crate) used: Member,
}

impl Chain {
    pub(crate) fn new(settings: &AzureSettings, source: Box<dyn TokenSource>) -> Self {
        Self { members: members(settings), source, tokens: Mutex::default() }
    }

    /// Gives a token for `scope` in `tenant`, the tenant of the vault's challenge. `rejected` is a token that the vault
    /// did not take; it is forgotten.
    pub(crate) async fn token(
        &self,
        tenant: Option<&str>,
        scope: &str,
        rejected: Option<&str>,
    ) -> Result<AccessToken, CredentialFailure> {
        let members = self.members.as_ref().map_err(|mistake| CredentialFailure {
            settings: Some(mistake.clone()),
            ..CredentialFailure::default()
        })?;
        let place = (tenant.map(str::to_owned), scope.to_owned());
        let mut tokens = self.tokens.lock().await;
        if let Some(Kept { token, .. }) = tokens.get(&place)
            && token.expires_on - OffsetDateTime::now_utc() > REFRESH
            && Some(token.token.secret()) != rejected
        {
            return Ok(token.clone());
        }
        tokens.remove(&place);
        let (token, walk) = self.walk(members, tenant, scope).await?;
        tokens.insert(place, Kept { token: token.clone(), walk });
        Ok(token)
    }

    /// How the token for a place was found, if there is one.
    pub(crate) async fn walked(&self, place: &Place) -> Option<Walk> {
        self.tokens.lock().await.get(place).map(|kept| kept.walk.clone())
    }

    async fn walk(
        &self,
        members: &[Member],
        tenant: Option<&str>,
        scope: &str,
    ) -> Result<(AccessToken, Walk), CredentialFailure> {
        let mut failure = CredentialFailure::default();
        let mut passed = Vec::new();
        for (index, member) in members.iter().enumerate() {
            let refusal = match self.source.ask(*member, tenant, scope, members.len() == 1).await {
                Ok(token) => return Ok((token, Walk { passed, used: *member })),
                Err(refusal) => refusal,
            };
            match refusal {
                Refusal::Failed(reason) if !member.is_tool() => {
                    failure.tried.push((member.name().to_owned(), reason));
                    failure.ended_at = Some(member.name().to_owned());
                    failure.not_tried = members[index + 1..].iter().map(|m| m.name().to_owned()).collect();
                    return Err(failure);
                }
                Refusal::Failed(reason) | Refusal::Unavailable(reason) => {
                    passed.push((*member, reason.clone()));
                    failure.tried.push((member.name().to_owned(), reason));
                }
            }
        }
        Err(failure)
    }
}

/// The members as they are.
pub(crate) struct RealSource {
    pub(crate) settings: Arc<AzureSettings>,
    pub(crate) client: HttpsClient,
    pub(crate) policy: RetryPolicy,
}

#[async_trait::async_trait]
impl TokenSource for RealSource {
    async fn ask(
        &self,
        member: Member,
        tenant: Option<&str>,
        scope: &str,
        alone: bool,
    ) -> Result<AccessToken, Refusal> {
        // A credential of the SDK is made for one request: its own cache would only hide that a token was rejected.
        let credential: Arc<dyn TokenCredential> = match member {
            Member::ManagedIdentity => {
                return managed_identity::token(&self.settings, &self.client, &self.policy, scope, alone)
                    .await;
            }
            Member::Environment => entra::environment(&self.settings, &self.client, &self.policy, tenant)?,
            Member::WorkloadIdentity => {
                entra::workload_identity(&self.settings, &self.client, &self.policy, tenant)?
            }
            Member::AzureCli => tools::azure_cli(&self.settings, tenant)?,
            Member::AzureDeveloperCli => tools::azure_developer_cli(&self.settings, tenant)?,
        };
        credential.get_token(&[scope], None).await.map_err(|error| Refusal::Failed(reason(error)))
    }
}

/// What a member's error says, without the SDK's wrapping.
fn reason(error: azure_core::Error) -> String {
    let text = error.to_string();
    match Failure::from(error) {
        Failure::Answer(Answer { status, message, code, .. }) => {
            let said = if message.is_empty() { code } else { message };
            format!("the token request was refused with status {status}: {said}")
        }
        Failure::Http(error) => error.to_string(),
        _ => {
            // `XCredential authentication failed. REASON`, then a link.
            let text = text.split("\nTo troubleshoot").next().unwrap_or_default();
            let text = text.split_once("authentication failed.").map_or(text, |(_, reason)| reason);
            let shown: Vec<&str> =
                text.lines().map(str::trim).filter(|line| !line.is_empty()).take(3).collect();
            crate::failure::plain(&shown.join(" "))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use azure_core::credentials::AccessToken;
    use ksops_transport::runtime::block_on;
    use time::{Duration, OffsetDateTime};

    use super::{Chain, TokenSource};
    use crate::failure::CredentialFailure;
    use crate::member::{Member, Refusal};
    use crate::settings::AzureSettings;

    /// Members answer as told; every token is new and lives for `minutes`.
    struct Told {
        refusals: HashMap<Member, Refusal>,
        minutes: i64,
        given: Arc<AtomicUsize>,
    }

    #[async_trait::async_trait]
    impl TokenSource for Told {
        async fn ask(
            &self,
            member: Member,
            _: Option<&str>,
            _: &str,
            _: bool,
        ) -> Result<AccessToken, Refusal> {
            match self.refusals.get(&member) {
                Some(refusal) => Err(refusal.clone()),
                None => {
                    let number = self.given.fetch_add(1, Ordering::SeqCst);
                    let expires = OffsetDateTime::now_utc() + Duration::minutes(self.minutes);
                    Ok(AccessToken::new(format!("{}-{number}", member.name()), expires))
                }
            }
        }
    }

    fn chain(refusals: &[(Member, Refusal)], minutes: i64) -> (Chain, Arc<AtomicUsize>) {
        let given = Arc::new(AtomicUsize::new(0));
        let told = Told { refusals: refusals.iter().cloned().collect(), minutes, given: given.clone() };
        (Chain::new(&AzureSettings::default(), Box::new(told)), given)
    }

    fn unavailable(member: Member) -> (Member, Refusal) {
        (member, Refusal::Unavailable(format!("no {}", member.name())))
    }

    /// Asks in turn, each time for a tenant and with a rejected token.
    fn ask(
        chain: Chain,
        asks: &'static [(&'static str, Option<&'static str>)],
    ) -> Vec<Result<String, CredentialFailure>> {
        block_on(async move {
            let mut got = Vec::new();
            for (tenant, rejected) in asks {
                let token = chain.token(Some(tenant), "s", *rejected).await;
                got.push(token.map(|token| token.token.secret().to_owned()));
            }
            got
        })
        .expect("runtime")
    }

    #[test]
    fn goes_past_members_that_are_not_there() {
        let (chain, _) =
            chain(&[unavailable(Member::Environment), unavailable(Member::WorkloadIdentity)], 60);
        assert_eq!(ask(chain, &[("t", None)]), [Ok("ManagedIdentityCredential-0".to_owned())]);
    }

    #[test]
    fn ends_at_a_member_that_is_set_up_and_fails() {
        let failed = (Member::WorkloadIdentity, Refusal::Failed("bad".into()));
        let (chain, given) = chain(&[unavailable(Member::Environment), failed], 60);
        let failure = ask(chain, &[("t", None)]).remove(0).expect_err("ends");
        assert_eq!(
            failure.describe(),
            "no credential gave a token:\n  EnvironmentCredential: no EnvironmentCredential\n  \
             WorkloadIdentityCredential: bad\n  not tried after that: ManagedIdentityCredential, \
             AzureCLICredential, AzureDeveloperCLICredential"
        );
        assert_eq!(given.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn a_failing_tool_does_not_end_the_chain() {
        let before =
            [Member::Environment, Member::WorkloadIdentity, Member::ManagedIdentity].map(unavailable);
        let mut refusals = before.to_vec();
        refusals.push((Member::AzureCli, Refusal::Failed("not logged in".into())));
        let (chain, _) = chain(&refusals, 60);
        assert_eq!(ask(chain, &[("t", None)]), [Ok("AzureDeveloperCLICredential-0".to_owned())]);
    }

    #[test]
    fn every_member_s_reason_is_listed_when_none_is_there() {
        let all = [
            Member::Environment,
            Member::WorkloadIdentity,
            Member::ManagedIdentity,
            Member::AzureCli,
            Member::AzureDeveloperCli,
        ];
        let (chain, _) = chain(&all.map(unavailable), 60);
        let failure = ask(chain, &[("t", None)]).remove(0).expect_err("none");
        assert_eq!(failure.tried.len(), 5);
    }

    #[test]
    fn a_token_is_kept_for_its_tenant_until_it_is_old_or_rejected() {
        let (fresh, given) = chain(&[], 60);
        const REJECTED: Option<&str> = Some("EnvironmentCredential-0");
        let got = ask(fresh, &[("t", None), ("t", None), ("u", None), ("t", REJECTED), ("t", REJECTED)]);
        let numbers: Vec<_> =
            got.into_iter().map(|token| token.expect("given").pop().expect("a digit")).collect();
        assert_eq!(numbers, ['0', '0', '1', '2', '2']);
        assert_eq!(given.load(Ordering::SeqCst), 3);
        let (old, given) = chain(&[], 4);
        ask(old, &[("t", None), ("t", None)]);
        assert_eq!(given.load(Ordering::SeqCst), 2);
    }
}
