//! A simulated participant: a WebRTC peer that offers once, sends stamped media and writes down what it receives.

pub mod accent;
mod channel;
mod feedback;
mod microphone;
mod offer;
mod reception;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use protocol::client::{Caption, CaptionRefusal, ParticipantQuality};
use protocol::client::{IceCredentials, SlotAssignment, SourceDemand, SourceMid, Tile};
use protocol::id::ParticipantId;
use protocol::media::{MediaKind, Source};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::channel::ChannelId;
use str0m::crypto::dtls::{DtlsVersion, ProtocolVersion};
use str0m::media::{Direction, KeyframeRequestKind, Mid, Rid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{ExtensionValues, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc};

use crate::decoder::Decoder;
use crate::encoder::{Encoded, Encoder, Videos};

use accent::Accent;
pub use feedback::Feedback;
use microphone::Microphone;
use offer::Offer;
pub use reception::Received;

/// No two clients' clocks show the same: each is so much ahead of the one before.
const SKEW: Duration = Duration::from_millis(1_700);

/// Loudness of what a screen sounds, in dB below the loudest (RFC 6464).
const SHARED_LEVEL: u8 = 30;

/// A simulated participant.
pub struct Client {
    pub number: u8,
    pub address: SocketAddr,
    /// What its clock, which its sender reports tell, is ahead of the world's.
    skew: Duration,
    rtc: Rtc,
    accent: Option<Accent>,
    pending: Option<SdpPendingOffer>,
    /// The node's answer to its offer.
    answer: String,
    microphone: Mid,
    screen_sound: Mid,
    videos: Vec<Encoder>,
    publishing: bool,
    slots: HashMap<Mid, usize>,
    channel: Option<ChannelId>,
    view: Option<Vec<Tile>>,
    /// When it next says that it lives; `None` for one that does not.
    lives: Option<Instant>,
    audio: Option<Microphone>,
    shared_sound: Option<Microphone>,
    /// Loudness of its microphone, in dB below the loudest (RFC 6464).
    pub level: u8,
    /// Whether its packets tell how loud they are.
    pub tells_level: bool,
    pub next_timeout: Instant,
    pub connected: Option<Instant>,
    pub received: Vec<Received>,
    /// The decoder of each video slot that something came in.
    pub decoders: HashMap<usize, Decoder>,
    pub assignments: Vec<SlotAssignment>,
    /// Whether it asks for what is missing where no stream for repair was negotiated, too; str0m does not by itself.
    pub asks_without_rtx: bool,
    /// Whether it stops encoding what it is told that nobody watches.
    pub obeys_demand: bool,
    /// What it was told, with the time.
    pub demands: Vec<(Instant, Vec<SourceDemand>)>,
    pub speakers: Vec<(Instant, Vec<ParticipantId>)>,
    /// How everybody's media travels, as it was told.
    pub qualities: Vec<(Instant, Vec<ParticipantQuality>)>,
    /// The captions that it was told.
    pub captions: Vec<Caption>,
    /// Of which of the captions that it fed it was told that they go no further, and why.
    pub refused_captions: Vec<(u32, CaptionRefusal)>,
    /// What it was told of its own packets.
    pub feedback: Feedback,
}

impl Client {
    /// A client and its offer.
    pub fn new(
        now: Instant,
        number: u8,
        address: SocketAddr,
        videos: Videos,
        accent: Option<Accent>,
        dtls: DtlsVersion,
    ) -> (Self, String, Vec<SourceMid>) {
        let skew = SKEW * u32::from(number);
        let mut rtc = offer::peer(now + skew, address, videos, accent, dtls);
        let both_ways = accent.is_some_and(|accent| accent.both_ways);
        let sending = match both_ways {
            true => Direction::SendRecv,
            false => Direction::SendOnly,
        };
        let offer = Offer::new(&mut rtc, now, videos, sending);
        let client = Self {
            number,
            address,
            skew,
            rtc,
            accent,
            pending: Some(offer.pending),
            answer: String::new(),
            microphone: offer.microphone,
            screen_sound: offer.screen_sound,
            videos: offer.encoders,
            publishing: false,
            slots: offer.slots,
            channel: None,
            view: None,
            lives: None,
            audio: None,
            shared_sound: None,
            level: 30,
            tells_level: true,
            next_timeout: now,
            connected: None,
            received: Vec::new(),
            decoders: HashMap::new(),
            assignments: Vec::new(),
            asks_without_rtx: false,
            obeys_demand: videos != Videos::PLAIN,
            demands: Vec::new(),
            speakers: Vec::new(),
            qualities: Vec::new(),
            captions: Vec::new(),
            refused_captions: Vec::new(),
            feedback: Feedback::new(now),
        };
        match accent {
            Some(accent) => {
                let sources = accent.sources(offer.sources);
                (client, accent.offer(&offer.sdp), sources)
            }
            None => (client, offer.sdp, offer.sources),
        }
    }

    /// The node's answer.
    pub fn accept(&mut self, answer: &str) {
        self.answer = answer.to_owned();
        let translated = self.accent.map(|accent| accent.answer(answer));
        let answer = SdpAnswer::from_sdp_string(translated.as_deref().unwrap_or(answer));
        let answer = answer.expect("the node's answer parses");
        let pending = self.pending.take().expect("one answer per offer");
        self.rtc
            .sdp_api()
            .accept_answer(pending, answer)
            .expect("the node's answer fits the offer");
    }

    /// Its network changes: it has another address, and wants the path to be sought anew.
    pub fn restart_ice(&mut self, address: SocketAddr) -> String {
        self.address = address;
        self.offer_restart()
    }

    /// Wants the path to be sought anew.
    pub fn offer_restart(&mut self) -> String {
        let mut api = self.rtc.sdp_api();
        api.ice_restart(true);
        let (offer, pending) = api.apply().expect("there is a change");
        self.pending = Some(pending);
        let offer = offer.to_sdp_string();
        match self.accent {
            Some(accent) => accent.offer(&offer),
            None => offer,
        }
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
        self.audio = Some(Microphone::new(now, self.microphone, false));
    }

    /// Shares what sounds on its screen.
    pub fn share_sound(&mut self, now: Instant) {
        self.shared_sound = Some(Microphone::new(now, self.screen_sound, true));
    }

    /// Stops the microphone, as if muted.
    pub fn mute(&mut self) {
        self.audio = None;
    }

    /// Its encoder finds nothing worth to be sent for so long (DTX).
    pub fn rest(&mut self, time: Duration) {
        if let Some(audio) = &mut self.audio {
            audio.rest(time);
        }
    }

    /// Sends nothing any more.
    pub fn silence(&mut self) {
        self.audio = None;
        self.shared_sound = None;
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

    /// Its camera's frames are of one packet each, of so many bytes.
    pub fn shrink_frames(&mut self, bytes: usize) {
        let of_camera = |video: &&mut Encoder| video.format.source == Source::Camera;
        let cameras = self.videos.iter_mut().filter(of_camera);
        cameras.for_each(|camera| camera.shrink(bytes));
    }

    /// The frames of a layer are so many times as large as usual from now on.
    pub fn enlarge_frames(&mut self, source: Source, layer: u8, times: u32) {
        for encoder in &mut self.videos {
            if encoder.format.source == source && encoder.format.layer.0 == layer {
                encoder.frame_size = times;
            }
        }
    }

    /// Its keyframes are so many times as large as other frames from now on.
    pub fn enlarge_keyframes(&mut self, times: u32) {
        for encoder in &mut self.videos {
            encoder.keyframe_size = times;
        }
    }

    /// From its next packet on, what it sends has other SSRCs, as after an encoder starts anew.
    pub fn change_ssrcs(&mut self) {
        let mut direct = self.rtc.direct_api();
        let videos = self.videos.iter();
        let videos = videos.map(|video| (video.mid, video.format.rid.map(Rid::from)));
        let sounds = [self.microphone, self.screen_sound].map(|mid| (mid, None));
        for (mid, rid) in videos.chain(sounds) {
            let former = direct.stream_tx_by_mid(mid, rid).expect("negotiated");
            let (former, repaired) = (former.ssrc(), former.rtx().is_some());
            direct.remove_stream_tx(former);
            let (main, repair) = (direct.new_ssrc(), direct.new_ssrc());
            direct.declare_stream_tx(main, repaired.then_some(repair), mid, rid);
        }
        self.videos.iter_mut().for_each(Encoder::renumber);
        let sounds = self.audio.iter_mut().chain(&mut self.shared_sound);
        sounds.for_each(Microphone::renumber);
        self.keep_what_is_sent();
    }

    /// Its decoders need a keyframe of all that they show.
    pub fn plead(&mut self) {
        let mut direct = self.rtc.direct_api();
        for mid in self.slots.keys() {
            if let Some(stream) = direct.stream_rx_by_mid(*mid, None) {
                stream.request_keyframe(KeyframeRequestKind::Pli);
            }
        }
    }

    /// The version of DTLS that it speaks with its node.
    pub fn speaks_dtls(&mut self) -> Option<ProtocolVersion> {
        self.rtc.direct_api().dtls_protocol_version()
    }

    /// How many keyframes it was asked for.
    pub fn keyframes_asked(&self) -> u32 {
        let encoders = self.videos.iter();
        encoders.map(|encoder| encoder.keyframes_asked).sum()
    }

    /// When it next has something to do by itself.
    pub fn next_event(&self) -> Instant {
        let videos = self.videos.iter();
        let videos = videos.filter(|video| self.publishing && video.active);
        let sounds = self.audio.iter().chain(&self.shared_sound);
        let sending = sounds.map(|sound| sound.next);
        sending
            .chain(videos.map(|video| video.next))
            .chain(self.lives)
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
        if self.say_alive(now) {
            self.drain(now, &mut out);
        }
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
            Event::RawPacket(packet) => self.feedback.note(*packet),
            _ => {}
        }
    }

    fn connected(&mut self, now: Instant) {
        self.connected = Some(now);
        self.keep_what_is_sent();
        for video in &mut self.videos {
            video.next = now;
        }
        for sound in self.audio.iter_mut().chain(&mut self.shared_sound) {
            sound.next = now;
        }
    }

    /// Browsers answer every NACK; str0m would stop at a share of the bit rate.
    fn keep_what_is_sent(&mut self) {
        let mut direct = self.rtc.direct_api();
        for video in &self.videos {
            let rid = video.format.rid.map(Rid::from);
            if let Some(stream) = direct.stream_tx_by_mid(video.mid, rid) {
                stream.set_rtx_cache(1_024, Duration::from_secs(3), None);
            }
        }
    }

    fn send_audio(&mut self, now: Instant) -> bool {
        let (client, level) = (self.number, self.level);
        let audio = self.audio.as_mut();
        let voice = audio.and_then(|audio| audio.packet(now, client, level));
        let shared = self.shared_sound.as_mut();
        let packet = voice.or_else(|| shared?.packet(now, client, SHARED_LEVEL));
        let Some((packet, mut values)) = packet else {
            return false;
        };
        if !self.tells_level {
            values = ExtensionValues::default();
        }
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
