//! Placement: which node has whose media, and the search for one.

use std::collections::BTreeSet;

use protocol::client::{ErrorCode, RoomEvent, ServerMessage};
use protocol::id::{Epoch, NodeId, ParticipantId, Region};

use super::nodes::Placed;
use super::record::Record;
use super::{Effect, Room, Search};

/// After how long a node is sought again when there was none, in milliseconds.
pub(super) const RETRY: u64 = 1_000;
/// After how long a region that does not know its nodes yet is asked again, and for how long somebody waits for it before
/// another region serves, in milliseconds. A node dials again within a second of a restart; a path across the world is
/// there for the whole session.
const ASK_AGAIN: u64 = 250;
const PATIENCE: u64 = 2_000;

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
        let waits_since = self.unsure.get(&participant);
        let patient = waits_since.is_none_or(|since| now < since + PATIENCE);
        self.retries.remove(&participant);
        self.info.epoch.0 += 1;
        out.push(Effect::Save(Record::Info(self.info.clone())));
        // A node whose link is broken for a moment is among them: told to open the room anew, it would drop its sessions.
        let placed: Vec<NodeId> = self.nodes.keys().cloned().collect();
        self.seeking = Some(Search {
            participant: participant.clone(),
            epoch: self.info.epoch,
            placed: placed.clone(),
        });
        let avoid = self.avoid.get(&participant).cloned().into_iter();
        let avoid: BTreeSet<NodeId> = avoid.chain(self.questions.shunned(now)).collect();
        let given_up = avoid.iter().filter(|node| !self.missed.contains(*node));
        let given_up: Vec<NodeId> = given_up.cloned().collect();
        let trail = self.trails.get(&participant).cloned();
        out.push(Effect::Seek {
            trail,
            regions,
            epoch: self.info.epoch,
            placed,
            avoid: avoid.into_iter().collect(),
            given_up,
            participant,
            patient,
        });
    }

    /// A region that should have the media of this person does not know its nodes yet: it is asked again soon.
    pub(super) fn not_known_yet(&mut self, participant: ParticipantId, epoch: Epoch, now: u64) {
        self.take_search(&participant, epoch);
        if self.people.contains_key(&participant) {
            self.unsure.entry(participant.clone()).or_insert(now);
            self.retries.insert(participant, now + ASK_AGAIN);
        }
    }

    /// The search that is answered now.
    fn take_search(&mut self, participant: &ParticipantId, epoch: Epoch) -> Option<Search> {
        let answered =
            |search: &mut Search| search.participant == *participant && search.epoch == epoch;
        self.seeking.take_if(answered)
    }

    pub(super) fn found(
        &mut self,
        participant: ParticipantId,
        epoch: Epoch,
        node: Option<(NodeId, Region)>,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let search = self.take_search(&participant, epoch);
        let Some(person) = self.people.get_mut(&participant) else {
            return;
        };
        let Some((node, region)) = node else {
            self.retries.insert(participant.clone(), now + RETRY);
            return self.tell_no_node(&participant, out);
        };
        // The room left the node during the search, so the node was not told to open it: the next search tells it.
        if !self.nodes.contains_key(&node)
            && search.is_some_and(|search| search.placed.contains(&node))
        {
            return;
        }
        self.avoid.remove(&participant);
        if self.unsure.remove(&participant).is_some() && person.regions.first() != Some(&region) {
            self.astray.insert(participant.clone());
        }
        person.node = Some(node.clone());
        let moved = person.region.as_ref() != Some(&region);
        person.region = Some(region.clone());
        let visible = person.is_in();
        self.save_person(&participant, out);
        let placed = self
            .nodes
            .entry(node.clone())
            .or_insert_with(|| Placed::awaited(node.clone(), region.clone(), epoch, now));
        placed.release_at = None;
        self.save_placed(&node, out);
        if moved && visible {
            let event = RoomEvent::Placed {
                participant: participant.clone(),
                region,
            };
            self.happen(event, None, now, out);
        }
        self.forward(&participant, now, out);
    }

    /// Somebody is told, once, that nothing can have their media for now.
    pub(super) fn tell_no_node(&mut self, participant: &ParticipantId, out: &mut Vec<Effect>) {
        let person = self.people.get(participant);
        if person.is_some_and(|person| person.is_here()) && self.told.insert(participant.clone()) {
            let error = ServerMessage::Error {
                code: ErrorCode::NoNode,
                message: "no media node is available; the room keeps trying".to_owned(),
                nonce: None,
                of: None,
                retry_after_ms: None,
            };
            self.send(participant, error, out);
        }
    }

    /// Somebody who had a session elsewhere because the region did not know its nodes is sought a node anew for the next one.
    pub(super) fn bring_home(
        &mut self,
        participant: &ParticipantId,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let person = self.people.get(participant);
        let had_one = person.is_some_and(|person| person.session.is_some());
        if had_one && self.astray.remove(participant) {
            self.vacate(participant, now, out);
            self.avoid.remove(participant);
        }
    }

    /// Takes the media of a person off its node, which is not to be the next one if there is another.
    pub(super) fn displace(&mut self, participant: &ParticipantId, out: &mut Vec<Effect>) {
        self.questions.close(participant);
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

    pub(super) fn people_at(&self, node: &NodeId) -> Vec<ParticipantId> {
        self.people
            .values()
            .filter(|person| person.node.as_ref() == Some(node))
            .map(|person| person.id.clone())
            .collect()
    }
}
