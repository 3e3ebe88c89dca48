//! Breakout rooms: which are open, until when, and who is in which. A membership is a user's, so that who comes back finds it.

use std::collections::{BTreeMap, BTreeSet};

use protocol::client::{
    Breakout, BreakoutAssignment, BreakoutDraft, ErrorCode, MAX_BREAKOUT_NAME_BYTES,
    MAX_BREAKOUT_SECONDS, MAX_BREAKOUTS, MIN_BREAKOUT_SECONDS,
};
use protocol::id::{BreakoutId, UserId};
use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// How many users' memberships are remembered. Beyond that, those who are gone lose theirs.
const MAX_MEMBERS: usize = 1_000;

/// One of the rooms that a room has, in which somebody is or something is said: the main one or a breakout room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Subroom {
    #[default]
    Main,
    Breakout(BreakoutId),
}

impl Subroom {
    /// The breakout room, unless it is the main one.
    pub fn breakout(self) -> Option<BreakoutId> {
        match self {
            Self::Main => None,
            Self::Breakout(id) => Some(id),
        }
    }
}

impl From<Option<BreakoutId>> for Subroom {
    fn from(breakout: Option<BreakoutId>) -> Self {
        breakout.map_or(Self::Main, Self::Breakout)
    }
}

/// To which breakout room a user belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
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
    /// Stored as `seats`, from when that was its name.
    #[serde(rename = "seats")]
    pub members: BTreeMap<UserId, Membership>,
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
        let open = self.open.insert(Open {
            rooms,
            assignment: draft.assignment,
            ends_at: None,
            members: BTreeMap::new(),
        });
        open.limit(draft.seconds, now);
        open
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

    pub fn membership(&self, user: &UserId) -> Option<Membership> {
        self.open.as_ref()?.members.get(user).copied()
    }

    /// Where a user is.
    pub fn subroom_of(&self, user: &UserId) -> Subroom {
        let there = self.membership(user).filter(|member| !member.away);
        there.map(|member| member.breakout).into()
    }

    /// What was one user's is another's from now on, who keeps what they had. Whether there was anything.
    pub fn inherit(&mut self, from: &UserId, to: &UserId) -> bool {
        let Some(open) = &mut self.open else {
            return false;
        };
        let membership = open.members.remove(from);
        if let Some(membership) = membership {
            open.members.entry(to.clone()).or_insert(membership);
        }
        membership.is_some()
    }
}

impl Open {
    pub fn has(&self, id: BreakoutId) -> bool {
        self.rooms.iter().any(|room| room.id == id)
    }

    /// They are over so many seconds from now, or never by themselves.
    pub fn limit(&mut self, seconds: Option<u32>, now: u64) {
        self.ends_at = seconds.map(|seconds| now + u64::from(seconds) * 1_000);
    }

    /// Makes a user a member; of those who are not here, the memberships go if there are too many.
    pub fn put(&mut self, user: UserId, breakout: BreakoutId, here: &BTreeSet<UserId>) {
        if self.members.len() >= MAX_MEMBERS && !self.members.contains_key(&user) {
            self.members.retain(|user, _| here.contains(user));
        }
        let away = false;
        self.members.insert(user, Membership { breakout, away });
    }

    /// The room that has the fewest, the first of equals.
    pub fn smallest(&self) -> Option<BreakoutId> {
        let count = |id: BreakoutId| {
            let members = self.members.values();
            members.filter(|member| member.breakout == id).count()
        };
        let ids = self.rooms.iter().map(|room| room.id);
        ids.min_by_key(|id| count(*id))
    }
}

/// Whether a draft has the form of one; else why it is refused.
pub fn check(draft: &BreakoutDraft) -> Result<(), Refusal> {
    if !(1..=MAX_BREAKOUTS).contains(&draft.names.len()) {
        return Err(Refusal::new(
            ErrorCode::TooMany,
            "there are 1 to 50 breakout rooms",
        ));
    }
    let is_name = |name: &String| {
        let is_short = name.len() <= MAX_BREAKOUT_NAME_BYTES;
        is_short && !name.trim().is_empty()
    };
    if !draft.names.iter().all(is_name) {
        let message = "a breakout room has a name of at most 100 bytes";
        return Err(Refusal::new(ErrorCode::TooLarge, message));
    }
    check_time(draft.seconds)
}

/// Whether they may be open for so long.
pub fn check_time(seconds: Option<u32>) -> Result<(), Refusal> {
    let times = MIN_BREAKOUT_SECONDS..=MAX_BREAKOUT_SECONDS;
    if seconds.is_some_and(|seconds| !times.contains(&seconds)) {
        let message = "breakout rooms are open for 10 seconds to a day";
        return Err(Refusal::malformed(message));
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
    fn memberships_of_those_who_are_gone_do_not_pile_up() {
        let mut breakouts = Breakouts::default();
        let open = breakouts.open(draft(&["a"], None), 0);
        let here: BTreeSet<UserId> = [user("u0")].into();
        for n in 0..3 * MAX_MEMBERS {
            open.put(user(&format!("u{n}")), BreakoutId(1), &here);
            assert!(open.members.len() <= MAX_MEMBERS);
        }
        assert!(open.members.contains_key(&user("u0")));
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
