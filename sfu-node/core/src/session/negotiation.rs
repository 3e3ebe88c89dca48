//! The one negotiation of a session: the client's offer, our answer, and the receive slots that come of it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use protocol::client::{IceCredentials, SourceMid};
use protocol::media::{Codec, MediaKind, Source};
use str0m::change::SdpOffer;
use str0m::crypto::CryptoProvider;
use str0m::crypto::dtls::DtlsCert;
use str0m::media::{Direction, Mid};
use str0m::rtp::{Extension, ExtensionMap, Ssrc};
use str0m::{Candidate, Rtc};

use crate::egress::seal::provider;
use crate::egress::stream::{Extensions, NegotiatedSlot};

/// Most m-lines of an offer: 4 sources, 49 tiles, a few audio slots and the data channel fit.
const MAX_MEDIA_LINES: usize = 64;

/// Why an offer cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum OfferError {
    #[error("the SDP cannot be parsed: {0}")]
    Syntax(String),
    #[error("the offer has {0} m-lines; at most {MAX_MEDIA_LINES} are allowed")]
    TooManyLines(usize),
    #[error("the offer names no m-line with the mid {0:?} that sends")]
    UnknownMid(String),
    #[error("the m-line {0:?} is of another kind than its source")]
    WrongKind(String),
    #[error("the offer shares no codec with this node: VP8 and Opus are needed")]
    NoCodec,
    #[error("the offer was refused: {0}")]
    Refused(String),
}

/// The outcome of a negotiation.
#[derive(Debug)]
pub struct Negotiated {
    /// The answer's SDP.
    pub sdp: String,
    /// Our ICE user name fragment, by which the client's first datagram is recognized.
    pub ufrag: String,
    pub slots: Vec<NegotiatedSlot>,
    pub extensions: Extensions,
}

/// What all sessions of a shard share: the cryptography and one DTLS certificate.
pub struct Shared {
    crypto: Arc<CryptoProvider>,
    certificate: Option<DtlsCert>,
    pub(super) candidates: Vec<SocketAddr>,
}

impl Shared {
    /// Makes the certificate; `candidates` are the addresses that answers carry.
    pub fn new(candidates: Vec<SocketAddr>) -> Self {
        let crypto = provider();
        let certificate = crypto.dtls_provider.generate_certificate();
        Self {
            crypto,
            certificate,
            candidates,
        }
    }
}

/// Reads an offer and answers it.
pub(super) fn negotiate(
    now: Instant,
    shared: &Shared,
    sdp: &str,
    sources: &[SourceMid],
) -> Result<(Rtc, HashMap<Mid, Source>, Negotiated), OfferError> {
    let lines = sdp.lines().filter(|line| line.starts_with("m=")).count();
    if lines > MAX_MEDIA_LINES {
        return Err(OfferError::TooManyLines(lines));
    }
    let offer = SdpOffer::from_sdp_string(sdp).map_err(|e| OfferError::Syntax(e.to_string()))?;
    let mut rtc = new_rtc(now, shared)?;
    let answer = rtc
        .sdp_api()
        .accept_offer(offer)
        .map_err(|e| OfferError::Refused(e.to_string()))?
        .to_sdp_string();
    let by_mid = sources
        .iter()
        .map(|source| source_line(&rtc, source))
        .collect::<Result<_, _>>()?;
    let (slots, extensions) = take_slots(&mut rtc, &answer)?;
    let ufrag = rtc.direct_api().local_ice_credentials().ufrag;
    let negotiated = Negotiated {
        sdp: answer,
        ufrag,
        slots,
        extensions,
    };
    Ok((rtc, by_mid, negotiated))
}

/// Reads an offer that only restarts ICE (RFC 8839, 4.4.1.1.1), and returns our new credentials.
pub(super) fn restart(rtc: &mut Rtc, sdp: &str) -> Result<IceCredentials, OfferError> {
    let lines = sdp.lines().filter(|line| line.starts_with("m=")).count();
    if lines > MAX_MEDIA_LINES {
        return Err(OfferError::TooManyLines(lines));
    }
    let before = rtc.direct_api().local_ice_credentials();
    let offer = SdpOffer::from_sdp_string(sdp).map_err(|e| OfferError::Syntax(e.to_string()))?;
    let answer = rtc
        .sdp_api()
        .accept_offer(offer)
        .map_err(|e| OfferError::Refused(e.to_string()))?
        .to_sdp_string();
    // Our slots stay as they were negotiated; str0m is to send none of them.
    take_slots(rtc, &answer)?;
    let fresh = rtc.direct_api().local_ice_credentials();
    if fresh == before {
        return Err(OfferError::Refused("it restarts nothing".into()));
    }
    Ok(IceCredentials {
        ufrag: fresh.ufrag,
        pwd: fresh.pass,
    })
}

/// The m-line on which a source is sent.
fn source_line(rtc: &Rtc, named: &SourceMid) -> Result<(Mid, Source), OfferError> {
    let mid = Mid::from(named.mid.as_str());
    let media = rtc
        .media(mid)
        .filter(|media| media.direction() == Direction::RecvOnly)
        .ok_or_else(|| OfferError::UnknownMid(named.mid.clone()))?;
    if media.kind().is_audio() != (named.source.kind() == MediaKind::Audio) {
        return Err(OfferError::WrongKind(named.mid.clone()));
    }
    Ok((mid, named.source))
}

fn new_rtc(now: Instant, shared: &Shared) -> Result<Rtc, OfferError> {
    let mut extensions = ExtensionMap::empty();
    extensions.set(1, Extension::AudioLevel);
    extensions.set(3, Extension::TransportSequenceNumber);
    extensions.set(4, Extension::RtpMid);
    let mut config = Rtc::builder()
        .set_crypto_provider(shared.crypto.clone())
        .set_ice_lite(true)
        .set_rtp_mode(true)
        .clear_codecs()
        .enable_opus(true, false)
        .enable_vp8(true)
        .set_extension_map(extensions)
        .set_stats_interval(None);
    if let Some(certificate) = &shared.certificate {
        config = config.set_dtls_cert(certificate.clone());
    }
    let mut rtc = config.build(now);
    for address in &shared.candidates {
        let candidate =
            Candidate::host(*address, "udp").map_err(|e| OfferError::Refused(e.to_string()))?;
        rtc.add_local_candidate(candidate);
    }
    Ok(rtc)
}

/// str0m's name for a codec.
fn codec_of(codec: Codec) -> str0m::format::Codec {
    match codec {
        Codec::Opus => str0m::format::Codec::Opus,
        Codec::Vp8 => str0m::format::Codec::Vp8,
    }
}

/// Reads the receive slots off a negotiated session, and takes their streams away from str0m: it then neither reports
/// on them nor uses their SSRCs as the sender of its own RTCP.
fn take_slots(
    rtc: &mut Rtc,
    answer: &str,
) -> Result<(Vec<NegotiatedSlot>, Extensions), OfferError> {
    let mids: Vec<String> = answer
        .lines()
        .filter_map(|line| line.strip_prefix("a=mid:"))
        .map(|mid| mid.trim().to_owned())
        .collect();
    let mut slots = Vec::new();
    let mut extensions = Extensions::default();
    for mid in mids {
        let key = Mid::from(mid.as_str());
        let Some(media) = rtc.media(key) else {
            continue; // the data channel
        };
        if media.direction() != Direction::SendOnly {
            continue;
        }
        let kind = if media.kind().is_audio() {
            MediaKind::Audio
        } else {
            MediaKind::Video
        };
        let map = media.remote_extmap();
        extensions.mid = extensions.mid.or(map.id_of(Extension::RtpMid));
        extensions.twcc = extensions
            .twcc
            .or(map.id_of(Extension::TransportSequenceNumber));
        extensions.level = extensions.level.or(map.id_of(Extension::AudioLevel));
        let codec = Codec::of(kind);
        let wanted = codec_of(codec);
        let remote_pts = media.remote_pts().to_vec();
        let params = rtc
            .codec_config()
            .params()
            .iter()
            .find(|p| p.spec().codec == wanted && remote_pts.contains(&p.pt()))
            .ok_or(OfferError::NoCodec)?;
        let (pt, rtx_pt) = (*params.pt(), params.resend().map(|pt| *pt));
        let mut direct = rtc.direct_api();
        let Some(stream) = direct.stream_tx_by_mid(key, None) else {
            continue;
        };
        let (ssrc, rtx) = (stream.ssrc(), stream.rtx());
        direct.remove_stream_tx(ssrc);
        slots.push(NegotiatedSlot {
            mid,
            kind,
            codec,
            ssrc: *ssrc,
            rtx_ssrc: rtx.map(|rtx: Ssrc| *rtx),
            pt,
            rtx_pt,
        });
    }
    Ok((slots, extensions))
}
