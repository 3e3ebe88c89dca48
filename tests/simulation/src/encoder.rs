//! The encoders of a simulated participant: one per layer of a source, each a stream of frames of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::media::{Codec, Layer, Source};
use str0m::Rtc;
use str0m::format::PayloadParams;
use str0m::media::{Mid, Pt, Rid};

use crate::h264;
use crate::media::Stamp;

/// What a participant sends as video.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Videos {
    /// Layers of the camera: one, or three as simulcast.
    pub layers: u8,
    /// A screen beside it, in two layers that differ in frame rate.
    pub screen: bool,
    /// VP8 or H.264.
    pub codec: Codec,
    /// Whether it can send and show H.264 at all.
    pub knows_h264: bool,
}

impl Videos {
    /// A camera in one layer of 640 × 360.
    pub const PLAIN: Self = Self {
        layers: 1,
        screen: false,
        codec: Codec::Vp8,
        knows_h264: true,
    };
    /// A camera in three layers, each twice as wide and high as the one below.
    pub const SIMULCAST: Self = Self {
        layers: 3,
        screen: false,
        codec: Codec::Vp8,
        knows_h264: true,
    };
    /// The plain camera of somebody whose browser has no H.264.
    pub const WITHOUT_H264: Self = Self {
        knows_h264: false,
        ..Self::PLAIN
    };
    /// The plain camera in H.264.
    pub const PLAIN_H264: Self = Self {
        codec: Codec::H264,
        ..Self::PLAIN
    };
    /// Three layers in H.264.
    pub const SIMULCAST_H264: Self = Self {
        codec: Codec::H264,
        ..Self::SIMULCAST
    };
    /// Both a camera in three layers and a screen.
    pub const WITH_SCREEN: Self = Self {
        layers: 3,
        screen: true,
        codec: Codec::Vp8,
        knows_h264: true,
    };
}

/// What tells an encoder from others.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    pub source: Source,
    pub layer: Layer,
    pub rid: Option<&'static str>,
    pub codec: Codec,
    interval: Duration,
    packets: u32,
    bytes: usize,
    size: (u16, u16),
}

/// The sequence number of a stream's first packet: a little before the wrap-around.
const FIRST_NUMBER: u64 = 65_300;

const FRAME: Duration = Duration::from_millis(33);

impl Videos {
    /// The encoders of this choice: 144, 480 and 1,700 kbit/s for a camera; 5 and 30 frames a second for a screen.
    pub fn formats(self) -> Vec<Format> {
        let format = |source, layer, rid, interval, packets, bytes, size| Format {
            source,
            layer: Layer(layer),
            rid,
            codec: self.codec,
            interval,
            packets,
            bytes,
            size,
        };
        let camera = |layer, rid, packets, bytes, size| {
            format(Source::Camera, layer, rid, FRAME, packets, bytes, size)
        };
        let mut formats = match self.layers {
            1 => vec![camera(0, None, 3, 1_000, (640, 360))],
            _ => vec![
                camera(0, Some("q"), 1, 600, (320, 180)),
                camera(1, Some("h"), 2, 1_000, (640, 360)),
                camera(2, Some("f"), 7, 1_000, (1_280, 720)),
            ],
        };
        if self.screen {
            let slow = Duration::from_millis(200);
            let screen = |layer, rid, interval| {
                let size = (1_920, 1_080);
                format(Source::Screen, layer, rid, interval, 6, 1_000, size)
            };
            formats.push(screen(0, Some("q"), slow));
            formats.push(screen(1, Some("f"), FRAME));
        }
        formats
    }
}

/// One encoder.
#[derive(Debug)]
pub struct Encoder {
    pub format: Format,
    pub mid: Mid,
    pub next: Instant,
    /// Whether it encodes at all: what nobody wants is not encoded.
    pub active: bool,
    /// Packets made.
    pub number: u32,
    pub keyframes_asked: u32,
    /// How many times as large as usual its frames are: of a busy picture they are larger.
    pub frame_size: u32,
    /// How many times as large as another frame a keyframe is.
    pub keyframe_size: u32,
    sequence: u64,
    /// What the encoder's timestamps are ahead of the capture clock.
    offset: u32,
    start: Instant,
    picture: u16,
    keyframe_due: bool,
}

/// A packet to be sent.
#[derive(Debug)]
pub struct Encoded {
    pub mid: Mid,
    pub rid: Option<Rid>,
    pub codec: Codec,
    pub sequence: u64,
    pub timestamp: u32,
    pub marker: bool,
    pub payload: Arc<[u8]>,
}

impl Encoded {
    /// The payload type of its codec on its m-line, as negotiated.
    pub fn payload_type(&self, rtc: &Rtc) -> Pt {
        let codec = match self.codec {
            Codec::Opus => str0m::format::Codec::Opus,
            Codec::H264 => str0m::format::Codec::H264,
            _ => str0m::format::Codec::Vp8,
        };
        let negotiated = rtc.media(self.mid).expect("negotiated").remote_pts();
        let mut known = rtc.codec_config().params().iter();
        known
            .find(|params| params.spec().codec == codec && negotiated.contains(&params.pt()))
            .map(PayloadParams::pt)
            .expect("this codec was negotiated")
    }
}

impl Encoder {
    /// An encoder that starts close to a wrap-around of sequence, timestamp and picture id, so that each run passes them.
    pub fn new(now: Instant, format: Format, mid: Mid) -> Self {
        let layer = u32::from(format.layer.0);
        Self {
            format,
            mid,
            next: now,
            active: true,
            number: 0,
            keyframes_asked: 0,
            frame_size: 1,
            keyframe_size: 1,
            sequence: FIRST_NUMBER,
            // Each stream has a random offset of its own.
            offset: (u32::MAX - 90_000).wrapping_add(layer.wrapping_mul(0x4321_0000)),
            start: now,
            picture: 0x7ff0,
            keyframe_due: true,
        }
    }

    /// Its frames are of one packet each, of so many bytes.
    pub fn shrink(&mut self, bytes: usize) {
        (self.format.packets, self.format.bytes) = (1, bytes);
    }

    /// Goes on under another SSRC: its first packet there has a number of 16 bits, or nobody could decrypt it.
    pub fn renumber(&mut self) {
        self.sequence = FIRST_NUMBER;
    }

    /// Starts or stops encoding. What starts again starts with a keyframe.
    pub fn set_active(&mut self, now: Instant, active: bool) {
        if active && !self.active {
            self.keyframe_due = true;
            self.next = self.next.max(now);
        }
        self.active = active;
    }

    /// Somebody needs a keyframe.
    pub fn ask_keyframe(&mut self) {
        self.keyframes_asked += 1;
        self.keyframe_due = true;
    }

    /// The encoder's clock at this time.
    pub fn timestamp(&self, at: Instant) -> u32 {
        let passed = at.saturating_duration_since(self.start);
        self.offset
            .wrapping_add((passed.as_micros() * 9 / 100) as u32)
    }

    /// The next frame, when it is time for one.
    pub fn frame(&mut self, now: Instant, client: u8) -> Vec<Encoded> {
        if !self.active || self.next > now {
            return Vec::new();
        }
        let keyframe = std::mem::take(&mut self.keyframe_due);
        let timestamp = self.timestamp(self.next);
        self.next += self.format.interval;
        self.picture = (self.picture + 1) & 0x7fff;
        let usual = self.format.packets * self.frame_size;
        let packets = match keyframe {
            true => usual * self.keyframe_size,
            false => usual,
        };
        (0..packets)
            .map(|part| {
                let stamp = Stamp {
                    client,
                    screen: self.format.source == Source::Screen,
                    layer: self.format.layer.0,
                    number: self.number,
                    keyframe,
                };
                self.number += 1;
                self.sequence += 1;
                let (first, size, bytes) = (part == 0, self.format.size, self.format.bytes);
                Encoded {
                    mid: self.mid,
                    rid: self.format.rid.map(Rid::from),
                    codec: self.format.codec,
                    sequence: self.sequence,
                    timestamp,
                    marker: part + 1 == packets,
                    payload: match self.format.codec {
                        Codec::H264 => h264::payload(stamp, first, size, bytes),
                        _ => stamp.video(self.picture, first, size, bytes),
                    },
                }
            })
            .collect()
    }
}
