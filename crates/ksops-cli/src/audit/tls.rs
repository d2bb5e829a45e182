//! TLS to PostgreSQL, with the degrees of trust that its clients know (libpq, section "SSL Support").

use std::fmt::Display;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::audit::connection_string::Mode;
use crate::context::variable;
use crate::io_reason::reason;

/// What makes the TLS of a connection.
///
/// # Errors
/// If the certificates to trust cannot be read.
pub(crate) fn connector(mode: Mode, root_certificate: Option<&str>) -> Result<MakeRustlsConnect, String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let root = match root_certificate {
        Some("system") => None,
        Some(path) => Some(PathBuf::from(path)),
        None => usual_root().filter(|path| path.exists()),
    };
    // As lib/pq: without verification asked for, a file that is not there is no reason to fail.
    let root = root.filter(|path| matches!(mode, Mode::VerifyCa | Mode::VerifyFull) || path.exists());
    let is_verified = root.is_some() || matches!(mode, Mode::VerifyCa | Mode::VerifyFull);
    let trusted = is_verified.then(|| Trusted::read(root.as_deref(), &provider)).transpose()?;
    let verifier = Graded { trusted, any_host: mode != Mode::VerifyFull, provider: Arc::clone(&provider) };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn usual_root() -> Option<PathBuf> {
    variable("HOME").map(|home| Path::new(&home).join(".postgresql/root.crt"))
}

/// The certificates of a file, or of the system.
#[derive(Debug)]
struct Trusted {
    by_chain: Arc<dyn ServerCertVerifier>,
    /// A server may be its own authority, as PostgreSQL's manual makes one: the file then holds its very certificate.
    themselves: Vec<CertificateDer<'static>>,
}

impl Trusted {
    fn read(root: Option<&Path>, provider: &Arc<CryptoProvider>) -> Result<Self, String> {
        let Some(path) = root else {
            let verifier = Verifier::new(Arc::clone(provider)).map_err(|error| error.to_string())?;
            return Ok(Self { by_chain: Arc::new(verifier), themselves: Vec::new() });
        };
        let failed = |error: &dyn Display| format!("sslrootcert {}: {error}", path.display());
        let file = File::open(path).map_err(|error| failed(&reason(&error)))?;
        let certificates = CertificateDer::pem_reader_iter(BufReader::new(file));
        let themselves: Vec<_> = certificates.collect::<Result<_, _>>().map_err(|error| failed(&error))?;
        let mut roots = RootCertStore::empty();
        for certificate in &themselves {
            roots.add(certificate.clone()).map_err(|error| failed(&error))?;
        }
        let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        let by_chain = builder.build().map_err(|error| failed(&error))?;
        Ok(Self { by_chain, themselves })
    }
}

#[derive(Debug)]
struct Graded {
    /// `None`: everybody is trusted.
    trusted: Option<Trusted>,
    any_host: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Graded {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(trusted) = &self.trusted else {
            return Ok(ServerCertVerified::assertion());
        };
        if trusted.themselves.contains(end_entity) {
            if !self.any_host {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            }
            return Ok(ServerCertVerified::assertion());
        }
        match trusted.by_chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        {
            // The chain is verified before the name.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.any_host => Ok(ServerCertVerified::assertion()),
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
