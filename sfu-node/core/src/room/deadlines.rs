//! What a room has to do later, and when: whoever waits for something has an entry, so that the work depends on what is due and
//! not on how large the room is.

use std::time::Instant;

use super::{Context, Room};
use crate::key::MemberKey;
use crate::router::LayerKey;

/// What is to be done at a time. What is due at the same moment is done in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Deadline {
    /// A client's view came too soon after the one before.
    View(MemberKey),
    /// The slots of all members are decided on anew.
    Slots,
    /// Who is heard and who speaks is chosen anew.
    Speakers,
    /// A member's decoder needs a keyframe, and had to wait since it asks so often.
    Plea(MemberKey),
    /// A keyframe or a repair of a layer is overdue.
    Recovery(LayerKey),
    /// Clients, and the other nodes and shards, are told how everybody's media travels.
    Qualities,
    /// A member's sender reports.
    Reports(MemberKey),
    /// Every layer of the room is looked at.
    Sweep,
    /// A member's budget is decided on anew.
    Budget(MemberKey),
    /// A publisher's layers that nobody wants any more have lingered for long enough.
    Linger(MemberKey),
    /// A client could not be told something: it is told everything anew.
    Retell(MemberKey),
}

impl Room {
    /// When [`Room::handle_timeout`] is due.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// Everything that is due.
    pub fn handle_timeout(&mut self, cx: &mut Context<'_>) {
        while let Some(deadline) = self.deadlines.pop(cx.now) {
            match deadline {
                Deadline::View(member) => self.take_next_view(cx, member),
                Deadline::Slots => self.assign_all(cx),
                Deadline::Speakers => self.choose_speakers(cx),
                Deadline::Plea(member) => self.take_held_pleas(cx, member),
                Deadline::Recovery(layer) => self.recover(cx, layer),
                Deadline::Qualities => self.tell_qualities(cx),
                Deadline::Reports(member) => self.report(cx, member),
                Deadline::Sweep => self.sweep(cx),
                Deadline::Budget(member) => self.assign_video(cx, member),
                Deadline::Linger(member) => self.demand_changed(member),
                Deadline::Retell(member) => self.tell_everything(cx, member),
            }
        }
    }

    /// A member is gone: whoever takes its place has deadlines of its own.
    pub(super) fn forget_deadlines(&mut self, member: MemberKey) {
        for deadline in [
            Deadline::View(member),
            Deadline::Plea(member),
            Deadline::Reports(member),
            Deadline::Budget(member),
            Deadline::Linger(member),
            Deadline::Retell(member),
        ] {
            self.deadlines.clear(deadline);
        }
    }
}
