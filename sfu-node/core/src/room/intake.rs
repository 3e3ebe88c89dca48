//! What a publisher's limits keep out is taken out of its numbers: to everybody behind them, here and at other nodes, it was never
//! sent, so nobody misses it and asks for it.

use protocol::media::{Layer, MediaKind, Source};

use super::{Room, source_index};
use crate::key::MemberKey;
use crate::packet::Packet;

/// What becomes of a packet that a member has sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    In,
    Out,
    /// It is let in no sooner than with a keyframe, since what it needs was kept out.
    NeedsKeyframe,
}

/// The numbers of one layer of what a member publishes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Intake {
    /// Something was kept out since the last packet that was let in.
    cut: bool,
    /// The first number after what was kept out last; what is older comes too late.
    first: u64,
    /// How many numbers were taken out.
    shift: u64,
    /// The highest that was let in, after that.
    newest: Option<u64>,
}

impl Intake {
    /// A packet is kept out.
    pub fn keep_out(&mut self) {
        self.cut = true;
    }

    /// Whether nothing is let in that cannot be decoded by itself.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// A packet may go further: it is given the number that it has without what was kept out. False for one that needs what was
    /// kept out. `starts`: it needs nothing before it.
    pub fn let_in(&mut self, packet: &mut Packet, starts: bool) -> bool {
        if self.cut {
            if !starts {
                return false;
            }
            self.cut = false;
            if let Some(newest) = self
                .newest
                .filter(|newest| packet.sequence > newest + self.shift)
            {
                self.first = packet.sequence;
                self.shift = packet.sequence - newest - 1;
            }
        }
        if packet.sequence < self.first {
            return false;
        }
        packet.sequence -= self.shift;
        self.newest = self.newest.max(Some(packet.sequence));
        true
    }
}

impl Room {
    /// A packet of this layer is within its publisher's limits, or not: what of it goes further counts on.
    pub(super) fn take_in(
        &mut self,
        member: MemberKey,
        (source, layer): (Source, Layer),
        allowed: bool,
        packet: &mut Packet,
    ) -> Taken {
        let layer = usize::from(layer.0);
        let member = self.member_mut(member);
        let intake = member.and_then(|m| m.intakes[source_index(source)].get_mut(layer));
        let Some(intake) = intake else {
            return Taken::Out;
        };
        if !allowed {
            intake.keep_out();
            return Taken::Out;
        }
        let starts = packet.keyframe || source.kind() == MediaKind::Audio;
        if intake.let_in(packet, starts) {
            Taken::In
        } else if intake.is_cut() {
            Taken::NeedsKeyframe
        } else {
            Taken::Out
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::media::Codec;

    use super::*;

    /// The number that a packet goes on with.
    fn let_in(intake: &mut Intake, sequence: u64, starts: bool) -> Option<u64> {
        let mut packet = Packet::new(sequence, 0, false, Codec::Opus, None, [0][..].into());
        let is_let_in = intake.let_in(&mut packet, starts);
        is_let_in.then_some(packet.sequence)
    }

    #[test]
    fn what_is_kept_out_leaves_no_hole_and_what_was_lost_before_does() {
        let mut intake = Intake::default();
        for sequence in [70_000, 70_003, 70_001] {
            assert_eq!(let_in(&mut intake, sequence, false), Some(sequence));
        }
        intake.keep_out();
        assert!(intake.is_cut());
        assert_eq!(let_in(&mut intake, 70_090, false), None);
        assert_eq!(let_in(&mut intake, 70_100, true), Some(70_004));
        assert!(!intake.is_cut());
        assert_eq!(let_in(&mut intake, 70_102, false), Some(70_006));
        assert_eq!(let_in(&mut intake, 70_101, false), Some(70_005));
        assert_eq!(
            let_in(&mut intake, 70_099, false),
            None,
            "kept out, or before"
        );
        // Once more: the gaps add up.
        intake.keep_out();
        assert_eq!(let_in(&mut intake, 70_200, true), Some(70_007));
        assert_eq!(let_in(&mut intake, 70_201, false), Some(70_008));
    }

    #[test]
    fn what_is_kept_out_at_first_was_never_there() {
        let mut intake = Intake::default();
        intake.keep_out();
        assert_eq!(let_in(&mut intake, 5, false), None);
        assert_eq!(let_in(&mut intake, 9, true), Some(9));
    }

    #[test]
    fn a_late_start_takes_nothing_out() {
        let mut intake = Intake::default();
        assert_eq!(let_in(&mut intake, 100, false), Some(100));
        intake.keep_out();
        assert_eq!(let_in(&mut intake, 98, true), Some(98));
        assert_eq!(let_in(&mut intake, 101, false), Some(101));
    }
}
