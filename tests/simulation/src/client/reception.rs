//! The receive slots of a client: what comes in them is written down, and decoded where it is video.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime};

use protocol::media::MediaKind;
use str0m::media::KeyframeRequestKind;
use str0m::rtp::RtpPacket;

use super::Client;
use super::offer::AUDIO_SLOTS;
use crate::decoder::Part;
use crate::media::{Stamp, picture_id, starts_frame};

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
    /// When it was captured, by the last report that came in its slot.
    pub captured: Option<SystemTime>,
    pub picture: Option<u16>,
    pub stamp: Stamp,
}

impl Client {
    /// How many numbers between the first and the last that came in a slot did not come, in all slots together.
    pub fn holes(&self) -> u64 {
        let mut slots: BTreeMap<usize, BTreeSet<u64>> = BTreeMap::new();
        for packet in &self.received {
            let is_new = slots
                .entry(packet.slot)
                .or_default()
                .insert(packet.sequence);
            assert!(is_new, "number {} came twice", packet.sequence);
        }
        let missing = slots.values().map(|numbers| {
            let ends = numbers.first().zip(numbers.last());
            ends.map_or(0, |(first, last)| last - first + 1) - numbers.len() as u64
        });
        missing.sum()
    }

    pub(super) fn note(&mut self, now: Instant, packet: &RtpPacket) {
        let mut direct = self.rtc.direct_api();
        let stream = direct.stream_rx(&packet.header.ssrc).expect("a known one");
        let slot = self.slots[&stream.mid()];
        if self.asks_without_rtx {
            stream.suppress_nack(false);
        }
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
            captured: captured(packet),
            picture: picture_id(&packet.payload).filter(|_| kind == MediaKind::Video),
            stamp: stamp.expect("payloads arrive as they were sent"),
        });
    }
}

fn captured(packet: &RtpPacket) -> Option<SystemTime> {
    let report = packet.last_sender_info?;
    let reported = report.rtp_time.numer() as u32;
    let since = packet.header.timestamp.wrapping_sub(reported) as i32;
    // Before its first packet a stream's clock is not known.
    let rate = report.rtp_time.frequency().get();
    if rate == 1 {
        return None;
    }
    let passed = Duration::from_secs(1) * since.unsigned_abs() / rate;
    match since < 0 {
        true => report.ntp_time.checked_sub(passed),
        false => report.ntp_time.checked_add(passed),
    }
}
