//! Placement: which node has whose media, the nodes' links, and what happens when a node goes.

use std::collections::BTreeMap;

use protocol::client::{ErrorCode, RoomEvent, ServerMessage};
use protocol::id::{Attempt, Epoch, NodeId, ParticipantId, Region};
use protocol::node::{NodeToRoom, Peer, RoomToNode, SessionRef, VERSION};

use super::record::{self, Host, Link, Reach, Record, SessionState};
use super::{Client, Effect, NodeLink, NotAdmitted, Room, Search, refuse};

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
/// After how long a node is sought again when there was none, in milliseconds.
pub(super) const RETRY: u64 = 1_000;

impl Host {
    pub(super) fn named(&self) -> NodeLink {
        NodeLink {
            node: self.node.clone(),
            epoch: self.epoch,
            link: self.link,
        }
    }
}

/// Searching for nodes.
impl Room {
    /// Starts the next search, if one is due and none is under way.
    pub(super) fn seek(&mut self, now: u64, out: &mut Vec<Effect>) {
        if self.seeking.is_some() {
            return;
        }
        let due = |id: &ParticipantId| self.retries.get(id).is_none_or(|at| *at <= now);
        let Some(person) = self
            .people
            .values()
            .find(|person| person.node.is_none() && due(&person.id))
        else {
            return;
        };
        let participant = person.id.clone();
        let regions = person.regions.clone();
        self.retries.remove(&participant);
        self.info.epoch.0 += 1;
        out.push(Effect::Save(Record::Info(self.info.clone())));
        // A node whose link is broken for a moment is among them: told to open the room anew, it would drop its sessions.
        let hosting: Vec<NodeId> = self.hosts.keys().cloned().collect();
        self.seeking = Some(Search {
            participant: participant.clone(),
            epoch: self.info.epoch,
            hosting: hosting.clone(),
        });
        out.push(Effect::Seek {
            regions,
            epoch: self.info.epoch,
            hosting,
            avoid: self.avoid.get(&participant).cloned().into_iter().collect(),
            participant,
        });
    }

    pub(super) fn found(
        &mut self,
        participant: ParticipantId,
        epoch: Epoch,
        place: Option<(NodeId, Region)>,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let answered =
            |search: &mut Search| search.participant == participant && search.epoch == epoch;
        let search = self.seeking.take_if(answered);
        let Some(person) = self.people.get_mut(&participant) else {
            return;
        };
        let Some((node, region)) = place else {
            self.retries.insert(participant.clone(), now + RETRY);
            if person.is_here() && self.told.insert(participant.clone()) {
                let client = Client {
                    participant,
                    connection: person.connection,
                };
                let message = "no media node is available; the room keeps trying";
                out.push(refuse(client, ErrorCode::NoNode, message, None));
            }
            return;
        };
        // The room left the node during the search, so the node was not told to open it: the next search tells it.
        if !self.hosts.contains_key(&node)
            && search.is_some_and(|search| search.hosting.contains(&node))
        {
            return;
        }
        self.told.remove(&participant);
        self.avoid.remove(&participant);
        person.node = Some(node.clone());
        let moved = person.region.as_ref() != Some(&region);
        person.region = Some(region.clone());
        let visible = person.is_in();
        self.save_person(&participant, out);
        let host = self
            .hosts
            .entry(node.clone())
            .or_insert_with(|| awaited(node.clone(), region.clone(), epoch, now));
        host.release_at = None;
        self.save_host(&node, out);
        if moved && visible {
            let event = RoomEvent::Placed {
                participant: participant.clone(),
                region,
            };
            self.happen(event, None, now, out);
        }
        self.forward(&participant, now, out);
    }

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
}

/// The nodes' links.
impl Room {
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
            .or_insert_with(|| awaited(link.node.clone(), region, link.epoch, now));
        let old = host.named();
        host.epoch = link.epoch;
        host.link = link.link;
        host.state = Link::Awaited {
            until: now + OPENING,
        };
        if old.link > 0 {
            out.push(Effect::HangUpNode { link: old });
        }
        self.save_host(&link.node, out);
    }

    pub(super) fn node_closed(&mut self, link: &NodeLink, now: u64, out: &mut Vec<Effect>) {
        self.link_broken(link, now + LINK_GRACE, out);
    }

    fn link_broken(&mut self, link: &NodeLink, until: u64, out: &mut Vec<Effect>) {
        if let Some(host) = self.hosts.get_mut(&link.node)
            && host.named() == *link
            && !matches!(host.state, Link::Broken { .. })
        {
            host.state = Link::Broken { until };
            self.save_host(&link.node, out);
        }
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

    pub(super) fn node_said(
        &mut self,
        link: &NodeLink,
        message: NodeToRoom,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        if self.hosts.get(&link.node).map(Host::named).as_ref() != Some(link) {
            return out.push(Effect::HangUpNode { link: link.clone() });
        }
        match message {
            NodeToRoom::Ready {
                version,
                quic,
                fingerprint,
                sessions,
            } => {
                if version == VERSION {
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
            NodeToRoom::Connected {
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
            NodeToRoom::Quality { participants } => self.measured(link, participants, now, out),
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
        let empty = hosts.filter(|host| host.release_at.is_some_and(|at| at <= now));
        let empty: Vec<NodeId> = empty.map(|host| host.node.clone()).collect();
        for node in empty.iter().chain(&lost) {
            self.drop_host(node, "the media node is gone", out);
        }
    }

    /// The room leaves a node; whoever has media there offers anew, to another one.
    fn drop_host(&mut self, node: &NodeId, reason: &str, out: &mut Vec<Effect>) {
        let Some(host) = self.hosts.remove(node) else {
            return;
        };
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

    /// Takes the media of a person off its node, which is not to be the next one if there is another.
    pub(super) fn displace(&mut self, participant: &ParticipantId, out: &mut Vec<Effect>) {
        self.answers_due.remove(participant);
        if let Some(person) = self.people.get_mut(participant) {
            if let Some(node) = person.node.take() {
                self.avoid.insert(participant.clone(), node);
            }
            self.save_person(participant, out);
        }
    }

    /// Takes the media of a person off its node, and the node out of the room if nobody else is there.
    pub(super) fn vacate(&mut self, participant: &ParticipantId, now: u64, out: &mut Vec<Effect>) {
        let person = self.people.get(participant);
        let node = person.and_then(|person| person.node.clone());
        self.displace(participant, out);
        if let Some(node) = node {
            self.release_if_empty(&node, now, out);
        }
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

    /// Tells every node which others it shares the room with: all of its own region, and a region's gateway the
    /// gateways of the other regions, too. So one copy of what is wanted crosses each pair of regions.
    fn plan(&self, out: &mut Vec<Effect>) {
        let gateways = self.gateways();
        let is_gateway = |host: &Host| gateways.get(&host.region) == Some(&&host.node);
        for host in self.hosts.values().filter(|host| host.state == Link::Ready) {
            let others = self.hosts.values().filter(|other| {
                let is_mate = other.region == host.region && other.node != host.node;
                let is_abroad = other.region != host.region;
                is_mate || is_abroad && is_gateway(host) && is_gateway(other)
            });
            let peers = others.filter_map(|other| {
                let reach = other.reach.clone()?;
                Some(Peer {
                    node: other.node.clone(),
                    region: other.region.clone(),
                    quic: reach.quic,
                    fingerprint: reach.fingerprint,
                })
            });
            out.push(Effect::Tell {
                link: host.named(),
                message: RoomToNode::Plan {
                    epoch: self.info.epoch,
                    peers: peers.collect(),
                },
            });
        }
    }

    /// Each region's gateway: of its nodes that can be reached the one with the smallest id.
    fn gateways(&self) -> BTreeMap<&Region, &NodeId> {
        let mut gateways = BTreeMap::new();
        for host in self.hosts.values().filter(|host| host.reach.is_some()) {
            gateways.entry(&host.region).or_insert(&host.node);
        }
        gateways
    }

    fn people_at(&self, node: &NodeId) -> Vec<ParticipantId> {
        self.people
            .values()
            .filter(|person| person.node.as_ref() == Some(node))
            .map(|person| person.id.clone())
            .collect()
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

fn awaited(node: NodeId, region: Region, epoch: Epoch, now: u64) -> Host {
    Host {
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

fn release(host: &Host, out: &mut Vec<Effect>) {
    if host.link > 0 && !matches!(host.state, Link::Broken { .. }) {
        out.push(Effect::Tell {
            link: host.named(),
            message: RoomToNode::Release,
        });
        out.push(Effect::HangUpNode { link: host.named() });
    }
}
