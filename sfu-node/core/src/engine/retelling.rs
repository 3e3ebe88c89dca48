//! What a room may have missed of a node, since the link that it was said on is lost: all of it is said again with the greeting of
//! the next. What was not missed is no news to the room.

use protocol::id::RoomId;
use protocol::node::{NodeToRoom, SessionRef};

use super::Engine;
use crate::key::SessionKey;
use crate::room::Room;

/// What a room is told of a shard on a new link.
#[derive(Debug, Default)]
pub struct Retelling {
    /// The media sessions, for [`NodeToRoom::Ready`].
    pub sessions: Vec<SessionRef>,
    /// What clients may still wait for, and whether those who are connected are heard.
    pub words: Vec<NodeToRoom>,
}

impl Engine {
    /// Says of a room how it is now.
    pub fn retell(&self, id: &RoomId) -> Retelling {
        let places = self.places(id).into_iter();
        let rooms: Vec<&Room> = places.filter_map(|key| self.rooms.get(key)).collect();
        let sessions = || rooms.iter().flat_map(|room| room.sessions());
        let awaited = sessions().flat_map(|(session, name)| self.awaited(session, name));
        let signs = rooms.iter().filter_map(|room| room.signs());
        Retelling {
            sessions: sessions().map(|(_, name)| name).collect(),
            words: awaited.chain(signs).collect(),
        }
    }

    /// The answer and the restart of ICE that a client has not used yet.
    fn awaited(&self, session: SessionKey, name: SessionRef) -> impl Iterator<Item = NodeToRoom> {
        let seat = self.seats.get(session);
        let answer = seat.and_then(|seat| seat.answer.clone());
        let answer = answer.map(|sdp| NodeToRoom::Answer {
            participant: name.participant.clone(),
            attempt: name.attempt,
            sdp,
        });
        let restart = seat.and_then(|seat| seat.session.restarting());
        let restart = restart.map(|credentials| NodeToRoom::IceRestarted {
            participant: name.participant,
            attempt: name.attempt,
            credentials,
        });
        answer.into_iter().chain(restart)
    }
}
