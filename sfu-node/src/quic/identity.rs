//! Who a node is and whom it accepts: self-signed certificates, known by their SHA-256 alone.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use protocol::cascade::{ALPN_CONTROL, ALPN_MEDIA};
use quinn::crypto::rustls::{NoInitialCipherSuite, QuicClientConfig, QuicServerConfig};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme,
};
use sfu_core::PeerId;
use sha2::{Digest, Sha256};

/// The name in every certificate and every dial. Nobody reads it: the pin is what counts.
pub const NAME: &str = "connect-node";

/// Why this node has no identity or no TLS.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("no self-signed certificate could be made: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error("TLS could not be set up: {0}")]
    Tls(#[from] rustls::Error),
    #[error("TLS could not be set up: {0}")]
    Cipher(#[from] NoInitialCipherSuite),
}

/// A shard's certificate and key, made anew at each start and never written down.
pub struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivatePkcs8KeyDer<'static>,
    /// What peers pin.
    pub id: PeerId,
}

impl Identity {
    /// Makes a new one.
    pub fn generate() -> Result<Self, IdentityError> {
        let made = rcgen::generate_simple_self_signed([NAME.to_owned()])?;
        let certificate = made.cert.der().clone();
        Ok(Self {
            id: fingerprint(&certificate),
            key: made.signing_key.serialize_der().into(),
            certificate,
        })
    }

    /// TLS for a dial to one peer: both sides show their certificate, and only that peer's will do.
    pub fn client(
        &self,
        peer: PeerId,
        channel: Channel,
    ) -> Result<QuicClientConfig, IdentityError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = Arc::new(PinnedServer {
            peer,
            provider: provider.clone(),
        });
        let mut tls = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_auth_cert(vec![self.certificate.clone()], self.private_key())?;
        tls.alpn_protocols = vec![channel.alpn().to_vec()];
        // Without session tickets each connection shows its certificate, so that a pin once taken away stays away.
        tls.resumption = rustls::client::Resumption::disabled();
        Ok(tls.try_into()?)
    }

    /// TLS for whoever dials: only certificates among the pins will do.
    pub fn server(&self, pins: Arc<Pins>) -> Result<QuicServerConfig, IdentityError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = Arc::new(PinnedClients {
            pins,
            provider: provider.clone(),
        });
        let mut tls = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![self.certificate.clone()], self.private_key())?;
        tls.alpn_protocols = vec![ALPN_MEDIA.to_vec(), ALPN_CONTROL.to_vec()];
        tls.send_tls13_tickets = 0;
        Ok(tls.try_into()?)
    }

    fn private_key(&self) -> PrivateKeyDer<'static> {
        self.key.clone_key().into()
    }
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    Media,
    Control,
}

impl Channel {
    /// Its protocol name in the TLS handshake.
    pub fn alpn(self) -> &'static [u8] {
        match self {
            Channel::Media => ALPN_MEDIA,
            Channel::Control => ALPN_CONTROL,
        }
    }

    /// The channel with this protocol name.
    pub fn of(alpn: &[u8]) -> Option<Self> {
        [Channel::Media, Channel::Control]
            .into_iter()
            .find(|channel| channel.alpn() == alpn)
    }
}

/// The SHA-256 of a certificate.
pub fn fingerprint(certificate: &CertificateDer<'_>) -> PeerId {
    PeerId(Sha256::digest(certificate).into())
}

/// The peers that may dial this shard now, and how many others have tried.
#[derive(Debug, Default)]
pub struct Pins {
    accepted: RwLock<HashSet<PeerId>>,
    rejected: AtomicU64,
}

impl Pins {
    /// Replaces the accepted peers.
    pub fn set(&self, peers: HashSet<PeerId>) {
        *self
            .accepted
            .write()
            .unwrap_or_else(PoisonError::into_inner) = peers;
    }

    /// How many dials were refused for their certificate.
    pub fn rejected(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }

    fn check(&self, peer: PeerId) -> Result<(), Error> {
        let accepted = self.accepted.read().unwrap_or_else(PoisonError::into_inner);
        if accepted.contains(&peer) {
            return Ok(());
        }
        self.rejected.fetch_add(1, Ordering::Relaxed);
        Err(not_pinned())
    }
}

fn not_pinned() -> Error {
    Error::InvalidCertificate(rustls::CertificateError::ApplicationVerificationFailure)
}

#[derive(Debug)]
struct PinnedServer {
    peer: PeerId,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinnedServer {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if fingerprint(certificate) != self.peer {
            return Err(not_pinned());
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[derive(Debug)]
struct PinnedClients {
    pins: Arc<Pins>,
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for PinnedClients {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.pins.check(fingerprint(certificate))?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// QUIC has no TLS 1.2 (RFC 9001, 4.2): an offer of it is a broken peer.
fn no_tls12() -> Error {
    Error::PeerIncompatible(rustls::PeerIncompatible::Tls12NotOffered)
}
