//! How everybody's media travels: told to all clients every few seconds, and from node to node along the way of the announcements.
//! The room's Durable Object hears nothing of it, and sleeps.

use std::collections::{BTreeMap, HashSet};
use std::time::Instant;

use protocol::cascade::CascadeMessage;
use protocol::client::{NodeMediaMessage, ParticipantQuality, Quality};
use protocol::id::ParticipantId;

use super::catalog::MAX_HOPS;
use super::deadlines::Deadline;
use super::peers::Ring;
use super::quality::INTERVAL;
use super::{Context, Room};
use crate::io::PeerId;

/// How many participants a client is told of: more than a page shows.
const MOST: usize = 50;
/// How many a message between nodes tells of: it stays well below the longest.
const MOST_PER_MESSAGE: usize = 100;
/// How many of other nodes are remembered.
const MOST_ELSEWHERE: usize = 2_000;
/// After how many intervals without news somebody elsewhere is told of no more.
const PATIENCE: u32 = 3;

/// What is known of those who are at other nodes and shards.
#[derive(Debug, Default)]
pub(super) struct Elsewhere(BTreeMap<ParticipantId, Told>);

#[derive(Debug)]
struct Told {
    quality: Quality,
    /// Where it was learned from.
    ring: Ring,
    hops: u8,
    at: Instant,
    /// Whether it was passed on already.
    passed_on: bool,
}

impl Elsewhere {
    fn learn(&mut self, participant: ParticipantId, told: Told) {
        let room = self.0.len() < MOST_ELSEWHERE;
        match self.0.get_mut(&participant) {
            // By a longer way comes what is older.
            Some(known) if told.hops <= known.hops || known.is_old(told.at) => *known = told,
            None if room => {
                self.0.insert(participant, told);
            }
            _ => {}
        }
    }
}

impl Told {
    fn is_old(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.at) > INTERVAL * PATIENCE
    }
}

impl Room {
    /// Another node or shard tells how the media of people there travels, or of those behind it.
    pub fn heard_qualities(
        &mut self,
        cx: &mut Context<'_>,
        peer: PeerId,
        participants: Vec<ParticipantQuality>,
        hops: u8,
    ) {
        let Some(ring) = self.peers.ring(peer) else {
            return;
        };
        let hops = hops.saturating_add(1);
        if hops > MAX_HOPS {
            return;
        }
        for ParticipantQuality {
            participant,
            quality,
        } in participants
        {
            let told = Told {
                quality,
                ring,
                hops,
                at: cx.now,
                passed_on: false,
            };
            self.elsewhere.learn(participant, told);
        }
        // Also where there is no member: who passes on needs none.
        self.deadlines.lower(Deadline::Qualities, cx.now + INTERVAL);
    }

    /// Tells everybody of everybody's quality.
    pub(super) fn tell_qualities(&mut self, cx: &mut Context<'_>) {
        self.elsewhere.0.retain(|_, told| !told.is_old(cx.now));
        let own = self.measured_here();
        self.tell_clients(cx, &own);
        self.tell_peers(cx, own);
        if self.subscribers().next().is_some() || !self.elsewhere.0.is_empty() {
            self.deadlines.set(Deadline::Qualities, cx.now + INTERVAL);
        }
    }

    /// Of whom nothing comes, nothing is measured.
    fn measured_here(&self) -> Vec<ParticipantQuality> {
        let members = self.members.iter().map(|(_, member)| member);
        let heard = members.filter(|member| !member.silent);
        let measured = heard.filter_map(|member| {
            Some(ParticipantQuality {
                participant: member.participant.clone(),
                quality: member.quality.latest?,
            })
        });
        measured.collect()
    }

    fn tell_clients(&self, cx: &mut Context<'_>, own: &[ParticipantQuality]) {
        let here: HashSet<&ParticipantId> = own.iter().map(|entry| &entry.participant).collect();
        let elsewhere = self.elsewhere.0.iter();
        let elsewhere = elsewhere.filter(|(participant, _)| !here.contains(participant));
        let elsewhere = elsewhere.map(|(participant, told)| ParticipantQuality {
            participant: participant.clone(),
            quality: told.quality,
        });
        let mut participants: Vec<_> = own.iter().cloned().chain(elsewhere).collect();
        if participants.is_empty() {
            return;
        }
        let publishers: HashSet<&ParticipantId> = self
            .router
            .iter()
            .map(|(_, track)| &track.id.participant)
            .collect();
        participants.sort_by_key(|entry| !publishers.contains(&entry.participant));
        participants.truncate(MOST);
        let members = self.members.iter().map(|(_, member)| member);
        let listening = members.filter(|member| member.channel_open);
        let sessions: Vec<_> = listening.map(|member| member.session).collect();
        cx.tell_all(sessions, &NodeMediaMessage::Qualities { participants });
    }

    /// What was measured here goes to all, and what was learned in one ring to the others, once.
    fn tell_peers(&mut self, cx: &mut Context<'_>, own: Vec<ParticipantQuality>) {
        // By the hops it has come, and the ring it has come from, if any.
        let mut news: BTreeMap<(u8, Option<Ring>), Vec<ParticipantQuality>> = BTreeMap::new();
        news.insert((0, None), own);
        let learned = self.elsewhere.0.iter_mut();
        for (participant, told) in learned.filter(|(_, told)| !told.passed_on) {
            told.passed_on = true;
            let group = news.entry((told.hops, Some(told.ring))).or_default();
            group.push(ParticipantQuality {
                participant: participant.clone(),
                quality: told.quality,
            });
        }
        for ((hops, from), participants) in &news {
            for (peer, ring) in self.peers.iter() {
                if *from == Some(ring) || !cx.relay.shares(peer, &self.id) {
                    continue;
                }
                for participants in participants.chunks(MOST_PER_MESSAGE) {
                    let message = CascadeMessage::Qualities {
                        room: self.id.clone(),
                        participants: participants.to_vec(),
                        hops: *hops,
                    };
                    cx.tell_peer(peer, message);
                }
            }
        }
    }
}
