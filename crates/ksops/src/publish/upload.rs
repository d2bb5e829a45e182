//! The upload itself.

#[cfg(feature = "aws-kms")]
use ksops_aws_kms::s3::Buckets;
use ksops_config::destination::Target;
#[cfg(feature = "gcp-kms")]
use ksops_gcp_kms::settings::GcpSettings;
#[cfg(feature = "gcp-kms")]
use ksops_gcp_kms::storage as gcs;
#[cfg(feature = "vault")]
use ksops_vault::kv::KvEngine;
#[cfg(feature = "vault")]
use ksops_vault::settings::VaultSettings;
use zeroize::Zeroizing;

/// Sends files to destinations, with the credentials of the environment. Keeps connections for a run.
pub struct Uploader {
    #[cfg(feature = "aws-kms")]
    s3: Buckets,
    #[cfg(feature = "gcp-kms")]
    gcs: gcs::Buckets,
    #[cfg(feature = "vault")]
    vault: KvEngine,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uploaded {
    /// It was written.
    Written,
    /// It is there already, with the same content.
    UpToDate,
}

/// Why nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct UploadError {
    /// What failed.
    pub message: String,
    /// What helps, a sentence each.
    pub hints: Vec<String>,
}

impl UploadError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hints: Vec::new() }
    }
}

impl Uploader {
    /// An uploader that has read nothing yet.
    #[must_use]
    pub fn from_environment() -> Self {
        Self {
            #[cfg(feature = "aws-kms")]
            s3: Buckets::from_environment(),
            #[cfg(feature = "gcp-kms")]
            gcs: gcs::Buckets::new(GcpSettings::from_environment()),
            #[cfg(feature = "vault")]
            vault: KvEngine::new(VaultSettings::from_environment()),
        }
    }

    /// Where a file of this name goes, as upstream shows it.
    #[must_use]
    pub fn place(&self, target: &Target, name: &str) -> String {
        match target {
            Target::S3 { bucket, prefix } => format!("s3://{bucket}/{prefix}{name}"),
            Target::Gcs { bucket, prefix } => format!("gcs://{bucket}/{prefix}{name}"),
            Target::Vault { address, mount, path, is_version_1 } => {
                let data = if *is_version_1 { "" } else { "data/" };
                format!("{}/v1/{mount}{data}{path}{name}", self.vault_address(address))
            }
        }
    }

    /// Whether the destination gets the values themselves, as JSON, and not the encrypted file.
    #[must_use]
    pub fn takes_values(target: &Target) -> bool {
        matches!(target, Target::Vault { .. })
    }

    /// Sends `bytes`: for [`Self::takes_values`] a JSON object, else the file.
    ///
    /// # Errors
    /// [`UploadError`] with the place and the reason, never with the content.
    pub fn upload(
        &self,
        target: &Target,
        name: &str,
        bytes: Zeroizing<Vec<u8>>,
    ) -> Result<Uploaded, UploadError> {
        match target {
            #[cfg(feature = "vault")]
            Target::Vault { address, mount, path, is_version_1 } => {
                let path = format!("{path}{name}");
                let written = self.vault.write(address, mount, &path, *is_version_1, &bytes);
                let written = written
                    .map_err(|error| UploadError { message: error.to_string(), hints: error.hints })?;
                Ok(if written { Uploaded::Written } else { Uploaded::UpToDate })
            }
            #[cfg(feature = "aws-kms")]
            Target::S3 { bucket, prefix } => {
                let put = self.s3.put(bucket, &format!("{prefix}{name}"), bytes);
                put.map(|()| Uploaded::Written)
                    .map_err(|error| UploadError { message: error.to_string(), hints: error.hints })
            }
            #[cfg(feature = "gcp-kms")]
            Target::Gcs { bucket, prefix } => {
                let put = self.gcs.put(bucket, &format!("{prefix}{name}"), bytes);
                put.map(|()| Uploaded::Written)
                    .map_err(|error| UploadError { message: error.to_string(), hints: error.hints })
            }
            #[allow(unreachable_patterns, reason = "a build with all of them leaves none")]
            other => {
                drop(bytes);
                let place = self.place(other, name);
                Err(UploadError::new(format!("this build of ksops cannot write to {place}")))
            }
        }
    }

    #[cfg(feature = "vault")]
    fn vault_address(&self, named: &str) -> String {
        self.vault.address(named)
    }

    #[cfg(not(feature = "vault"))]
    #[allow(clippy::unused_self, reason = "the other build needs it")]
    fn vault_address(&self, named: &str) -> String {
        named.to_owned()
    }
}
