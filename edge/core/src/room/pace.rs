//! How much somebody may say: messages, bytes of chat, and refusals. Who is refused too often does not listen, and is
//! sent away for a while.

use std::collections::HashMap;

use protocol::client::{ErrorCode, ServerMessage};
use protocol::id::{ParticipantId, UserId};

use super::messages::Refusal;
use super::{Client, Effect, Room};
use crate::limits::{Bucket, Limit, Turns};

/// How many messages a participant may send: 60 at once, 20 a second in the long run.
const MESSAGES: Limit = Limit {
    burst: 60,
    window: 3_000,
};
/// How much chat a user may send, in bytes: some fifteen of the longest lines at once, and one in four seconds in the long
/// run. Messages alone would let one user write 7 GB in a day.
const CHAT: Limit = Limit {
    burst: 64_000,
    window: 60_000,
};
/// What a line takes beside its text, in bytes: names, ids and indexes.
const LINE: u32 = 250;
/// How many messages of a participant are refused before the room hangs up. A client that waits as it is told, and one whose
/// person plays with a switch, stay far below.
const REFUSALS: Limit = Limit {
    burst: 200,
    window: 60_000,
};
/// For how long somebody is sent away, in milliseconds: less than a lost connection keeps its place.
const AWAY: u64 = 10_000;

/// What a participant has left. It is in memory only.
pub(super) struct Pace {
    messages: Turns,
    refusals: Bucket,
    /// Until when the participant is sent away.
    away_until: u64,
}

/// What users have left to write.
#[derive(Default)]
pub(super) struct Writing(HashMap<UserId, Turns>);

impl Room {
    /// Whether this participant may send another message.
    pub(super) fn may_speak(&mut self, id: &ParticipantId, now: u64) -> Result<(), Refusal> {
        let taken = self.pace(id, now).messages.take(1, MESSAGES, now);
        taken.map_err(|wait| too_soon("too many messages: wait and send again", wait))
    }

    /// Whether this user may write so much more.
    pub(super) fn may_write(&mut self, user: &UserId, text: &str, now: u64) -> Result<(), Refusal> {
        let writing = &mut self.writing.0;
        if !writing.contains_key(user) {
            // Whoever has not written for a while need not be remembered.
            writing.retain(|_, bucket| !bucket.is_full(CHAT, now));
        }
        let bucket = writing
            .entry(user.clone())
            .or_insert_with(|| Turns::full(CHAT, now));
        let taken = bucket.take(text.len() as u32 + LINE, CHAT, now);
        taken.map_err(|wait| too_soon("too much chat: wait and send again", wait))
    }

    /// A message was refused: who goes on regardless is sent away.
    pub(super) fn note_refusal(&mut self, client: &Client, now: u64, out: &mut Vec<Effect>) {
        let pace = self.pace(&client.participant, now);
        if pace.refusals.take(REFUSALS, now).is_err() {
            pace.away_until = now + AWAY;
            out.push(Effect::Send {
                client: client.clone(),
                message: ServerMessage::Wait { ms: AWAY as u32 },
            });
            out.push(Effect::SendAway {
                client: client.clone(),
            });
        }
    }

    /// For how many milliseconds more this participant is sent away.
    pub(super) fn away(&self, id: &ParticipantId, now: u64) -> Option<u64> {
        let until = self.paces.get(id)?.away_until;
        (until > now).then(|| until - now)
    }

    fn pace(&mut self, id: &ParticipantId, now: u64) -> &mut Pace {
        self.paces.entry(id.clone()).or_insert_with(|| Pace {
            messages: Turns::full(MESSAGES, now),
            refusals: Bucket::full(REFUSALS, now),
            away_until: 0,
        })
    }
}

fn too_soon(message: &'static str, wait: u64) -> Refusal {
    Refusal {
        retry_after: Some(wait),
        ..Refusal::new(ErrorCode::RateLimited, message)
    }
}
