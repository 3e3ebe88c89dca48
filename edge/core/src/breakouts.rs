//! Breakout rooms: which are open, until when, and who is in which. A place is a user's, so that who comes back finds it.

use std::collections::{BTreeMap, BTreeSet};

use protocol::client::{
    Breakout, BreakoutAssignment, BreakoutDraft, ErrorCode, MAX_BREAKOUT_NAME_BYTES,
    MAX_BREAKOUT_SECONDS, MAX_BREAKOUTS, MIN_BREAKOUT_SECONDS,
};
use protocol::id::{BreakoutId, UserId};
use serde::{Deserialize, Serialize};

/// How many users' places are remembered. Beyond that, those who are gone lose theirs.
const MAX_PLACES: usize = 1_000;

/// Where in a room somebody is, or something is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Place {
    #[default]
    Main,
    Breakout(BreakoutId),
}

impl Place {
    /// The breakout room, unless it is the main one.
    pub fn breakout(self) -> Option<BreakoutId> {
        match self {
            Self::Main => None,
            Self::Breakout(id) => Some(id),
        }
    }
}

impl From<Option<BreakoutId>> for Place {
    fn from(breakout: Option<BreakoutId>) -> Self {
        breakout.map_or(Self::Main, Self::Breakout)
    }
}

/// To which breakout room a user belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    pub breakout: BreakoutId,
    /// Whether they are in the main room for now.
    pub away: bool,
}

/// Those of a room, and what is remembered when none are open.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Breakouts {
    /// The highest number that was given.
    last: u32,
    open: Option<Open>,
}

/// Those that are open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    pub rooms: Vec<Breakout>,
    pub assignment: BreakoutAssignment,
    pub ends_at: Option<u64>,
    pub seats: BTreeMap<UserId, Seat>,
}

impl Breakouts {
    /// Opens those of a draft; without anybody in them.
    pub fn open(&mut self, draft: BreakoutDraft, now: u64) -> &mut Open {
        let mut room = |name| {
            self.last += 1;
            let id = BreakoutId(self.last);
            Breakout { id, name }
        };
        let rooms = draft.names.into_iter().map(&mut room).collect();
        self.open.insert(Open {
            rooms,
            assignment: draft.assignment,
            ends_at: draft.seconds.map(|s| now + u64::from(s) * 1_000),
            seats: BTreeMap::new(),
        })
    }

    /// Closes them. Whether any were open.
    pub fn close(&mut self) -> bool {
        self.open.take().is_some()
    }

    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub fn opened(&self) -> Option<&Open> {
        self.open.as_ref()
    }

    pub fn opened_mut(&mut self) -> Option<&mut Open> {
        self.open.as_mut()
    }

    /// The numbers of those that are open.
    pub fn ids(&self) -> Vec<BreakoutId> {
        let rooms = self.open.iter().flat_map(|open| &open.rooms);
        rooms.map(|room| room.id).collect()
    }

    /// When they are over by themselves.
    pub fn ends_at(&self) -> Option<u64> {
        self.open.as_ref()?.ends_at
    }

    pub fn seat(&self, user: &UserId) -> Option<Seat> {
        self.open.as_ref()?.seats.get(user).copied()
    }

    /// Where a user is.
    pub fn place(&self, user: &UserId) -> Place {
        let seat = self.seat(user).filter(|seat| !seat.away);
        seat.map(|seat| seat.breakout).into()
    }

    /// What was one user's is another's from now on, who keeps what they had. Whether there was anything.
    pub fn inherit(&mut self, from: &UserId, to: &UserId) -> bool {
        let Some(open) = &mut self.open else {
            return false;
        };
        let seat = open.seats.remove(from);
        if let Some(seat) = seat {
            open.seats.entry(to.clone()).or_insert(seat);
        }
        seat.is_some()
    }
}

impl Open {
    pub fn has(&self, id: BreakoutId) -> bool {
        self.rooms.iter().any(|room| room.id == id)
    }

    /// Gives a user a place; of those who are not here, the places go if there are too many.
    pub fn put(&mut self, user: UserId, breakout: BreakoutId, here: &BTreeSet<UserId>) {
        if self.seats.len() >= MAX_PLACES && !self.seats.contains_key(&user) {
            self.seats.retain(|user, _| here.contains(user));
        }
        let away = false;
        self.seats.insert(user, Seat { breakout, away });
    }

    /// The room that has the fewest, the first of equals.
    pub fn smallest(&self) -> Option<BreakoutId> {
        let count = |id: BreakoutId| {
            let seats = self.seats.values();
            seats.filter(|seat| seat.breakout == id).count()
        };
        let ids = self.rooms.iter().map(|room| room.id);
        ids.min_by_key(|id| count(*id))
    }
}

/// Whether a draft has the form of one; else why it is refused.
pub fn check(draft: &BreakoutDraft) -> Result<(), (ErrorCode, &'static str)> {
    if !(1..=MAX_BREAKOUTS).contains(&draft.names.len()) {
        return Err((ErrorCode::TooMany, "there are 1 to 50 breakout rooms"));
    }
    let is_name = |name: &String| {
        let is_short = name.len() <= MAX_BREAKOUT_NAME_BYTES;
        is_short && !name.trim().is_empty()
    };
    if !draft.names.iter().all(is_name) {
        let message = "a breakout room has a name of at most 100 bytes";
        return Err((ErrorCode::TooLarge, message));
    }
    let times = MIN_BREAKOUT_SECONDS..=MAX_BREAKOUT_SECONDS;
    if draft
        .seconds
        .is_some_and(|seconds| !times.contains(&seconds))
    {
        let message = "breakout rooms are open for 10 seconds to a day";
        return Err((ErrorCode::Malformed, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(names: &[&str], seconds: Option<u32>) -> BreakoutDraft {
        BreakoutDraft {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            seconds,
            ..BreakoutDraft::default()
        }
    }

    fn user(name: &str) -> UserId {
        name.parse().unwrap()
    }

    #[test]
    fn no_number_is_given_twice() {
        let mut breakouts = Breakouts::default();
        breakouts.open(draft(&["a", "b"], None), 0);
        assert_eq!(breakouts.ids(), [BreakoutId(1), BreakoutId(2)]);
        assert!(breakouts.close() && !breakouts.close());
        breakouts.open(draft(&["a"], Some(60)), 5);
        assert_eq!(breakouts.ids(), [BreakoutId(3)]);
        assert_eq!(breakouts.ends_at(), Some(60_005));
    }

    #[test]
    fn who_is_put_somewhere_goes_to_the_smallest_in_turn() {
        let mut breakouts = Breakouts::default();
        let open = breakouts.open(draft(&["a", "b", "c"], None), 0);
        let mut put = Vec::new();
        for n in 0..5 {
            let smallest = open.smallest().unwrap();
            open.put(user(&format!("u{n}")), smallest, &BTreeSet::new());
            put.push(smallest.0);
        }
        assert_eq!(put, [1, 2, 3, 1, 2]);
    }

    #[test]
    fn places_of_those_who_are_gone_do_not_pile_up() {
        let mut breakouts = Breakouts::default();
        let open = breakouts.open(draft(&["a"], None), 0);
        let here: BTreeSet<UserId> = [user("u0")].into();
        for n in 0..3 * MAX_PLACES {
            open.put(user(&format!("u{n}")), BreakoutId(1), &here);
            assert!(open.seats.len() <= MAX_PLACES);
        }
        assert!(open.seats.contains_key(&user("u0")));
    }

    #[test]
    fn what_is_no_draft_is_refused() {
        for bad in [
            draft(&[], None),
            draft(&[" "], None),
            draft(&[&"x".repeat(101)], None),
            draft(&["x"; 51], None),
            draft(&["x"], Some(9)),
            draft(&["x"], Some(86_401)),
        ] {
            assert!(check(&bad).is_err(), "{bad:?}");
        }
        assert_eq!(check(&draft(&["x"; 50], Some(10))), Ok(()));
    }
}
