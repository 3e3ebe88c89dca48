//! What a decoder would make of the video in a slot: frames, freezes and switches.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::media::Stamp;

/// A picture that stands still for longer is frozen: about what browsers count at 30 frames a second (the mean interval
/// and 150 ms, `freezeCount` of webrtc-stats).
const FREEZE: Duration = Duration::from_millis(200);
/// Frames that wait for a part, or for the frame before them; a decoder holds no more.
const MAX_WAITING: usize = 64;
/// Frames wait so long before a keyframe is asked for, and from one request to the next.
const PATIENCE: Duration = Duration::from_millis(500);

/// What was shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    pub frames: u64,
    /// Pictures that stood still for over 200 ms where the node had not paused them, and for how long in all.
    pub freezes: u64,
    pub frozen_ms: u64,
    pub longest_freeze_ms: u64,
    /// How often a slot went over to another sender, and to another layer of the same sender.
    pub slot_switches: u64,
    pub layer_switches: u64,
    /// Keyframes that were asked for because the picture could not go on.
    pub keyframes_asked: u64,
}

impl Shown {
    /// Adds another slot's counts.
    pub fn add(&mut self, other: &Self) {
        self.frames += other.frames;
        self.freezes += other.freezes;
        self.frozen_ms += other.frozen_ms;
        self.longest_freeze_ms = self.longest_freeze_ms.max(other.longest_freeze_ms);
        self.slot_switches += other.slot_switches;
        self.layer_switches += other.layer_switches;
        self.keyframes_asked += other.keyframes_asked;
    }
}

/// A slot's decoder: it shows whole frames that follow each other, or start with a keyframe.
#[derive(Debug, Default)]
pub struct Decoder {
    latest: Option<Frame>,
    /// When the latest was shown; `None` while the node pauses the slot.
    at: Option<Instant>,
    /// What comes meanwhile was under way when the node paused it.
    resting: bool,
    waiting: VecDeque<Waiting>,
    asked: Option<Instant>,
    shown: Shown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Frame {
    sender: u32,
    layer: u8,
    number: u32,
    /// The sequence number of its first part: where it stands in the slot, whoever sent it.
    place: u64,
}

#[derive(Debug)]
struct Waiting {
    frame: Frame,
    keyframe: bool,
    since: Instant,
    /// A bit for each part that came.
    came: u64,
    all: u64,
}

impl Decoder {
    /// Takes a packet of this sequence number in; returns whether the receiver should ask for a keyframe now.
    pub fn note(&mut self, now: Instant, sequence: u64, stamp: &Stamp) -> bool {
        let frame = Frame {
            sender: stamp.sender,
            layer: stamp.layer,
            number: stamp.frame,
            place: sequence.saturating_sub(stamp.part.into()),
        };
        if self
            .latest
            .is_some_and(|latest| latest.place >= frame.place)
        {
            return false;
        }
        let bit = 1_u64.checked_shl(stamp.part.into()).unwrap_or(0);
        let waiting = self.waiting.iter_mut().find(|w| w.frame == frame);
        match waiting {
            Some(waiting) => waiting.came |= bit,
            None => {
                if self.waiting.len() == MAX_WAITING {
                    self.waiting.pop_front();
                }
                let parts = u32::from(stamp.parts.min(64));
                self.waiting.push_back(Waiting {
                    frame,
                    keyframe: stamp.keyframe,
                    since: now,
                    came: bit,
                    all: u64::MAX.checked_shr(64 - parts).unwrap_or(0),
                });
            }
        }
        while self.show_next(now) {}
        self.is_stuck(now)
    }

    /// Whether the node carries nothing in the slot for now: standing still is no freeze then.
    pub fn rest(&mut self, resting: bool) {
        self.resting = resting;
        self.at = self.at.filter(|_| !resting);
    }

    /// What was shown since the last call.
    pub fn take(&mut self) -> Shown {
        std::mem::take(&mut self.shown)
    }

    /// Shows a frame that can be, if there is one.
    fn show_next(&mut self, now: Instant) -> bool {
        let latest = self.latest;
        let can = |w: &Waiting| w.came == w.all && (w.keyframe || w.frame.follows(latest));
        let Some(found) = self.waiting.iter().position(can) else {
            return false;
        };
        let frame = self.waiting[found].frame;
        if let Some(latest) = latest {
            self.shown.slot_switches += u64::from(latest.sender != frame.sender);
            let same = latest.sender == frame.sender;
            self.shown.layer_switches += u64::from(same && latest.layer != frame.layer);
            let silence = self.at.map(|at| now.saturating_duration_since(at));
            if let Some(silence) = silence.filter(|silence| same && *silence > FREEZE) {
                let milliseconds = silence.as_millis() as u64;
                self.shown.freezes += 1;
                self.shown.frozen_ms += milliseconds;
                self.shown.longest_freeze_ms = self.shown.longest_freeze_ms.max(milliseconds);
            }
        }
        self.shown.frames += 1;
        (self.latest, self.at) = (Some(frame), (!self.resting).then_some(now));
        self.waiting.retain(|w| w.frame.place > frame.place);
        true
    }

    fn is_stuck(&mut self, now: Instant) -> bool {
        let since = self.waiting.front().map(|waiting| waiting.since);
        let long = |at: Option<Instant>| at.map(|at| now.saturating_duration_since(at) > PATIENCE);
        let stuck = long(since) == Some(true) && long(self.asked) != Some(false);
        if stuck {
            self.asked = Some(now);
            self.shown.keyframes_asked += 1;
        }
        stuck
    }
}

impl Frame {
    fn follows(&self, latest: Option<Self>) -> bool {
        latest.is_some_and(|latest| {
            (self.sender, self.layer) == (latest.sender, latest.layer)
                && self.number == latest.number.wrapping_add(1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(sender: u32, layer: u8, frame: u32, part: u8, keyframe: bool) -> Stamp {
        Stamp {
            sender,
            layer,
            number: 0,
            sent: 0,
            frame,
            part,
            parts: 2,
            keyframe,
        }
    }

    /// A slot that receives at the given milliseconds.
    struct Slot {
        start: Instant,
        decoder: Decoder,
    }

    impl Slot {
        fn new() -> Self {
            Self {
                start: Instant::now(),
                decoder: Decoder::default(),
            }
        }

        fn note(&mut self, at: u64, sequence: u64, stamp: Stamp) -> bool {
            let now = self.start + Duration::from_millis(at);
            self.decoder.note(now, sequence, &stamp)
        }

        /// A whole frame of two packets.
        fn feed(&mut self, at: u64, sequence: u64, of: (u32, u8, u32), keyframe: bool) {
            for index in 0..2 {
                let stamp = part(of.0, of.1, of.2, index, keyframe);
                self.note(at, sequence + u64::from(index), stamp);
            }
        }
    }

    #[test]
    fn frames_are_shown_when_they_are_whole_and_follow_each_other() {
        let mut slot = Slot::new();
        slot.feed(0, 10, (1, 0, 4), false);
        assert_eq!(slot.decoder.take().frames, 0, "nothing to build on");
        slot.feed(0, 12, (1, 0, 5), true);
        // Frame 6 waits for its second part, and 7 for 6.
        slot.note(0, 14, part(1, 0, 6, 0, false));
        slot.feed(0, 16, (1, 0, 7), false);
        assert_eq!(slot.decoder.take().frames, 1);
        slot.note(0, 15, part(1, 0, 6, 1, false));
        assert_eq!(slot.decoder.take().frames, 2);
    }

    #[test]
    fn a_still_picture_is_a_freeze_unless_the_node_paused_it() {
        let mut slot = Slot::new();
        slot.feed(0, 10, (1, 0, 0), true);
        slot.feed(150, 12, (1, 0, 1), false);
        slot.feed(450, 14, (1, 0, 2), false);
        let shown = slot.decoder.take();
        assert_eq!((shown.freezes, shown.frozen_ms), (1, 300));
        slot.decoder.rest(true);
        slot.feed(500, 16, (1, 0, 3), false);
        slot.decoder.rest(false);
        slot.feed(5_000, 18, (1, 0, 4), true);
        assert_eq!(slot.decoder.take().freezes, 0);
    }

    #[test]
    fn switches_are_told_apart() {
        let mut slot = Slot::new();
        slot.feed(0, 10, (1, 0, 0), true);
        slot.feed(0, 14, (1, 2, 0), true);
        slot.feed(0, 16, (2, 2, 9), true);
        // Late, of the layer before: it stands before the switch.
        slot.feed(0, 12, (1, 0, 1), false);
        let shown = slot.decoder.take();
        let switches = (shown.layer_switches, shown.slot_switches);
        assert_eq!((switches, shown.frames), ((1, 1), 3));
    }

    #[test]
    fn a_keyframe_is_asked_for_when_the_picture_cannot_go_on() {
        let mut slot = Slot::new();
        slot.feed(0, 10, (1, 0, 0), true);
        // The second part of every frame is lost.
        let asks = (2..60_u64).filter(|frame| {
            let stamp = part(1, 0, *frame as u32, 0, false);
            slot.note(frame * 33, 10 + frame * 2, stamp)
        });
        assert_eq!(asks.count(), 3);
        assert_eq!(slot.decoder.take().keyframes_asked, 3);
    }
}
