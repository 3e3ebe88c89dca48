//! Clients that fall silent, and that are heard again. The room's Durable Object is told once of each, and the session goes on.

use std::time::Instant;

use super::{Engine, Timer};
use crate::key::SessionKey;

impl Engine {
    /// A client has said that it lives, and will say so again: from now on its silence means something.
    pub(super) fn watch(&mut self, key: SessionKey) {
        if let Some(seat) = self.seats.get(key) {
            let at = seat.session.silent_at();
            self.timers.lower(Timer::Silence(key), at);
        }
    }

    /// The time has come at which a client would count as silent, had nothing come meanwhile.
    pub(super) fn look_for_silence(&mut self, now: Instant, key: SessionKey) {
        let Some(seat) = self.seats.get_mut(key) else {
            return;
        };
        let at = seat.session.silent_at();
        if at > now {
            return self.timers.set(Timer::Silence(key), at);
        }
        seat.session.fall_silent();
        let (room, member) = (seat.room, seat.member);
        self.with_room(now, room, |room, cx| room.fell_silent(cx, member));
    }
}
