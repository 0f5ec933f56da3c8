//! TLS to the target: whose certificates are trusted, and the client's side of a handshake.

use std::io;
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, ensure};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use crate::files::{FileDigest, InputFile};

/// Whose certificates are trusted.
#[derive(Clone, Debug, Default)]
pub enum Trust {
    /// Those of the system's authorities.
    #[default]
    System,
    /// Those that a certificate of this PEM file has signed.
    Ca(PathBuf),
    /// Anyone's: nothing says who answers.
    Anyone,
}

/// TLS to one name.
#[derive(Clone, Debug)]
pub struct Tls {
    pub(crate) config: Arc<ClientConfig>,
    pub(crate) name: ServerName<'static>,
    /// Whose certificates are trusted.
    pub trust: Trust,
    /// The file of [`Trust::Ca`], as it was read.
    pub ca: Option<FileDigest>,
}

impl Tls {
    /// TLS to the server of this name or address.
    ///
    /// # Errors
    /// When the certificates to trust cannot be read.
    pub fn to(host: &str, trust: &Trust) -> anyhow::Result<Tls> {
        let name = ServerName::try_from(host.to_owned())
            .with_context(|| format!("`{host}` is no name that a certificate can hold"))?;
        let provider = Arc::new(ring::default_provider());
        let mut ca = None;
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        let mut config = match trust {
            Trust::System => builder.with_root_certificates(system()?),
            Trust::Ca(path) => {
                let file = InputFile::read(std::path::absolute(path)?).context("--ca")?;
                let roots = authority(&file).with_context(|| format!("--ca {}", path.display()))?;
                ca = Some(file.digest());
                builder.with_root_certificates(roots)
            }
            Trust::Anyone => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Anyone(provider))),
        }
        .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Tls {
            config: Arc::new(config),
            name,
            trust: trust.clone(),
            ca,
        })
    }

    /// A handshake over a connection that waits for it, and nothing else.
    pub(crate) fn shake_hands(&self, stream: &mut TcpStream) -> io::Result<()> {
        let mut client = ClientConnection::new(Arc::clone(&self.config), self.name.clone())
            .map_err(io::Error::other)?;
        while client.is_handshaking() {
            client.complete_io(stream)?;
        }
        client.send_close_notify();
        client.complete_io(stream).map(drop)
    }
}

/// Whether it was the certificate that was not accepted.
pub(crate) fn is_untrusted(error: &io::Error) -> bool {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    matches!(cause, Some(Error::InvalidCertificate(_)))
}

fn system() -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    ensure!(
        !roots.is_empty(),
        "the system has no certificates to trust; install ca-certificates, or name a file with --ca"
    );
    Ok(roots)
}

fn authority(file: &InputFile) -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(file.text.as_bytes()) {
        roots.add(certificate.context("it is no PEM file of certificates")?)?;
    }
    ensure!(
        !roots.is_empty(),
        "it holds no certificate; want a PEM file"
    );
    Ok(roots)
}

/// Accepts every certificate, and still wants its owner at the other end.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
