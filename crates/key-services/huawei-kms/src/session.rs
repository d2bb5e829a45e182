//! An access key with its project, and signed requests.

use std::collections::HashMap;

use ksops_transport::https::{HttpsClient, HttpsSettings};
use ksops_transport::message::{Method, Request, Response};
use ksops_transport::retry::{self, RetryPolicy};
use serde_json::Value;
use time::OffsetDateTime;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::credentials::{self, AccessKey};
use crate::failure::Failure;
use crate::settings::HuaweiSettings;
use crate::signature::sign;

/// Use it on the network thread.
pub(crate) struct Session {
    http: HttpsClient,
    key: AccessKey,
    policy: RetryPolicy,
    /// By region; held while one is looked up.
    projects: Mutex<HashMap<String, String>>,
}

impl Session {
    /// Finds the access key.
    pub(crate) async fn new(settings: &HuaweiSettings) -> Result<Self, Failure> {
        let http = HttpsClient::new(&HttpsSettings::default())?;
        let key = credentials::find(settings, &http).await?;
        let policy = RetryPolicy { unit: settings.retry_unit, ..RetryPolicy::default() };
        Ok(Self { http, key, policy, projects: Mutex::default() })
    }

    /// Sends `body` to `operation` of the key service in a region.
    pub(crate) async fn post(
        &self,
        settings: &HuaweiSettings,
        region: &str,
        operation: &str,
        body: Zeroizing<Vec<u8>>,
    ) -> Result<Response, Failure> {
        let project = self.project(settings, region).await?;
        let url = format!("{}/v1.0/{project}/kms/{operation}", settings.kms_address(region));
        let mut request = Request::new(Method::Post, url)
            .with_header("content-type", "application/json;charset=UTF-8")
            .with_header("x-project-id", &project);
        request.body = body;
        self.send(request).await
    }

    async fn send(&self, mut request: Request) -> Result<Response, Failure> {
        if let Some(token) = &self.key.security_token {
            request = request.with_header("x-security-token", token);
        }
        let date = stamp(OffsetDateTime::now_utc());
        let request = sign(request, &self.key.access_key, &self.key.secret_key, &date);
        let response = retry::send(&self.http, &request, &self.policy).await?;
        if (200..300).contains(&response.status) { Ok(response) } else { Err(Failure::of_answer(&response)) }
    }

    /// The project of a region: the one that is set, else the one of the region's name.
    async fn project(&self, settings: &HuaweiSettings, region: &str) -> Result<String, Failure> {
        if let Some(project) = &self.key.project_id {
            return Ok(project.clone());
        }
        let mut projects = self.projects.lock().await;
        if let Some(project) = projects.get(region) {
            return Ok(project.clone());
        }
        let url = format!("{}/v3/projects?name={region}", settings.iam_address(region));
        let answer = self.send(Request::new(Method::Get, url)).await?;
        let answer: Value = serde_json::from_slice(&answer.body)
            .map_err(|_| Failure::Garbage("the answer about the project is no JSON"))?;
        let found = answer["projects"].as_array().map(Vec::as_slice).unwrap_or_default();
        if found.len() > 1 {
            let why = format!(
                "{} projects are called {region}; set HUAWEICLOUD_SDK_PROJECT_ID to one",
                found.len()
            );
            return Err(Failure::Credentials(why));
        }
        let project = found.first().and_then(|project| project["id"].as_str()).unwrap_or_default();
        if project.is_empty() || !project.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            let why = format!("there is no project for the region {region}; set HUAWEICLOUD_SDK_PROJECT_ID");
            return Err(Failure::Credentials(why));
        }
        projects.insert(region.to_owned(), project.to_owned());
        Ok(project.to_owned())
    }
}

/// As `20260102T030405Z`.
fn stamp(now: OffsetDateTime) -> String {
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        now.year(),
        u8::from(now.month()),
        now.day(),
        now.hour(),
        now.minute(),
        now.second()
    )
}
