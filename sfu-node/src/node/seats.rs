//! A room's sessions on the shards of the node: who is told what, as people come and go and shards end.

use protocol::id::RoomId;
use protocol::node::{NodeToRoom, RoomToNode, SessionRef};

use super::Node;
use crate::shard::{ShardError, ToShard};

impl Node {
    /// A message of a room's link, to the shard that it is for.
    pub(super) async fn tell_shard(&mut self, room: RoomId, message: RoomToNode) {
        let shard = match &message {
            RoomToNode::Offer {
                participant,
                attempt,
                ..
            } => {
                let session = SessionRef {
                    participant: participant.clone(),
                    attempt: *attempt,
                };
                Some(self.seat(&room, &session).await)
            }
            RoomToNode::Caps { participant, .. }
            | RoomToNode::RestartIce { participant, .. }
            | RoomToNode::Close { participant, .. } => self.seating.find(&room, participant),
            RoomToNode::Plan { .. } => Some(self.seating.open(&room)),
            RoomToNode::Release => {
                for shard in self.seating.release(&room) {
                    self.tell(shard, room.clone(), RoomToNode::Release).await;
                }
                None
            }
        };
        let closed = match &message {
            RoomToNode::Close {
                participant,
                attempt,
            } => Some(SessionRef {
                participant: participant.clone(),
                attempt: *attempt,
            }),
            _ => None,
        };
        if let Some(shard) = shard {
            self.tell(shard, room.clone(), message).await;
        }
        if let Some(session) = closed {
            self.session_over(&room, &session).await;
        }
    }

    async fn tell(&self, shard: usize, room: RoomId, message: RoomToNode) {
        // A shard that has ended says so itself.
        let inbox = &self.shards[shard].shard.inbox;
        let _ = inbox.send(ToShard::Room { room, message }).await;
    }

    /// Gives a session its seat. A shard that is new to the room is introduced to the others.
    async fn seat(&mut self, room: &RoomId, session: &SessionRef) -> usize {
        let before = self.seating.shards(room);
        let shard = self.seating.sit(room, session);
        if !before.is_empty() && self.seating.shards(room) != before {
            tracing::info!(%room, shard, "room spreads");
            self.introduce(room).await;
        }
        shard
    }

    /// Tells each shard of a room which others there are.
    async fn introduce(&self, room: &RoomId) {
        let shards = self.seating.shards(room);
        for shard in &shards {
            let others = shards.iter().filter(|other| *other != shard);
            let message = ToShard::Siblings {
                room: room.clone(),
                shards: others.map(|other| self.shards[*other].shard.id).collect(),
            };
            let _ = self.shards[*shard].shard.inbox.send(message).await;
        }
    }

    /// A session is over. A shard that has nobody of the room any more lets go of it.
    pub(super) async fn session_over(&mut self, room: &RoomId, session: &SessionRef) {
        if let Some(empty) = self.seating.leave(room, session) {
            self.introduce(room).await;
            self.tell(empty, room.clone(), RoomToNode::Release).await;
        }
    }

    /// A shard has ended by itself: its sessions are over, and so are the rooms whose home it was; the others go on.
    pub(super) async fn shard_ended(
        &mut self,
        shard: usize,
        ended: Result<(), ShardError>,
    ) -> Result<(), ShardError> {
        let lost = self.seating.lose(shard);
        if self.seating.alive_count() == 0 {
            return ended.and(Err(ShardError::Panic));
        }
        if let Err(error) = ended {
            tracing::error!(shard, %error, "shard lost: its sessions start anew elsewhere");
        }
        for (room, session) in lost.sessions {
            self.session_over(&room, &session).await;
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
            self.release(room).await;
        }
        Ok(())
    }
}
