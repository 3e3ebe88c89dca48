//! Which shard of the node has whose media. A room begins at its home shard, which speaks with other nodes; whoever finds
//! that one full or busy sits at another, and the shards relay to each other.

use std::collections::{BTreeSet, HashMap};

use protocol::id::{Attempt, ParticipantId, RoomId};
use protocol::node::SessionRef;

/// The share of a core from which on a shard is given nobody more, while another one is below.
const BUSY: f32 = 0.7;

/// A shard as a place to sit.
#[derive(Debug, Clone)]
struct Place {
    alive: bool,
    sessions: usize,
    /// Share of one core, 0 to 1.
    load: f32,
}

#[derive(Debug, Clone, Copy)]
struct Seat {
    shard: usize,
    attempt: Attempt,
}

/// A room and who sits where.
#[derive(Debug)]
struct Seats {
    home: usize,
    people: HashMap<ParticipantId, Seat>,
}

/// All seats of the node.
#[derive(Debug)]
pub struct Seating {
    places: Vec<Place>,
    /// How many sessions a shard takes.
    limit: usize,
    rooms: HashMap<RoomId, Seats>,
}

/// What ends with a shard.
#[derive(Debug, Default, PartialEq)]
pub struct Lost {
    /// Rooms whose home it was: they are over here.
    pub rooms: Vec<RoomId>,
    /// Sessions that it had of other rooms.
    pub sessions: Vec<(RoomId, SessionRef)>,
}

impl Seating {
    /// So many empty shards, each of which takes so many sessions.
    pub fn new(shards: usize, limit: usize) -> Self {
        let place = Place {
            alive: true,
            sessions: 0,
            load: 0.0,
        };
        Self {
            places: vec![place; shards],
            limit,
            rooms: HashMap::new(),
        }
    }

    /// How busy a shard is now.
    pub fn set_load(&mut self, shard: usize, load: f32) {
        if let Some(place) = self.places.get_mut(shard) {
            place.load = load;
        }
    }

    /// The room's home, chosen now if it has none: by its name, so that it is the same for as long as the shards live.
    pub fn open(&mut self, room: &RoomId) -> usize {
        let home = self.home_for(room);
        let seats = self.rooms.entry(room.clone()).or_insert_with(|| Seats {
            home,
            people: HashMap::new(),
        });
        seats.home
    }

    fn home_for(&self, room: &RoomId) -> usize {
        let alive: Vec<usize> = self.alive().collect();
        alive
            .get(hash(room) as usize % alive.len().max(1))
            .copied()
            .unwrap_or_default()
    }

    fn alive(&self) -> impl Iterator<Item = usize> {
        let places = self.places.iter().enumerate();
        places
            .filter(|(_, place)| place.alive)
            .map(|(shard, _)| shard)
    }

    /// The shards that host a room, its home among them.
    pub fn shards(&self, room: &RoomId) -> BTreeSet<usize> {
        let seats = self.rooms.get(room).into_iter();
        let all = |seats: &Seats| {
            let seated: Vec<usize> = seats.people.values().map(|seat| seat.shard).collect();
            seated.into_iter().chain([seats.home])
        };
        seats.flat_map(all).collect()
    }

    /// The shard at which a participant sits, or else the room's home.
    pub fn find(&self, room: &RoomId, participant: &ParticipantId) -> Option<usize> {
        let seats = self.rooms.get(room)?;
        let seat = seats.people.get(participant);
        Some(seat.map_or(seats.home, |seat| seat.shard))
    }

    /// Gives a session its seat; one that offers anew keeps it.
    pub fn sit(&mut self, room: &RoomId, session: &SessionRef) -> usize {
        self.open(room);
        let shard = self.choose(room, &session.participant);
        let Some(seats) = self.rooms.get_mut(room) else {
            return shard;
        };
        let seat = Seat {
            shard,
            attempt: session.attempt,
        };
        if seats
            .people
            .insert(session.participant.clone(), seat)
            .is_none()
        {
            self.places[shard].sessions += 1;
        }
        shard
    }

    fn choose(&self, room: &RoomId, participant: &ParticipantId) -> usize {
        let Some(seats) = self.rooms.get(room) else {
            return self.home_for(room);
        };
        if let Some(seat) = seats.people.get(participant) {
            return seat.shard;
        }
        let used = self.shards(room);
        let free = |shard: &usize| self.places[*shard].sessions < self.limit;
        let calm = |shard: &usize| self.places[*shard].load < BUSY;
        // The home while it is calm, then where the room is already, then where the fewest are.
        let rank = |shard: &usize| {
            let place = &self.places[*shard];
            (*shard != seats.home, !used.contains(shard), place.sessions)
        };
        let best = self.alive().filter(free).filter(calm).min_by_key(rank);
        let least = |a: &usize, b: &usize| self.places[*a].load.total_cmp(&self.places[*b].load);
        best.or_else(|| self.alive().filter(free).min_by(least))
            .unwrap_or(seats.home)
    }

    /// A session is over. Returns the shard that has nobody of the room any more, unless that is its home.
    pub fn leave(&mut self, room: &RoomId, session: &SessionRef) -> Option<usize> {
        let seats = self.rooms.get_mut(room)?;
        let seat = *seats.people.get(&session.participant)?;
        if seat.attempt != session.attempt {
            return None;
        }
        seats.people.remove(&session.participant);
        self.places[seat.shard].sessions -= 1;
        let empty = seats.home != seat.shard
            && seats.people.values().all(|other| other.shard != seat.shard);
        empty.then_some(seat.shard)
    }

    /// The room is over here; returns the shards that hosted it.
    pub fn release(&mut self, room: &RoomId) -> BTreeSet<usize> {
        let shards = self.shards(room);
        if let Some(seats) = self.rooms.remove(room) {
            for seat in seats.people.into_values() {
                self.places[seat.shard].sessions -= 1;
            }
        }
        shards
    }

    /// A shard has ended by itself.
    pub fn lose(&mut self, shard: usize) -> Lost {
        let mut lost = Lost::default();
        if let Some(place) = self.places.get_mut(shard) {
            place.alive = false;
        }
        for (room, seats) in &self.rooms {
            if seats.home == shard {
                lost.rooms.push(room.clone());
                continue;
            }
            let here = seats.people.iter().filter(|(_, seat)| seat.shard == shard);
            lost.sessions.extend(here.map(|(participant, seat)| {
                let session = SessionRef {
                    participant: participant.clone(),
                    attempt: seat.attempt,
                };
                (room.clone(), session)
            }));
        }
        lost.rooms.sort();
        lost
    }

    /// How many shards are left.
    pub fn alive_count(&self) -> usize {
        self.alive().count()
    }
}

/// FNV-1a: the same everywhere and always.
fn hash(room: &RoomId) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    room.as_str().bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room() -> RoomId {
        "bako-tuvi".parse().expect("an id")
    }

    fn session(name: &str, attempt: u32) -> SessionRef {
        SessionRef {
            participant: name.parse().expect("an id"),
            attempt: Attempt(attempt),
        }
    }

    #[test]
    fn a_room_stays_at_home_until_that_is_full_and_then_keeps_together() {
        let mut seating = Seating::new(3, 2);
        let home = seating.open(&room());
        let seats: Vec<usize> = (0..6)
            .map(|n| seating.sit(&room(), &session(&format!("p{n}"), 1)))
            .collect();
        assert_eq!(seats[..2], [home, home]);
        assert_eq!(seats[2], seats[3]);
        assert_eq!(seats[4], seats[5]);
        assert_eq!(seating.shards(&room()).len(), 3);
        // Full everywhere: the home shard will say so.
        assert_eq!(seating.sit(&room(), &session("p6", 1)), home);
    }

    #[test]
    fn a_busy_home_gives_newcomers_away_and_keeps_whom_it_has() {
        let mut seating = Seating::new(2, 100);
        let home = seating.open(&room());
        seating.sit(&room(), &session("ada", 1));
        seating.set_load(home, 0.9);
        assert_ne!(seating.sit(&room(), &session("bob", 1)), home);
        assert_eq!(seating.sit(&room(), &session("ada", 2)), home);
    }

    #[test]
    fn a_shard_that_nobody_of_the_room_is_at_any_more_is_named() {
        let mut seating = Seating::new(2, 1);
        let home = seating.open(&room());
        seating.sit(&room(), &session("ada", 1));
        let other = seating.sit(&room(), &session("bob", 1));
        assert_ne!(other, home);
        assert_eq!(seating.leave(&room(), &session("bob", 2)), None);
        assert_eq!(seating.leave(&room(), &session("bob", 1)), Some(other));
        assert_eq!(seating.leave(&room(), &session("ada", 1)), None);
        assert_eq!(seating.release(&room()), [home].into());
    }

    #[test]
    fn what_ends_with_a_shard_is_named_and_it_gets_nobody_more() {
        let mut seating = Seating::new(2, 1);
        let home = seating.open(&room());
        seating.sit(&room(), &session("ada", 1));
        let other = seating.sit(&room(), &session("bob", 1));
        let lost = seating.lose(other);
        assert_eq!(lost.sessions, [(room(), session("bob", 1))]);
        assert!(lost.rooms.is_empty() && seating.alive_count() == 1);
        seating.leave(&room(), &session("bob", 1));
        seating.leave(&room(), &session("ada", 1));
        assert_eq!(seating.sit(&room(), &session("cy", 1)), home);
        assert_eq!(seating.lose(home).rooms, [room()]);
        assert_eq!(seating.alive_count(), 0);
    }
}
