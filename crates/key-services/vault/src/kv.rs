//! The key-value engines of HashiCorp Vault and OpenBao, versions 1 and 2.

use ksops_transport::message::Method;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::client::{Call, VaultClient};
use crate::failure::Failure;
use crate::settings::VaultSettings;

/// Writes secrets. Nothing is read or sent before the first.
#[derive(Debug)]
pub struct KvEngine {
    client: VaultClient,
}

/// Why a secret was not written; never holds a part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {failure}")]
pub struct KvError {
    /// The URL.
    pub place: String,
    /// What failed.
    pub failure: Failure,
    /// What helps, a sentence each.
    pub hints: Vec<String>,
}

impl KvEngine {
    /// An engine of a server that these settings reach.
    #[must_use]
    pub fn new(settings: VaultSettings) -> Self {
        Self { client: VaultClient::new(settings) }
    }

    /// The server: the one named, else that of the settings.
    #[must_use]
    pub fn address(&self, named: &str) -> String {
        self.client.settings().destination_address(named)
    }

    /// Writes the object `json` at `path` below `mount`, unless it is there already. Gives whether it wrote.
    ///
    /// # Errors
    /// [`KvError`] if the server refuses or gives no answer.
    pub fn write(
        &self,
        named: &str,
        mount: &str,
        path: &str,
        is_version_1: bool,
        json: &[u8],
    ) -> Result<bool, KvError> {
        let address = self.address(named);
        let path = if is_version_1 { format!("{mount}{path}") } else { format!("{mount}data/{path}") };
        let call = |method, body| self.client.call(Call { method, address: &address, path: &path, body });
        // What cannot be read may still be written: a policy can allow just that.
        if let Ok(Some(answer)) = call(Method::Get, Zeroizing::default())
            && is_same(&answer, json, is_version_1)
        {
            return Ok(false);
        }
        let body = match is_version_1 {
            true => Zeroizing::new(json.to_vec()),
            false => wrapped(json),
        };
        match call(Method::Put, body) {
            Ok(_) => Ok(true),
            Err(failure) => {
                let hints = failure.hints(&path, "create, update");
                Err(KvError { place: format!("{address}/v1/{path}"), failure, hints })
            }
        }
    }
}

/// The body of version 2. By hand, so that it is wiped.
fn wrapped(json: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut body = Zeroizing::new(Vec::with_capacity(json.len() + 16));
    body.extend_from_slice(br#"{"data":"#);
    body.extend_from_slice(json);
    body.extend_from_slice(b"}");
    body
}

/// Whether the answer to reading holds just this object. Numbers are compared as JSON has them.
fn is_same(answer: &[u8], json: &[u8], is_version_1: bool) -> bool {
    let place = if is_version_1 { "/data" } else { "/data/data" };
    let (Ok(answer), Ok(ours)) =
        (serde_json::from_slice::<Value>(answer), serde_json::from_slice::<Value>(json))
    else {
        return false;
    };
    answer.pointer(place) == Some(&ours)
}

#[cfg(test)]
mod tests {
    use super::is_same;

    #[test]
    fn only_the_same_object_is_up_to_date() {
        let ours = br#"{"a": 1, "b": [true, {"c": "x"}]}"#;
        let second = br#"{"data": {"data": {"b": [true, {"c": "x"}], "a": 1}, "metadata": {"version": 3}}}"#;
        let first = br#"{"data": {"a": 1, "b": [true, {"c": "x"}]}}"#;
        assert!(is_same(second, ours, false) && is_same(first, ours, true));
        assert!(!is_same(second, ours, true) && !is_same(first, ours, false));
        assert!(!is_same(br#"{"data": {"data": {"a": 2}}}"#, ours, false));
        assert!(!is_same(b"<html>", ours, false));
    }
}
