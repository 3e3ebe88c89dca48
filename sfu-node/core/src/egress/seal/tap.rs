//! What we overhear of str0m: the keys that its DTLS handshake yields, or why it yields none, and the RTCP that it decrypts.
//!
//! str0m's crypto provider is wrapped. It is shared by all sessions and knows none of them, so each call into a session
//! is made inside its [`Tap`], and a thread-local says whose keys and packets come by.

use std::cell::Cell;
use std::fmt;
use std::mem;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use aws_lc_rs::error::Unspecified;
use str0m::crypto::dtls::{
    DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, ProtocolVersion,
    SrtpProfile,
};
use str0m::crypto::{
    AeadAes128GcmCipher, AeadAes256GcmCipher, Aes128CmSha1_80Cipher, CryptoError, CryptoProvider,
    Sha1HmacProvider, SrtpProvider, SupportedAeadAes128Gcm, SupportedAeadAes256Gcm,
    SupportedAes128CmSha1_80, from_feature_flags,
};

use super::keys::{SessionKeys, StreamKeys};
use super::{Opener, RTCP_HEADER_LEN, Sealer};

/// Bytes of RTCP that wait to be taken. A compound is a datagram at most; whoever takes none loses the rest.
const MAX_WAITING: usize = 64 * 1024;

thread_local! {
    /// The session that this thread works for.
    static CURRENT: Cell<Option<Box<Overheard>>> = const { Cell::new(None) };
}

/// What was overheard of one session.
#[derive(Default)]
struct Overheard {
    sealer: Option<Sealer>,
    /// The same, for RTCP of the session itself.
    reporter: Option<Sealer>,
    opener: Option<Opener>,
    /// What the peer seals its RTCP with.
    remote: Option<StreamKeys>,
    /// The clear start of the SRTCP packet that AES-CM decrypts next.
    header: [u8; RTCP_HEADER_LEN],
    /// What ended the handshake before there were keys.
    failure: Option<DtlsImplError>,
    /// Decrypted compound packets, each after its length in two bytes.
    rtcp: Vec<u8>,
}

impl Overheard {
    fn keyed(
        &mut self,
        material: &[u8],
        profile: SrtpProfile,
        active: bool,
    ) -> Result<(), Unspecified> {
        // The active side is the DTLS client.
        let local = SessionKeys::derive(material, profile, active)?;
        self.sealer = Some(Sealer::new(&local)?);
        self.reporter = Some(Sealer::new(&local)?);
        let remote = SessionKeys::derive(material, profile, !active)?.rtcp;
        self.opener = Opener::new(&remote);
        self.remote = Some(remote);
        Ok(())
    }

    fn failed(&mut self, error: &DtlsImplError) {
        if self.remote.is_none() {
            self.failure = Some(error.clone());
        }
    }

    fn push(&mut self, header: &[u8], payload: &[u8]) {
        let len = header.len() + payload.len();
        let Ok(prefix) = u16::try_from(len) else {
            return;
        };
        if self.rtcp.len() + len > MAX_WAITING {
            return;
        }
        self.rtcp.extend_from_slice(&prefix.to_be_bytes());
        self.rtcp.extend_from_slice(header);
        self.rtcp.extend_from_slice(payload);
    }
}

fn handshake_failed(error: &DtlsImplError) {
    overhear(|session| session.failed(error));
}

/// Runs on the session that this thread works for, if any.
fn overhear<R>(f: impl FnOnce(&mut Overheard) -> R) -> Option<R> {
    let mut current = CURRENT.take()?;
    let result = f(&mut current);
    CURRENT.set(Some(current));
    Some(result)
}

/// A session's tap on its str0m. A new one costs nothing, so it may be taken out of a session and put back.
#[derive(Default)]
pub struct Tap(Cell<Option<Box<Overheard>>>);

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tap")
    }
}

impl Tap {
    /// A tap that has overheard nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs a call into this session's str0m, which must use [`provider`]. Every call belongs in here: keys and RTCP
    /// that come up outside of it are not overheard.
    pub fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        /// Puts things back, also when str0m panics.
        struct Inside<'a> {
            tap: &'a Tap,
            before: Option<Box<Overheard>>,
        }
        impl Drop for Inside<'_> {
            fn drop(&mut self) {
                self.tap.0.set(CURRENT.replace(self.before.take()));
            }
        }
        let _inside = Inside {
            tap: self,
            before: CURRENT.replace(Some(self.0.take().unwrap_or_default())),
        };
        f()
    }

    /// The sealer of what this side sends, once, from the end of the DTLS handshake on.
    pub fn sealer(&self) -> Option<Sealer> {
        self.with(|overheard| overheard.sealer.take()).flatten()
    }

    /// A second one, once. What it seals must be under SSRCs that nothing else is sealed under: it counts for itself.
    pub fn reporter(&self) -> Option<Sealer> {
        self.with(|overheard| overheard.reporter.take()).flatten()
    }

    /// What opens the other side's feedback, once, if its profile is one that it can be opened for.
    pub fn opener(&self) -> Option<Opener> {
        self.with(|overheard| overheard.opener.take()).flatten()
    }

    /// What ended the handshake before there were keys.
    pub fn failure(&self) -> Option<DtlsImplError> {
        self.with(|overheard| overheard.failure.clone()).flatten()
    }

    /// Hands out the compound RTCP packets that were decrypted since the last call, whole.
    pub fn take_rtcp(&self, mut each: impl FnMut(&[u8])) {
        let Some(mut waiting) = self.with(|overheard| mem::take(&mut overheard.rtcp)) else {
            return;
        };
        let mut rest = &waiting[..];
        while let Some((prefix, tail)) = rest.split_first_chunk() {
            let (packet, tail) = tail.split_at(usize::from(u16::from_be_bytes(*prefix)));
            each(packet);
            rest = tail;
        }
        // The buffer serves again.
        waiting.clear();
        self.with(|overheard| {
            if overheard.rtcp.is_empty() {
                overheard.rtcp = waiting;
            }
        });
    }

    fn with<R>(&self, f: impl FnOnce(&mut Overheard) -> R) -> Option<R> {
        let mut overheard = self.0.take()?;
        let result = f(&mut overheard);
        self.0.set(Some(overheard));
        Some(result)
    }
}

/// str0m's crypto provider on aws-lc-rs, wrapped so that each session's [`Tap`] overhears it.
pub fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER
        .get_or_init(|| Arc::new(wrap(from_feature_flags())))
        .clone()
}

/// Wraps a provider. It leaks a few words: str0m wants its providers static.
pub(super) fn wrap(base: CryptoProvider) -> CryptoProvider {
    CryptoProvider {
        srtp_provider: Box::leak(Box::new(Srtp::new(base.srtp_provider))),
        sha1_hmac_provider: Box::leak(Box::new(Hmac(base.sha1_hmac_provider))),
        dtls_provider: Box::leak(Box::new(Dtls(base.dtls_provider))),
        ..base
    }
}

#[derive(Debug)]
struct Dtls(&'static dyn DtlsProvider);

impl DtlsProvider for Dtls {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        self.0.generate_certificate()
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let inner = self.0.new_dtls(cert, now, version, mtu)?;
        Ok(Box::new(Instance {
            inner,
            active: false,
        }))
    }

    fn is_test(&self) -> bool {
        self.0.is_test()
    }
}

#[derive(Debug)]
struct Instance {
    inner: Box<dyn DtlsInstance>,
    active: bool,
}

impl DtlsInstance for Instance {
    fn set_active(&mut self, active: bool) {
        self.active = active;
        self.inner.set_active(active);
    }

    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        let output = self.inner.poll_output(buf);
        if let DtlsOutput::KeyingMaterial(material, profile) = &output
            && let Some(Err(_)) = overhear(|session| session.keyed(material, *profile, self.active))
        {
            tracing::error!(%profile, "no keys could be derived: this session will send no media");
        }
        output
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        let outcome = self.inner.handle_packet(packet);
        outcome.inspect_err(handshake_failed)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        let outcome = self.inner.handle_timeout(now);
        outcome.inspect_err(handshake_failed)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.inner.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.inner.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.inner.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.inner.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.inner.close()
    }
}

/// AES-CM never sees the clear start of an SRTCP packet; the HMAC that is checked just before does.
#[derive(Debug)]
struct Hmac(&'static dyn Sha1HmacProvider);

impl Sha1HmacProvider for Hmac {
    fn sha1_hmac(&self, key: &[u8], payloads: &[&[u8]]) -> [u8; 20] {
        overhear(|session| {
            let of_rtcp = session
                .remote
                .as_ref()
                .is_some_and(|remote| remote.auth == key);
            let start = payloads.first().and_then(|packet| packet.first_chunk());
            if let (true, Some(start)) = (of_rtcp, start) {
                session.header = *start;
            }
        });
        self.0.sha1_hmac(key, payloads)
    }
}

#[derive(Debug)]
struct Srtp {
    inner: &'static dyn SrtpProvider,
    cm: &'static dyn SupportedAes128CmSha1_80,
    gcm_128: &'static dyn SupportedAeadAes128Gcm,
    gcm_256: &'static dyn SupportedAeadAes256Gcm,
}

impl Srtp {
    fn new(inner: &'static dyn SrtpProvider) -> Self {
        Self {
            inner,
            cm: Box::leak(Box::new(Factory(inner.aes_128_cm_sha1_80()))),
            gcm_128: Box::leak(Box::new(Factory(inner.aead_aes_128_gcm()))),
            gcm_256: Box::leak(Box::new(Factory(inner.aead_aes_256_gcm()))),
        }
    }
}

impl SrtpProvider for Srtp {
    fn aes_128_cm_sha1_80(&self) -> &'static dyn SupportedAes128CmSha1_80 {
        self.cm
    }

    fn aead_aes_128_gcm(&self) -> &'static dyn SupportedAeadAes128Gcm {
        self.gcm_128
    }

    fn aead_aes_256_gcm(&self) -> &'static dyn SupportedAeadAes256Gcm {
        self.gcm_256
    }

    fn srtp_aes_128_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        self.inner.srtp_aes_128_ecb_round(key, input, output);
    }

    fn srtp_aes_256_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        self.inner.srtp_aes_256_ecb_round(key, input, output);
    }
}

/// Makes ciphers; the one that opens the peer's RTCP, known by its key, is tapped.
#[derive(Debug)]
struct Factory<T: ?Sized + 'static>(&'static T);

/// A cipher whose decrypted packets are overheard.
#[derive(Debug)]
struct Tapped<T: ?Sized>(Box<T>);

fn opens_rtcp(key: &[u8], encrypt: bool) -> bool {
    let of_remote = |session: &mut Overheard| {
        session
            .remote
            .as_ref()
            .is_some_and(|remote| remote.key() == key)
    };
    !encrypt && overhear(of_remote) == Some(true)
}

impl SupportedAes128CmSha1_80 for Factory<dyn SupportedAes128CmSha1_80> {
    fn create_cipher(&self, key: [u8; 16], encrypt: bool) -> Box<dyn Aes128CmSha1_80Cipher> {
        let cipher = self.0.create_cipher(key, encrypt);
        match opens_rtcp(&key, encrypt) {
            true => Box::new(Tapped(cipher)),
            false => cipher,
        }
    }
}

impl Aes128CmSha1_80Cipher for Tapped<dyn Aes128CmSha1_80Cipher> {
    fn encrypt(
        &mut self,
        iv: &[u8; 16],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(), CryptoError> {
        self.0.encrypt(iv, input, output)
    }

    fn decrypt(
        &mut self,
        iv: &[u8; 16],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(), CryptoError> {
        self.0.decrypt(iv, input, output)?;
        overhear(|session| {
            let header = session.header;
            session.push(&header, &output[..input.len()]);
        });
        Ok(())
    }
}

/// The two GCM profiles differ in nothing but names and the length of the key.
macro_rules! tap_gcm {
    ($factory:ident, $cipher:ident, $key_len:literal) => {
        impl $factory for Factory<dyn $factory> {
            fn create_cipher(&self, key: [u8; $key_len], encrypt: bool) -> Box<dyn $cipher> {
                let cipher = self.0.create_cipher(key, encrypt);
                match opens_rtcp(&key, encrypt) {
                    true => Box::new(Tapped(cipher)),
                    false => cipher,
                }
            }
        }

        impl $cipher for Tapped<dyn $cipher> {
            fn encrypt(
                &mut self,
                iv: &[u8; 12],
                aad: &[u8],
                input: &[u8],
                output: &mut [u8],
            ) -> Result<(), CryptoError> {
                self.0.encrypt(iv, aad, input, output)
            }

            fn decrypt(
                &mut self,
                iv: &[u8; 12],
                aads: &[&[u8]],
                input: &[u8],
                output: &mut [u8],
            ) -> Result<usize, CryptoError> {
                let len = self.0.decrypt(iv, aads, input, output)?;
                overhear(|session| match aads {
                    // Authenticated only: the packet is the associated data, and then its index.
                    [packet, index, ..] if !index.is_empty() => session.push(packet, &[]),
                    // The clear start and the index are the associated data.
                    [aad, ..] => {
                        session.push(&aad[..aad.len().min(RTCP_HEADER_LEN)], &output[..len])
                    }
                    [] => {}
                });
                Ok(len)
            }
        }
    };
}

tap_gcm!(SupportedAeadAes128Gcm, AeadAes128GcmCipher, 16);
tap_gcm!(SupportedAeadAes256Gcm, AeadAes256GcmCipher, 32);
