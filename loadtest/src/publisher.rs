//! What a bot sends and when: audio, and the layers of a camera that are wanted.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::media::{Codec, MediaKind};

use crate::camera::Camera;
use crate::media::{Picture, Stamp, clock};

/// Audio frames are 20 ms long, as those of browsers.
const AUDIO_INTERVAL: Duration = Duration::from_millis(20);
/// A publisher that comes later than this does not make good what it missed: it would be a burst that no camera makes.
const LATEST: Duration = Duration::from_millis(200);

/// A packet to be sent now.
#[derive(Debug)]
pub struct Outgoing {
    pub kind: MediaKind,
    /// The camera layer, 0 the lowest.
    pub layer: usize,
    pub sequence: u64,
    pub timestamp: u32,
    pub marker: bool,
    pub payload: Arc<[u8]>,
}

/// What a bot sends, packet by packet.
#[derive(Debug)]
pub struct Publisher {
    sender: u32,
    epoch: Instant,
    audio: Ticks,
    audio_packets: Numbers,
    filming: Option<Filming>,
    /// Packets that are due now.
    due: VecDeque<Outgoing>,
    /// How many keyframes were sent, of all layers.
    pub keyframes: u64,
}

/// When the frames of a kind are due.
#[derive(Debug)]
struct Ticks {
    next: Instant,
    interval: Duration,
    timestamp: u32,
    step: u32,
}

/// The numbers of the next packet and the next frame.
#[derive(Debug, Default)]
struct Numbers {
    packet: u32,
    frame: u32,
}

/// A camera that is on.
#[derive(Debug)]
struct Filming {
    camera: Camera,
    ticks: Ticks,
    encoders: Vec<Encoder>,
    rng: fastrand::Rng,
}

/// What makes the frames of one layer.
#[derive(Debug)]
struct Encoder {
    numbers: Numbers,
    wanted: bool,
    keyframe_due: bool,
    /// Moves its timestamps apart from those of the other layers, as a browser does.
    timestamp: u32,
}

impl Ticks {
    fn new(next: Instant, interval: Duration, codec: Codec) -> Self {
        Self {
            next,
            interval,
            timestamp: 0,
            step: (u128::from(codec.clock_rate()) * interval.as_micros() / 1_000_000) as u32,
        }
    }

    /// The timestamp of the frame that is due.
    fn take(&mut self, now: Instant) -> u32 {
        let timestamp = self.timestamp;
        self.next += self.interval;
        self.timestamp = timestamp.wrapping_add(self.step);
        if now.saturating_duration_since(self.next) > LATEST {
            self.next = now;
        }
        timestamp
    }
}

impl Numbers {
    fn take_packet(&mut self) -> u32 {
        let number = self.packet;
        self.packet = number.wrapping_add(1);
        number
    }

    fn take_frame(&mut self) -> u32 {
        let number = self.frame;
        self.frame = number.wrapping_add(1);
        number
    }
}

impl Publisher {
    /// A publisher whose first packets are due at `now`, later by a part of a frame that its number chooses, so that not
    /// all bots send in the same instant. `epoch` is the zero of the process's clock.
    pub fn new(now: Instant, epoch: Instant, sender: u32, camera: Option<Camera>) -> Self {
        let phase = |interval: Duration| interval * (sender.wrapping_mul(7) % 16) / 16;
        let ticks = |interval, codec| Ticks::new(now + phase(interval), interval, codec);
        let filming = camera.map(|camera| Filming {
            camera,
            ticks: ticks(Duration::from_secs(1) / camera.frames.max(1), Codec::Vp8),
            encoders: (0..camera.layers.len() as u32).map(Encoder::new).collect(),
            rng: fastrand::Rng::with_seed(sender.into()),
        });
        Self {
            sender,
            epoch,
            audio: ticks(AUDIO_INTERVAL, Codec::Opus),
            audio_packets: Numbers::default(),
            filming,
            due: VecDeque::new(),
            keyframes: 0,
        }
    }

    /// Makes the next frame of a layer a keyframe.
    pub fn request_keyframe(&mut self, layer: usize) {
        let filming = self.filming.as_mut();
        if let Some(encoder) = filming.and_then(|filming| filming.encoders.get_mut(layer)) {
            encoder.keyframe_due = true;
        }
    }

    /// Encodes these layers only (dynacast); one that comes back starts with a keyframe.
    pub fn want(&mut self, layers: &[bool]) {
        let filming = self.filming.iter_mut();
        let encoders = filming.flat_map(|filming| &mut filming.encoders);
        for (encoder, wanted) in encoders.zip(layers) {
            encoder.keyframe_due |= *wanted && !encoder.wanted;
            encoder.wanted = *wanted;
        }
    }

    /// How many camera layers it encodes, and how many it has.
    pub fn layers(&self) -> (usize, usize) {
        let encoders = self.filming.iter().flat_map(|filming| &filming.encoders);
        let wanted = encoders.clone().filter(|encoder| encoder.wanted).count();
        (wanted, encoders.count())
    }

    /// When the next packet is due.
    pub fn next(&self) -> Instant {
        let video = self.filming.as_ref().map(|filming| filming.ticks.next);
        video.map_or(self.audio.next, |video| video.min(self.audio.next))
    }

    /// The next packet that is due, if one is.
    pub fn poll(&mut self, now: Instant) -> Option<Outgoing> {
        if self.due.is_empty() && self.audio.next <= now {
            return Some(self.speak(now));
        }
        if self.due.is_empty() {
            self.film(now);
        }
        self.due.pop_front()
    }

    fn speak(&mut self, now: Instant) -> Outgoing {
        let timestamp = self.audio.take(now);
        let number = self.audio_packets.take_packet();
        let stamp = Stamp {
            sender: self.sender,
            layer: 0,
            number,
            sent: clock(self.epoch, now),
            frame: self.audio_packets.take_frame(),
            part: 0,
            parts: 1,
            keyframe: false,
        };
        Outgoing {
            kind: MediaKind::Audio,
            layer: 0,
            sequence: u64::from(number) + 1,
            timestamp,
            marker: number == 0,
            payload: stamp.audio(),
        }
    }

    /// Encodes the frame that is due in each layer that is wanted.
    fn film(&mut self, now: Instant) {
        let Some(filming) = self.filming.as_mut().filter(|f| f.ticks.next <= now) else {
            return;
        };
        let timestamp = filming.ticks.take(now);
        let sent = clock(self.epoch, now);
        let layers = filming.camera.layers.iter().zip(&mut filming.encoders);
        for (index, (layer, encoder)) in layers.enumerate().filter(|(_, (_, e))| e.wanted) {
            let keyframe = std::mem::take(&mut encoder.keyframe_due);
            self.keyframes += u64::from(keyframe);
            let (parts, bytes) = layer.cut(filming.camera.frames, keyframe, &mut filming.rng);
            let frame = encoder.numbers.take_frame();
            let picture = Picture {
                id: (frame & 0x7fff) as u16,
                tl0: frame as u8,
                width: layer.width,
                height: layer.height,
            };
            for part in 0..parts {
                let stamp = Stamp {
                    sender: self.sender,
                    layer: index as u8,
                    number: encoder.numbers.take_packet(),
                    sent,
                    frame,
                    part,
                    parts,
                    keyframe,
                };
                self.due.push_back(Outgoing {
                    kind: MediaKind::Video,
                    layer: index,
                    sequence: u64::from(stamp.number) + 1,
                    timestamp: timestamp.wrapping_add(encoder.timestamp),
                    marker: part + 1 == parts,
                    payload: stamp.video(picture, bytes),
                });
            }
        }
    }
}

impl Encoder {
    fn new(layer: u32) -> Self {
        Self {
            numbers: Numbers::default(),
            wanted: true,
            keyframe_due: true,
            timestamp: layer.wrapping_mul(0x1234_5678),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::Rate;

    fn run(publisher: &mut Publisher, start: Instant, seconds: u64) -> Vec<Outgoing> {
        let mut sent = Vec::new();
        while publisher.next() < start + Duration::from_secs(seconds) {
            let now = publisher.next();
            while let Some(outgoing) = publisher.poll(now) {
                sent.push(outgoing);
            }
        }
        sent
    }

    fn second(camera: Option<Camera>) -> Vec<Outgoing> {
        let start = Instant::now();
        run(&mut Publisher::new(start, start, 0, camera), start, 1)
    }

    #[test]
    fn a_publisher_keeps_its_rate() {
        let count = |sent: &[Outgoing], kind| sent.iter().filter(|o| o.kind == kind).count();
        let sent = second(Some(Camera::PLAIN));
        assert_eq!(count(&sent, MediaKind::Audio), 50);
        assert_eq!(count(&sent, MediaKind::Video), 64);
        assert_eq!(count(&second(None), MediaKind::Video), 0);
        assert_eq!(
            count(&second(Some(Camera::HEAVY)), MediaKind::Video),
            25 * 16
        );
    }

    #[test]
    fn layers_send_at_their_bitrates_and_start_with_a_keyframe() {
        let start = Instant::now();
        let mut publisher = Publisher::new(start, start, 0, Some(Camera::SIMULCAST));
        let sent = run(&mut publisher, start, 10);
        for (index, layer) in Camera::SIMULCAST.layers.iter().enumerate() {
            let Rate::Bitrate(bitrate) = layer.rate else {
                panic!("a bitrate is set");
            };
            let own = |o: &&Outgoing| o.kind == MediaKind::Video && o.layer == index;
            let bits: usize = sent.iter().filter(own).map(|o| o.payload.len() * 8).sum();
            let rate = bits as f64 / 10.0;
            assert!(
                (rate / f64::from(bitrate) - 1.0).abs() < 0.1,
                "{}: {rate}",
                layer.rid
            );
            let first = sent.iter().find(own).unwrap();
            let stamp = Stamp::read(MediaKind::Video, &first.payload).unwrap();
            assert!(stamp.keyframe && usize::from(stamp.layer) == index);
        }
        assert_eq!(publisher.keyframes, 3);
    }

    #[test]
    fn a_layer_that_nobody_wants_rests_and_comes_back_with_a_keyframe() {
        let start = Instant::now();
        let mut publisher = Publisher::new(start, start, 0, Some(Camera::SIMULCAST));
        let all = run(&mut publisher, start, 1);
        let frames = all.iter().filter(|o| o.layer == 1 && o.marker).count();
        publisher.want(&[true, false, false]);
        let lowest = run(&mut publisher, start, 2);
        assert!(lowest.iter().all(|o| o.layer == 0));
        publisher.want(&[true, true, false]);
        let both = run(&mut publisher, start, 3);
        let first = both.iter().find(|o| o.layer == 1).unwrap();
        let stamp = Stamp::read(MediaKind::Video, &first.payload).unwrap();
        assert!(stamp.keyframe);
        // It goes on counting where it rested.
        assert_eq!(stamp.frame as usize, frames);
        let stamp = Stamp::read(MediaKind::Video, &both[1].payload).unwrap();
        assert!(!stamp.keyframe, "the lowest went on");
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
