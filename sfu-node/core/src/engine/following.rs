//! Sessions that are followed on their way to the first packet: each step is told once, with its time.

use std::time::Instant;

use super::Engine;
use crate::io::{Output, Step};
use crate::key::SessionKey;

/// Most that are followed at once. Who is alone is sent nothing, however long: the oldest goes.
const MAX_FOLLOWED: usize = 64;

impl Engine {
    /// Follows a session.
    pub(super) fn follow(&mut self, key: SessionKey) {
        if self.followed.len() == MAX_FOLLOWED {
            self.followed.remove(0);
        }
        self.followed.push(key);
    }

    /// ICE and DTLS are up.
    pub(super) fn followed_is_connected(&mut self, now: Instant, key: SessionKey) {
        let seat = self.seats.get(key);
        if let Some(at) = seat.and_then(|seat| seat.session.nominated_at()) {
            self.tell_step(key, Step::Nominated, at);
        }
        self.tell_step(key, Step::Connected, now);
    }

    /// Media was sent to this session's client.
    pub(super) fn followed_is_sent(&mut self, now: Instant, key: SessionKey) {
        self.tell_step(key, Step::FirstPacket, now);
        self.unfollow(key);
    }

    /// The session is followed no more.
    pub(super) fn unfollow(&mut self, key: SessionKey) {
        self.followed.retain(|followed| *followed != key);
    }

    fn tell_step(&mut self, key: SessionKey, step: Step, at: Instant) {
        if !self.followed.contains(&key) {
            return;
        }
        let seat = self.seats.get(key);
        let named = seat.and_then(|seat| {
            let room = self.rooms.get(seat.room)?;
            Some((room.link.clone(), room.name(seat.member)?))
        });
        if let Some((room, session)) = named {
            self.outbox.messages.push_back(Output::Step {
                room,
                session,
                step,
                at,
            });
        }
    }
}
