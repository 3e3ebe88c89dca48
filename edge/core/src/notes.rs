//! The shared notes: which updates a room takes. What one says is read by Yjs; here it is judged.

use protocol::client::{ErrorCode, MAX_NOTES_BYTES, MAX_NOTES_UPDATE_BYTES};
use serde::Deserialize;

use crate::refusal::Refusal;

/// Most pieces of text in an update. Who types makes one, and who pastes or replaces a few.
pub const MOST_PIECES: u32 = 1_000;
/// What is put where others have written meanwhile has to be sought its place among theirs, piece by piece, by everybody and
/// each time that the notes are read. So many steps for each piece are what writing together takes; beyond that there may be
/// so many in an update, and so many in all, which take about a second.
const STEPS_OF_A_PIECE: u32 = 16;
const MOST_STEPS: u32 = 50_000;
const MOST_WORK: u64 = 1_000_000;
/// Further than this nobody needs to count the steps of an update: it is too far, of however many pieces.
pub const MOST_COUNTED: u32 = MOST_STEPS + MOST_PIECES * STEPS_OF_A_PIECE + 1;
/// How many bytes more than [`MAX_NOTES_BYTES`] may be taken by what only deletes.
const FOR_DELETING: usize = 2 * MAX_NOTES_UPDATE_BYTES;
/// Updates are joined into one when there are so many, or so many bytes of them.
const MANY: u64 = 256;
const LONG: usize = 64 * 1024;
/// Joining fewer than this makes no room.
const FEW: u64 = 16;

/// What an update says, as it is read by Yjs beside the notes that there are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Facts {
    /// Whether it is text in the notes, of one author.
    pub is_text: bool,
    /// Whose text it adds; none if it only deletes.
    pub author: Option<u32>,
    /// Which of the author's characters it adds, counted over all that they ever wrote.
    pub from: u64,
    pub to: u64,
    /// How many of them are there already.
    pub known: u64,
    /// Whether all that it names is there.
    pub is_founded: bool,
    pub deletes: bool,
    /// Of how many pieces its text is, and how many pieces of others these have to be sought their places among; that is not
    /// counted where the pieces are more than [`MOST_PIECES`], nor beyond [`MOST_COUNTED`].
    pub pieces: u32,
    pub steps: u32,
}

/// What is kept of the notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kept {
    /// The number of the latest update.
    pub latest: u64,
    /// How many updates there are beside what was joined, and the bytes of them and of all.
    pub loose: u64,
    pub loose_bytes: usize,
    pub bytes: usize,
    /// The steps that reading them takes beyond what writing together does.
    pub work: u64,
}

/// What becomes of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It says nothing new.
    Known,
    /// It is stored, and costs so many steps.
    New { work: u64 },
}

/// There was no room for an update, so the notes were written anew: everybody has to open them again.
pub fn rewritten() -> Refusal {
    let message = "the notes were full of what was deleted, and were written anew without it";
    Refusal::new(ErrorCode::NotesFull, message)
}

/// Whether an update of this author, of so many bytes, is taken.
pub fn judge(
    facts: Option<&Facts>,
    author: u32,
    bytes: usize,
    kept: &Kept,
) -> Result<Verdict, Refusal> {
    let malformed = |message| Err(Refusal::malformed(message));
    let Some(facts) = facts.filter(|facts| facts.is_text) else {
        return malformed("not an update of the notes");
    };
    if facts.author.is_some_and(|other| other != author) {
        return malformed("one writes as oneself alone");
    }
    // With a hole before it, nobody could show it.
    if facts.from > facts.known || !facts.is_founded || facts.to > u32::MAX.into() {
        return malformed("it builds on what is not here");
    }
    let adds = facts.to > facts.known;
    if !adds && !facts.deletes {
        return Ok(Verdict::Known);
    }
    let most = MAX_NOTES_BYTES + if adds { 0 } else { FOR_DELETING };
    if kept.bytes + bytes > most {
        let message = "the notes are full: delete something that nobody needs";
        return Err(Refusal::new(ErrorCode::NotesFull, message));
    }
    let free = facts.pieces.saturating_mul(STEPS_OF_A_PIECE);
    let work = u64::from(facts.steps.saturating_sub(free));
    if facts.pieces > MOST_PIECES || work > u64::from(MOST_STEPS) || kept.work + work > MOST_WORK {
        let message = "too much was written at one place meanwhile";
        return Err(Refusal::new(ErrorCode::NotesFull, message));
    }
    Ok(Verdict::New { work })
}

impl Kept {
    /// After an update of so many bytes.
    pub fn take(&mut self, bytes: usize, work: u64) {
        self.latest += 1;
        self.loose += 1;
        self.loose_bytes += bytes;
        self.bytes += bytes;
        self.work += work;
    }

    /// After all updates were joined into one of so many bytes.
    pub fn join(&mut self, bytes: usize) {
        self.loose = 0;
        self.loose_bytes = 0;
        self.bytes = bytes;
    }

    /// Whether there is room again once the text, of so many bytes, is written anew: what was deleted and how all of it came to be
    /// goes then. It interrupts who writes, so it is done only where something was refused.
    pub fn is_worn(&self, text: usize) -> bool {
        self.work > MOST_WORK / 2 || (self.bytes > MAX_NOTES_BYTES / 2 && text < self.bytes / 2)
    }

    /// Whether the updates are to be joined.
    pub fn is_loose(&self) -> bool {
        let is_full = self.bytes + MAX_NOTES_UPDATE_BYTES > MAX_NOTES_BYTES && self.loose >= FEW;
        is_full || self.loose >= MANY || self.loose_bytes >= LONG
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed() -> Facts {
        Facts {
            is_text: true,
            author: Some(7),
            from: 10,
            to: 15,
            known: 10,
            is_founded: true,
            deletes: false,
            pieces: 1,
            steps: 3,
        }
    }

    fn judged(facts: Facts, kept: &Kept) -> Result<Verdict, ErrorCode> {
        judge(Some(&facts), 7, 30, kept).map_err(|refused| refused.code)
    }

    #[test]
    fn what_follows_is_new_and_what_is_known_is_not() {
        let kept = Kept::default();
        assert_eq!(judged(typed(), &kept), Ok(Verdict::New { work: 0 }));
        let known = Facts {
            known: 15,
            ..typed()
        };
        assert_eq!(judged(known.clone(), &kept), Ok(Verdict::Known));
        let deletes = Facts {
            deletes: true,
            ..known
        };
        assert_eq!(judged(deletes, &kept), Ok(Verdict::New { work: 0 }));
    }

    #[test]
    fn nobody_writes_as_another_or_upon_what_is_not_there() {
        let as_another = Facts {
            author: Some(8),
            ..typed()
        };
        let beyond_a_hole = Facts {
            from: 11,
            ..typed()
        };
        let unfounded = Facts {
            is_founded: false,
            ..typed()
        };
        let no_text = Facts {
            is_text: false,
            ..typed()
        };
        let endless = Facts {
            to: 1 << 40,
            ..typed()
        };
        for facts in [as_another, beyond_a_hole, unfounded, no_text, endless] {
            assert_eq!(
                judged(facts.clone(), &Kept::default()),
                Err(ErrorCode::Malformed),
                "{facts:?}"
            );
        }
        let unread = judge(None, 7, 30, &Kept::default());
        assert_eq!(
            unread.map_err(|refused| refused.code),
            Err(ErrorCode::Malformed)
        );
    }

    #[test]
    fn full_notes_take_what_deletes() {
        let kept = Kept {
            bytes: MAX_NOTES_BYTES,
            ..Kept::default()
        };
        assert_eq!(judged(typed(), &kept), Err(ErrorCode::NotesFull));
        let deletes = Facts {
            author: None,
            from: 0,
            to: 0,
            known: 0,
            deletes: true,
            pieces: 0,
            steps: 0,
            ..typed()
        };
        assert_eq!(judged(deletes, &kept), Ok(Verdict::New { work: 0 }));
    }

    #[test]
    fn what_everybody_would_have_to_seek_long_for_is_counted() {
        let far = Facts {
            steps: 20_000,
            ..typed()
        };
        let mut kept = Kept::default();
        let mut taken = 0;
        while let Ok(Verdict::New { work }) = judged(far.clone(), &kept) {
            kept.take(30, work);
            taken += 1;
        }
        assert_eq!(taken, 50);
        let too_far = Facts {
            steps: 100_000,
            ..typed()
        };
        let refused = judged(too_far, &Kept::default());
        assert_eq!(refused, Err(ErrorCode::NotesFull));
        assert_eq!(judged(far, &kept), Err(ErrorCode::NotesFull));
        // Joining makes none of it cheaper, and who types goes on.
        kept.join(1_000);
        assert_eq!(judged(typed(), &kept), Ok(Verdict::New { work: 0 }));
        assert_eq!(kept.work, 999_200);
    }

    #[test]
    fn notes_are_worn_when_most_of_them_is_how_they_came_to_be() {
        let fresh = Kept::default();
        assert!(!fresh.is_worn(0));
        let cut = Kept {
            bytes: MAX_NOTES_BYTES,
            ..fresh
        };
        assert!(cut.is_worn(MAX_NOTES_BYTES / 4));
        // Nothing would be won.
        assert!(!cut.is_worn(MAX_NOTES_BYTES - 1_000));
        let sought = Kept {
            work: MOST_WORK,
            ..fresh
        };
        assert!(sought.is_worn(0));
    }

    #[test]
    fn updates_are_joined_when_they_are_many_or_long_or_the_notes_full() {
        let mut kept = Kept::default();
        for _ in 0..MANY {
            assert!(!kept.is_loose());
            kept.take(20, 0);
        }
        assert!(kept.is_loose());
        kept.join(900);
        assert!(!kept.is_loose());
        for _ in 0..2 {
            kept.take(LONG / 2, 0);
        }
        assert!(kept.is_loose());
        kept.join(MAX_NOTES_BYTES);
        assert!(!kept.is_loose());
        for _ in 0..FEW {
            kept.take(10, 0);
        }
        assert!(kept.is_loose());
        assert_eq!(kept.latest, MANY + 2 + FEW);
    }
}
