//! Against a stand-in for Key Vault and Entra ID, which is started outside and named by `RIG_AZURE_CONTROL` and the
//! other variables of its start script (proxy and certificate included). Without it the tests say "skipped"; in CI its
//! absence is a failure. They share the stand-in's faults and log, so they run one at a time.
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::fs;
use std::time::{Duration, Instant};

use ksops_azure_kv::key_url::parse_key_url;
use ksops_azure_kv::service::AzureKvService;
use ksops_azure_kv::settings::{AzureSettings, ManagedIdentitySource};
use ksops_core::keys::key_service::KeyService;
use ksops_core::keys::master_key::{AzureKvKey, MasterKey};
use ksops_transport::message::Method;
use zeroize::Zeroizing;

use crate::rig::{
    Rig, application, by_managed_identity, by_secret, data_key, encrypt, key, nothing, path_with, rig_file,
};

#[path = "azure_rig/rig.rs"]
mod rig;

/// Encrypts and decrypts, and tells how the rig says the token was got.
fn round_trip(rig: &Rig, settings: AzureSettings) -> String {
    let service = AzureKvService::new(settings);
    let enc = service.encrypt(&key(), &data_key()).expect("encrypts");
    assert_eq!(enc.0.len(), 342);
    assert!(!enc.0.contains(['+', '/', '=']));
    assert_eq!(service.decrypt(&key(), &enc).expect("decrypts"), data_key());
    let log = rig.log();
    let last = log.iter().rev().find(|entry| entry["token_via"].is_string()).expect("a token was used");
    last["token_via"].as_str().expect("text").to_owned()
}

#[test]
fn a_client_secret_opens_the_vault() {
    let Some(rig) = Rig::start() else { return };
    assert_eq!(round_trip(&rig, by_secret()), "secret");
}

#[test]
fn a_client_certificate_opens_the_vault() {
    let Some(rig) = Rig::start() else { return };
    let directory = tempfile::tempdir().expect("directory");
    let made = std::process::Command::new("openssl")
        .args("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=t -keyout k.pem -out c.pem".split(' '))
        .current_dir(directory.path())
        .output();
    assert!(made.expect("openssl").status.success());
    let both = ["k.pem", "c.pem"].map(|name| fs::read_to_string(directory.path().join(name)).expect("made"));
    let path = directory.path().join("both.pem");
    fs::write(&path, both.concat()).expect("written");
    let settings = AzureSettings { certificate_path: Some(path), ..application() };
    assert_eq!(round_trip(&rig, settings), "assertion");
}

#[test]
fn a_federated_token_opens_the_vault() {
    let Some(rig) = Rig::start() else { return };
    let settings = AzureSettings { federated_token_file: Some(rig_file("federated-token")), ..application() };
    assert_eq!(round_trip(&rig, settings), "assertion");
}

#[test]
fn a_managed_identity_opens_the_vault() {
    let Some(rig) = Rig::start() else { return };
    assert_eq!(round_trip(&rig, by_managed_identity()), "msi");
    assert!(
        rig.log()
            .iter()
            .any(|entry| entry["kind"] == "http" && entry["headers"]["x-identity-header"].is_string())
    );
}

#[test]
fn a_machine_s_identity_opens_the_vault_after_a_probe() {
    let Some(rig) = Rig::start() else { return };
    let endpoint = format!("{}/metadata/identity/oauth2/token", rig.control);
    let settings = AzureSettings { managed_identity: ManagedIdentitySource::Imds { endpoint }, ..nothing() };
    assert_eq!(round_trip(&rig, settings), "imds");
    assert_eq!(rig.count("/metadata/identity"), 2);
}

#[test]
fn the_azure_cli_opens_the_vault() {
    let Some(rig) = Rig::start() else { return };
    let settings = AzureSettings { tool_path: Some(path_with(&rig_file("bin"))), ..nothing() };
    assert_eq!(round_trip(&rig, settings), "az");
}

#[test]
fn the_wire_is_challenge_first_and_one_token_for_many_operations() {
    let Some(rig) = Rig::start() else { return };
    let service = AzureKvService::new(by_secret());
    let enc = service.encrypt(&key(), &data_key()).expect("encrypts");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(service.decrypt(&key(), &enc).expect("decrypts"), data_key()));
        }
    });
    let log = rig.log();
    let first = &log[0];
    assert_eq!((first["method"].as_str(), first["body"].as_str()), (Some("POST"), Some("")));
    assert!(first["target"].as_str().expect("text").ends_with("/encrypt?api-version=2025-07-01"));
    assert!(first["authorization"].is_null());
    assert_eq!(first["headers"]["content-length"], "0");
    assert!(first["headers"]["content-type"].is_null());
    assert!(log[1]["target"].as_str().expect("text").ends_with("/oauth2/v2.0/token"));
    assert_eq!(log[2]["authorization"], "Bearer");
    assert_eq!(log[2]["headers"]["content-type"], "application/json");
    assert!(log[2]["body"].as_str().expect("text").starts_with(r#"{"alg":"RSA-OAEP-256","value":""#));
    assert_eq!(rig.count("/oauth2/"), 1);
    // One challenge, the encryption, eight decryptions.
    assert_eq!(rig.count("/keys/"), 10);
}

#[test]
fn a_key_without_version_becomes_the_newest() {
    let Some(rig) = Rig::start() else { return };
    let old = rig.new_key("versions");
    let new = rig.new_key("versions");
    let service = AzureKvService::new(by_managed_identity());
    let bare = AzureKvKey { version: String::new(), ..old.clone() };
    assert_eq!(service.resolve(&MasterKey::AzureKv(bare.clone())), Ok(MasterKey::AzureKv(new.clone())));
    assert_eq!(service.resolve_latest(&old), Ok(new.clone()));
    assert!(rig.count("/keys/versions/?api-version=2025-07-01") >= 2);
    // A file may have no version: the newest one is tried.
    let enc = service.encrypt(&MasterKey::AzureKv(new), &data_key()).expect("encrypts");
    assert_eq!(service.decrypt(&MasterKey::AzureKv(bare), &enc).expect("decrypts"), data_key());
    assert_eq!(rig.count("/keys/versions/decrypt?"), 1);
    let missing = AzureKvKey { name: "missing".into(), ..old };
    let error = service.resolve_latest(&missing).expect_err("missing");
    assert!(error.message.starts_with("failed to fetch Azure Key to retrieve key version: "), "{error}");
}

#[test]
fn a_slash_behind_the_vault_s_url_does_no_harm() {
    let Some(_rig) = Rig::start() else { return };
    let MasterKey::AzureKv(key) = key() else { panic!("an Azure key") };
    let slashed = MasterKey::AzureKv(AzureKvKey { vault_url: format!("{}/", key.vault_url), ..key });
    let service = AzureKvService::new(by_secret());
    let enc = service.encrypt(&slashed, &data_key()).expect("encrypts");
    assert_eq!(service.decrypt(&slashed, &enc).expect("decrypts"), data_key());
}

#[test]
fn a_disabled_key_says_how_to_enable_it() {
    let Some(rig) = Rig::start() else { return };
    let key = rig.new_key("switched");
    let service = AzureKvService::new(by_secret());
    let enc = service.encrypt(&MasterKey::AzureKv(key.clone()), &data_key()).expect("encrypts");
    rig.call(Method::Post, "/_rig/key?name=switched&enabled=false", "");
    let error = service.decrypt(&MasterKey::AzureKv(key), &enc).expect_err("disabled");
    assert!(error.message.contains("403 KeyDisabled"), "{error}");
    assert!(error.hints[0].contains("set-attributes"), "{:?}", error.hints);
}

#[test]
fn statuses_that_mean_no_are_not_retried() {
    let Some(rig) = Rig::start() else { return };
    let service = AzureKvService::new(by_secret());
    let enc = service.encrypt(&key(), &data_key()).expect("encrypts");
    for (status, hint) in [(401, "AZURE_TENANT_ID"), (403, "decrypt"), (404, "list-versions")] {
        rig.call(Method::Post, "/_rig/reset", "");
        rig.fault(&format!(r#"{{"op":"decrypt","status":{status},"count":9}}"#));
        let error = service.decrypt(&key(), &enc).expect_err("refused");
        assert!(error.message.contains(&format!("answered {status} ")), "{error}");
        assert!(error.hints[0].contains(hint), "{:?}", error.hints);
        assert_eq!(rig.count("/decrypt"), 1);
    }
}

#[test]
fn the_service_s_wait_is_kept_and_the_operation_succeeds() {
    let Some(rig) = Rig::start() else { return };
    rig.fault(r#"{"op":"encrypt","status":429,"retry_after":1,"count":2}"#);
    let begun = Instant::now();
    encrypt(by_secret()).expect("encrypts in the end");
    assert!(begun.elapsed() >= Duration::from_secs(2));
    // The challenge, two refusals, the success: retries ask for no new challenge.
    assert_eq!(rig.count("/encrypt"), 4);
}

#[test]
fn a_wait_longer_than_the_limit_fails_at_once_with_the_reason() {
    let Some(rig) = Rig::start() else { return };
    rig.fault(r#"{"op":"encrypt","status":429,"retry_after":3600,"count":9}"#);
    let begun = Instant::now();
    let error = encrypt(by_secret()).expect_err("limited");
    assert!(error.message.contains("answered 429"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn errors_of_the_vault_are_retried_three_times() {
    let Some(rig) = Rig::start() else { return };
    rig.fault(r#"{"op":"encrypt","status":500,"count":9}"#);
    let error = encrypt(by_secret()).expect_err("broken");
    assert!(error.message.contains("answered 500"), "{error}");
    assert_eq!(rig.count("/encrypt"), 5);
}

#[test]
fn dropped_connections_are_retried() {
    let Some(rig) = Rig::start() else { return };
    rig.fault(r#"{"op":"encrypt","drop":true,"count":2}"#);
    encrypt(by_secret()).expect("encrypts in the end");
    rig.fault(r#"{"op":"encrypt","drop":true,"count":9}"#);
    let error = encrypt(by_secret()).expect_err("broken");
    assert!(error.message.contains("connection broke"), "{error}");
}

#[test]
fn token_requests_are_retried_as_well() {
    let Some(rig) = Rig::start() else { return };
    rig.fault(r#"{"op":"token","status":503,"count":2}"#);
    encrypt(by_secret()).expect("encrypts in the end");
    assert_eq!(rig.count("/oauth2/"), 3);
    rig.fault(r#"{"op":"msi","status":429,"count":2}"#);
    encrypt(by_managed_identity()).expect("encrypts in the end");
    assert_eq!(rig.count("/msi/token"), 3);
}

#[test]
fn a_host_without_connection_fails_soon() {
    let Some(_rig) = Rig::start() else { return };
    let key = parse_key_url("https://nobody.vault.usgovcloudapi.net/keys/k/1").expect("a key URL");
    let begun = Instant::now();
    let error =
        AzureKvService::new(by_secret()).encrypt(&MasterKey::AzureKv(key), &data_key()).expect_err("unknown");
    assert!(error.message.contains("nobody.vault.usgovcloudapi.net: could not connect"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_wrong_secret_ends_the_chain_though_another_member_would_work() {
    let Some(rig) = Rig::start() else { return };
    let settings = AzureSettings {
        client_secret: Some(Zeroizing::new("wrong".to_owned())),
        managed_identity: by_managed_identity().managed_identity,
        ..application()
    };
    let error = encrypt(settings).expect_err("refused");
    assert!(error.message.contains("EnvironmentCredential: the token request was refused"), "{error}");
    assert!(error.message.contains("AADSTS7000215: Invalid client secret provided."), "{error}");
    assert!(error.message.contains("not tried after that: WorkloadIdentityCredential"), "{error}");
    assert!(!error.message.contains("wrong"));
    assert_eq!(rig.count("/msi/token"), 0);
}

#[test]
fn without_any_credential_every_member_is_listed() {
    let Some(rig) = Rig::start() else { return };
    let begun = Instant::now();
    let error = encrypt(nothing()).expect_err("nothing");
    for part in [
        "EnvironmentCredential: AZURE_TENANT_ID is not set",
        "WorkloadIdentityCredential: AZURE_TENANT_ID is not set",
        "ManagedIdentityCredential: there is no metadata service",
        "AzureCLICredential: az not found on PATH",
        "AzureDeveloperCLICredential: azd not found on PATH",
    ] {
        assert!(error.message.contains(part), "{part}: {error}");
    }
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(rig.count("/keys/"), 1);
}

#[test]
fn a_mistaken_choice_fails_without_a_token_request() {
    let Some(rig) = Rig::start() else { return };
    let settings = AzureSettings { auth_method: Some("usernamepassword".into()), ..by_secret() };
    let error = encrypt(settings).expect_err("mistake");
    assert!(error.message.contains("AZURE_AUTH_METHOD is usernamepassword"), "{error}");
    assert_eq!(rig.count("/oauth2/"), 0);
    let chosen = AzureSettings {
        auth_method: Some("msi".into()),
        client_secret: Some(Zeroizing::new("wrong".to_owned())),
        managed_identity: by_managed_identity().managed_identity,
        ..application()
    };
    assert_eq!(round_trip(&rig, chosen), "msi");
}

#[test]
fn another_tenant_s_vault_is_refused_unless_allowed() {
    let Some(rig) = Rig::start() else { return };
    let foreign =
        AzureSettings { tenant_id: Some("99999999-0000-0000-0000-000000000000".into()), ..by_secret() };
    let error = encrypt(foreign.clone()).expect_err("foreign");
    assert!(error.message.contains("AZURE_ADDITIONALLY_ALLOWED_TENANTS"), "{error}");
    assert_eq!(rig.count("/oauth2/"), 0);
    let allowed = AzureSettings { additionally_allowed_tenants: vec!["*".into()], ..foreign };
    assert_eq!(round_trip(&rig, allowed), "secret");
}

#[test]
#[cfg(unix)]
fn a_token_that_the_vault_rejects_is_replaced_once() {
    use std::os::unix::fs::PermissionsExt;

    let Some(rig) = Rig::start() else { return };
    let directory = tempfile::tempdir().expect("directory");
    let tool = directory.path().join("az");
    // The token lives for two seconds, and claims an hour.
    let script = format!(
        "#!/usr/bin/env python3\nimport json, sys, time, urllib.request\n\
         url = '{}/_rig/token?seconds=2&resource=https://vault.azure.net'\n\
         token = json.load(urllib.request.build_opener(urllib.request.ProxyHandler({{}})).open(url))\n\
         token['expires_on'] = int(time.time()) + 3600\nprint(json.dumps(token))\n",
        rig.control
    );
    fs::write(&tool, script).expect("written");
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).expect("made runnable");
    let service =
        AzureKvService::new(AzureSettings { tool_path: Some(path_with(directory.path())), ..nothing() });
    let enc = service.encrypt(&key(), &data_key()).expect("encrypts");
    std::thread::sleep(Duration::from_millis(2500));
    assert_eq!(service.decrypt(&key(), &enc).expect("decrypts with a new token"), data_key());
    assert_eq!(rig.count("/decrypt"), 2);
}
