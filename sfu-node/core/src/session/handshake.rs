//! Why a DTLS handshake failed, in words that help whoever makes the client: without them, it sees ICE connect and then nothing.

use str0m::RtcError;
use str0m::crypto::dtls::DtlsImplError;

/// Why the client's DTLS handshake failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    #[error(
        "the client's DTLS certificate cannot be used: make an ECDSA one on the curve P-256 or P-384 (RSA is not supported)"
    )]
    Certificate,
    #[error("the client's DTLS certificate is not the one whose fingerprint it offered")]
    Fingerprint,
    #[error(
        "the DTLS handshake failed: DTLS 1.2 or 1.3 with an ECDSA certificate (RSA is not supported) and SRTP by AES-GCM or \
         AES-CM is needed"
    )]
    Failed,
}

impl HandshakeError {
    /// From what the session ended with, and from what its DTLS said before that, if it had no keys yet.
    pub fn of(session: &RtcError, dtls: Option<&DtlsImplError>) -> Option<Self> {
        match (session, dtls) {
            // Who has an RSA certificate alone often sends none: we ask for ECDSA.
            (_, Some(DtlsImplError::CertificateError(_) | DtlsImplError::CryptoError(_))) => {
                Some(Self::Certificate)
            }
            (_, Some(_)) => Some(Self::Failed),
            // After the negotiation nothing else of the description is looked at.
            (RtcError::RemoteSdp(_), None) => Some(Self::Fingerprint),
            _ => None,
        }
    }
}
