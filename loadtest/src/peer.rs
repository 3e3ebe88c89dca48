//! A bot's WebRTC session, by str0m: one offer, media out, media in. No socket, no clock.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Instant;

use protocol::client::{ClientMediaMessage, NodeMediaMessage, Offer, SourceMid, Tile};
use protocol::id::Attempt;
use protocol::media::{MediaKind, Source};
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::channel::ChannelId;
use str0m::media::{
    Direction, KeyframeRequest, KeyframeRequestKind, MediaKind as RtcKind, Mid, Rid, Simulcast,
    SimulcastLayer,
};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{ExtensionValues, RtpPacket, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcError};

use crate::camera::Camera;
use crate::media::Stamp;
use crate::plan::Slots;
use crate::publisher::Outgoing;

/// How loud a bot speaks, in dB below the loudest (RFC 6464).
const LEVEL: i8 = -30;

/// Why a session cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    #[error("the WebRTC session failed: {0}")]
    Rtc(#[from] RtcError),
    #[error("the local address is no candidate: {0}")]
    Address(str0m::error::IceError),
    #[error("the node's answer cannot be used: {0}")]
    Answer(String),
    #[error("the session cannot send a packet: {0}")]
    Send(&'static str),
}

/// What a session did.
#[derive(Debug)]
pub enum Happened {
    /// This is to be sent.
    Transmit(SocketAddr, Vec<u8>),
    /// ICE and DTLS are up.
    Connected,
    /// The view can be said.
    ChannelOpen,
    /// The encoder of this camera layer is asked for a keyframe.
    KeyframeAsked(usize),
    /// The node said something about media.
    Told(NodeMediaMessage),
    /// A packet came in a receive slot.
    Media(Media),
    /// The session is over.
    Closed,
}

/// A packet in a receive slot.
#[derive(Debug, Clone, Copy)]
pub struct Media {
    pub slot: usize,
    pub kind: MediaKind,
    /// Extended, as the receiver sees it.
    pub sequence: u64,
    /// `None` where the payload is none of ours.
    pub stamp: Option<Stamp>,
}

/// A bot's WebRTC session.
pub struct Peer {
    rtc: Rtc,
    address: SocketAddr,
    pending: Option<SdpPendingOffer>,
    microphone: Mid,
    camera: Mid,
    /// The camera's layers in the offer, the lowest first; none if it has one only.
    rids: Vec<Rid>,
    slots: HashMap<Mid, usize>,
    audio_slots: usize,
    /// The slot of each receiving SSRC that has been seen.
    incoming: HashMap<u32, usize>,
    channel: Option<ChannelId>,
}

impl Peer {
    /// A session and its offer, the bot's attempt of this number. `camera` is what it may send.
    ///
    /// # Errors
    /// The address cannot be a candidate.
    pub fn offer(
        now: Instant,
        address: SocketAddr,
        slots: Slots,
        camera: Option<Camera>,
        attempt: Attempt,
    ) -> Result<(Self, Offer), PeerError> {
        let mut rtc = new_rtc(now, address)?;
        let rids: Vec<&str> = camera.into_iter().flat_map(Camera::rids).collect();
        let simulcast = (!rids.is_empty()).then(|| Simulcast {
            send: rids.iter().map(|rid| SimulcastLayer::new(rid)).collect(),
            recv: Vec::new(),
        });
        let mut api = rtc.sdp_api();
        let mut add =
            |kind, direction, simulcast| api.add_media(kind, direction, None, None, simulcast);
        let microphone = add(RtcKind::Audio, Direction::SendOnly, None);
        let camera = add(RtcKind::Video, Direction::SendOnly, simulcast);
        let kinds = std::iter::repeat_n(RtcKind::Audio, slots.audio)
            .chain(std::iter::repeat_n(RtcKind::Video, slots.video));
        let by_mid = kinds
            .enumerate()
            .map(|(slot, kind)| (add(kind, Direction::RecvOnly, None), slot))
            .collect();
        api.add_channel("connect".into());
        let (offer, pending) = api
            .apply()
            .ok_or(PeerError::Send("there is nothing to offer"))?;
        let sources = [(microphone, Source::Microphone), (camera, Source::Camera)]
            .map(|(mid, source)| SourceMid {
                mid: mid.to_string(),
                source,
            })
            .into();
        let peer = Self {
            rtc,
            address,
            pending: Some(pending),
            microphone,
            camera,
            rids: rids.into_iter().map(Rid::from).collect(),
            slots: by_mid,
            audio_slots: slots.audio,
            incoming: HashMap::new(),
            channel: None,
        };
        let offer = Offer {
            attempt,
            sdp: offer.to_sdp_string(),
            sources,
        };
        Ok((peer, offer))
    }

    /// A session that receives all that another side offers, and its answer.
    ///
    /// # Errors
    /// The offer cannot be answered.
    pub fn answer(
        now: Instant,
        address: SocketAddr,
        sdp: &str,
        attempt: Attempt,
    ) -> Result<(Self, Offer), PeerError> {
        let mut rtc = new_rtc(now, address)?;
        let offer =
            SdpOffer::from_sdp_string(sdp).map_err(|error| PeerError::Answer(error.to_string()))?;
        let answer = rtc
            .sdp_api()
            .accept_offer(offer)
            .map_err(|error| PeerError::Answer(error.to_string()))?;
        let sdp = answer.to_sdp_string();
        let mids = sdp.lines().filter_map(|line| line.strip_prefix("a=mid:"));
        let (mut audio, mut video) = (Vec::new(), Vec::new());
        for mid in mids.map(|mid| Mid::from(mid.trim())) {
            match rtc.media(mid).map(|media| media.kind()) {
                Some(RtcKind::Audio) => audio.push(mid),
                Some(RtcKind::Video) => video.push(mid),
                None => {}
            }
        }
        let nothing = Mid::from("none");
        let peer = Self {
            rtc,
            address,
            pending: None,
            microphone: nothing,
            camera: nothing,
            rids: Vec::new(),
            audio_slots: audio.len(),
            slots: audio.into_iter().chain(video).zip(0..).collect(),
            incoming: HashMap::new(),
            channel: None,
        };
        let offer = Offer {
            attempt,
            sdp,
            sources: Vec::new(),
        };
        Ok((peer, offer))
    }

    /// Takes the node's answer; a second one changes nothing.
    ///
    /// # Errors
    /// The answer does not parse, or does not fit the offer.
    pub fn accept(&mut self, answer: &str) -> Result<(), PeerError> {
        let Some(pending) = self.pending.take() else {
            return Ok(());
        };
        let answer = SdpAnswer::from_sdp_string(answer)
            .map_err(|error| PeerError::Answer(error.to_string()))?;
        self.rtc
            .sdp_api()
            .accept_answer(pending, answer)
            .map_err(|error| PeerError::Answer(error.to_string()))
    }

    /// Says what is shown. Does nothing before the data channel is open.
    ///
    /// # Errors
    /// The session failed.
    pub fn show(&mut self, tiles: Vec<Tile>) -> Result<(), PeerError> {
        let view = ClientMediaMessage::View { tiles };
        let text = serde_json::to_vec(&view).map_err(|_| PeerError::Send("a view"))?;
        if let Some(mut channel) = self.channel.and_then(|id| self.rtc.channel(id)) {
            channel.write(false, &text)?;
        }
        Ok(())
    }

    /// The receive slot of an m-line.
    pub fn slot(&self, mid: &str) -> Option<usize> {
        self.slots.get(&Mid::from(mid)).copied()
    }

    /// Asks for a keyframe in a slot. Drain afterwards.
    pub fn ask_keyframe(&mut self, slot: usize) {
        let ssrc = self.incoming.iter().find(|(_, of)| **of == slot);
        let ssrc = ssrc.map(|(ssrc, _)| (*ssrc).into());
        let mut direct = self.rtc.direct_api();
        if let Some(stream) = ssrc.and_then(|ssrc| direct.stream_rx(&ssrc)) {
            stream.request_keyframe(KeyframeRequestKind::Pli);
        }
    }

    /// Sends a packet. Drain afterwards.
    ///
    /// # Errors
    /// Nothing was negotiated to send it in.
    pub fn send(&mut self, now: Instant, outgoing: Outgoing) -> Result<(), PeerError> {
        let (mid, rid, values) = match outgoing.kind {
            MediaKind::Audio => {
                let values = ExtensionValues {
                    audio_level: Some(LEVEL),
                    voice_activity: Some(true),
                    ..ExtensionValues::default()
                };
                (self.microphone, None, values)
            }
            MediaKind::Video => {
                let rid = self.rids.get(outgoing.layer).copied();
                (self.camera, rid, ExtensionValues::default())
            }
        };
        let media = self.rtc.media(mid).ok_or(PeerError::Send("no m-line"))?;
        let pt = *media
            .remote_pts()
            .first()
            .ok_or(PeerError::Send("no codec was negotiated"))?;
        let mut direct = self.rtc.direct_api();
        let stream = direct
            .stream_tx_by_mid(mid, rid)
            .ok_or(PeerError::Send("no stream"))?;
        let packet = RtpWrite::new(
            pt,
            outgoing.sequence.into(),
            outgoing.timestamp,
            now,
            outgoing.payload,
        );
        stream.write_rtp(
            packet
                .marker(outgoing.marker)
                .ext_vals(values)
                .nackable(outgoing.kind == MediaKind::Video),
        );
        Ok(())
    }

    /// Takes a datagram in. Drain afterwards. What is no WebRTC is ignored, as a browser does.
    ///
    /// # Errors
    /// The session failed.
    pub fn receive(
        &mut self,
        now: Instant,
        from: SocketAddr,
        data: &[u8],
    ) -> Result<(), PeerError> {
        if let Ok(receive) = Receive::new(Protocol::Udp, from, self.address, data) {
            self.rtc.handle_input(Input::Receive(now, receive))?;
        }
        Ok(())
    }

    /// Lets time pass. Drain afterwards.
    ///
    /// # Errors
    /// The session failed.
    pub fn pass(&mut self, now: Instant) -> Result<(), PeerError> {
        Ok(self.rtc.handle_input(Input::Timeout(now))?)
    }

    /// Hands out what has happened; returns when time must pass next.
    ///
    /// # Errors
    /// The session failed.
    pub fn drain(&mut self, mut each: impl FnMut(Happened)) -> Result<Instant, PeerError> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(at) => return Ok(at),
                Output::Transmit(t) => each(Happened::Transmit(t.destination, t.contents.into())),
                Output::Event(event) => {
                    if let Some(happened) = self.understand(event) {
                        each(happened);
                    }
                }
            }
        }
    }

    fn understand(&mut self, event: Event) -> Option<Happened> {
        match event {
            Event::Connected => Some(Happened::Connected),
            Event::ChannelOpen(id, _) => {
                self.channel = Some(id);
                Some(Happened::ChannelOpen)
            }
            Event::KeyframeRequest(request) => self.understand_request(&request),
            Event::ChannelData(data) => serde_json::from_slice(&data.data).ok().map(Happened::Told),
            Event::RtpPacket(packet) => self.understand_media(&packet).map(Happened::Media),
            Event::IceConnectionStateChange(str0m::IceConnectionState::Disconnected)
            | Event::ChannelClose(_) => Some(Happened::Closed),
            _ => None,
        }
    }

    fn understand_request(&self, request: &KeyframeRequest) -> Option<Happened> {
        if request.mid != self.camera {
            return None;
        }
        let layer = self.rids.iter().position(|rid| Some(*rid) == request.rid);
        Some(Happened::KeyframeAsked(layer.unwrap_or(0)))
    }

    fn understand_media(&mut self, packet: &RtpPacket) -> Option<Media> {
        let ssrc = *packet.header.ssrc;
        let slot = match self.incoming.get(&ssrc) {
            Some(slot) => *slot,
            None => {
                let mut direct = self.rtc.direct_api();
                let mid = direct.stream_rx(&packet.header.ssrc)?.mid();
                let slot = *self.slots.get(&mid)?;
                self.incoming.insert(ssrc, slot);
                slot
            }
        };
        let kind = self.kind(slot);
        Some(Media {
            slot,
            kind,
            sequence: *packet.seq_no,
            stamp: Stamp::read(kind, &packet.payload),
        })
    }

    fn kind(&self, slot: usize) -> MediaKind {
        if slot < self.audio_slots {
            MediaKind::Audio
        } else {
            MediaKind::Video
        }
    }
}

fn new_rtc(now: Instant, address: SocketAddr) -> Result<Rtc, PeerError> {
    let mut rtc = Rtc::builder()
        .set_rtp_mode(true)
        .set_stats_interval(None)
        .clear_codecs()
        .enable_opus(true, false)
        .enable_vp8(true)
        .build(now);
    let candidate = Candidate::host(address, "udp").map_err(PeerError::Address)?;
    rtc.add_local_candidate(candidate);
    Ok(rtc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_has_a_line_a_source_and_a_slot() {
        let address = SocketAddr::from(([127, 0, 0, 1], 9));
        let slots = Slots { audio: 3, video: 9 };
        let camera = Some(Camera::SIMULCAST);
        let (_, offer) = Peer::offer(Instant::now(), address, slots, camera, Attempt(1)).unwrap();
        let lines = |start| {
            offer
                .sdp
                .lines()
                .filter(|line| line.starts_with(start))
                .count()
        };
        assert_eq!((lines("m=audio"), lines("m=video")), (4, 10));
        assert_eq!((lines("a=recvonly"), lines("a=sendonly")), (12, 2));
        assert_eq!(lines("a=simulcast:send q;h;f"), 1);
        assert_eq!(offer.sources.len(), 2);
    }
}
