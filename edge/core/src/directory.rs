//! The directory: which shard knows a room, and in which order a person's rooms are shown.

use protocol::id::RoomId;
use serde::{Deserialize, Serialize};

/// How many Durable Objects share the directory. Raising it needs a migration of the rows.
pub const SHARDS: u32 = 16;
/// How many rooms a person's list holds; the least recently visited ones fall out of it.
pub const MAX_VISITS: usize = 100;

/// The shard that knows a room (FNV-1a, so that it never changes with a library).
pub fn shard_of(room: &RoomId) -> u32 {
    let hash = room.as_str().bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    hash % SHARDS
}

/// A new room's id, four words of two syllables, out of a uniform random number: 50 bits, too many to guess and few
/// enough to say on the telephone.
pub fn speakable(random: u64) -> String {
    const CONSONANTS: &[u8; 16] = b"bdfghjklmnprstvz";
    const VOWELS: &[u8; 5] = b"aeiou";
    let mut rest = random;
    let mut draw = |letters: &[u8]| {
        let letter = letters[(rest % letters.len() as u64) as usize];
        rest /= letters.len() as u64;
        char::from(letter)
    };
    let mut id = String::new();
    for syllable in 0..8 {
        if syllable > 0 && syllable % 2 == 0 {
            id.push('-');
        }
        id.push(draw(CONSONANTS));
        id.push(draw(VOWELS));
    }
    id
}

/// That somebody created or joined a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    pub room: RoomId,
    /// Unix time in milliseconds.
    pub at: u64,
}

/// Notes a visit, the latest first, and returns the rooms that fall out of the list.
pub fn note_visit(visits: &mut Vec<Visit>, visit: Visit) -> Vec<RoomId> {
    visits.retain(|known| known.room != visit.room);
    visits.push(visit);
    visits.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.room.cmp(&b.room)));
    let keep = visits.len().min(MAX_VISITS);
    visits
        .split_off(keep)
        .into_iter()
        .map(|old| old.room)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str) -> RoomId {
        name.parse().unwrap()
    }

    #[test]
    fn a_room_has_the_same_shard_for_good() {
        assert_eq!(
            shard_of(&room("bako-tuvi-remo-dasu")),
            shard_of(&room("bako-tuvi-remo-dasu"))
        );
        let used: std::collections::BTreeSet<_> = (0..200)
            .map(|i| shard_of(&room(&format!("room-{i}"))))
            .collect();
        assert_eq!(used.len() as u32, SHARDS);
    }

    #[test]
    fn an_id_is_speakable() {
        assert_eq!(speakable(0), "baba-baba-baba-baba");
        for random in [1, 80, u64::MAX, 0x0123_4567_89ab_cdef] {
            let id: RoomId = speakable(random).parse().unwrap();
            assert_eq!(id.as_str().len(), 19);
        }
        assert_ne!(speakable(79), speakable(80));
    }

    #[test]
    fn the_latest_visit_comes_first_and_the_oldest_falls_out() {
        let mut visits = Vec::new();
        for at in 0..MAX_VISITS as u64 {
            let gone = note_visit(
                &mut visits,
                Visit {
                    room: room(&format!("r{at}")),
                    at,
                },
            );
            assert!(gone.is_empty());
        }
        assert!(
            note_visit(
                &mut visits,
                Visit {
                    room: room("r0"),
                    at: 1000
                }
            )
            .is_empty()
        );
        assert_eq!(visits[0].room, room("r0"));
        let gone = note_visit(
            &mut visits,
            Visit {
                room: room("new"),
                at: 1001,
            },
        );
        assert_eq!(gone, [room("r1")]);
    }
}
