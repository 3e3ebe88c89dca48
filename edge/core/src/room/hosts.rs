//! The nodes that have the room: their links, what they say, and what happens when one goes.

use protocol::client::ServerMessage;
use protocol::id::{Attempt, Epoch, NodeId, ParticipantId, Region};
use protocol::node::{NodeToRoom, RoomToNode, SessionRef, is_understood};

use super::record::{self, Host, Link, Reach, SessionState};
use super::{Effect, NodeLink, NotAdmitted, Room};
use crate::conduct::{Conduct, Misbehaves};

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

impl Host {
    pub(super) fn named(&self) -> NodeLink {
        NodeLink {
            node: self.node.clone(),
            epoch: self.epoch,
            link: self.link,
        }
    }

    /// A node that was chosen, and has still to open its room link.
    pub(super) fn awaited(node: NodeId, region: Region, epoch: Epoch, now: u64) -> Self {
        Self {
            node,
            region,
            epoch,
            link: 0,
            state: Link::Awaited {
                until: now + OPENING,
            },
            reach: None,
            // Until somebody is placed there.
            release_at: Some(now + RELEASE),
        }
    }
}

impl Room {
    /// As which of its links this node is admitted.
    pub fn expect_node(&self, node: &NodeId, epoch: Epoch) -> Result<NodeLink, NotAdmitted> {
        // The node may dial before the search that placed it has reported back.
        let sought = self
            .seeking
            .as_ref()
            .is_some_and(|search| search.epoch == epoch);
        let link = match self.hosts.get(node) {
            Some(host) if host.epoch == epoch || sought => host.link + 1,
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
        let host = self
            .hosts
            .entry(link.node.clone())
            .or_insert_with(|| Host::awaited(link.node.clone(), region, link.epoch, now));
        let old = host.named();
        host.epoch = link.epoch;
        host.link = link.link;
        host.state = Link::Awaited {
            until: now + OPENING,
        };
        if old.link > 0 {
            out.push(Effect::HangUpNode { link: old });
        }
        self.doubts.end(&link.node);
        self.save_host(&link.node, out);
    }

    pub(super) fn node_closed(&mut self, link: &NodeLink, now: u64, out: &mut Vec<Effect>) {
        if self.link_broken(link, now + LINK_GRACE, out) {
            self.doubt(&link.node, out);
        }
    }

    /// Notes that a link is lost; returns whether that is news. It is, too, of a link that was missed when the room awoke: what
    /// had been lost in a restart may come back, and what is closed now has not.
    fn link_broken(&mut self, link: &NodeLink, until: u64, out: &mut Vec<Effect>) -> bool {
        let Some(host) = self.hosts.get_mut(&link.node) else {
            return false;
        };
        let known = matches!(host.state, Link::Broken { until: known } if known <= until);
        if host.named() != *link || known {
            return false;
        }
        host.state = Link::Broken { until };
        self.save_host(&link.node, out);
        true
    }

    /// After a restart: nodes that had a link and have none now may come back.
    pub(super) fn miss_links(&mut self, living: &[NodeLink], now: u64, out: &mut Vec<Effect>) {
        let missed: Vec<NodeLink> = self
            .hosts
            .values()
            .filter(|host| host.state == Link::Ready)
            .map(Host::named)
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
        let host = self.hosts.get(&link.node);
        if host
            .is_none_or(|host| host.named() != *link || matches!(host.state, Link::Broken { .. }))
        {
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
                if is_understood(version) {
                    self.node_ready(link, Reach { quic, fingerprint }, &sessions, now, out);
                } else {
                    self.drop_host(&link.node, "the media node is of another version", out);
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
        let Some(host) = self.hosts.get_mut(&link.node) else {
            return;
        };
        host.state = Link::Ready;
        host.reach = Some(reach);
        self.save_host(&link.node, out);
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
                // The owner may have decided while the link was away.
                self.tell_caps(&participant, out);
                continue;
            }
            if self.is_waiting(&participant) {
                self.forward(&participant, now, out);
            } else {
                self.renegotiate(&participant, "the media node lost the session", out);
            }
        }
    }

    pub(super) fn expire_hosts(&mut self, now: u64, out: &mut Vec<Effect>) {
        let hosts = self.hosts.values();
        let lost = hosts.clone().filter(|host| match host.state {
            Link::Awaited { until } | Link::Broken { until } => until <= now,
            Link::Ready => false,
        });
        let lost: Vec<NodeId> = lost.map(|host| host.node.clone()).collect();
        let broken = |host: &&Host| matches!(host.state, Link::Broken { until } if until <= now);
        let missed: Vec<NodeId> = hosts
            .clone()
            .filter(broken)
            .map(|host| host.node.clone())
            .collect();
        let empty = hosts.filter(|host| host.release_at.is_some_and(|at| at <= now));
        let empty: Vec<NodeId> = empty.map(|host| host.node.clone()).collect();
        for node in empty.iter().chain(&lost) {
            self.drop_host(node, "the media node is gone", out);
        }
        self.missed.extend(missed);
    }

    /// The room leaves a node; whoever has media there offers anew, to another one.
    pub(super) fn drop_host(&mut self, node: &NodeId, reason: &str, out: &mut Vec<Effect>) {
        let Some(host) = self.hosts.remove(node) else {
            return;
        };
        self.conducts.remove(node);
        self.missed.remove(node);
        self.questions.forget(node);
        self.doubts.end(node);
        out.push(Effect::Erase(record::host_key(node)));
        release(&host, out);
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
            && let Some(host) = self.hosts.get_mut(node)
        {
            host.release_at = Some(now + RELEASE);
            self.save_host(node, out);
        }
    }

    pub(super) fn release_all(&mut self, out: &mut Vec<Effect>) {
        for host in std::mem::take(&mut self.hosts).into_values() {
            release(&host, out);
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

fn release(host: &Host, out: &mut Vec<Effect>) {
    if host.link > 0 && !matches!(host.state, Link::Broken { .. }) {
        out.push(Effect::Tell {
            link: host.named(),
            message: RoomToNode::Release,
        });
        out.push(Effect::HangUpNode { link: host.named() });
    }
}
