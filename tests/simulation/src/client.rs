//! A simulated participant: a WebRTC peer that offers once, sends stamped media and writes down what it receives.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use protocol::client::{
    ClientMediaMessage, IceCredentials, NodeMediaMessage, SlotAssignment, SourceMid, Tile,
};
use protocol::media::{MediaKind, Source, TrackId};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::channel::ChannelId;
use str0m::media::{Direction, KeyframeRequestKind, MediaKind as RtcKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{ExtensionValues, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc};

use crate::decoder::{Decoder, Part};
use crate::media::{Stamp, picture_id, starts_frame};

const AUDIO_SLOTS: usize = 3;
const VIDEO_SLOTS: usize = 9;
const AUDIO_INTERVAL: Duration = Duration::from_millis(20);
const VIDEO_INTERVAL: Duration = Duration::from_millis(33);
const PACKETS_PER_FRAME: u32 = 3;

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
    picture: u16,
    number: u32,
    keyframe_due: bool,
}

/// A simulated participant.
pub struct Client {
    pub number: u8,
    pub address: SocketAddr,
    rtc: Rtc,
    pending: Option<SdpPendingOffer>,
    /// The node's answer to its offer.
    answer: String,
    microphone: Mid,
    camera: Mid,
    slots: HashMap<Mid, usize>,
    channel: Option<ChannelId>,
    view: Option<Vec<Tile>>,
    audio: Option<Sending>,
    video: Option<Sending>,
    /// Loudness of its audio, in dB below the loudest (RFC 6464).
    pub level: u8,
    pub next_timeout: Instant,
    pub connected: Option<Instant>,
    pub received: Vec<Received>,
    /// The decoder of each video slot that something came in.
    pub decoders: HashMap<usize, Decoder>,
    pub assignments: Vec<SlotAssignment>,
    pub keyframes_asked: u32,
}

impl Client {
    /// A client and its offer.
    pub fn new(now: Instant, number: u8, address: SocketAddr) -> (Self, String, Vec<SourceMid>) {
        let mut rtc = Rtc::builder()
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true)
            .build(now);
        let candidate = Candidate::host(address, "udp").expect("a valid address");
        rtc.add_local_candidate(candidate);
        let mut api = rtc.sdp_api();
        let mut add = |kind, direction| api.add_media(kind, direction, None, None, None);
        let microphone = add(RtcKind::Audio, Direction::SendOnly);
        let camera = add(RtcKind::Video, Direction::SendOnly);
        let mut slots = HashMap::new();
        for slot in 0..AUDIO_SLOTS {
            slots.insert(add(RtcKind::Audio, Direction::RecvOnly), slot);
        }
        for slot in 0..VIDEO_SLOTS {
            slots.insert(add(RtcKind::Video, Direction::RecvOnly), AUDIO_SLOTS + slot);
        }
        api.add_channel("connect".into());
        let (offer, pending) = api.apply().expect("there are changes");
        let sources = vec![
            SourceMid {
                mid: microphone.to_string(),
                source: Source::Microphone,
            },
            SourceMid {
                mid: camera.to_string(),
                source: Source::Camera,
            },
        ];
        let client = Self {
            number,
            address,
            rtc,
            pending: Some(pending),
            answer: String::new(),
            microphone,
            camera,
            slots,
            channel: None,
            view: None,
            audio: None,
            video: None,
            level: 30,
            next_timeout: now,
            connected: None,
            received: Vec::new(),
            decoders: HashMap::new(),
            assignments: Vec::new(),
            keyframes_asked: 0,
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
        let start = |first: u64| Sending {
            next: now,
            // Close to a wrap-around of sequence, timestamp and picture id, so that each run passes them.
            sequence: first,
            timestamp: u32::MAX - 90_000,
            picture: 0x7ff0,
            number: 0,
            keyframe_due: true,
        };
        self.audio = Some(start(65_400));
        self.video = Some(start(65_300));
    }

    /// Stops the microphone, as if muted.
    pub fn mute(&mut self) {
        self.audio = None;
    }

    /// Sends nothing any more.
    pub fn silence(&mut self) {
        self.audio = None;
        self.video = None;
    }

    /// How many packets it has sent of each kind.
    pub fn sent(&self, kind: MediaKind) -> u32 {
        let sending = match kind {
            MediaKind::Audio => &self.audio,
            MediaKind::Video => &self.video,
        };
        sending.as_ref().map_or(0, |sending| sending.number)
    }

    /// Says what it shows; kept until the data channel is open.
    pub fn show(&mut self, tracks: &[TrackId]) {
        self.view = Some(
            tracks
                .iter()
                .map(|track| Tile {
                    track: track.clone(),
                    width: 640,
                    height: 360,
                    priority: 0,
                })
                .collect(),
        );
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

    /// When it next has something to do by itself.
    pub fn next_event(&self) -> Instant {
        let sending = [&self.audio, &self.video];
        sending
            .into_iter()
            .flatten()
            .filter(|_| self.connected.is_some())
            .map(|sending| sending.next)
            .chain([self.next_timeout])
            .min()
            .expect("there is a time-out")
    }

    /// Takes a datagram in.
    pub fn receive(&mut self, now: Instant, from: SocketAddr, data: &[u8]) {
        let receive = Receive::new(Protocol::Udp, from, self.address, data);
        let input = Input::Receive(now, receive.expect("nodes send nothing else"));
        self.rtc
            .handle_input(input)
            .expect("nodes send no nonsense");
    }

    /// Does what is due, then drains; returns what is to be sent.
    pub fn poll(&mut self, now: Instant) -> Vec<(SocketAddr, Vec<u8>)> {
        self.rtc
            .handle_input(Input::Timeout(now))
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
                    self.next_timeout = at;
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
                if let NodeMediaMessage::Slots { slots } = message {
                    self.assignments = slots;
                }
            }
            Event::KeyframeRequest(request) if request.mid == self.camera => {
                self.keyframes_asked += 1;
                if let Some(video) = &mut self.video {
                    video.keyframe_due = true;
                }
            }
            Event::RtpPacket(packet) => self.note(now, &packet),
            _ => {}
        }
    }

    fn connected(&mut self, now: Instant) {
        self.connected = Some(now);
        // Browsers answer every NACK; str0m would stop at a share of the bit rate.
        let mut direct = self.rtc.direct_api();
        if let Some(stream) = direct.stream_tx_by_mid(self.camera, None) {
            stream.set_rtx_cache(1_024, Duration::from_secs(3), None);
        }
        for sending in [&mut self.audio, &mut self.video].into_iter().flatten() {
            sending.next = now;
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
        let mid = self.microphone;
        self.write(now, mid, sequence, timestamp, true, values, stamp.audio());
        true
    }

    fn send_video(&mut self, now: Instant) -> bool {
        let client = self.number;
        let Some(video) = self.video.as_mut().filter(|video| video.next <= now) else {
            return false;
        };
        let keyframe = std::mem::take(&mut video.keyframe_due);
        let first = (video.sequence, video.number, video.picture);
        let timestamp = video.timestamp;
        video.next += VIDEO_INTERVAL;
        video.sequence += u64::from(PACKETS_PER_FRAME);
        video.number += PACKETS_PER_FRAME;
        video.picture = (video.picture + 1) & 0x7fff;
        video.timestamp = video.timestamp.wrapping_add(2_970);
        for part in 0..PACKETS_PER_FRAME {
            let stamp = Stamp {
                client,
                number: first.1 + part,
                keyframe,
            };
            self.write(
                now,
                self.camera,
                first.0 + u64::from(part),
                timestamp,
                part + 1 == PACKETS_PER_FRAME,
                ExtensionValues::default(),
                stamp.video(first.2, part == 0),
            );
        }
        true
    }

    #[expect(clippy::too_many_arguments, reason = "an RTP packet has as many parts")]
    fn write(
        &mut self,
        now: Instant,
        mid: Mid,
        sequence: u64,
        timestamp: u32,
        marker: bool,
        values: ExtensionValues,
        payload: std::sync::Arc<[u8]>,
    ) {
        let pts = self.rtc.media(mid).expect("negotiated").remote_pts();
        let pt = *pts.first().expect("a codec was negotiated");
        let mut direct = self.rtc.direct_api();
        let stream = direct.stream_tx_by_mid(mid, None).expect("negotiated");
        let packet = RtpWrite::new(pt, sequence.into(), timestamp, now, payload)
            .marker(marker)
            .ext_vals(values)
            .nackable(true);
        stream.write_rtp(packet);
    }
}
