//! A simulated participant: a WebRTC peer that offers once, sends stamped media and writes down what it receives.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use protocol::client::{
    ClientMediaMessage, IceCredentials, NodeMediaMessage, SlotAssignment, SourceDemand, SourceMid,
    Tile,
};
use protocol::id::ParticipantId;
use protocol::media::{Codec, MediaKind, Source, TrackId};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::channel::ChannelId;
use str0m::media::{
    Direction, KeyframeRequestKind, MediaKind as RtcKind, Mid, Rid, Simulcast, SimulcastLayer,
};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{ExtensionValues, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc};

use crate::decoder::{Decoder, Part};
use crate::encoder::{Encoded, Encoder, Videos};
use crate::media::{Stamp, picture_id, starts_frame};

const AUDIO_SLOTS: usize = 3;
const VIDEO_SLOTS: usize = 9;
const AUDIO_INTERVAL: Duration = Duration::from_millis(20);
/// No two clients' clocks show the same: each is so much ahead of the one before.
const SKEW: Duration = Duration::from_millis(1_700);

/// A packet that a client received in one of its slots.
#[derive(Debug, Clone)]
pub struct Received {
    pub at: Instant,
    pub kind: MediaKind,
    /// The slot's number, counted over both kinds.
    pub slot: usize,
    /// Extended, as the receiver sees it.
    pub sequence: u64,
    pub timestamp: u32,
    pub picture: Option<u16>,
    pub stamp: Stamp,
}

#[derive(Debug)]
struct Sending {
    next: Instant,
    sequence: u64,
    timestamp: u32,
    number: u32,
}

/// A simulated participant.
pub struct Client {
    pub number: u8,
    pub address: SocketAddr,
    /// What its clock, which its sender reports tell, is ahead of the world's.
    skew: Duration,
    rtc: Rtc,
    pending: Option<SdpPendingOffer>,
    /// The node's answer to its offer.
    answer: String,
    microphone: Mid,
    videos: Vec<Encoder>,
    publishing: bool,
    slots: HashMap<Mid, usize>,
    channel: Option<ChannelId>,
    view: Option<Vec<Tile>>,
    audio: Option<Sending>,
    /// Loudness of its audio, in dB below the loudest (RFC 6464).
    pub level: u8,
    pub next_timeout: Instant,
    pub connected: Option<Instant>,
    pub received: Vec<Received>,
    /// The decoder of each video slot that something came in.
    pub decoders: HashMap<usize, Decoder>,
    pub assignments: Vec<SlotAssignment>,
    /// Whether it stops encoding what it is told that nobody watches.
    pub obeys_demand: bool,
    /// What it was told, with the time.
    pub demands: Vec<(Instant, Vec<SourceDemand>)>,
    pub speakers: Vec<(Instant, Vec<ParticipantId>)>,
}

impl Client {
    /// A client and its offer.
    pub fn new(
        now: Instant,
        number: u8,
        address: SocketAddr,
        videos: Videos,
    ) -> (Self, String, Vec<SourceMid>) {
        let skew = SKEW * u32::from(number);
        let mut rtc = Rtc::builder()
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true)
            .enable_h264(true)
            .build(now + skew);
        let candidate = Candidate::host(address, "udp").expect("a valid address");
        rtc.add_local_candidate(candidate);
        let mut api = rtc.sdp_api();
        let formats = videos.formats();
        let mut sources = Vec::new();
        let mut encoders = Vec::new();
        for source in [Source::Camera, Source::Screen] {
            let formats = formats.iter().filter(|format| format.source == source);
            let mut simulcast = Simulcast::new();
            for rid in formats.clone().filter_map(|format| format.rid) {
                simulcast.add_send_layer(SimulcastLayer::new(rid));
            }
            if formats.clone().next().is_some() {
                let simulcast = (!simulcast.send.is_empty()).then_some(simulcast);
                let send = Direction::SendOnly;
                let mid = api.add_media(RtcKind::Video, send, None, None, simulcast);
                encoders.extend(formats.map(|format| Encoder::new(now, *format, mid)));
                sources.push(SourceMid {
                    mid: mid.to_string(),
                    source,
                });
            }
        }
        let mut add = |kind, direction| api.add_media(kind, direction, None, None, None);
        let microphone = add(RtcKind::Audio, Direction::SendOnly);
        sources.push(SourceMid {
            mid: microphone.to_string(),
            source: Source::Microphone,
        });
        let mut slots = HashMap::new();
        for slot in 0..AUDIO_SLOTS {
            slots.insert(add(RtcKind::Audio, Direction::RecvOnly), slot);
        }
        for slot in 0..VIDEO_SLOTS {
            slots.insert(add(RtcKind::Video, Direction::RecvOnly), AUDIO_SLOTS + slot);
        }
        api.add_channel("connect".into());
        let (offer, pending) = api.apply().expect("there are changes");
        let client = Self {
            number,
            address,
            skew,
            rtc,
            pending: Some(pending),
            answer: String::new(),
            microphone,
            videos: encoders,
            publishing: false,
            slots,
            channel: None,
            view: None,
            audio: None,
            level: 30,
            next_timeout: now,
            connected: None,
            received: Vec::new(),
            decoders: HashMap::new(),
            assignments: Vec::new(),
            obeys_demand: videos != Videos::PLAIN,
            demands: Vec::new(),
            speakers: Vec::new(),
        };
        (client, offer.to_sdp_string(), sources)
    }

    /// The node's answer.
    pub fn accept(&mut self, answer: &str) {
        self.answer = answer.to_owned();
        let answer = SdpAnswer::from_sdp_string(answer).expect("the node's answer parses");
        let pending = self.pending.take().expect("one answer per offer");
        self.rtc
            .sdp_api()
            .accept_answer(pending, answer)
            .expect("the node's answer fits the offer");
    }

    /// Its network changes: it has another address, and wants the path to be sought anew.
    pub fn restart_ice(&mut self, address: SocketAddr) -> String {
        self.address = address;
        let mut api = self.rtc.sdp_api();
        api.ice_restart(true);
        let (offer, pending) = api.apply().expect("there is a change");
        self.pending = Some(pending);
        offer.to_sdp_string()
    }

    /// The node's new credentials take the place of those of its answer.
    pub fn ice_restarted(&mut self, credentials: &IceCredentials) {
        let value = |name: &str| {
            let line = self.answer.lines().find_map(|line| line.strip_prefix(name));
            line.expect("an answer has ICE credentials").to_owned()
        };
        let (ufrag, pwd) = (value("a=ice-ufrag:"), value("a=ice-pwd:"));
        // The candidates name the user fragment, too.
        let answer = self.answer.replace(&ufrag, &credentials.ufrag);
        let answer = answer.replace(&pwd, &credentials.pwd);
        self.accept(&answer);
        let candidate = Candidate::host(self.address, "udp").expect("a valid address");
        self.rtc.add_local_candidate(candidate);
    }

    /// Starts to send audio and video.
    pub fn publish(&mut self, now: Instant) {
        self.unmute(now);
        self.publishing = true;
    }

    /// Starts the microphone.
    pub fn unmute(&mut self, now: Instant) {
        self.audio = Some(Sending {
            next: now,
            // Close to a wrap-around of both, so that each run passes them.
            sequence: 65_400,
            timestamp: u32::MAX - 90_000,
            number: 0,
        });
    }

    /// Stops the microphone, as if muted.
    pub fn mute(&mut self) {
        self.audio = None;
    }

    /// Sends nothing any more.
    pub fn silence(&mut self) {
        self.audio = None;
        self.publishing = false;
    }

    /// How many packets it has sent of each kind, video in all its layers.
    pub fn sent(&self, kind: MediaKind) -> u32 {
        match kind {
            MediaKind::Audio => self.audio.as_ref().map_or(0, |audio| audio.number),
            MediaKind::Video => self.videos.iter().map(|video| video.number).sum(),
        }
    }

    /// The encoder of a layer.
    pub fn encoder(&self, source: Source, layer: u8) -> &Encoder {
        let mut found = self
            .videos
            .iter()
            .filter(|encoder| encoder.format.source == source && encoder.format.layer.0 == layer);
        found.next().expect("there is such a layer")
    }

    /// Starts or stops a layer, as an encoder does that has not enough bits.
    pub fn set_active(&mut self, now: Instant, source: Source, layer: u8, active: bool) {
        for encoder in &mut self.videos {
            if encoder.format.source == source && encoder.format.layer.0 == layer {
                encoder.set_active(now, active);
            }
        }
    }

    /// How many keyframes it was asked for.
    pub fn keyframes_asked(&self) -> u32 {
        let encoders = self.videos.iter();
        encoders.map(|encoder| encoder.keyframes_asked).sum()
    }

    /// Says what it shows, each in a tile of 640 × 360; kept until the data channel is open.
    pub fn show(&mut self, tracks: &[TrackId]) {
        let tile = |track: &TrackId| (track.clone(), (640, 360), 0);
        self.show_tiles(&tracks.iter().map(tile).collect::<Vec<_>>());
    }

    /// Says what it shows: track, size and priority of each tile.
    pub fn show_tiles(&mut self, tiles: &[(TrackId, (u16, u16), u8)]) {
        let tiles = tiles.iter().map(|(track, size, priority)| Tile {
            track: track.clone(),
            width: size.0,
            height: size.1,
            priority: *priority,
        });
        self.view = Some(tiles.collect());
        self.send_view();
    }

    fn send_view(&mut self) {
        let channel = self.channel.and_then(|id| self.rtc.channel(id));
        if let (Some(mut channel), Some(tiles)) = (channel, self.view.clone()) {
            let text = serde_json::to_string(&ClientMediaMessage::View { tiles });
            let text = text.expect("a view can be written");
            channel.write(false, text.as_bytes()).expect("it is open");
        }
    }

    /// Says, over the data channel, which share of the time its pictures have stood still.
    pub fn report_playback(&mut self, frozen: f32) {
        if let Some(mut channel) = self.channel.and_then(|id| self.rtc.channel(id)) {
            let text = serde_json::to_string(&ClientMediaMessage::Playback { frozen });
            let text = text.expect("a report can be written");
            channel.write(false, text.as_bytes()).expect("it is open");
        }
    }

    /// When it next has something to do by itself.
    pub fn next_event(&self) -> Instant {
        let videos = self.videos.iter();
        let videos = videos.filter(|video| self.publishing && video.active);
        let sending = self.audio.iter().map(|audio| audio.next);
        sending
            .chain(videos.map(|video| video.next))
            .filter(|_| self.connected.is_some())
            .chain([self.next_timeout])
            .min()
            .expect("there is a time-out")
    }

    /// Takes a datagram in.
    pub fn receive(&mut self, now: Instant, from: SocketAddr, data: &[u8]) {
        let receive = Receive::new(Protocol::Udp, from, self.address, data);
        let input = Input::Receive(now + self.skew, receive.expect("nodes send nothing else"));
        self.rtc
            .handle_input(input)
            .expect("nodes send no nonsense");
    }

    /// Does what is due, then drains; returns what is to be sent.
    pub fn poll(&mut self, now: Instant) -> Vec<(SocketAddr, Vec<u8>)> {
        self.rtc
            .handle_input(Input::Timeout(now + self.skew))
            .expect("time passes");
        let mut out = Vec::new();
        self.drain(now, &mut out);
        if self.connected.is_some() {
            while self.send_audio(now) || self.send_video(now) {
                self.drain(now, &mut out);
            }
        }
        out
    }

    fn drain(&mut self, now: Instant, out: &mut Vec<(SocketAddr, Vec<u8>)>) {
        loop {
            match self.rtc.poll_output().expect("the session is well") {
                Output::Timeout(at) => {
                    self.next_timeout = at - self.skew;
                    return;
                }
                Output::Transmit(t) => out.push((t.destination, t.contents.into())),
                Output::Event(event) => self.event(now, event),
            }
        }
    }

    fn event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Connected => self.connected(now),
            Event::ChannelOpen(id, _) => {
                self.channel = Some(id);
                self.send_view();
            }
            Event::ChannelData(data) => {
                let message =
                    serde_json::from_slice(&data.data).expect("the node speaks the protocol");
                self.told(now, message);
            }
            Event::KeyframeRequest(request) => {
                for encoder in &mut self.videos {
                    let rid = encoder.format.rid.map(Rid::from);
                    if (encoder.mid, rid) == (request.mid, request.rid) {
                        encoder.ask_keyframe();
                    }
                }
            }
            Event::RtpPacket(packet) => self.note(now, &packet),
            _ => {}
        }
    }

    fn told(&mut self, now: Instant, message: NodeMediaMessage) {
        match message {
            NodeMediaMessage::Slots { slots } => self.assignments = slots,
            NodeMediaMessage::Speakers { speakers } => self.speakers.push((now, speakers)),
            NodeMediaMessage::Demand { demand } => {
                for encoder in self.videos.iter_mut().filter(|_| self.obeys_demand) {
                    let source = demand
                        .iter()
                        .find(|demand| demand.source == encoder.format.source);
                    let layer = usize::from(encoder.format.layer.0);
                    if let Some(wanted) = source.and_then(|source| source.layers.get(layer)) {
                        encoder.set_active(now, *wanted);
                    }
                }
                self.demands.push((now, demand));
            }
            NodeMediaMessage::Quality { .. } => {}
        }
    }

    fn connected(&mut self, now: Instant) {
        self.connected = Some(now);
        // Browsers answer every NACK; str0m would stop at a share of the bit rate.
        let mut direct = self.rtc.direct_api();
        for video in &mut self.videos {
            let rid = video.format.rid.map(Rid::from);
            if let Some(stream) = direct.stream_tx_by_mid(video.mid, rid) {
                stream.set_rtx_cache(1_024, Duration::from_secs(3), None);
            }
            video.next = now;
        }
        if let Some(audio) = &mut self.audio {
            audio.next = now;
        }
    }

    fn note(&mut self, now: Instant, packet: &str0m::rtp::RtpPacket) {
        let mut direct = self.rtc.direct_api();
        let stream = direct.stream_rx(&packet.header.ssrc).expect("a known one");
        let slot = self.slots[&stream.mid()];
        if slot >= AUDIO_SLOTS {
            let stamp = Stamp::of_video(&packet.payload);
            let part = Part {
                timestamp: packet.header.timestamp,
                first: starts_frame(&packet.payload),
                last: packet.header.marker,
                keyframe: stamp.is_some_and(|stamp| stamp.keyframe),
            };
            let decoder = self.decoders.entry(slot).or_default();
            decoder.receive(now, *packet.seq_no, part);
            if decoder.needs_keyframe(now) {
                stream.request_keyframe(KeyframeRequestKind::Pli);
            }
        }
        let (kind, stamp) = if slot < AUDIO_SLOTS {
            (MediaKind::Audio, Stamp::of_audio(&packet.payload))
        } else {
            (MediaKind::Video, Stamp::of_video(&packet.payload))
        };
        self.received.push(Received {
            at: now,
            kind,
            slot,
            sequence: *packet.seq_no,
            timestamp: packet.header.timestamp,
            picture: picture_id(&packet.payload).filter(|_| kind == MediaKind::Video),
            stamp: stamp.expect("payloads arrive as they were sent"),
        });
    }

    fn send_audio(&mut self, now: Instant) -> bool {
        let (client, level) = (self.number, self.level);
        let Some(audio) = self.audio.as_mut().filter(|audio| audio.next <= now) else {
            return false;
        };
        let stamp = Stamp {
            client,
            screen: false,
            layer: 0,
            number: audio.number,
            keyframe: false,
        };
        let values = ExtensionValues {
            audio_level: Some(-(level as i8)),
            voice_activity: Some(level < 60),
            ..ExtensionValues::default()
        };
        let (sequence, timestamp) = (audio.sequence, audio.timestamp);
        audio.next += AUDIO_INTERVAL;
        audio.sequence += 1;
        audio.number += 1;
        audio.timestamp = audio.timestamp.wrapping_add(960);
        let packet = Encoded {
            mid: self.microphone,
            rid: None,
            codec: Codec::Opus,
            sequence,
            timestamp,
            marker: true,
            payload: stamp.audio(),
        };
        self.write(now, packet, values);
        true
    }

    fn send_video(&mut self, now: Instant) -> bool {
        let client = self.number;
        if !self.publishing {
            return false;
        }
        let encoders = self.videos.iter_mut();
        let packets: Vec<Encoded> = encoders
            .flat_map(|video| video.frame(now, client))
            .collect();
        let any = !packets.is_empty();
        for packet in packets {
            self.write(now, packet, ExtensionValues::default());
        }
        any
    }

    fn write(&mut self, now: Instant, packet: Encoded, values: ExtensionValues) {
        let pt = packet.payload_type(&self.rtc);
        let mut direct = self.rtc.direct_api();
        let stream = direct.stream_tx_by_mid(packet.mid, packet.rid);
        let write = RtpWrite::new(
            pt,
            packet.sequence.into(),
            packet.timestamp,
            now + self.skew,
            packet.payload,
        );
        let write = write.marker(packet.marker).ext_vals(values).nackable(true);
        stream.expect("negotiated").write_rtp(write);
    }
}
