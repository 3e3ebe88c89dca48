//! The one negotiation of a session: the client's offer, our answer, and the receive slots that come of it.

use std::sync::Arc;
use std::time::Instant;

use protocol::client::{IceCredentials, SourceMid};
use protocol::media::{Codec, MediaKind, Source};
use str0m::change::SdpOffer;
use str0m::crypto::CryptoProvider;
use str0m::crypto::dtls::{DtlsCert, DtlsVersion};
use str0m::format::{CodecConfig, FormatParams};
use str0m::media::{Frequency, Media};
use str0m::net::TcpType;
use str0m::{Candidate, Rtc};

use super::answer::{cname_of, complete};
use super::formats::Formats;
use super::offer::{Offer, short_mid};
use super::refusal::OfferError;
use super::streams::{SourceLine, Streams};
use super::twcc::Reader;
use crate::egress::seal::provider;
use crate::egress::stream::{NegotiatedSlot, SlotCodec};
use crate::io::{Transport, TransportAddress};

/// The outcome of a negotiation.
#[derive(Debug)]
pub struct Negotiated {
    /// The answer's SDP.
    pub sdp: String,
    /// Our ICE credentials, by which the client's first datagram is recognized.
    pub credentials: IceCredentials,
    pub slots: Vec<NegotiatedSlot>,
    pub published: Vec<Published>,
}

/// A source as the client will send it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    pub source: Source,
    /// The first of its m-line in our answer: what its sender uses.
    pub codec: Codec,
    pub layers: u8,
}

/// The codec of each payload type that a client sends with, and whether it repairs that.
#[derive(Debug)]
pub struct PayloadTypes([Option<(Codec, bool)>; 128]);

impl PayloadTypes {
    fn new(config: &CodecConfig) -> Self {
        let mut types = [None; 128];
        for params in config.params() {
            let codec = our_codec(params.spec().codec);
            let place = |pt: u8| usize::from(pt & 0x7F);
            if let Some(pt) = params.resend() {
                types[place(*pt)] = codec.map(|codec| (codec, true));
            }
            types[place(*params.pt())] = codec.map(|codec| (codec, false));
        }
        Self(types)
    }

    /// The codec of a payload type, and whether its packets repair others.
    pub fn of(&self, payload_type: u8) -> Option<(Codec, bool)> {
        self.0[usize::from(payload_type & 0x7F)]
    }

    /// The codec of a payload type that repairs nothing.
    pub fn get(&self, payload_type: u8) -> Option<Codec> {
        let (codec, repairs) = self.of(payload_type)?;
        (!repairs).then_some(codec)
    }
}

/// What is known about what a session receives.
#[derive(Debug)]
pub struct Receiving {
    pub streams: Streams,
    pub payload_types: PayloadTypes,
}

/// What all sessions of a shard share: the cryptography and one DTLS certificate.
pub struct Shared {
    crypto: Arc<CryptoProvider>,
    certificate: Option<DtlsCert>,
    pub(super) candidates: Vec<TransportAddress>,
}

impl Shared {
    /// Makes the certificate; `candidates` are the addresses that answers carry.
    pub fn new(candidates: Vec<TransportAddress>) -> Self {
        let crypto = provider();
        let certificate = crypto.dtls_provider.generate_certificate();
        Self {
            crypto,
            certificate,
            candidates,
        }
    }
}

/// Answers an offer.
pub(super) fn negotiate(
    now: Instant,
    shared: &Shared,
    offered: &Offer<'_>,
    sources: &[SourceMid],
) -> Result<(Rtc, Receiving, Negotiated), OfferError> {
    let named = name_lines(offered, sources)?;
    let reader = Reader::default();
    let mut rtc = new_rtc(now, shared, offered, &reader)?;
    let is_source = |place| named.iter().any(|(_, at)| *at == place);
    let formats = offered.formats(is_source)?;
    let answer = answer(&mut rtc, &offered.plain(&formats, is_source))?;
    let sdp = complete(offered, &formats, &answer)?;
    let mut lines = Vec::with_capacity(named.len());
    let mut published = Vec::with_capacity(named.len());
    for (source, place) in &named {
        let (line, source) = source_line(&rtc, offered, *source, *place)?;
        lines.push(line);
        published.push(source);
    }
    if lines.iter().any(|line| line.ids.twcc.is_some()) {
        rtc.direct_api().enable_twcc_feedback();
    }
    let mut slots = take_slots(&mut rtc, offered, &formats)?;
    for slot in &mut slots {
        slot.cname = cname_of(&sdp, slot.ssrc).unwrap_or_default().to_owned();
    }
    let local = rtc.direct_api().local_ice_credentials();
    let credentials = IceCredentials {
        ufrag: local.ufrag,
        pwd: local.pass,
    };
    let negotiated = Negotiated {
        sdp,
        credentials,
        slots,
        published,
    };
    let receiving = Receiving {
        payload_types: PayloadTypes::new(rtc.codec_config()),
        streams: Streams::new(lines, reader, &mut rtc),
    };
    Ok((rtc, receiving, negotiated))
}

/// The m-line of each source that the client names, by its place.
fn name_lines(
    offer: &Offer<'_>,
    sources: &[SourceMid],
) -> Result<Vec<(Source, usize)>, OfferError> {
    let mut named: Vec<(Source, usize)> = Vec::with_capacity(sources.len());
    for SourceMid { mid, source } in sources {
        let place = offer.find(mid).filter(|place| offer.lines[*place].sends);
        let place = place.ok_or_else(|| OfferError::UnknownMid(mid.clone()))?;
        let same = |(of, at): &(Source, usize)| of == source || *at == place;
        if named.iter().any(same) {
            return Err(OfferError::NamedTwice(mid.clone()));
        }
        named.push((*source, place));
    }
    Ok(named)
}

/// str0m's answer to what it is shown of an offer.
fn answer(rtc: &mut Rtc, plain: &str) -> Result<String, OfferError> {
    let offer = SdpOffer::from_sdp_string(plain).map_err(|_| OfferError::Syntax)?;
    let answer = rtc.sdp_api().accept_offer(offer);
    let answer = answer.map_err(|_| OfferError::Contradictory)?;
    Ok(answer.to_sdp_string())
}

/// The m-line on which a source is sent, and how.
fn source_line(
    rtc: &Rtc,
    offer: &Offer<'_>,
    source: Source,
    place: usize,
) -> Result<(SourceLine, Published), OfferError> {
    let offered = &offer.lines[place];
    let mid = || offered.mid.to_owned();
    let media = rtc
        .media(short_mid(place))
        .filter(|media| media.direction().is_receiving())
        .ok_or_else(|| OfferError::UnknownMid(mid()))?;
    if media.kind().is_audio() != (source.kind() == MediaKind::Audio) {
        return Err(OfferError::WrongKind(mid()));
    }
    let codec = slot_codecs(rtc, media)
        .first()
        .map(|first| first.codec)
        .ok_or_else(|| OfferError::NoCodec(mid()))?;
    let rids: Vec<String> = (offered.rids.layers.iter())
        .map(|rid| rid.id.to_owned())
        .collect();
    let published = Published {
        source,
        codec,
        layers: rids.len().max(1) as u8,
    };
    let params = rtc.codec_config().params().iter();
    let mut params = params.filter(|params| media.remote_pts().contains(&params.pt()));
    let line = SourceLine {
        mid: mid(),
        place: place as u8,
        source,
        rids,
        ids: offered.extensions.incoming(),
        repairs: params.any(|params| params.fb_nack()),
        announced: offered.announced,
    };
    Ok((line, published))
}

/// The codecs of an m-line in the order that the client prefers.
fn slot_codecs(rtc: &Rtc, media: &Media) -> Vec<SlotCodec> {
    let params = rtc.codec_config().params();
    let mut codecs: Vec<SlotCodec> = Vec::new();
    for pt in media.remote_pts() {
        let Some(params) = params.iter().find(|params| params.pt() == *pt) else {
            continue;
        };
        if let Some(codec) = our_codec(params.spec().codec)
            && codecs.iter().all(|known| known.codec != codec)
        {
            codecs.push(SlotCodec {
                codec,
                pt: **pt,
                rtx_pt: params.resend().map(|pt| *pt),
            });
        }
    }
    codecs
}

fn new_rtc(
    now: Instant,
    shared: &Shared,
    offer: &Offer<'_>,
    reader: &Reader,
) -> Result<Rtc, OfferError> {
    let mut config = Rtc::builder()
        .set_crypto_provider(shared.crypto.clone())
        .set_ice_lite(true)
        .set_dtls_version(dtls_version(offer))
        .set_rtp_mode(true)
        .clear_codecs()
        .set_extension_map(reader.extension_map())
        .set_stats_interval(None);
    enable_codecs(config.codec_config(), offer);
    if let Some(certificate) = &shared.certificate {
        config = config.set_dtls_cert(certificate.clone());
    }
    let mut rtc = config.build(now);
    for candidate in &shared.candidates {
        let host = match candidate.transport {
            Transport::Udp => Candidate::builder().udp().host(candidate.address).build(),
            Transport::Tcp => Candidate::builder()
                .tcp()
                .host(candidate.address)
                .tcptype(TcpType::Passive)
                .build(),
        };
        let candidate = host.map_err(|error| {
            tracing::error!(%error, "an address of this node is no candidate");
            OfferError::Fault
        })?;
        rtc.add_local_candidate(candidate);
    }
    Ok(rtc)
}

/// The versions of DTLS that a session speaks: of those that the client's hello offers the newest. Where the hello is ours, and
/// no client can choose, that which all understand.
fn dtls_version(offer: &Offer<'_>) -> DtlsVersion {
    match offer.awaits_hello {
        true => DtlsVersion::Dtls12,
        false => DtlsVersion::Auto,
    }
}

/// The codecs of [`Codec`], each in the one profile that every browser has.
fn enable_codecs(config: &mut CodecConfig, offer: &Offer<'_>) {
    let opus = FormatParams {
        min_p_time: Some(10),
        use_inband_fec: Some(true),
        // A sender pauses in silence only when its receiver says that it may (RFC 7587, 6.1): who offers it, wants it.
        use_dtx: offer.pauses.then_some(true),
        ..FormatParams::default()
    };
    let audio = str0m::format::Codec::Opus;
    config.add_config(
        111.into(),
        None,
        audio,
        Frequency::FORTY_EIGHT_KHZ,
        Some(2),
        opus,
    );
    config.enable_vp8(true);
    // Constrained baseline, level 3.1, packetization mode 1.
    config.add_h264(108.into(), Some(109.into()), true, 0x42_e01f);
    let vp9 = FormatParams {
        profile_id: Some(0),
        ..FormatParams::default()
    };
    let video = str0m::format::Codec::Vp9;
    config.add_config(
        98.into(),
        Some(99.into()),
        video,
        Frequency::NINETY_KHZ,
        None,
        vp9,
    );
    config.enable_av1(true);
}

/// Our name for one of str0m's codecs.
fn our_codec(codec: str0m::format::Codec) -> Option<Codec> {
    match codec {
        str0m::format::Codec::Opus => Some(Codec::Opus),
        str0m::format::Codec::Vp8 => Some(Codec::Vp8),
        str0m::format::Codec::H264 => Some(Codec::H264),
        str0m::format::Codec::Vp9 => Some(Codec::Vp9),
        str0m::format::Codec::Av1 => Some(Codec::Av1),
        _ => None,
    }
}

/// Reads the receive slots off a negotiated session, and takes their streams away from str0m: it then neither reports
/// on them nor uses their SSRCs as the sender of its own RTCP.
fn take_slots(
    rtc: &mut Rtc,
    offer: &Offer<'_>,
    formats: &Formats,
) -> Result<Vec<NegotiatedSlot>, OfferError> {
    let mut slots = Vec::new();
    for (place, offered) in offer.lines.iter().enumerate() {
        let mid = short_mid(place);
        let media = rtc
            .media(mid)
            .filter(|media| media.direction().is_sending());
        let (Some(media), Some(kind)) = (media, offered.kind) else {
            continue;
        };
        let mut codecs = slot_codecs(rtc, media);
        for codec in &mut codecs {
            codec.pt = formats.offered(place, codec.pt);
            codec.rtx_pt = codec.rtx_pt.map(|pt| formats.offered(place, pt));
        }
        if codecs.is_empty() {
            return Err(OfferError::NoCodec(offered.mid.into()));
        }
        let mut direct = rtc.direct_api();
        let Some(stream) = direct.stream_tx_by_mid(mid, None) else {
            continue;
        };
        let (ssrc, rtx) = (stream.ssrc(), stream.rtx());
        direct.remove_stream_tx(ssrc);
        slots.push(NegotiatedSlot {
            mid: offered.mid.into(),
            kind,
            codecs,
            ssrc: *ssrc,
            rtx_ssrc: rtx.map(|rtx| *rtx),
            cname: String::new(),
            extensions: offered.extensions.outgoing(),
        });
    }
    Ok(slots)
}
