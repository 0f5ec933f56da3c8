//! TLS to the database: a certificate is verified, or there is no TLS; nothing half-way.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{
    WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::config::Tls;

/// A CA file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "POSTGRES_TLS_CA: {path}: {why}; it must be a PEM file with the certificate of the CA that \
     signed the database server's certificate"
)]
pub struct TlsError {
    path: String,
    why: String,
}

/// The connector that begins TLS; none for [`Tls::Off`].
///
/// # Errors
/// When the CA file cannot be read or holds no usable certificate.
pub(super) fn connector(tls: &Tls) -> Result<Option<MakeRustlsConnect>, TlsError> {
    let (ca, config) = match tls {
        Tls::Off => return Ok(None),
        Tls::VerifyFull(ca) => (ca, roots(ca).and_then(client_config)),
        Tls::VerifyCa(ca) => (ca, roots(ca).and_then(any_name)),
    };
    let config = config.map_err(|why| error(ca, why))?;
    Ok(Some(MakeRustlsConnect::new(config)))
}

fn error(path: &Path, why: String) -> TlsError {
    TlsError {
        path: path.display().to_string(),
        why,
    }
}

fn roots(ca: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca).map_err(|e| e.to_string())? {
        roots
            .add(certificate.map_err(|e| e.to_string())?)
            .map_err(|e| e.to_string())?;
    }
    match roots.is_empty() {
        true => Err("it holds no certificate".to_owned()),
        false => Ok(roots),
    }
}

fn client_config(roots: RootCertStore) -> Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn any_name(roots: RootCertStore) -> Result<ClientConfig, String> {
    let mut config = client_config(roots.clone())?;
    config
        .dangerous()
        .set_certificate_verifier(Arc::new(AnyName {
            roots,
            algorithms: ring::default_provider().signature_verification_algorithms,
        }));
    Ok(config)
}

/// Verifies everything but the name, for servers whose certificates do not carry their DNS name.
#[derive(Debug)]
struct AnyName {
    roots: RootCertStore,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        verify_server_cert_signed_by_trust_anchor(
            &ParsedCertificate::try_from(end_entity)?,
            &self.roots,
            intermediates,
            now,
            self.algorithms.all,
        )?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
