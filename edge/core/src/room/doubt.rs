//! A node whose link to the room is lost may have lost no more than that, and forward media as before; or it is dead. Those
//! whose media it has know at once: they are asked. Without their word, it has a moment to come back.

use std::collections::{BTreeSet, HashMap};

use protocol::client::ServerMessage;
use protocol::id::{Attempt, NodeId, ParticipantId};

use super::record::{Link, SessionState};
use super::{Effect, Room};

/// So many people must say that nothing comes, or all whose media a node has: what one says may be its own network's doing.
const ENOUGH: usize = 2;

/// Nodes without a link, and to whom no media comes from there.
#[derive(Default)]
pub(super) struct Doubts(HashMap<NodeId, BTreeSet<ParticipantId>>);

impl Doubts {
    /// The node has a link again, or the room leaves it.
    pub(super) fn end(&mut self, node: &NodeId) {
        self.0.remove(node);
    }
}

impl Room {
    /// A node's link is lost: asks its people whether media comes.
    pub(super) fn doubt(&mut self, node: &NodeId, out: &mut Vec<Effect>) {
        self.doubts.end(node);
        for (participant, attempt) in self.connected_at(node) {
            self.send(&participant, ServerMessage::CheckMedia { attempt }, out);
        }
    }

    /// A client says that media came until just now, and comes no more.
    pub(super) fn no_media(
        &mut self,
        participant: &ParticipantId,
        attempt: Attempt,
        out: &mut Vec<Effect>,
    ) {
        let person = self.people.get(participant);
        let session =
            person.and_then(|person| Some((person.node.clone()?, person.live_attempt()?)));
        let Some((node, _)) = session.filter(|(_, live)| *live == attempt) else {
            return;
        };
        let host = self.hosts.get(&node);
        if host.is_none_or(|host| !matches!(host.state, Link::Broken { .. })) {
            return;
        }
        let said = self.doubts.0.entry(node.clone()).or_default();
        said.insert(participant.clone());
        let said = said.len();
        if said >= self.connected_at(&node).len().min(ENOUGH) {
            self.drop_host(&node, "the media node is gone", out);
        }
    }

    fn connected_at(&self, node: &NodeId) -> Vec<(ParticipantId, Attempt)> {
        let people = self.people.values().filter(|person| {
            let state = person.session.map(|session| session.state);
            person.node.as_ref() == Some(node)
                && person.is_here()
                && state == Some(SessionState::Connected)
        });
        let named = people.filter_map(|person| Some((person.id.clone(), person.live_attempt()?)));
        named.collect()
    }
}
