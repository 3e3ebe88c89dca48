//! A WebRTC client over a real socket, by str0m: it speaks into its microphone and counts whom it hears.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use protocol::client::SourceMid;
use protocol::id::Attempt;
use protocol::media::{Caps, Source};
use protocol::node::{NodeToRoom, RoomToNode};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::media::{Direction, MediaKind, Mid};
use str0m::net::Receive;
use str0m::rtp::{ExtensionValues, RtpWrite};
use str0m::{Event, Input, Output, Rtc};
use tokio::time::timeout;

use super::way::Way;
use super::{Link, PATIENCE};

const AUDIO_INTERVAL: Duration = Duration::from_millis(20);
const AUDIO_SLOTS: usize = 3;

/// A client in a call.
pub struct Client {
    way: Way,
    rtc: Rtc,
    pending: Option<SdpPendingOffer>,
    microphone: Mid,
    /// Stands in each packet, so that the others know who speaks.
    number: u8,
    sequence: u64,
    next_audio: Option<Instant>,
    next_timeout: Instant,
    /// Packets heard, by the number of who sent them.
    pub heard: HashMap<u8, usize>,
    offer: String,
    sources: Vec<SourceMid>,
}

/// Lets two clients live on until something holds.
pub async fn live_until(a: &mut Client, b: &mut Client, holds: impl Fn(&Client, &Client) -> bool) {
    let living = async {
        while !holds(a, b) {
            tokio::join!(a.turn(), b.turn());
        }
    };
    timeout(PATIENCE, living).await.expect("it holds in time");
}

impl Client {
    pub async fn new(number: u8) -> Self {
        Self::over(
            number,
            Way::udp(SocketAddr::from(([127, 0, 0, 1], 0))).await,
        )
    }

    /// One whose datagrams travel this way.
    pub fn over(number: u8, way: Way) -> Self {
        let now = Instant::now();
        let mut rtc = Rtc::builder()
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false)
            .build(now);
        rtc.add_local_candidate(way.candidate());
        let mut api = rtc.sdp_api();
        let mut add = |direction| api.add_media(MediaKind::Audio, direction, None, None, None);
        let microphone = add(Direction::SendOnly);
        for _ in 0..AUDIO_SLOTS {
            add(Direction::RecvOnly);
        }
        api.add_channel("connect".into());
        let (offer, pending) = api.apply().unwrap();
        let sources = vec![SourceMid {
            mid: microphone.to_string(),
            source: Source::Microphone,
        }];
        Self {
            way,
            rtc,
            pending: Some(pending),
            microphone,
            number,
            sequence: 0,
            next_audio: None,
            next_timeout: now,
            heard: HashMap::new(),
            offer: offer.to_sdp_string(),
            sources,
        }
    }

    /// Joins the room behind a link as the participant of this number, and returns the answer.
    pub async fn join(&mut self, room: &mut Link) -> String {
        let answer = self.offered(room).await;
        let NodeToRoom::Answer { sdp, .. } = answer else {
            panic!("{answer:?} is no answer");
        };
        let answer = SdpAnswer::from_sdp_string(&sdp).unwrap();
        let pending = self.pending.take().unwrap();
        self.rtc.sdp_api().accept_answer(pending, answer).unwrap();
        sdp
    }

    /// Offers, and returns what comes back.
    pub async fn offered(&mut self, room: &mut Link) -> NodeToRoom {
        let participant = format!("p{}", self.number).parse().unwrap();
        room.send(&RoomToNode::Offer {
            participant,
            attempt: Attempt(1),
            sdp: self.offer.clone(),
            sources: self.sources.clone(),
            caps: Caps::default(),
            breakout: None,
            trail: None,
        })
        .await;
        loop {
            let message = room.receive().await;
            if matches!(
                message,
                NodeToRoom::Answer { .. } | NodeToRoom::Refused { .. }
            ) {
                return message;
            }
        }
    }

    /// Sends what is due, and takes in what comes within a moment.
    pub async fn turn(&mut self) {
        self.rtc
            .handle_input(Input::Timeout(Instant::now()))
            .unwrap();
        self.drain().await;
        if self.next_audio.is_some_and(|at| at <= Instant::now()) {
            self.speak();
            self.drain().await;
        }
        let now = Instant::now();
        let wake = self.next_audio.into_iter().chain([self.next_timeout]).min();
        let rest = wake.map_or(AUDIO_INTERVAL, |wake| wake.saturating_duration_since(now));
        let rest = rest.min(AUDIO_INTERVAL);
        if let Ok((from, data)) = timeout(rest, self.way.receive()).await {
            let (protocol, own) = (self.way.protocol(), self.way.address());
            let contents = Receive::new(protocol, from, own, &data);
            let input = Input::Receive(Instant::now(), contents.unwrap());
            self.rtc.handle_input(input).unwrap();
            self.drain().await;
        }
    }

    /// How many packets of the client of this number it has heard.
    pub fn heard_of(&self, number: u8) -> usize {
        self.heard.get(&number).copied().unwrap_or(0)
    }

    async fn drain(&mut self) {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(at) => {
                    self.next_timeout = at;
                    return;
                }
                Output::Transmit(transmit) => {
                    assert_eq!(transmit.proto, self.way.protocol());
                    let to = transmit.destination;
                    self.way.send(to, &transmit.contents).await;
                }
                Output::Event(Event::Connected) => {
                    self.next_audio = Some(Instant::now());
                }
                Output::Event(Event::RtpPacket(packet)) => {
                    let number = packet.payload.get(1).copied().unwrap_or_default();
                    *self.heard.entry(number).or_default() += 1;
                }
                Output::Event(_) => {}
            }
        }
    }

    fn speak(&mut self) {
        let media = self.rtc.media(self.microphone).unwrap();
        let pt = *media.remote_pts().first().unwrap();
        let mut payload = vec![0x78, self.number];
        payload.resize(80, 0);
        let values = ExtensionValues {
            audio_level: Some(-30),
            voice_activity: Some(true),
            ..ExtensionValues::default()
        };
        let timestamp = (self.sequence * 960) as u32;
        let now = Instant::now();
        let packet = RtpWrite::new(pt, self.sequence.into(), timestamp, now, payload);
        let mut direct = self.rtc.direct_api();
        let stream = direct.stream_tx_by_mid(self.microphone, None).unwrap();
        stream.write_rtp(packet.ext_vals(values).marker(true));
        self.sequence += 1;
        self.next_audio = self.next_audio.map(|at| at + AUDIO_INTERVAL);
    }
}
