//! A key service for tests: the data key stands in the file.

use ksops::services::Services;
use ksops_core::keys::key_group::EncryptedDataKey;
use ksops_core::keys::key_service::{KeyService, KeyServiceError};
use ksops_core::keys::master_key::MasterKey;
use ksops_core::secret::SecretBytes;

/// A key service that hides nothing.
struct OpenService;

impl KeyService for OpenService {
    fn serves(&self, _: &MasterKey) -> bool {
        true
    }

    fn encrypt(&self, _: &MasterKey, data_key: &SecretBytes) -> Result<EncryptedDataKey, KeyServiceError> {
        Ok(EncryptedDataKey(data_key.expose().iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    fn decrypt(&self, _: &MasterKey, enc: &EncryptedDataKey) -> Result<SecretBytes, KeyServiceError> {
        let byte = |at: usize| u8::from_str_radix(&enc.0[at..at + 2], 16);
        let bytes: Result<Vec<u8>, _> = (0..enc.0.len()).step_by(2).map(byte).collect();
        bytes.map(SecretBytes::new).map_err(|error| KeyServiceError::new(error.to_string()))
    }
}

pub(crate) fn services() -> Services {
    Services::new(vec![Box::new(OpenService)])
}
