//! One participant's WebRTC session: ICE, DTLS, the data channel and the receiving side, all by str0m.
//!
//! Nobody else names str0m, so nobody can break its contract: every mutation here is followed by a full drain. Outgoing
//! media does not pass through it: its sending streams are removed right after the negotiation, and the egress sends
//! with the keys that the [`Tap`] sees.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use protocol::client::SourceMid;
use protocol::media::{Codec, MediaKind, Source};
use str0m::change::SdpOffer;
use str0m::channel::ChannelId;
use str0m::crypto::CryptoProvider;
use str0m::crypto::dtls::DtlsCert;
use str0m::media::{Direction, KeyframeRequestKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{Extension, ExtensionMap, Ssrc};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcError};

use crate::egress::seal::{Sealer, Tap, provider};
use crate::egress::stream::Extensions;
use crate::packet::{AudioLevel, Packet};

/// Most m-lines of an offer: 4 sources, 49 tiles, a few audio slots and the data channel fit.
const MAX_MEDIA_LINES: usize = 64;
/// The data channel that carries views and slots.
const CHANNEL_LABEL: &str = "connect";
/// Longest data channel message that is looked at, in bytes.
const MAX_TEXT_BYTES: usize = 64 * 1024;

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

/// A receive slot of the client, as negotiated.
#[derive(Debug, Clone)]
pub struct NegotiatedSlot {
    pub mid: String,
    pub kind: MediaKind,
    pub codec: Codec,
    pub ssrc: u32,
    pub rtx_ssrc: Option<u32>,
    pub pt: u8,
    pub rtx_pt: Option<u8>,
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

/// What a session did. Reused from call to call, so that the steady state allocates nothing.
#[derive(Debug, Default)]
pub struct Happened {
    /// Datagrams of ICE, DTLS and str0m's own RTCP.
    pub transmits: Vec<(SocketAddr, Vec<u8>)>,
    /// Received media, decrypted.
    pub media: Vec<(Source, Packet)>,
    /// Decrypted compound RTCP packets, one after the other, with their lengths.
    pub rtcp: Vec<u8>,
    pub rtcp_lengths: Vec<usize>,
    /// Text messages of the data channel.
    pub texts: Vec<Vec<u8>>,
    pub channel_open: bool,
    /// ICE and DTLS are up …
    established: bool,
    /// … and outgoing media can be sealed with this.
    pub connected: Option<Sealer>,
    /// The session is over.
    pub closed: bool,
    /// It ended by a fault of our own.
    pub panicked: bool,
    /// A datagram could not be made sense of.
    pub malformed: u32,
}

impl Happened {
    fn clear(&mut self) {
        self.transmits.clear();
        self.media.clear();
        self.rtcp.clear();
        self.rtcp_lengths.clear();
        self.texts.clear();
        self.channel_open = false;
        self.established = false;
        self.connected = None;
        self.closed = false;
        self.panicked = false;
        self.malformed = 0;
    }
}

/// What all sessions of a shard share: the cryptography and one DTLS certificate.
pub struct Shared {
    crypto: Arc<CryptoProvider>,
    certificate: Option<DtlsCert>,
    candidates: Vec<SocketAddr>,
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

/// One participant's session.
pub struct Session {
    /// Beside the connection, which works inside of it.
    tap: Tap,
    connection: Connection,
    over: bool,
}

/// str0m's part of a session and what is known about it.
struct Connection {
    rtc: Rtc,
    candidates: Vec<SocketAddr>,
    sources: HashMap<Mid, Source>,
    /// The source of each receiving SSRC that has been seen.
    incoming: HashMap<u32, Source>,
    channel: Option<ChannelId>,
    /// Where str0m last sent anything but STUN: the peer's address that ICE has settled on.
    address: Option<SocketAddr>,
    next_timeout: Instant,
}

impl Session {
    /// Answers a client's offer.
    pub fn accept(
        now: Instant,
        shared: &Shared,
        sdp: &str,
        sources: &[SourceMid],
    ) -> Result<(Self, Negotiated), OfferError> {
        let lines = sdp.lines().filter(|line| line.starts_with("m=")).count();
        if lines > MAX_MEDIA_LINES {
            return Err(OfferError::TooManyLines(lines));
        }
        let offer =
            SdpOffer::from_sdp_string(sdp).map_err(|e| OfferError::Syntax(e.to_string()))?;
        let tap = Tap::new();
        let accepted = catch_unwind(AssertUnwindSafe(|| {
            tap.enter(|| {
                let mut rtc = new_rtc(now, shared)?;
                let answer = rtc
                    .sdp_api()
                    .accept_offer(offer)
                    .map_err(|e| OfferError::Refused(e.to_string()))?;
                Ok((rtc, answer.to_sdp_string()))
            })
        }));
        let (mut rtc, answer) =
            accepted.unwrap_or_else(|_| Err(OfferError::Refused("internal fault".into())))?;

        let mut by_mid = HashMap::new();
        for SourceMid { mid, source } in sources {
            let key = Mid::from(mid.as_str());
            let media = rtc
                .media(key)
                .filter(|media| media.direction() == Direction::RecvOnly)
                .ok_or_else(|| OfferError::UnknownMid(mid.clone()))?;
            if media.kind().is_audio() != (source.kind() == MediaKind::Audio) {
                return Err(OfferError::WrongKind(mid.clone()));
            }
            by_mid.insert(key, *source);
        }
        let (slots, extensions) = take_slots(&mut rtc, &answer)?;
        let ufrag = rtc.direct_api().local_ice_credentials().ufrag;
        let connection = Connection {
            rtc,
            candidates: shared.candidates.clone(),
            sources: by_mid,
            incoming: HashMap::new(),
            channel: None,
            address: None,
            next_timeout: now,
        };
        let session = Self {
            tap,
            connection,
            over: false,
        };
        let negotiated = Negotiated {
            sdp: answer,
            ufrag,
            slots,
            extensions,
        };
        Ok((session, negotiated))
    }

    /// Where to send media.
    pub fn address(&self) -> Option<SocketAddr> {
        self.connection.address
    }

    /// When [`Session::handle_timeout`] is due.
    pub fn next_timeout(&self) -> Instant {
        self.connection.next_timeout
    }

    /// Takes a datagram in. Returns whether the session accepts traffic of this address as its own.
    pub fn receive(
        &mut self,
        now: Instant,
        from: SocketAddr,
        data: &[u8],
        happened: &mut Happened,
    ) -> bool {
        let same_family = |a: &&SocketAddr| a.is_ipv4() == from.is_ipv4();
        let Some(destination) = self.connection.candidates.iter().find(same_family).copied() else {
            return false;
        };
        let mut accepted = false;
        self.mutate(happened, |connection, happened| {
            let Ok(receive) = Receive::new(Protocol::Udp, from, destination, data) else {
                happened.malformed += 1;
                return Ok(());
            };
            let input = Input::Receive(now, receive);
            accepted = connection.rtc.accepts(&input);
            if !accepted {
                happened.malformed += 1;
                return Ok(());
            }
            connection.rtc.handle_input(input)
        });
        accepted
    }

    /// Lets time pass.
    pub fn handle_timeout(&mut self, now: Instant, happened: &mut Happened) {
        self.mutate(happened, |connection, _| {
            connection.rtc.handle_input(Input::Timeout(now))
        });
    }

    /// Asks the participant's encoder for a keyframe of this source.
    pub fn request_keyframe(&mut self, now: Instant, source: Source, happened: &mut Happened) {
        self.mutate(happened, |connection, _| {
            let mid = connection
                .sources
                .iter()
                .find_map(|(mid, owner)| (*owner == source).then_some(*mid));
            let mut direct = connection.rtc.direct_api();
            if let Some(stream) = mid.and_then(|mid| direct.stream_rx_by_mid(mid, None)) {
                stream.request_keyframe(KeyframeRequestKind::Pli);
            }
            connection.rtc.handle_input(Input::Timeout(now))
        });
    }

    /// Sends a text over the data channel; lost when the channel is not open.
    pub fn send_text(&mut self, now: Instant, text: &str, happened: &mut Happened) {
        self.mutate(happened, |connection, _| {
            if let Some(mut channel) = connection.channel.and_then(|id| connection.rtc.channel(id))
            {
                channel.write(false, text.as_bytes())?;
            }
            connection.rtc.handle_input(Input::Timeout(now))
        });
    }

    /// Ends the session; the farewells (RTCP BYE, DTLS close) are in `happened`.
    pub fn close(&mut self, happened: &mut Happened) {
        self.mutate(happened, |connection, _| connection.rtc.close());
    }

    /// Runs one mutation and the drain that has to follow it. A panic inside ends this session and nothing else.
    fn mutate(
        &mut self,
        happened: &mut Happened,
        change: impl FnOnce(&mut Connection, &mut Happened) -> Result<(), RtcError>,
    ) {
        happened.clear();
        if self.over {
            happened.closed = true;
            return;
        }
        let Self {
            tap, connection, ..
        } = self;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            tap.enter(|| {
                change(connection, happened)?;
                connection.drain(happened)
            })
        }));
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::debug!(%error, "session ended by an error");
                happened.closed = true;
            }
            Err(_) => {
                tracing::error!("session ended by a panic");
                happened.closed = true;
                happened.panicked = true;
            }
        }
        tap.take_rtcp(|compound| {
            happened.rtcp.extend_from_slice(compound);
            happened.rtcp_lengths.push(compound.len());
        });
        if happened.established {
            happened.connected = tap.sealer();
        }
        self.over |= happened.closed;
    }

    /// The source of a receiving SSRC, for its sender reports.
    pub fn source_of(&self, ssrc: u32) -> Option<Source> {
        self.connection.incoming.get(&ssrc).copied()
    }
}

impl Connection {
    fn drain(&mut self, happened: &mut Happened) -> Result<(), RtcError> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(at) => {
                    self.next_timeout = at;
                    happened.closed |= !self.rtc.is_alive();
                    return Ok(());
                }
                Output::Transmit(transmit) => {
                    let contents = Vec::from(transmit.contents);
                    if !crate::demux::is_stun(&contents) {
                        self.address = Some(transmit.destination);
                    }
                    happened.transmits.push((transmit.destination, contents));
                }
                Output::Event(event) => self.event(event, happened),
            }
        }
    }

    fn event(&mut self, event: Event, happened: &mut Happened) {
        match event {
            Event::Connected => happened.established = true,
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) | Event::Closed => {
                happened.closed = true;
            }
            Event::ChannelOpen(id, label) if label == CHANNEL_LABEL => {
                self.channel = Some(id);
                happened.channel_open = true;
            }
            Event::ChannelData(data) if data.data.len() <= MAX_TEXT_BYTES => {
                happened.texts.push(data.data);
            }
            Event::RtpPacket(packet) => self.media(packet, happened),
            _ => {}
        }
    }

    fn media(&mut self, packet: str0m::rtp::RtpPacket, happened: &mut Happened) {
        let ssrc = packet.header.ssrc;
        let source = match self.incoming.get(&*ssrc) {
            Some(source) => *source,
            None => {
                let mut direct = self.rtc.direct_api();
                let mid = direct.stream_rx(&ssrc).map(|stream| stream.mid());
                let Some(source) = mid.and_then(|mid| self.sources.get(&mid)) else {
                    happened.malformed += 1;
                    return;
                };
                self.incoming.insert(*ssrc, *source);
                *source
            }
        };
        let codec = codec_of(source.kind()).0;
        let values = &packet.header.ext_vals;
        let level = values.audio_level.map(|level| AudioLevel {
            dbov: level.unsigned_abs(),
            voice: values.voice_activity.unwrap_or(false),
        });
        happened.media.push((
            source,
            Packet::new(
                *packet.seq_no,
                packet.header.timestamp,
                packet.header.marker,
                codec,
                level,
                packet.payload,
            ),
        ));
    }
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

/// The one codec of each kind that is negotiated, and str0m's name for it.
fn codec_of(kind: MediaKind) -> (Codec, str0m::format::Codec) {
    match kind {
        MediaKind::Audio => (Codec::Opus, str0m::format::Codec::Opus),
        MediaKind::Video => (Codec::Vp8, str0m::format::Codec::Vp8),
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
        let (codec, wanted) = codec_of(kind);
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
