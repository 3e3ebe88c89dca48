//! The rooms that are placed on this node, and their links to the edge.

use std::sync::Arc;

use protocol::id::{Epoch, RoomId};
use protocol::node::{NodeToRoom, RoomToNode, VERSION};
use sfu_core::Retelling;
use tokio::time::timeout;

use super::{Event, FAREWELL, Node, inbox};
use crate::control::{Greeting, Link, LinkEvent};
use crate::ledger::What;
use crate::metrics;

/// A room that was placed on this node.
pub(super) struct OpenRoom {
    epoch: Epoch,
    pub(super) link: Link<NodeToRoom>,
}

impl Node {
    pub(super) fn open_room(&mut self, room: RoomId, epoch: Epoch) {
        if self
            .rooms
            .get(&room)
            .is_some_and(|open| open.epoch >= epoch)
        {
            return;
        }
        tracing::info!(%room, epoch = epoch.0, "room opened");
        let link = self.open_room_link(&room, epoch);
        // A link of an older epoch ends here; the room itself goes on.
        self.rooms.insert(room, OpenRoom { epoch, link });
        metrics::room_links(self.rooms.len());
    }

    fn open_room_link(&mut self, room: &RoomId, epoch: Epoch) -> Link<NodeToRoom> {
        let home = &self.shards[self.seating.open(room)];
        let doors = self.shards.iter().map(|place| place.inbox.door());
        let doors: Arc<[_]> = doors.collect();
        let (quic, fingerprint) = (home.quic_address.clone(), home.id.to_string());
        let asked = room.clone();
        let greet = move || {
            let (doors, room) = (doors.clone(), asked.clone());
            let (quic, fingerprint) = (quic.clone(), fingerprint.clone());
            async move {
                let Retelling { sessions, words } = inbox::retell(&room, &doors).await;
                let ready = NodeToRoom::Ready {
                    version: VERSION,
                    quic,
                    fingerprint,
                    sessions,
                };
                Greeting {
                    first: ready,
                    then: words,
                }
            }
        };
        let path = format!("/node/rooms/{room}?epoch={}", epoch.0);
        let (events, room) = (self.events.clone(), room.clone());
        Link::open(self.edge.clone(), path, greet, move |event| {
            let (events, room) = (events.clone(), room.clone());
            async move { drop(events.send(Event::Room { room, epoch, event }).await) }
        })
    }

    pub(super) fn on_room(&mut self, room: RoomId, epoch: Epoch, event: LinkEvent<RoomToNode>) {
        // The last words of a link that has been replaced or closed are of no interest.
        if self.rooms.get(&room).is_none_or(|open| open.epoch != epoch) {
            return;
        }
        match event {
            LinkEvent::Up => self.traces.opened(&room, true),
            LinkEvent::Message(RoomToNode::Release) => self.release(room),
            LinkEvent::Message(message) => {
                self.traces.heard(&room, &message);
                if let RoomToNode::Close {
                    participant,
                    attempt,
                } = &message
                {
                    let (participant, attempt) = (participant.clone(), *attempt);
                    self.record(
                        &room,
                        What::Ended {
                            participant,
                            attempt,
                        },
                    );
                }
                self.tell_shard(room, message);
            }
            LinkEvent::Down => metrics::link_lost("room"),
            LinkEvent::Refused(status) => {
                metrics::link_refused("room", status);
                // Not allowed, no such room, an old epoch, a room that is over: dialing again will not help.
                if matches!(status, 403 | 404 | 409 | 410) {
                    tracing::info!(%room, epoch = epoch.0, status, "room refused");
                    self.release(room);
                }
            }
        }
    }

    pub(super) fn release(&mut self, room: RoomId) {
        let Some(open) = self.rooms.remove(&room) else {
            return;
        };
        self.traces.opened(&room, false);
        self.traces.heard(&room, &RoomToNode::Release);
        tracing::info!(%room, epoch = open.epoch.0, "room released");
        metrics::room_links(self.rooms.len());
        self.record(&room, What::Released);
        self.tell_shard(room, RoomToNode::Release);
        tokio::spawn(timeout(FAREWELL, open.link.close()));
    }

    pub(super) fn tell_room(&mut self, room: RoomId, message: NodeToRoom) {
        self.traces.told(&room, &message);
        match &message {
            NodeToRoom::Connected {
                participant,
                attempt,
            } => self.record(
                &room,
                What::Started {
                    participant: participant.clone(),
                    attempt: *attempt,
                },
            ),
            NodeToRoom::Disconnected {
                participant,
                attempt,
            } => self.record(
                &room,
                What::Ended {
                    participant: participant.clone(),
                    attempt: *attempt,
                },
            ),
            _ => {}
        }
        let Some(open) = self.rooms.get(&room) else {
            return;
        };
        if let Err(error) = open.link.send(message) {
            tracing::warn!(%room, %error, "a message to a room was lost");
        }
    }
}
