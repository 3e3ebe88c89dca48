//! Who is heard: the loudest N of a room, chosen so that the choice does not flutter.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

use crate::packet::AudioLevel;

/// How much of the way to a louder level one packet goes: a click of one packet steals no slot, a voice has it within
/// three (60 ms).
const ATTACK: f32 = 0.4;
/// How fast a score falls, in dB per second: a pause between two words costs a speaker little.
const RELEASE: f32 = 30.0;
/// How much louder than the quietest of the chosen a newcomer must be, in dB.
const MARGIN: f32 = 6.0;
/// What a level counts less, in dB, when the sender does not take it for voice.
const NOISE: f32 = 10.0;
/// How loud a packet is, in dB above silence, that shows that somebody speaks on: quieter than what shows that he begins.
const SPOKEN: f32 = 70.0;
/// A newcomer is heard for at least this long.
const HOLD: Duration = Duration::from_millis(500);
/// Shortest time between two changes of the order alone.
const REORDER_INTERVAL: Duration = Duration::from_millis(500);
/// How often the choice is made anew: once per usual audio packet.
const INTERVAL: Duration = Duration::from_millis(20);

/// The loudest N of all candidates.
#[derive(Debug)]
pub struct Loudest<K> {
    n: usize,
    candidates: HashMap<K, Candidate>,
    /// The loudest first, as far as one is clearly louder; a newcomer takes the place of the one that goes.
    selected: Vec<Chosen<K>>,
    reordered: Option<Instant>,
    keys: Vec<K>,
    /// Somebody came or went since the last choice.
    stale: bool,
    next: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    /// dB above silence when it was last heard, from 0 to 127.
    score: f32,
    heard: Instant,
    /// When a packet was last as loud as speech.
    spoke: Option<Instant>,
}

impl Candidate {
    /// The score now: it falls with time, also when no packets come.
    fn score(&self, now: Instant) -> f32 {
        let passed = now.saturating_duration_since(self.heard).as_secs_f32();
        (self.score - RELEASE * passed).max(0.0)
    }
}

#[derive(Debug, Clone, Copy)]
struct Chosen<K> {
    key: K,
    since: Instant,
}

impl<K: Copy + Eq + Ord + Hash> Loudest<K> {
    /// Nobody yet, of whom at most `n` will be chosen.
    pub fn new(n: usize) -> Self {
        Self {
            n,
            candidates: HashMap::new(),
            selected: Vec::new(),
            reordered: None,
            keys: Vec::new(),
            stale: false,
            next: None,
        }
    }

    /// A candidate appears, silent as yet. One that is known stays as it is.
    pub fn insert(&mut self, now: Instant, key: K) {
        self.candidates.entry(key).or_insert_with(|| {
            self.stale = true;
            Candidate {
                score: 0.0,
                heard: now,
                spoke: None,
            }
        });
    }

    /// A packet of this candidate came with this level.
    pub fn level(&mut self, now: Instant, key: K, level: AudioLevel) {
        self.insert(now, key);
        let Some(candidate) = self.candidates.get_mut(&key) else {
            return;
        };
        let noise = if level.voice { 0.0 } else { NOISE };
        let loudness = (127.0 - f32::from(level.dbov.min(127)) - noise).max(0.0);
        let score = candidate.score(now);
        candidate.score = score + ATTACK * (loudness - score).max(0.0);
        candidate.heard = now;
        if loudness >= SPOKEN {
            candidate.spoke = Some(now);
        }
    }

    /// How loud everybody is now, in dB above silence.
    pub fn scores(&self, now: Instant) -> impl Iterator<Item = (K, f32)> {
        let candidates = self.candidates.iter();
        candidates.map(move |(key, candidate)| (*key, candidate.score(now)))
    }

    /// How loud somebody is now, in dB above silence.
    pub fn score(&self, now: Instant, key: &K) -> Option<f32> {
        self.candidates
            .get(key)
            .map(|candidate| candidate.score(now))
    }

    /// When somebody was last as loud as speech.
    pub fn spoke(&self, key: &K) -> Option<Instant> {
        self.candidates.get(key)?.spoke
    }

    /// Whether this is a candidate.
    pub fn knows(&self, key: &K) -> bool {
        self.candidates.contains_key(key)
    }

    /// A candidate is gone. Its place is filled at the next [`Self::update`].
    pub fn remove(&mut self, key: &K) {
        self.stale |= self.candidates.remove(key).is_some();
    }

    /// Makes the choice anew when it is time. Whether [`Self::selected`] has changed.
    pub fn update(&mut self, now: Instant) -> bool {
        if !self.stale && self.next.is_some_and(|next| now < next) {
            return false;
        }
        self.stale = false;
        self.next = Some(now + INTERVAL);
        let mut changed = self.drop_gone();
        while let Some((key, score)) = self.loudest_waiting(now) {
            let chosen = Chosen { key, since: now };
            if self.selected.len() < self.n {
                self.selected.push(chosen);
            } else if let Some(place) = self.place_for(now, score) {
                self.selected[place] = chosen;
            } else {
                break;
            }
            changed = true;
        }
        changed |= self.reorder(now);
        if changed {
            self.keys.clear();
            self.keys
                .extend(self.selected.iter().map(|chosen| chosen.key));
        }
        changed
    }

    /// Who is clearly louder moves up, past all who are clearly quieter. Whether anybody has moved.
    fn reorder(&mut self, now: Instant) -> bool {
        let due = self.reordered.is_none_or(|at| now >= at + REORDER_INTERVAL);
        if !due {
            return false;
        }
        let mut moved = false;
        for place in (1..self.selected.len()).rev() {
            let score = |place: usize| self.candidates[&self.selected[place].key].score(now);
            if score(place) > score(place - 1) + MARGIN {
                self.selected.swap(place - 1, place);
                moved = true;
            }
        }
        if moved {
            self.reordered = Some(now);
        }
        moved
    }

    /// The chosen, the loudest first; all candidates when there are no more than N.
    pub fn selected(&self) -> &[K] {
        &self.keys
    }

    fn drop_gone(&mut self) -> bool {
        let before = self.selected.len();
        self.selected
            .retain(|chosen| self.candidates.contains_key(&chosen.key));
        self.selected.len() != before
    }

    /// The loudest of those not chosen; of equals the least, so that every node chooses alike.
    fn loudest_waiting(&self, now: Instant) -> Option<(K, f32)> {
        self.candidates
            .iter()
            .filter(|(key, _)| self.selected.iter().all(|chosen| chosen.key != **key))
            .map(|(key, candidate)| (*key, candidate.score(now)))
            .max_by(louder)
    }

    /// The place of the quietest of the chosen, if it has been heard long enough and the newcomer is clearly louder.
    fn place_for(&self, now: Instant, newcomer: f32) -> Option<usize> {
        let (place, score) = self
            .selected
            .iter()
            .enumerate()
            .filter(|(_, chosen)| now.saturating_duration_since(chosen.since) >= HOLD)
            .map(|(place, chosen)| (place, self.candidates[&chosen.key].score(now)))
            .max_by(|a, b| louder(a, b).reverse())?;
        (newcomer > score + MARGIN).then_some(place)
    }
}

fn louder<K: Ord>(a: &(K, f32), b: &(K, f32)) -> Ordering {
    a.1.total_cmp(&b.1).then_with(|| b.0.cmp(&a.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(20);
    const LOUD: AudioLevel = AudioLevel {
        dbov: 20,
        voice: true,
    };
    const SOFT: AudioLevel = AudioLevel {
        dbov: 40,
        voice: true,
    };
    const SILENT: AudioLevel = AudioLevel {
        dbov: 127,
        voice: false,
    };

    /// A room in which each candidate sends a packet every 20 ms.
    struct Room {
        now: Instant,
        loudest: Loudest<u8>,
        changes: usize,
    }

    impl Room {
        fn new(n: usize) -> Self {
            Self {
                now: Instant::now(),
                loudest: Loudest::new(n),
                changes: 0,
            }
        }

        fn run(&mut self, ticks: u32, levels: &[(u8, AudioLevel)]) -> Vec<u8> {
            for _ in 0..ticks {
                self.now += TICK;
                for (key, level) in levels {
                    self.loudest.level(self.now, *key, *level);
                }
                self.changes += usize::from(self.loudest.update(self.now));
            }
            let mut selected = self.loudest.selected().to_vec();
            selected.sort();
            selected
        }
    }

    #[test]
    fn with_room_for_all_the_silent_are_chosen_too() {
        let mut room = Room::new(3);
        room.loudest.insert(room.now, 1);
        assert!(room.loudest.update(room.now));
        assert!(!room.loudest.update(room.now));
        assert_eq!(room.run(1, &[(2, SILENT), (3, SILENT)]), [1, 2, 3]);
    }

    #[test]
    fn a_voice_takes_the_quietest_place_within_a_few_packets() {
        let mut room = Room::new(2);
        room.run(50, &[(1, LOUD), (2, SILENT), (3, SILENT)]);
        let place = room.loudest.selected().iter().position(|key| *key == 2);
        assert_eq!(room.run(3, &[(1, LOUD), (2, SILENT), (3, LOUD)]), [1, 3]);
        assert_eq!(
            room.loudest.selected().iter().position(|key| *key == 3),
            place
        );
    }

    #[test]
    fn who_is_a_little_louder_takes_nothing() {
        let mut room = Room::new(1);
        room.run(100, &[(1, SOFT), (2, SILENT)]);
        let a_little = AudioLevel {
            dbov: 36,
            voice: true,
        };
        assert_eq!(room.run(500, &[(1, SOFT), (2, a_little)]), [1]);
    }

    #[test]
    fn a_pause_between_words_loses_no_place_but_the_end_of_a_speech_does() {
        let mut room = Room::new(1);
        room.run(100, &[(1, LOUD), (2, SILENT)]);
        assert_eq!(room.run(20, &[(1, SILENT), (2, SOFT)]), [1]);
        assert_eq!(room.run(30, &[(1, SILENT), (2, SOFT)]), [2]);
    }

    #[test]
    fn two_who_shout_at_each_other_do_not_flutter() {
        let mut room = Room::new(1);
        for turn in 0..100 {
            let (a, b) = if turn % 2 == 0 {
                (LOUD, SOFT)
            } else {
                (SOFT, LOUD)
            };
            room.run(10, &[(1, a), (2, b)]);
        }
        assert!(room.changes < 20, "{} changes in 20 s", room.changes);
    }

    #[test]
    fn a_click_is_not_a_voice() {
        let mut room = Room::new(1);
        let talk = AudioLevel {
            dbov: 60,
            voice: true,
        };
        room.run(100, &[(1, talk), (2, SILENT)]);
        assert_eq!(room.run(1, &[(1, talk), (2, LOUD)]), [1]);
        assert_eq!(room.run(100, &[(1, talk), (2, SILENT)]), [1]);
    }

    #[test]
    fn who_leaves_makes_place_at_once() {
        let mut room = Room::new(1);
        room.run(10, &[(1, LOUD), (2, SILENT), (3, SOFT)]);
        room.loudest.remove(&1);
        assert!(room.loudest.update(room.now));
        assert_eq!(room.loudest.selected(), [3]);
        room.loudest.remove(&9);
        assert!(!room.loudest.update(room.now));
        room.loudest.remove(&3);
        room.loudest.remove(&2);
        assert!(room.loudest.update(room.now));
        assert!(room.loudest.selected().is_empty());
    }
}
