//! What a room may have missed of a node, since the link that it was said on is lost: all of it is said again on the next.
//! What was not missed is no news to the room.

use std::time::Instant;

use protocol::id::RoomId;
use protocol::node::NodeToRoom;

use super::Engine;
use crate::io::Output;
use crate::room::Room;

impl Engine {
    /// Says again what clients may still wait for, and of everybody who is there whether they are heard.
    pub(super) fn say_again(&mut self, now: Instant, id: &RoomId) {
        let Some(key) = self.room_keys.get(id).copied() else {
            return;
        };
        let Some(room) = self.rooms.get(key) else {
            return;
        };
        for (session, name) in room.sessions() {
            let Some(seat) = self.seats.get(session) else {
                continue;
            };
            let answer = seat.answer.clone().map(|sdp| NodeToRoom::Answer {
                participant: name.participant.clone(),
                attempt: name.attempt,
                sdp,
            });
            let restart = seat
                .session
                .restarting()
                .map(|credentials| NodeToRoom::IceRestarted {
                    participant: name.participant,
                    attempt: name.attempt,
                    credentials,
                });
            for message in answer.into_iter().chain(restart) {
                let room = id.clone();
                let output = Output::Room { room, message };
                self.outbox.messages.push_back(output);
            }
        }
        self.with_room(now, key, Room::say_again);
    }
}
