//! The sound of a client, from its microphone or of its screen: a packet each 20 ms while it is not muted.

use std::time::{Duration, Instant};

use protocol::media::Codec;
use str0m::media::Mid;
use str0m::rtp::ExtensionValues;

use crate::encoder::Encoded;
use crate::media::Stamp;

/// The sequence number of a stream's first packet: a little before the wrap-around.
const FIRST_NUMBER: u64 = 65_400;
const INTERVAL: Duration = Duration::from_millis(20);
/// From this many dB below the loudest on, a packet is not marked as voice.
const SILENCE: u8 = 60;

/// A microphone that is not muted, or a screen's sound.
#[derive(Debug)]
pub struct Microphone {
    mid: Mid,
    screen: bool,
    pub next: Instant,
    sequence: u64,
    timestamp: u32,
    /// Packets made.
    pub number: u32,
}

impl Microphone {
    /// A microphone that starts close to a wrap-around of sequence and timestamp, so that each run passes them.
    pub fn new(now: Instant, mid: Mid, screen: bool) -> Self {
        Self {
            mid,
            screen,
            next: now,
            sequence: FIRST_NUMBER,
            timestamp: u32::MAX - 90_000,
            number: 0,
        }
    }

    /// Goes on under another SSRC: its first packet there has a number of 16 bits, or nobody could decrypt it.
    pub fn renumber(&mut self) {
        self.sequence = FIRST_NUMBER;
    }

    /// Sends nothing for so long, as an encoder does in silence (DTX): time goes on, and the packets' numbers do not.
    pub fn rest(&mut self, time: Duration) {
        self.next += time;
        self.timestamp = self.timestamp.wrapping_add((48 * time.as_millis()) as u32);
    }

    /// The next packet of this loudness, when it is time for one.
    pub fn packet(
        &mut self,
        now: Instant,
        client: u8,
        level: u8,
    ) -> Option<(Encoded, ExtensionValues)> {
        if self.next > now {
            return None;
        }
        let stamp = Stamp {
            client,
            screen: self.screen,
            layer: 0,
            number: self.number,
            keyframe: false,
        };
        let packet = Encoded {
            mid: self.mid,
            rid: None,
            codec: Codec::Opus,
            sequence: self.sequence,
            timestamp: self.timestamp,
            marker: true,
            payload: stamp.audio(),
        };
        let values = ExtensionValues {
            audio_level: Some(-(level as i8)),
            voice_activity: Some(!self.screen && level < SILENCE),
            ..ExtensionValues::default()
        };
        self.next += INTERVAL;
        self.sequence += 1;
        self.number += 1;
        self.timestamp = self.timestamp.wrapping_add(960);
        Some((packet, values))
    }
}
