//! A node whose link to the room is lost may have lost no more than that, and forward media as before; or it is dead. Those
//! whose media it has know at once: they are asked. Without their word, it has a moment to come back.

use std::collections::{BTreeSet, HashMap};

use protocol::client::ServerMessage;
use protocol::id::{Attempt, NodeId, ParticipantId, UserId};

use super::people::SessionState;
use super::{Effect, Room};

/// So many users must say that nothing comes, or all who were asked: what one says may be its own network's doing, and
/// however many pages one has, it is one voice.
const ENOUGH: usize = 2;

/// Nodes without a link, and what those say who were asked about them.
#[derive(Default)]
pub(super) struct Doubts(HashMap<NodeId, Doubt>);

#[derive(Default)]
struct Doubt {
    /// Whose media was asked about. Nobody else has a say: not who comes later, nor whose media was never up.
    asked: HashMap<(ParticipantId, Attempt), UserId>,
    /// To whom nothing comes.
    said: BTreeSet<UserId>,
}

impl Doubts {
    /// The node is heard of again, or the room leaves it.
    pub(super) fn end(&mut self, node: &NodeId) {
        self.0.remove(node);
    }
}

impl Doubt {
    /// Takes somebody's word; returns whether there are enough by now.
    fn hear(&mut self, participant: &ParticipantId, attempt: Attempt) -> bool {
        let Some(user) = self.asked.get(&(participant.clone(), attempt)) else {
            return false;
        };
        self.said.insert(user.clone());
        let users: BTreeSet<&UserId> = self.asked.values().collect();
        self.said.len() >= users.len().min(ENOUGH)
    }
}

impl Room {
    /// A node's link is lost: asks its people whether media comes.
    pub(super) fn doubt(&mut self, node: &NodeId, out: &mut Vec<Effect>) {
        let mut doubt = Doubt::default();
        for (participant, attempt, user) in self.connected_at(node) {
            self.send(&participant, ServerMessage::CheckMedia { attempt }, out);
            doubt.asked.insert((participant, attempt), user);
        }
        self.doubts.0.insert(node.clone(), doubt);
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
        let doubt = self.doubts.0.get_mut(&node);
        if doubt.is_some_and(|doubt| doubt.hear(participant, attempt)) {
            self.drop_node(&node, "the media node is gone", out);
        }
    }

    fn connected_at(&self, node: &NodeId) -> Vec<(ParticipantId, Attempt, UserId)> {
        let people = self.people.values().filter(|person| {
            let state = person.session.map(|session| session.state);
            person.node.as_ref() == Some(node)
                && person.is_here()
                && state == Some(SessionState::Connected)
        });
        let named = people.filter_map(|person| {
            let (id, user) = (person.id.clone(), person.user.clone());
            Some((id, person.live_attempt()?, user))
        });
        named.collect()
    }
}
