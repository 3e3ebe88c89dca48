//! The media that bots send: how much of it, when, and what stands in every packet.

use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::media::{Codec, MediaKind};

/// Audio frames are 20 ms long, as those of browsers.
const AUDIO_INTERVAL: Duration = Duration::from_millis(20);
const AUDIO_PAYLOAD_BYTES: usize = 100;
const VIDEO_PAYLOAD_BYTES: usize = 1_100;
/// Where a video's stamp stands: after the payload descriptor and the first byte of the frame's header (RFC 7741).
const VIDEO_STAMP: usize = 5;
const STAMP_BYTES: usize = 13;
/// A publisher that comes later than this does not make good what it missed: it would be a burst that no camera makes.
const LATEST: Duration = Duration::from_millis(200);

/// What stands in every packet: by it a receiver knows whose it is and how long it traveled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The sending bot's number.
    pub sender: u32,
    /// Counts the sender's packets of this kind.
    pub number: u32,
    /// When it was sent, in microseconds of the process's clock; wraps around.
    pub sent: u32,
    /// Whether the frame is one that a decoder can start with.
    pub keyframe: bool,
}

impl Stamp {
    fn write(self, out: &mut [u8]) {
        out[..4].copy_from_slice(&self.sender.to_be_bytes());
        out[4..8].copy_from_slice(&self.number.to_be_bytes());
        out[8..12].copy_from_slice(&self.sent.to_be_bytes());
        out[12] = u8::from(self.keyframe);
    }

    /// The stamp of a payload; `None` if it is none of ours.
    pub fn read(kind: MediaKind, payload: &[u8]) -> Option<Self> {
        let start = match kind {
            MediaKind::Audio => 1,
            MediaKind::Video => VIDEO_STAMP,
        };
        let bytes: &[u8; STAMP_BYTES] = payload.get(start..)?.first_chunk()?;
        let number = |at: usize| {
            u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        Some(Self {
            sender: number(0),
            number: number(4),
            sent: number(8),
            keyframe: bytes[12] == 1,
        })
    }

    /// An Opus-sized payload: one byte that names the mode (RFC 6716, section 3.1), then the stamp.
    fn audio(self) -> Arc<[u8]> {
        let mut payload = [0; AUDIO_PAYLOAD_BYTES];
        payload[0] = 0x78;
        self.write(&mut payload[1..]);
        payload.into()
    }

    /// A VP8 payload: descriptor with a 15-bit picture id, the first byte of the frame's header, then the stamp.
    fn video(self, picture: u16, first: bool) -> Arc<[u8]> {
        let mut payload = [0; VIDEO_PAYLOAD_BYTES];
        payload[0] = if first { 0x90 } else { 0x80 };
        payload[1] = 0x80;
        payload[2..4].copy_from_slice(&(picture | 0x8000).to_be_bytes());
        payload[4] = u8::from(!self.keyframe);
        self.write(&mut payload[VIDEO_STAMP..]);
        payload.into()
    }
}

/// How much video a bot sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Video {
    /// Frames a second.
    pub frames: u32,
    /// Packets a frame, of 1,100 bytes each.
    pub packets: u32,
}

impl Video {
    /// 64 packets a second, about 560 kbit/s: the one camera layer of a call.
    pub const CAMERA: Self = Self {
        frames: 32,
        packets: 2,
    };
}

/// A packet to be sent now.
#[derive(Debug)]
pub struct Outgoing {
    pub kind: MediaKind,
    pub sequence: u64,
    pub timestamp: u32,
    pub marker: bool,
    pub payload: Arc<[u8]>,
}

/// What a bot sends, packet by packet.
#[derive(Debug)]
pub struct Publisher {
    sender: u32,
    started: Instant,
    audio: Stream,
    video: Option<(Video, Stream)>,
    picture: u16,
    /// Packets of the current frame that are still to be sent.
    left: u32,
    keyframe_due: bool,
    /// Whether the current frame is a keyframe.
    keyframe: bool,
    /// How many keyframes were sent.
    pub keyframes: u64,
}

#[derive(Debug)]
struct Stream {
    next: Instant,
    interval: Duration,
    sequence: u64,
    number: u32,
    timestamp: u32,
    step: u32,
}

impl Stream {
    fn new(next: Instant, interval: Duration, codec: Codec) -> Self {
        Self {
            next,
            interval,
            sequence: 1,
            number: 0,
            timestamp: 0,
            step: (u128::from(codec.clock_rate()) * interval.as_micros() / 1_000_000) as u32,
        }
    }

    /// The number and the sequence number of the next packet.
    fn take(&mut self) -> (u32, u64) {
        let taken = (self.number, self.sequence);
        self.number = self.number.wrapping_add(1);
        self.sequence += 1;
        taken
    }

    fn advance(&mut self, now: Instant) {
        self.next += self.interval;
        self.timestamp = self.timestamp.wrapping_add(self.step);
        if now.saturating_duration_since(self.next) > LATEST {
            self.next = now;
        }
    }
}

impl Publisher {
    /// A publisher whose first packets are due at `now`, later by a part of a frame that its number chooses, so that not
    /// all bots send in the same instant. `epoch` is the zero of the process's clock.
    pub fn new(now: Instant, epoch: Instant, sender: u32, video: Option<Video>) -> Self {
        let phase = |interval: Duration| interval * (sender.wrapping_mul(7) % 16) / 16;
        let stream = |interval, codec| Stream::new(now + phase(interval), interval, codec);
        Self {
            sender,
            started: epoch,
            audio: stream(AUDIO_INTERVAL, Codec::Opus),
            video: video.map(|video| {
                let interval = Duration::from_secs(1) / video.frames.max(1);
                (video, stream(interval, Codec::Vp8))
            }),
            picture: 0,
            left: 0,
            keyframe_due: true,
            keyframe: false,
            keyframes: 0,
        }
    }

    /// Makes the next frame a keyframe.
    pub fn request_keyframe(&mut self) {
        self.keyframe_due = true;
    }

    /// When the next packet is due.
    pub fn next(&self) -> Instant {
        let video = self.video.as_ref().map(|(_, stream)| stream.next);
        video.map_or(self.audio.next, |video| video.min(self.audio.next))
    }

    /// The next packet that is due, if one is.
    pub fn poll(&mut self, now: Instant) -> Option<Outgoing> {
        if self.audio.next <= now {
            return Some(self.send_audio(now));
        }
        self.send_video(now)
    }

    fn send_audio(&mut self, now: Instant) -> Outgoing {
        let (number, sequence) = self.audio.take();
        let outgoing = Outgoing {
            kind: MediaKind::Audio,
            sequence,
            timestamp: self.audio.timestamp,
            marker: number == 0,
            payload: self.stamp(now, number, false).audio(),
        };
        self.audio.advance(now);
        outgoing
    }

    fn send_video(&mut self, now: Instant) -> Option<Outgoing> {
        let (video, stream) = self
            .video
            .as_mut()
            .filter(|(_, stream)| stream.next <= now)?;
        let first = self.left == 0;
        if first {
            self.left = video.packets.max(1);
            self.keyframe = std::mem::take(&mut self.keyframe_due);
            self.keyframes += u64::from(self.keyframe);
        }
        self.left -= 1;
        let ((number, sequence), timestamp) = (stream.take(), stream.timestamp);
        let (last, picture) = (self.left == 0, self.picture);
        if last {
            stream.advance(now);
            self.picture = (self.picture + 1) & 0x7fff;
        }
        Some(Outgoing {
            kind: MediaKind::Video,
            sequence,
            timestamp,
            marker: last,
            payload: self.stamp(now, number, self.keyframe).video(picture, first),
        })
    }

    fn stamp(&self, now: Instant, number: u32, keyframe: bool) -> Stamp {
        Stamp {
            sender: self.sender,
            number,
            sent: clock(self.started, now),
            keyframe,
        }
    }
}

/// Microseconds since `epoch`; wraps around after 71 minutes.
pub fn clock(epoch: Instant, now: Instant) -> u32 {
    now.saturating_duration_since(epoch).as_micros() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(video: Option<Video>) -> Vec<Outgoing> {
        let start = Instant::now();
        let mut publisher = Publisher::new(start, start, 0, video);
        let mut sent = Vec::new();
        while publisher.next() < start + Duration::from_secs(1) {
            let now = publisher.next();
            while let Some(outgoing) = publisher.poll(now) {
                sent.push(outgoing);
            }
        }
        sent
    }

    #[test]
    fn a_publisher_keeps_its_rate() {
        let count = |sent: &[Outgoing], kind| sent.iter().filter(|o| o.kind == kind).count();
        let sent = second(Some(Video::CAMERA));
        assert_eq!(count(&sent, MediaKind::Audio), 50);
        assert_eq!(count(&sent, MediaKind::Video), 64);
        assert_eq!(count(&second(None), MediaKind::Video), 0);
    }

    #[test]
    fn what_is_stamped_reads_back() {
        for outgoing in second(Some(Video::CAMERA)) {
            let stamp = Stamp::read(outgoing.kind, &outgoing.payload).unwrap();
            assert_eq!(u64::from(stamp.number) + 1, outgoing.sequence);
            // The first frame, of two packets, and no other.
            let starts = outgoing.kind == MediaKind::Video && stamp.number < 2;
            assert_eq!(stamp.keyframe, starts, "{stamp:?}");
        }
        assert_eq!(Stamp::read(MediaKind::Video, &[0; 17]), None);
    }

    #[test]
    fn a_late_publisher_makes_no_burst() {
        let start = Instant::now();
        let mut publisher = Publisher::new(start, start, 0, None);
        let late = start + Duration::from_secs(5);
        let mut sent = 0;
        while publisher.poll(late).is_some() {
            sent += 1;
        }
        assert!(sent <= 2, "{sent} packets at once");
    }
}
