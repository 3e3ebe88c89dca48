//! The nodes that have the room: their links, what they say, and what happens when one goes.

mod placed;

use protocol::client::ServerMessage;
use protocol::id::{Attempt, Epoch, NodeId, ParticipantId, Region};
use protocol::node::{BREAKOUTS, NodeToRoom, RoomToNode, SessionRef, is_understood};

use super::people::{Person, SessionState};
use super::placement::RETRY;
use super::{Effect, NodeLink, NotAdmitted, Room};
use crate::conduct::{Conduct, Misbehaves};
use placed::placed_key;
pub(super) use placed::{Link, NODES, Placed, Reach};

/// How long a node may take to open its room link and be ready, in milliseconds.
const OPENING: u64 = 3_000;
/// How long a node whose room link closed may take to come back, in milliseconds. A living node needs a tenth of it;
/// every millisecond more delays the recovery from a dead one.
const LINK_GRACE: u64 = 700;
/// The same after a restart of the room's own, when all nodes come back at once. Their media flows meanwhile.
const RESTART_GRACE: u64 = 10_000;
/// How long a node without people keeps the room, in milliseconds: somebody who reloads a page finds it ready, and who
/// the node was sought for is on the way.
const RELEASE: u64 = 5_000;

/// How often the wait for a node that this room can be at is doubled: up to 32 s. A release is rolled out in minutes.
const LONGEST_WAIT: u32 = 5;

impl Room {
    /// Tells the node that has a person's media something about them, if one has.
    pub(super) fn tell_node_of(
        &self,
        id: &ParticipantId,
        message: impl FnOnce(&Person) -> RoomToNode,
        out: &mut Vec<Effect>,
    ) {
        let Some(person) = self.people.get(id).filter(|p| p.live_attempt().is_some()) else {
            return;
        };
        if let Some(placed) = person.node.as_ref().and_then(|node| self.nodes.get(node)) {
            out.push(Effect::Tell {
                link: placed.named(),
                message: message(person),
            });
        }
    }

    /// As which of its links this node is admitted.
    pub fn expect_node(&self, node: &NodeId, epoch: Epoch) -> Result<NodeLink, NotAdmitted> {
        // The node may dial before the search that placed it has reported back.
        let sought = self
            .seeking
            .as_ref()
            .is_some_and(|search| search.epoch == epoch);
        let link = match self.nodes.get(node) {
            Some(placed) if placed.epoch == epoch || sought => placed.link + 1,
            None if sought => 1,
            _ => return Err(NotAdmitted::StaleEpoch),
        };
        Ok(NodeLink {
            node: node.clone(),
            epoch,
            link,
        })
    }

    pub(super) fn node_opened(
        &mut self,
        link: NodeLink,
        region: Region,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let placed = self
            .nodes
            .entry(link.node.clone())
            .or_insert_with(|| Placed::awaited(link.node.clone(), region, link.epoch, now));
        let old = placed.named();
        placed.epoch = link.epoch;
        placed.link = link.link;
        placed.state = Link::Awaited {
            until: now + OPENING,
        };
        if old.link > 0 {
            out.push(Effect::HangUpNode { link: old });
        }
        self.doubts.end(&link.node);
        self.save_placed(&link.node, out);
    }

    pub(super) fn node_closed(&mut self, link: &NodeLink, now: u64, out: &mut Vec<Effect>) {
        if self.link_broken(link, now + LINK_GRACE, out) {
            self.doubt(&link.node, out);
        }
    }

    /// Notes that a link is lost; returns whether that is news. It is, too, of a link that was missed when the room awoke: what
    /// had been lost in a restart may come back, and what is closed now has not.
    fn link_broken(&mut self, link: &NodeLink, until: u64, out: &mut Vec<Effect>) -> bool {
        let Some(placed) = self.nodes.get_mut(&link.node) else {
            return false;
        };
        let known = matches!(placed.state, Link::Broken { until: known } if known <= until);
        if placed.named() != *link || known {
            return false;
        }
        placed.state = Link::Broken { until };
        self.save_placed(&link.node, out);
        true
    }

    /// After a restart: nodes that had a link and have none now may come back.
    pub(super) fn miss_links(&mut self, living: &[NodeLink], now: u64, out: &mut Vec<Effect>) {
        let missed: Vec<NodeLink> = self
            .nodes
            .values()
            .filter(|placed| placed.state == Link::Ready)
            .map(Placed::named)
            .filter(|link| !living.contains(link))
            .collect();
        for link in missed {
            self.link_broken(&link, now + RESTART_GRACE, out);
        }
    }

    pub(super) fn node_heard(
        &mut self,
        link: &NodeLink,
        text: &str,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let placed = self.nodes.get(&link.node);
        if placed.is_none_or(|placed| {
            placed.named() != *link || matches!(placed.state, Link::Broken { .. })
        }) {
            return out.push(Effect::HangUpNode { link: link.clone() });
        }
        let conduct = self.conducts.entry(link.node.clone());
        match conduct.or_insert_with(|| Conduct::new(now)).hear(text, now) {
            Ok(Some(message)) => self.node_said(link, message, now, out),
            Ok(None) => {}
            // It lives, and may come back.
            Err(Misbehaves) => {
                self.link_broken(link, now + LINK_GRACE, out);
                out.push(Effect::SendNodeAway { link: link.clone() });
            }
        }
    }

    /// A node is to be asked something for this person.
    pub(super) fn asks(&mut self, participant: &ParticipantId, node: &NodeId, now: u64) {
        self.questions.ask(participant, node, now);
        let conduct = self.conducts.entry(node.clone());
        conduct.or_insert_with(|| Conduct::new(now)).asked();
    }

    fn node_said(&mut self, link: &NodeLink, message: NodeToRoom, now: u64, out: &mut Vec<Effect>) {
        self.questions.heard(&link.node, now);
        match message {
            NodeToRoom::Ready {
                version,
                quic,
                fingerprint,
                sessions,
            } => {
                let breakouts = version >= BREAKOUTS;
                let has_all = breakouts || !self.breakouts.is_open();
                if is_understood(version) && has_all {
                    let reach = Reach {
                        quic,
                        fingerprint,
                        breakouts,
                    };
                    self.node_ready(link, reach, &sessions, now, out);
                } else {
                    self.turn_down(&link.node, now, out);
                }
            }
            NodeToRoom::Answer {
                participant,
                attempt,
                sdp,
            } => self.answered(link, &participant, attempt, sdp, out),
            NodeToRoom::IceRestarted {
                participant,
                attempt,
                credentials,
            } => {
                if self.has_session(link, &participant, attempt) {
                    self.questions.close(&participant);
                    let message = ServerMessage::IceRestarted {
                        attempt,
                        credentials,
                    };
                    self.send(&participant, message, out);
                }
            }
            NodeToRoom::Refused {
                participant,
                attempt,
                reason,
                message,
            } => {
                if self.has_session(link, &participant, attempt) {
                    self.refused(&participant, attempt, reason, message, now, out);
                }
            }
            // Who is heard is connected, should the word of that have been lost.
            NodeToRoom::Connected {
                participant,
                attempt,
            }
            | NodeToRoom::Heard {
                participant,
                attempt,
            } => {
                if self.has_session(link, &participant, attempt) {
                    self.connected(&participant, attempt, out);
                }
            }
            NodeToRoom::Disconnected {
                participant,
                attempt,
            } => {
                if self.has_session(link, &participant, attempt) {
                    self.renegotiate(&participant, "the media connection was lost", out);
                }
            }
            NodeToRoom::Silent {
                participant,
                attempt,
            } => {
                if self.has_session(link, &participant, attempt) {
                    self.silent(&participant, now, out);
                }
            }
            NodeToRoom::Signs { heard, silent } => self.signs(link, &heard, &silent, now, out),
        }
    }

    fn node_ready(
        &mut self,
        link: &NodeLink,
        reach: Reach,
        sessions: &[SessionRef],
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let Some(placed) = self.nodes.get_mut(&link.node) else {
            return;
        };
        placed.state = Link::Ready;
        placed.reach = Some(reach);
        self.turned_down = 0;
        self.save_placed(&link.node, out);
        self.plan(out);
        for held in sessions {
            if !self.has_session(link, &held.participant, held.attempt) {
                out.push(Effect::Tell {
                    link: link.clone(),
                    message: RoomToNode::Close {
                        participant: held.participant.clone(),
                        attempt: held.attempt,
                    },
                });
            }
        }
        for participant in self.people_at(&link.node) {
            let Some(session) = self
                .people
                .get(&participant)
                .and_then(|person| person.session)
            else {
                continue;
            };
            let held = sessions.contains(&SessionRef {
                participant: participant.clone(),
                attempt: session.attempt,
            });
            if held || session.state == SessionState::Over {
                // A moderator may have decided while the link was away.
                self.tell_caps(&participant, out);
                if self.breakouts.is_open() {
                    self.tell_subroom(&participant, out);
                }
                continue;
            }
            if self.is_waiting(&participant) {
                self.forward(&participant, now, out);
            } else {
                self.renegotiate(&participant, "the media node lost the session", out);
            }
        }
    }

    pub(super) fn expire_nodes(&mut self, now: u64, out: &mut Vec<Effect>) {
        let placed = self.nodes.values();
        let lost = placed.clone().filter(|placed| match placed.state {
            Link::Awaited { until } | Link::Broken { until } => until <= now,
            Link::Ready => false,
        });
        let lost: Vec<NodeId> = lost.map(|placed| placed.node.clone()).collect();
        let broken =
            |placed: &&Placed| matches!(placed.state, Link::Broken { until } if until <= now);
        let missed: Vec<NodeId> = placed
            .clone()
            .filter(broken)
            .map(|placed| placed.node.clone())
            .collect();
        let empty = placed.filter(|placed| placed.release_at.is_some_and(|at| at <= now));
        let empty: Vec<NodeId> = empty.map(|placed| placed.node.clone()).collect();
        for node in empty.iter().chain(&lost) {
            self.drop_node(node, "the media node is gone", out);
        }
        self.missed.extend(missed);
    }

    /// This room cannot be at a node of that release. It may be the only one there is: then it is found again, each time after
    /// twice as long.
    fn turn_down(&mut self, node: &NodeId, now: u64, out: &mut Vec<Effect>) {
        let people = self.people_at(node);
        let wait = RETRY << self.turned_down.min(LONGEST_WAIT);
        self.turned_down += 1;
        for participant in &people {
            self.retries.insert(participant.clone(), now + wait);
        }
        self.drop_node(node, "the media node is of another version", out);
        for participant in &people {
            self.tell_no_node(participant, out);
        }
    }

    /// The room leaves a node; whoever has media there offers anew, to another one.
    pub(super) fn drop_node(&mut self, node: &NodeId, reason: &str, out: &mut Vec<Effect>) {
        let Some(placed) = self.nodes.remove(node) else {
            return;
        };
        self.conducts.remove(node);
        self.missed.remove(node);
        self.questions.forget(node);
        self.doubts.end(node);
        out.push(Effect::Erase(placed_key(node)));
        release(&placed, out);
        for participant in self.people_at(node) {
            self.displace(&participant, out);
            // An offer without an answer is as good for the next node.
            if !self.is_waiting(&participant) {
                self.renegotiate(&participant, reason, out);
            }
        }
        self.plan(out);
    }

    pub(super) fn release_if_empty(&mut self, node: &NodeId, now: u64, out: &mut Vec<Effect>) {
        if self.people_at(node).is_empty()
            && let Some(placed) = self.nodes.get_mut(node)
        {
            placed.release_at = Some(now + RELEASE);
            self.save_placed(node, out);
        }
    }

    pub(super) fn release_all(&mut self, out: &mut Vec<Effect>) {
        for placed in std::mem::take(&mut self.nodes).into_values() {
            release(&placed, out);
        }
    }

    /// Whether this is the latest session of a person, at the node behind this link.
    pub(super) fn has_session(
        &self,
        link: &NodeLink,
        participant: &ParticipantId,
        attempt: Attempt,
    ) -> bool {
        self.people.get(participant).is_some_and(|person| {
            person.node.as_ref() == Some(&link.node) && person.live_attempt() == Some(attempt)
        })
    }
}

fn release(placed: &Placed, out: &mut Vec<Effect>) {
    if placed.link > 0 && !matches!(placed.state, Link::Broken { .. }) {
        out.push(Effect::Tell {
            link: placed.named(),
            message: RoomToNode::Release,
        });
        out.push(Effect::HangUpNode {
            link: placed.named(),
        });
    }
}
