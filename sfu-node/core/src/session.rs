//! One participant's WebRTC session: ICE, DTLS, the data channel and the receiving side by str0m, and feedback past it.
//!
//! Beside it only the egress's seal names str0m, for its keys, so nobody can break its contract: every mutation here is
//! followed by a full drain. Outgoing media does not pass through it: its sending streams are removed right after the
//! negotiation, and the egress sends with the keys that the [`Tap`] sees. Of ICE it knows one path ([`Inner`]): which ones the client
//! has, and where it is, is ours ([`Way`]).

mod answer;
mod check;
mod compound;
mod cookie;
mod description;
mod extmap;
mod formats;
#[cfg(feature = "fuzz")]
pub mod fuzz;
mod handshake;
mod happened;
mod incoming;
mod inner;
mod negotiation;
mod numbers;
mod offer;
mod pulse;
mod refusal;
mod restart;
mod rids;
mod streams;
mod twcc;
mod way;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use protocol::client::SourceMid;
use protocol::media::{Layer, Source};
use str0m::channel::ChannelId;
use str0m::media::KeyframeRequestKind;
use str0m::{Event, IceConnectionState, Input, Output, Rtc, RtcError};

use crate::egress::seal::{Opener, Tap};
use crate::io::TransportAddress;
use crate::packet::Packet;
use crate::stun::{Tag, is_media, is_stun};
use check::Credentials;
use compound::Compounds;
pub use handshake::HandshakeError;
pub use happened::{Happened, Media};
pub use incoming::Evidence;
use inner::Inner;
pub use negotiation::{Negotiated, Published, Shared};
use negotiation::{PayloadTypes, negotiate};
use offer::Offer;
use pulse::Pulse;
pub use refusal::OfferError;
pub use rids::MAX_LAYERS;
use streams::Streams;
use way::Way;

/// The data channel that carries views and slots.
const CHANNEL_LABEL: &str = "connect";
/// Longest data channel message that is looked at, in bytes.
const MAX_TEXT_BYTES: usize = 64 * 1024;

/// One participant's session.
pub struct Session {
    /// Beside the connection, which works inside of it.
    tap: Tap,
    /// What opens feedback on our egress, past str0m.
    opener: Option<Opener>,
    /// What goes in the place of str0m's RTCP to who takes none that is reduced, once there are keys.
    compounds: Option<Compounds>,
    connection: Connection,
    pulse: Pulse,
    over: bool,
}

/// str0m's part of a session and what is known about it.
struct Connection {
    rtc: Rtc,
    candidates: Vec<TransportAddress>,
    payload_types: PayloadTypes,
    streams: Streams,
    channel: Option<ChannelId>,
    way: Way,
    inner: Inner,
    /// The client's certificate, by its description: an ICE restart is of the same client.
    fingerprint: String,
    next_timeout: Instant,
}

impl Session {
    /// Answers a client's offer. A panic on the way is a refusal.
    pub fn accept(
        now: Instant,
        shared: &Shared,
        sdp: &str,
        sources: &[SourceMid],
    ) -> Result<(Self, Negotiated), OfferError> {
        let tap = Tap::new();
        let accepted = catch_unwind(AssertUnwindSafe(|| {
            let offer = Offer::read(sdp)?;
            let negotiated = tap.enter(|| negotiate(now, shared, &offer, sources))?;
            Ok((offer, negotiated))
        }));
        let (offer, (rtc, received, negotiated)) = accepted.unwrap_or(Err(OfferError::Fault))?;
        let theirs = offer.endpoint.credentials();
        let credentials = Credentials::new(theirs, negotiated.credentials.clone());
        let connection = Connection {
            rtc,
            candidates: shared.candidates.clone(),
            payload_types: received.payload_types,
            streams: received.streams,
            channel: None,
            way: Way::new(now, credentials.clone()),
            inner: Inner::new(credentials),
            fingerprint: offer.endpoint.fingerprint.to_owned(),
            next_timeout: now,
        };
        if !offer.takes_reduced {
            tap.hear_sent();
        }
        let session = Self {
            tap,
            opener: None,
            compounds: None,
            connection,
            pulse: Pulse::new(now),
            over: false,
        };
        Ok((session, negotiated))
    }

    /// Where to send media.
    pub fn address(&self) -> Option<TransportAddress> {
        self.connection.way.address()
    }

    /// When the client first chose a path.
    pub fn nominated_at(&self) -> Option<Instant> {
        self.connection.way.nominated_at()
    }

    /// When [`Session::handle_timeout`] is due.
    pub fn next_timeout(&self) -> Instant {
        let check = self.connection.way.timeout();
        check.map_or(self.connection.next_timeout, |check| {
            check.min(self.connection.next_timeout)
        })
    }

    /// What the ids of the answers to our checks begin with.
    pub fn tag(&self) -> Option<Tag> {
        self.connection.way.tag()
    }

    /// Our ICE user name fragments that are good.
    pub fn ufrags(&self) -> impl Iterator<Item = &str> {
        let all = self.connection.way.credentials();
        all.map(|credentials| credentials.ours().ufrag.as_str())
    }

    /// When the client counts as silent if nothing comes of it any more.
    pub fn silent_at(&self) -> Instant {
        self.pulse.stops()
    }

    /// Nothing has come for so long that the client counts as silent, until it is heard again.
    pub fn fall_silent(&mut self) {
        self.pulse.stop();
    }

    /// Lets time pass.
    pub fn handle_timeout(&mut self, now: Instant, happened: &mut Happened) {
        self.mutate(now, happened, |connection, _| {
            connection.rtc.handle_input(Input::Timeout(now))
        });
        let check = self.connection.way.handle_timeout(now);
        happened.transmits.extend(check);
    }

    /// Asks the participant's encoder for a keyframe of this source and layer.
    pub fn request_keyframe(
        &mut self,
        now: Instant,
        source: Source,
        layer: Layer,
        happened: &mut Happened,
    ) {
        self.mutate(now, happened, |connection, _| {
            let main = connection.streams.main_of(source, layer);
            let mut direct = connection.rtc.direct_api();
            if let Some(stream) = main.and_then(|main| direct.stream_rx(&main.into())) {
                stream.request_keyframe(KeyframeRequestKind::Pli);
            }
            connection.rtc.handle_input(Input::Timeout(now))
        });
    }

    /// Sends a text over the data channel. Returns false when the channel has no room for it now; without a channel it is lost.
    pub fn send_text(&mut self, now: Instant, text: &str, happened: &mut Happened) -> bool {
        let mut sent = true;
        self.mutate(now, happened, |connection, _| {
            if let Some(mut channel) = connection.channel.and_then(|id| connection.rtc.channel(id))
            {
                sent = channel.write(false, text.as_bytes())?;
            }
            connection.rtc.handle_input(Input::Timeout(now))
        });
        sent
    }

    /// Ends the session; the farewells (RTCP BYE, DTLS close) are in `happened`.
    pub fn close(&mut self, now: Instant, happened: &mut Happened) {
        self.mutate(now, happened, |connection, _| connection.rtc.close());
    }

    /// Its client is connected, and there.
    #[cfg(any(test, feature = "fuzz"))]
    pub fn reach(&mut self, at: TransportAddress) {
        self.connection.way.reach(at);
    }

    /// Work inside of it panics.
    #[cfg(test)]
    pub fn panic(&mut self, now: Instant, happened: &mut Happened) {
        self.mutate(now, happened, |_, _| panic!("on purpose"));
    }

    /// The source and layer of a receiving SSRC, for its sender reports.
    pub fn stream_of(&self, ssrc: u32) -> Option<(Source, Layer)> {
        self.connection.streams.stream_of(ssrc)
    }

    /// Runs one mutation and the drain that has to follow it. A panic inside ends this session and nothing else.
    fn mutate(
        &mut self,
        now: Instant,
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
                happened.failed = HandshakeError::of(&error, tap.failure().as_ref());
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
            happened.connected = tap.sealer().map(Box::new);
            self.opener = tap.opener();
            self.compounds = tap.reporter().and_then(Compounds::new);
            let check = connection.way.established(now);
            happened.transmits.extend(check);
        }
        if let Some(compounds) = &mut self.compounds {
            // Of media and RTCP str0m sends RTCP alone.
            happened.transmits.retain(|(_, sent)| !is_media(sent));
            let to = connection.way.address();
            tap.take_sent(|sent| happened.transmits.extend(to.zip(compounds.seal(sent))));
        }
        self.over |= happened.closed;
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
                    // The client's checks were answered before str0m heard of them.
                    let to = (!is_stun(&contents)).then(|| self.way.follow()).flatten();
                    happened.transmits.extend(to.map(|to| (to, contents)));
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
        let ssrc = *packet.header.ssrc;
        let (now, number) = (packet.timestamp, *packet.seq_no);
        let codec = self.payload_types.get(*packet.header.payload_type);
        let arrived = self.streams.arrived(now, &mut self.rtc, ssrc, number);
        if self.streams.is_exhausted() {
            tracing::debug!("session ended by the number of its streams");
            happened.closed = true;
        }
        let (Some(codec), Some(arrived)) = (codec, arrived) else {
            happened.malformed += 1;
            return;
        };
        let packet = Packet::new(
            arrived.sequence,
            packet.header.timestamp,
            packet.header.marker,
            codec,
            arrived.level,
            packet.payload,
        );
        happened.media.push(Media {
            source: arrived.source,
            layer: arrived.layer,
            arrived: now,
            packet,
        });
    }
}

#[cfg(test)]
mod tests;
