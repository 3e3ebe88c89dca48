//! What we overhear of str0m: the keys that its DTLS handshake yields, or why it yields none, the RTCP that it decrypts, and for
//! who takes none that is reduced the RTCP that it encrypts.
//!
//! str0m's crypto provider is wrapped. It is shared by all sessions and knows none of them, so each call into a session
//! is made inside its [`Tap`], and a thread-local says whose keys and packets come by.

mod dtls;
mod srtp;

use std::cell::Cell;
use std::fmt;
use std::mem;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::error::Unspecified;
use str0m::crypto::dtls::{DtlsImplError, SrtpProfile};
use str0m::crypto::{CryptoProvider, from_feature_flags};

use super::keys::{SessionKeys, StreamKeys};
use super::{Opener, RTCP_HEADER_LEN, Sealer};
use dtls::Dtls;
use srtp::{Hmac, Srtp};

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
    opener: Option<Opener>,
    /// What the peer seals its RTCP with.
    remote: Option<StreamKeys>,
    /// The clear start of the SRTCP packet that AES-CM decrypts next.
    header: [u8; RTCP_HEADER_LEN],
    /// What ended the handshake before there were keys.
    failure: Option<DtlsImplError>,
    /// What str0m has decrypted.
    received: Packets,
    /// Whether what str0m sends by itself is overheard, too.
    hears_sent: bool,
    /// What seals it, and what seals something in its place.
    local: Option<StreamKeys>,
    reporter: Option<Sealer>,
    /// What AES-CM has encrypted, until its clear start comes by.
    encrypted: Vec<u8>,
    /// What str0m has encrypted.
    sent: Packets,
}

/// Compound packets that wait to be taken, each after its length in two bytes.
#[derive(Default)]
struct Packets(Vec<u8>);

impl Packets {
    fn push(&mut self, header: &[u8], payload: &[u8]) {
        let len = header.len() + payload.len();
        let Ok(prefix) = u16::try_from(len) else {
            return;
        };
        if self.0.len() + len > MAX_WAITING {
            return;
        }
        self.0.extend_from_slice(&prefix.to_be_bytes());
        self.0.extend_from_slice(header);
        self.0.extend_from_slice(payload);
    }

    fn each(&self, mut each: impl FnMut(&[u8])) {
        let mut rest = &self.0[..];
        while let Some((prefix, tail)) = rest.split_first_chunk() {
            let (packet, tail) = tail.split_at(usize::from(u16::from_be_bytes(*prefix)));
            each(packet);
            rest = tail;
        }
    }
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
        if self.hears_sent {
            self.reporter = Some(Sealer::of_reports(&local)?);
            self.local = Some(local.rtcp);
        }
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

    /// From now on what str0m sends by itself is overheard, too, so that something else can be sent in its place.
    pub fn hear_sent(&self) {
        let mut overheard = self.0.take().unwrap_or_default();
        overheard.hears_sent = true;
        self.0.set(Some(overheard));
    }

    /// What seals RTCP in the place of str0m's, once, if that is overheard.
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
    pub fn take_rtcp(&self, each: impl FnMut(&[u8])) {
        self.take(|overheard| &mut overheard.received, each);
    }

    /// Hands out the RTCP packets that str0m has sent since the last call, if they are overheard.
    pub fn take_sent(&self, each: impl FnMut(&[u8])) {
        self.take(|overheard| &mut overheard.sent, each);
    }

    fn take(&self, of: impl Fn(&mut Overheard) -> &mut Packets, each: impl FnMut(&[u8])) {
        // Most often there are none.
        let waiting = self.with(|overheard| {
            let packets = of(overheard);
            (!packets.0.is_empty()).then(|| mem::take(packets))
        });
        let Some(mut waiting) = waiting.flatten() else {
            return;
        };
        waiting.each(each);
        // The buffer serves again.
        waiting.0.clear();
        self.with(|overheard| {
            if of(overheard).0.is_empty() {
                *of(overheard) = waiting;
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
        dtls_provider: Box::leak(Box::new(Dtls::new(base.dtls_provider))),
        ..base
    }
}
