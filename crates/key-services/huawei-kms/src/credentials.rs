//! Access keys, and where they are found (key-services.md section 8.3).

use std::fs;
use std::path::Path;

use ksops_transport::https::HttpsClient;
use ksops_transport::message::{Method, Request, Route};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::settings::HuaweiSettings;

/// The machine's own service is near or not there.
const METADATA_LIMIT: std::time::Duration = std::time::Duration::from_secs(5);

/// Who to be.
pub(crate) struct AccessKey {
    pub(crate) access_key: String,
    pub(crate) secret_key: Zeroizing<String>,
    pub(crate) security_token: Option<Zeroizing<String>>,
    pub(crate) project_id: Option<String>,
}

/// Finds the access key: in the variables, in the file, else of the machine.
///
/// # Errors
/// [`Failure::Credentials`].
pub(crate) async fn find(settings: &HuaweiSettings, http: &HttpsClient) -> Result<AccessKey, Failure> {
    if let (Some(access_key), Some(secret_key)) = (&settings.access_key, &settings.secret_key) {
        return Ok(AccessKey {
            access_key: access_key.clone(),
            secret_key: secret_key.clone(),
            security_token: settings.security_token.clone(),
            project_id: settings.project_id.clone(),
        });
    }
    if settings.has_idp {
        let why = "log-in by an identity provider (HUAWEICLOUD_SDK_IDP_ID) is not supported";
        return Err(Failure::Credentials(why.to_owned()));
    }
    if let Some(path) = settings.credentials_file.as_deref().filter(|path| path.exists()) {
        return of_file(path, settings);
    }
    of_machine(settings, http).await
}

fn of_file(path: &Path, settings: &HuaweiSettings) -> Result<AccessKey, Failure> {
    let name = path.display();
    let text = fs::read_to_string(path).map(Zeroizing::new);
    let text = text.map_err(|error| Failure::Credentials(format!("{name} cannot be read: {error}")))?;
    let field = |wanted: &str| {
        let mut section = "";
        for line in text.lines().map(str::trim) {
            if let Some(title) = line.strip_prefix('[') {
                section = title.trim_end_matches(']').trim();
            } else if let Some((key, value)) = line.split_once('=')
                && section == "basic"
                && key.trim() == wanted
            {
                return Some(value.trim().to_owned()).filter(|value| !value.is_empty());
            }
        }
        None
    };
    let need = |wanted: &str| {
        field(wanted).ok_or_else(|| Failure::Credentials(format!("{name}: `{wanted}` is missing in [basic]")))
    };
    Ok(AccessKey {
        access_key: need("ak")?,
        secret_key: Zeroizing::new(need("sk")?),
        security_token: field("security_token").map(Zeroizing::new),
        project_id: settings.project_id.clone().or_else(|| field("project_id")),
    })
}

async fn of_machine(settings: &HuaweiSettings, http: &HttpsClient) -> Result<AccessKey, Failure> {
    let nobody = || {
        let why = "no variable and no file names any, and this machine has none of its own";
        Failure::Credentials(why.to_owned())
    };
    let mut request =
        Request::new(Method::Get, format!("{}/openstack/latest/securitykey", settings.metadata));
    request.route = Route::Direct;
    let answer = tokio::time::timeout(METADATA_LIMIT, http.send(&request)).await;
    let answer = answer.map_err(|_| nobody())?.map_err(|_| nobody())?;
    let answer: Value = serde_json::from_slice(&answer.body).map_err(|_| nobody())?;
    let text = |name: &str| answer["credential"][name].as_str().map(str::to_owned);
    Ok(AccessKey {
        access_key: text("access").ok_or_else(nobody)?,
        secret_key: Zeroizing::new(text("secret").ok_or_else(nobody)?),
        security_token: text("securitytoken").map(Zeroizing::new),
        project_id: settings.project_id.clone(),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::of_file;
    use crate::settings::HuaweiSettings;

    #[test]
    fn the_file_has_sections() {
        let folder = std::env::temp_dir().join(format!("ksops-huawei-{}", std::process::id()));
        let write = |text: &str| std::fs::write(&folder, text).expect("own file");
        write("[global]\nak = no\n[basic]\n ak = a\nsk=s=x\nproject_id = p\n");
        let found = of_file(&folder, &HuaweiSettings::default()).expect("found");
        assert_eq!((found.access_key.as_str(), found.secret_key.as_str()), ("a", "s=x"));
        assert_eq!((found.project_id.as_deref(), found.security_token), (Some("p"), None));
        write("[basic]\nsk = hush\n");
        let error =
            of_file(&folder, &HuaweiSettings::default()).map(|_| ()).expect_err("refused").to_string();
        assert!(error.contains("`ak` is missing") && !error.contains("hush"), "{error}");
        std::fs::remove_file(&folder).expect("own file");
        assert!(of_file(Path::new("/nowhere"), &HuaweiSettings::default()).is_err());
    }
}
