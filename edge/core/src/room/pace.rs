//! How much somebody may say: messages, their bytes, offers, deeds, decisions about all, bytes of chat, and refusals. Who is refused too often does not listen,
//! and is sent away for a while; so is, much sooner, who sends what is no message at all.

use std::collections::HashMap;

use protocol::client::{MAX_MESSAGE_BYTES, ServerMessage};
use protocol::id::{ParticipantId, UserId};

use super::contract::Excess;
use super::{Client, Effect, Room};
use crate::conduct::NONSENSE;
use crate::limits::{Limit, Turns};
use crate::refusal::Refusal;

/// How many messages a participant may send: 60 at once, 20 a second in the long run.
pub const MESSAGES: Limit = Limit {
    burst: 60,
    window: 3_000,
};
/// How many bytes: four of the longest messages at once, and 64 kB a second in the long run. An offer has some 10 kB.
const BYTES: Limit = Limit {
    burst: 4 * MAX_MESSAGE_BYTES as u32,
    window: 16_000,
};
/// How many offers: 20 at once, one in 1.5 s in the long run. A client offers a few times in a call, and the answer may be many
/// times as long as its offer.
const OFFERS: Limit = Limit {
    burst: 20,
    window: 30_000,
};
/// How often somebody may decide about all at once: everybody is told of everybody.
const SWEEPS: Limit = Limit {
    burst: 5,
    window: 10_000,
};
/// How many deeds that everybody is told of, beside chat: 30 at once, one in 2 s in the long run.
const DEEDS: Limit = Limit {
    burst: 30,
    window: 60_000,
};
/// How many pages of the history: 20 at once, one a second in the long run. A page may have 400 kB.
pub const PAGES: Limit = Limit {
    burst: 20,
    window: 20_000,
};
/// How often a room tells that somebody types. Each goes to everybody.
const TYPING: Limit = Limit {
    burst: 10,
    window: 10_000,
};
/// How many updates of the shared notes: 40 at once, five a second in the long run; and their bytes, as they are sent.
const NOTES: Limit = Limit {
    burst: 40,
    window: 8_000,
};
const NOTES_BYTES: Limit = Limit {
    burst: 384 * 1024,
    window: 120_000,
};
/// How often the others are told where somebody is in the notes.
const POINTERS: Limit = Limit {
    burst: 10,
    window: 3_000,
};
/// How many reactions: 10 at once, one a second in the long run.
const REACTIONS: Limit = Limit {
    burst: 10,
    window: 10_000,
};
/// How many reactions a room shows of all together: 50 at once, ten a second in the long run. Each goes to everybody, and no
/// page shows more.
const ALL_REACTIONS: Limit = Limit {
    burst: 50,
    window: 5_000,
};
/// How much data a room carries from its owner's programs to its people: 30 messages at once, ten a second in the long run; and
/// their bytes. Each goes to everybody.
pub const DATA: Limit = Limit {
    burst: 30,
    window: 3_000,
};
const DATA_BYTES: Limit = Limit {
    burst: 256 * 1024,
    window: 16_000,
};
/// How many passwords of a room one may set: each is a hash, which is a lot of work.
const HASHES: Limit = Limit {
    burst: 5,
    window: 60_000,
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
    bytes: Turns,
    offers: Turns,
    sweeps: Turns,
    deeds: Turns,
    pages: Turns,
    reactions: Turns,
    notes: Turns,
    notes_bytes: Turns,
    pointers: Turns,
    hashes: Turns,
    refusals: Turns,
    nonsense: Turns,
    /// Until when the participant is sent away.
    away_until: u64,
}

/// What users have left to write.
#[derive(Default)]
pub(super) struct Writing {
    users: HashMap<UserId, Turns>,
    /// How often it may still be told that somebody types.
    typing: Option<Turns>,
    /// How many reactions may still be shown.
    reactions: Option<Turns>,
    /// How often the chat may still be taken along, a part at a time.
    exports: Option<Turns>,
    /// How much data may still be carried: messages, and bytes.
    data: Option<[Turns; 2]>,
}

impl Room {
    /// Whether this participant may send another message, of so many bytes.
    pub(super) fn may_speak(
        &mut self,
        id: &ParticipantId,
        bytes: usize,
        now: u64,
    ) -> Result<(), Refusal> {
        let pace = self.pace(id, now);
        let taken = pace.messages.take(1, now);
        taken.map_err(|wait| Refusal::too_soon("too many messages: wait and send again", wait))?;
        let taken = pace.bytes.take(bytes as u32, now);
        taken.map_err(|wait| Refusal::too_soon("too many bytes: wait and send again", wait))
    }

    /// Whether this participant may have a node answer another offer.
    pub(super) fn may_offer(&mut self, id: &ParticipantId, now: u64) -> Result<(), Refusal> {
        let taken = self.pace(id, now).offers.take(1, now);
        taken.map_err(|wait| Refusal::too_soon("too many offers: wait and send again", wait))
    }

    /// Whether this participant may decide about everybody once more.
    pub(super) fn may_sweep(&mut self, id: &ParticipantId, now: u64) -> Result<(), Refusal> {
        let taken = self.pace(id, now).sweeps.take(1, now);
        taken.map_err(|wait| {
            Refusal::too_soon(
                "too often for everybody at once: wait and do it again",
                wait,
            )
        })
    }

    /// Whether this participant may have another password hashed.
    pub(super) fn may_hash(&mut self, id: &ParticipantId, now: u64) -> Result<(), Refusal> {
        let taken = self.pace(id, now).hashes.take(1, now);
        taken.map_err(|wait| Refusal::too_soon("too many passwords: wait and send again", wait))
    }

    /// Whether this participant may do another thing that everybody is told of.
    pub(super) fn may_act(&mut self, id: &ParticipantId, now: u64) -> Result<(), Refusal> {
        let taken = self.pace(id, now).deeds.take(1, now);
        taken.map_err(|wait| Refusal::too_soon("too much at once: wait and try again", wait))
    }

    /// Whether this participant may have another page of the history.
    pub(super) fn may_page(&mut self, id: &ParticipantId, now: u64) -> Result<(), Refusal> {
        let taken = self.pace(id, now).pages.take(1, now);
        taken.map_err(|wait| Refusal::too_soon("too much of the history: wait and ask again", wait))
    }

    /// Whether everybody is told that somebody types. That it is not is no news to anybody.
    pub(super) fn may_type(&mut self, now: u64) -> bool {
        let typing = &mut self.writing.typing;
        let typing = typing.get_or_insert_with(|| Turns::full(TYPING, now));
        typing.take(1, now).is_ok()
    }

    /// Whether a part of the chat may be taken along; if not, the milliseconds until one may.
    pub(super) fn may_take_along(&mut self, now: u64) -> Result<(), u64> {
        let exports = &mut self.writing.exports;
        let exports = exports.get_or_insert_with(|| Turns::full(PAGES, now));
        exports.take(1, now)
    }

    /// Whether the room may carry so many bytes of data; if not, the milliseconds until it may.
    pub(super) fn may_carry_data(&mut self, bytes: usize, now: u64) -> Result<(), u64> {
        let data = &mut self.writing.data;
        let [messages, all_bytes] =
            data.get_or_insert_with(|| [Turns::full(DATA, now), Turns::full(DATA_BYTES, now)]);
        messages.take(1, now)?;
        all_bytes.take(bytes as u32, now)
    }

    /// Whether this participant may show another reaction.
    pub(super) fn may_react(&mut self, id: &ParticipantId, now: u64) -> Result<(), Refusal> {
        let taken = self.pace(id, now).reactions.take(1, now);
        let all = &mut self.writing.reactions;
        let all = all.get_or_insert_with(|| Turns::full(ALL_REACTIONS, now));
        let taken = taken.and_then(|()| all.take(1, now));
        taken.map_err(|wait| Refusal::too_soon("too many reactions: wait a moment", wait))
    }

    /// Whether this participant may write so many bytes more in the notes.
    pub(super) fn may_note(
        &mut self,
        id: &ParticipantId,
        bytes: usize,
        now: u64,
    ) -> Result<(), Refusal> {
        let pace = self.pace(id, now);
        let taken = pace.notes.take(1, now);
        let taken = taken.and_then(|()| pace.notes_bytes.take(bytes as u32, now));
        taken.map_err(|wait| Refusal::too_soon("too much in the notes: wait and send again", wait))
    }

    /// Whether the others are told where this participant is. That they are not is no news to anybody.
    pub(super) fn may_point(&mut self, id: &ParticipantId, now: u64) -> bool {
        self.pace(id, now).pointers.take(1, now).is_ok()
    }

    /// Whether this user may write so much more, or change something in the chat.
    pub(super) fn may_write(&mut self, user: &UserId, text: &str, now: u64) -> Result<(), Refusal> {
        let writing = &mut self.writing.users;
        if !writing.contains_key(user) {
            // Whoever has not written for a while need not be remembered.
            writing.retain(|_, bucket| !bucket.is_full(now));
        }
        let bucket = writing
            .entry(user.clone())
            .or_insert_with(|| Turns::full(CHAT, now));
        let taken = bucket.take(text.len() as u32 + LINE, now);
        taken.map_err(|wait| Refusal::too_soon("too much chat: wait and send again", wait))
    }

    /// A message is refused: whether that was once too often.
    pub(super) fn exceeds(
        &mut self,
        id: &ParticipantId,
        refusal: &Refusal,
        now: u64,
    ) -> Option<Excess> {
        let pace = self.pace(id, now);
        if refusal.is_nonsense && pace.nonsense.take(1, now).is_err() {
            return Some(Excess::Nonsense);
        }
        let heeded = pace.refusals.take(1, now).is_ok();
        (!heeded).then_some(Excess::Messages)
    }

    /// Hangs up on somebody, and keeps them out for a while. The WebSocket is over here and now: its end may be long in coming.
    pub(super) fn send_away(
        &mut self,
        client: Client,
        excess: Excess,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        self.pace(&client.participant, now).away_until = now + AWAY;
        out.push(Effect::Send {
            client: client.clone(),
            message: ServerMessage::Wait { ms: AWAY as u32 },
        });
        self.client_closed(&client, now, out);
        out.push(Effect::SendAway { client, excess });
    }

    /// For how many milliseconds more this participant is sent away.
    pub(super) fn away(&self, id: &ParticipantId, now: u64) -> Option<u64> {
        let until = self.paces.get(id)?.away_until;
        (until > now).then(|| until - now)
    }

    fn pace(&mut self, id: &ParticipantId, now: u64) -> &mut Pace {
        self.paces.entry(id.clone()).or_insert_with(|| Pace {
            messages: Turns::full(MESSAGES, now),
            bytes: Turns::full(BYTES, now),
            offers: Turns::full(OFFERS, now),
            sweeps: Turns::full(SWEEPS, now),
            deeds: Turns::full(DEEDS, now),
            pages: Turns::full(PAGES, now),
            reactions: Turns::full(REACTIONS, now),
            notes: Turns::full(NOTES, now),
            notes_bytes: Turns::full(NOTES_BYTES, now),
            pointers: Turns::full(POINTERS, now),
            hashes: Turns::full(HASHES, now),
            refusals: Turns::full(REFUSALS, now),
            nonsense: Turns::full(NONSENSE, now),
            away_until: 0,
        })
    }
}
