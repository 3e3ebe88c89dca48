//! Quality: what nodes measure of everybody's media, passed on to everybody now and then. It is neither logged nor stored,
//! and sets no alarm: an object that sleeps through a report misses nothing that the next one does not say.

use std::collections::BTreeMap;

use protocol::client::{Quality, ServerMessage};
use protocol::id::ParticipantId;
use protocol::node::ParticipantQuality;

use super::{Effect, NodeLink, Room};

/// How often clients are told, in milliseconds.
const EVERY: u64 = 5_000;
/// How many participants a client is told of: more than a page shows. Who sends something comes first.
const MOST: usize = 100;

/// The latest of everybody, and when it was passed on.
#[derive(Default)]
pub(super) struct Qualities {
    latest: BTreeMap<ParticipantId, Quality>,
    told: Option<u64>,
}

impl Qualities {
    pub(super) fn forget(&mut self, participant: &ParticipantId) {
        self.latest.remove(participant);
    }
}

impl Room {
    pub(super) fn measured(
        &mut self,
        link: &NodeLink,
        participants: Vec<ParticipantQuality>,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        for ParticipantQuality {
            participant,
            quality,
        } in participants
        {
            let person = self.people.get(&participant);
            // A node speaks for those alone whose media it has.
            if person.is_some_and(|person| person.node.as_ref() == Some(&link.node)) {
                self.qualities.latest.insert(participant, quality);
            }
        }
        let told = self.qualities.told;
        if self.qualities.latest.is_empty() || told.is_some_and(|told| now < told + EVERY) {
            return;
        }
        self.qualities.told = Some(now);
        out.push(Effect::Broadcast {
            except: None,
            message: ServerMessage::Quality {
                participants: self.all_qualities(),
            },
        });
    }

    fn all_qualities(&self) -> Vec<ParticipantQuality> {
        let sends = |participant: &ParticipantId| {
            let publishing = self.people.get(participant).map(|person| person.publishing);
            publishing.is_some_and(|now| now.microphone || now.camera || now.screen)
        };
        let latest = &self.qualities.latest;
        let senders = latest.iter().filter(|(participant, _)| sends(participant));
        let others = latest.iter().filter(|(participant, _)| !sends(participant));
        let chosen = senders.chain(others).take(MOST);
        chosen
            .map(|(participant, quality)| ParticipantQuality {
                participant: participant.clone(),
                quality: *quality,
            })
            .collect()
    }
}
