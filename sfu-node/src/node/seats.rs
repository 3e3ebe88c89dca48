//! A room's sessions on the shards of the node: who is told what, as people come and go.

use protocol::id::{BreakoutId, Epoch, RoomId};
use protocol::node::{NodeToRoom, RefusalReason, RoomToNode, SessionRef};

use super::Node;
use crate::shard::ToShard;

impl Node {
    /// A message of a room's link, to the shard that it is for.
    pub(super) fn tell_shard(&mut self, room: RoomId, message: RoomToNode) {
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
                let shard = self.seat(&room, &session);
                if self.shards[shard].inbox.is_busy() {
                    return self.give_away(&room, session);
                }
                Some(shard)
            }
            RoomToNode::Caps { participant, .. }
            | RoomToNode::Breakout { participant, .. }
            | RoomToNode::RestartIce { participant, .. }
            | RoomToNode::Close { participant, .. } => self.seating.find(&room, participant),
            RoomToNode::Plan {
                epoch, breakouts, ..
            } => {
                let home = self.seating.open(&room);
                self.plan_beside(home, &room, *epoch, breakouts);
                Some(home)
            }
            RoomToNode::Release => {
                for shard in self.seating.release(&room) {
                    self.tell(shard, room.clone(), RoomToNode::Release);
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
            self.tell(shard, room.clone(), message);
        }
        if let Some(session) = closed {
            self.session_over(&room, &session);
        }
    }

    /// The other shards of a room speak with no node, but they have its breakout rooms, too.
    fn plan_beside(&mut self, home: usize, room: &RoomId, epoch: Epoch, breakouts: &[BreakoutId]) {
        for shard in self.seating.shards(room) {
            if shard != home {
                let plan = RoomToNode::Plan {
                    epoch,
                    peers: Vec::new(),
                    breakouts: breakouts.to_vec(),
                };
                self.tell(shard, room.clone(), plan);
            }
        }
    }

    fn tell(&mut self, shard: usize, room: RoomId, message: RoomToNode) {
        self.hand_over(shard, ToShard::Room { room, message });
    }

    fn hand_over(&mut self, shard: usize, message: ToShard) {
        if self.shards[shard].inbox.tell(message).is_err() {
            tracing::error!(shard, "a shard takes no messages any more");
            self.vitals.overrun(shard);
        }
    }

    /// A session that would wait for too long here.
    fn give_away(&mut self, room: &RoomId, session: SessionRef) {
        self.session_over(room, &session);
        let message = NodeToRoom::Refused {
            participant: session.participant,
            attempt: session.attempt,
            reason: RefusalReason::NoCapacity,
            message: "the node is busy".to_owned(),
        };
        self.tell_room(room.clone(), message);
    }

    /// Gives a session its seat. A shard that is new to the room is introduced to the others.
    fn seat(&mut self, room: &RoomId, session: &SessionRef) -> usize {
        let before = self.seating.shards(room);
        let shard = self.seating.sit(room, session);
        if !before.is_empty() && self.seating.shards(room) != before {
            tracing::info!(%room, shard, "room spreads");
            self.introduce(room);
        }
        shard
    }

    /// Tells each shard of a room which others there are.
    fn introduce(&mut self, room: &RoomId) {
        let shards = self.seating.shards(room);
        for shard in &shards {
            let others = shards.iter().filter(|other| *other != shard);
            let message = ToShard::Siblings {
                room: room.clone(),
                shards: others.map(|other| self.shards[*other].id).collect(),
            };
            self.hand_over(*shard, message);
        }
    }

    /// A session is over. A shard that has nobody of the room any more lets go of it.
    pub(super) fn session_over(&mut self, room: &RoomId, session: &SessionRef) {
        if let Some(empty) = self.seating.leave(room, session) {
            self.introduce(room);
            self.tell(empty, room.clone(), RoomToNode::Release);
        }
    }
}
