//! What members are sent: one batch after the other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use super::{Engine, Timer};
use crate::egress::batch::Batch;
use crate::egress::counters::Counters;
use crate::egress::subscriber::Subscriber;
use crate::io::{Stats, TransportAddress};
use crate::key::{MemberKey, RoomKey};
use crate::router::Router;

impl Engine {
    /// Builds the batch of the next member that has something to send. Returns false when nobody has.
    pub(super) fn flush_next(&mut self, now: Instant) -> bool {
        while let Some(key) = self.pending.last().copied() {
            let room = self.rooms.get_mut(key);
            let Some(member) = room.and_then(|room| room.take_pending()) else {
                self.pending.pop();
                continue;
            };
            // What has nowhere to go stays behind: it has no numbers yet, and none of them are lost.
            if self.address_of(key, member).is_none() {
                continue;
            }
            let flushed = self.flush(now, (key, member), |subscriber, router, batch| {
                let due = subscriber.flush(now, router, batch);
                subscriber.report(now, router, batch);
                due
            });
            if flushed {
                return true;
            }
        }
        false
    }

    /// Where a member's client is, as far as that is known.
    fn address_of(&self, key: RoomKey, member: MemberKey) -> Option<TransportAddress> {
        let session = self.rooms.get(key)?.member(member)?.session;
        self.seats.get(session)?.session.address()
    }

    /// Builds a member's batch. Returns whether there is one to send. A panic ends the member's session and nothing else.
    pub(super) fn flush(
        &mut self,
        now: Instant,
        (key, member): (RoomKey, MemberKey),
        build: impl FnOnce(&mut Subscriber, &Router, &mut Batch) -> Option<Instant>,
    ) -> bool {
        let to = self.address_of(key, member);
        let Some(room) = self.rooms.get_mut(key) else {
            return false;
        };
        let session = room.member(member).map(|member| member.session);
        let Some((subscriber, router)) = room.subscriber(member) else {
            return false;
        };
        let batch = &mut self.outbox.batch;
        batch.clear();
        let flushed = catch_unwind(AssertUnwindSafe(|| {
            let due = build(subscriber, router, batch);
            (due, subscriber.take_counters())
        }));
        let Ok((due, counters)) = flushed else {
            batch.clear();
            if let Some(session) = session {
                self.session_faulted(now, session);
            }
            return false;
        };
        count(&mut self.stats, &counters);
        if let Some(at) = due {
            self.timers.lower(Timer::Subscriber(key, member), at);
        }
        let is_built = to.is_some() && !batch.is_empty();
        if is_built {
            self.outbox.batch_to = to;
        }
        if !self.followed.is_empty()
            && is_built
            && counters.packets > 0
            && let Some(session) = session
        {
            self.followed_is_sent(now, session);
        }
        is_built
    }
}

/// Adds what a subscriber was sent since the last look.
fn count(stats: &mut Stats, counters: &Counters) {
    stats.packets_out += counters.packets;
    stats.bytes_out += counters.bytes;
    stats.retransmissions += counters.repairs;
    stats.oversized += counters.oversized;
    stats.probes += counters.probes;
    stats.probe_packets += counters.fillers;
    stats.layer_switches += counters.switches;
    stats.drops.stale += counters.stale;
}
