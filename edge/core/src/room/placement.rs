//! Placement: which node has whose media, and the search for one.

use protocol::client::{ErrorCode, RoomEvent};
use protocol::id::{Epoch, NodeId, ParticipantId, Region};

use super::record::{Host, Record};
use super::{Client, Effect, Room, Search, refuse};

/// After how long a node is sought again when there was none, in milliseconds.
pub(super) const RETRY: u64 = 1_000;

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
            .or_insert_with(|| Host::awaited(node.clone(), region.clone(), epoch, now));
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

    pub(super) fn people_at(&self, node: &NodeId) -> Vec<ParticipantId> {
        self.people
            .values()
            .filter(|person| person.node.as_ref() == Some(node))
            .map(|person| person.id.clone())
            .collect()
    }
}
