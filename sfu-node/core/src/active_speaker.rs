//! Who speaks now, as people see it: a ring around a tile, and the order of videos. Slower to change than who is heard.

use std::hash::Hash;
use std::time::{Duration, Instant};

use crate::loudest::Loudest;

/// Loudness, in dB above silence, from which somebody speaks: below lie breath, keys and a fan (RFC 6464: -50 dBov).
const SPEECH: f32 = 77.0;
/// A speaker who pauses for longer than this speaks no more.
const PAUSE: Duration = Duration::from_millis(800);
/// Shortest time between two changes of their order alone.
const REORDER_INTERVAL: Duration = Duration::from_secs(1);
/// How much louder one must be to stand before another who speaks, in dB.
const MARGIN: f32 = 6.0;

/// Who speaks now, the loudest first.
#[derive(Debug)]
pub struct Talk<K> {
    speakers: Vec<K>,
    /// Everybody who has spoken, the latest last.
    recent: Vec<K>,
    reordered: Option<Instant>,
}

impl<K> Default for Talk<K> {
    fn default() -> Self {
        Self {
            speakers: Vec::new(),
            recent: Vec::new(),
            reordered: None,
        }
    }
}

impl<K: Copy + Eq + Ord + Hash> Talk<K> {
    /// Looks at who of those that may speak is loud now. Whether [`Talk::speakers`] has changed.
    pub fn update(&mut self, now: Instant, loud: &Loudest<K>, may: impl Fn(K) -> bool) -> bool {
        let before = self.speakers.clone();
        let speaks_on = |key: &K| {
            let spoke = loud.spoke(key);
            spoke.is_some_and(|at| now.saturating_duration_since(at) < PAUSE)
        };
        self.speakers.retain(speaks_on);
        let fresh = loud
            .scores(now)
            .filter(|(key, score)| *score >= SPEECH && speaks_on(key))
            .filter(|(key, _)| !self.speakers.contains(key));
        let mut fresh: Vec<K> = fresh.map(|(key, _)| key).filter(|key| may(*key)).collect();
        fresh.sort();
        for key in fresh {
            self.speakers.push(key);
            self.recent
                .retain(|other| *other != key && loud.knows(other));
            self.recent.push(key);
        }
        self.reorder(now, loud);
        self.speakers != before
    }

    /// One step of a bubble sort: who is clearly louder moves up by a place.
    fn reorder(&mut self, now: Instant, loud: &Loudest<K>) {
        let due = self.reordered.map_or(now, |at| at + REORDER_INTERVAL);
        if due > now {
            return;
        }
        let score = |key: &K| loud.score(now, key).unwrap_or(0.0);
        for place in (1..self.speakers.len()).rev() {
            let (a, b) = (self.speakers[place - 1], self.speakers[place]);
            if score(&b) > score(&a) + MARGIN {
                self.speakers.swap(place - 1, place);
                self.reordered = Some(now);
            }
        }
    }

    /// Who speaks now, the loudest first.
    pub fn speakers(&self) -> &[K] {
        &self.speakers
    }

    /// How lately somebody has spoken: 0 for the latest of all; `None` for who never has.
    pub fn recency(&self, key: &K) -> Option<usize> {
        self.recent.iter().rev().position(|other| other == key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::AudioLevel;

    const TICK: Duration = Duration::from_millis(20);

    struct Room {
        now: Instant,
        loud: Loudest<u8>,
        talk: Talk<u8>,
        changes: usize,
    }

    impl Room {
        fn new() -> Self {
            Self {
                now: Instant::now(),
                loud: Loudest::new(3),
                talk: Talk::default(),
                changes: 0,
            }
        }

        /// Everybody sends a packet of this many dB below the loudest in each tick.
        fn run(&mut self, ticks: u32, levels: &[(u8, u8)]) -> Vec<u8> {
            for _ in 0..ticks {
                self.now += TICK;
                for (key, dbov) in levels {
                    let level = AudioLevel {
                        dbov: *dbov,
                        voice: true,
                    };
                    self.loud.level(self.now, *key, level);
                }
                self.changes += usize::from(self.talk.update(self.now, &self.loud, |_| true));
            }
            self.talk.speakers().to_vec()
        }
    }

    #[test]
    fn a_voice_is_noticed_within_a_fifth_of_a_second_and_its_end_within_one() {
        let mut room = Room::new();
        assert!(room.run(50, &[(1, 127), (2, 80)]).is_empty());
        assert_eq!(room.run(10, &[(1, 25), (2, 80)]), [1]);
        assert_eq!(room.run(100, &[(1, 25), (2, 80)]), [1]);
        assert_eq!(room.run(30, &[(1, 127), (2, 80)]), [1], "a pause");
        assert!(room.run(20, &[(1, 127), (2, 80)]).is_empty());
        assert_eq!(room.changes, 2);
    }

    #[test]
    fn the_loudest_comes_first_without_flutter() {
        let mut room = Room::new();
        room.run(50, &[(1, 35), (2, 32)]);
        let changes = room.changes;
        for _ in 0..50 {
            room.run(10, &[(1, 35), (2, 32)]);
            room.run(10, &[(1, 32), (2, 35)]);
        }
        assert_eq!(room.changes, changes);
        assert_eq!(room.run(50, &[(1, 45), (2, 20)]), [2, 1]);
    }

    #[test]
    fn a_click_is_no_speech() {
        let mut room = Room::new();
        room.run(50, &[(1, 90)]);
        assert!(room.run(1, &[(1, 10)]).is_empty());
        assert!(room.run(50, &[(1, 90)]).is_empty());
    }

    #[test]
    fn the_latest_to_speak_is_remembered() {
        let mut room = Room::new();
        room.run(20, &[(1, 20), (2, 127)]);
        room.run(60, &[(1, 127), (2, 20)]);
        assert_eq!(
            [1, 2, 3].map(|key| room.talk.recency(&key)),
            [Some(1), Some(0), None]
        );
    }
}
