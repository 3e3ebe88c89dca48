//! What the loss of a shard brings about: its sessions and rooms are over, nobody else is placed here, and the process ends when
//! that disturbs nobody any more.

use protocol::node::{NodeToRoom, SessionRef};

use super::Node;
use crate::metrics;
use crate::shard::{Report, ShardError};

impl Node {
    /// A shard has ended by a fault.
    pub(super) fn shard_ended(&mut self, shard: u16, ended: Result<(), ShardError>) {
        let error = ended.err();
        tracing::error!(
            shard,
            error = error.map(tracing::field::display),
            "shard ended"
        );
        metrics::shard_ended();
        self.shard_lost(shard.into());
    }

    /// A shard reports no more, or takes no messages any more.
    pub(super) fn shard_hung(&mut self, shard: usize) {
        tracing::error!(shard, "a shard hangs: it is given up");
        metrics::shard_hung();
        self.shard_lost(shard);
    }

    /// Whether a new process is better than this one: a shard is lost, and nobody is left whom the end would disturb.
    pub(super) fn is_spent(&self) -> bool {
        self.vitals.lost().is_some()
            && (self.seating.alive_count() == 0 || self.load.borrow().sessions == 0)
    }

    /// A shard has ended, or hangs and is given up: its sessions are over, and so are the rooms whose home it was; the
    /// others go on. One that only seemed to hang finds its inbox closed, and ends.
    fn shard_lost(&mut self, shard: usize) {
        self.vitals.lose(shard);
        self.shards[shard].inbox.close();
        let lost = self.seating.lose(shard);
        if let Ok(index) = u16::try_from(shard) {
            self.note_report(index, Report::default());
        }
        for (room, session) in lost.sessions {
            self.session_over(&room, &session);
            let SessionRef {
                participant,
                attempt,
            } = session;
            let message = NodeToRoom::Disconnected {
                participant,
                attempt,
            };
            self.tell_room(room, message);
        }
        for room in lost.rooms {
            self.release(room);
        }
        self.beat();
        self.tell_health();
    }
}
