//! Rulings: what moderators decided about a user. It holds for whichever participant they are now or come back as.

use protocol::client::Role;
use protocol::id::UserId;
use protocol::media::Caps;
use serde::{Deserialize, Serialize};

use super::record::Record;
use super::{Effect, Room};
use crate::table::{Key, Table, integer, json, text};

/// How many users a room keeps rulings on; the oldest is forgotten first, and a ban last.
const MAX_RULINGS: usize = 1_000;

pub(super) const RULINGS: Table = Table {
    name: "rulings",
    tag: "Ruling",
    since: 1,
    columns: &[
        text("user").key(),
        json("caps"),
        integer("barred_until"),
        text("role").optional(),
        text("banned").optional(),
        integer("at"),
        integer("role_at").since(3, "0"),
    ],
    indexes: &[],
};

pub(super) fn ruling_key(user: &UserId) -> Key {
    RULINGS.key([user.as_str().into()])
}

/// What moderators decided about a user, in the room or not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ruling {
    pub user: UserId,
    /// What they may send.
    pub caps: Caps,
    /// Until when they may not join; 0 if that was never said.
    pub barred_until: u64,
    /// What they are here, if that was decided.
    #[serde(default)]
    pub role: Option<Role>,
    /// What they were called when they were banned; absent while they are not.
    #[serde(default)]
    pub banned: Option<String>,
    /// When anything of this was decided last.
    pub at: u64,
    /// Since when they are what they are here; 0 if that was decided before it was noted.
    #[serde(default)]
    pub role_at: u64,
}

impl Room {
    /// What was ruled that this user may send.
    pub(super) fn caps_of(&self, user: &UserId) -> Caps {
        let ruling = self.rulings.get(user);
        ruling.map(|ruling| ruling.caps).unwrap_or_default()
    }

    /// For how many milliseconds more this user may not join.
    pub(super) fn barred(&self, user: &UserId, now: u64) -> Option<u64> {
        let until = self.rulings.get(user)?.barred_until;
        (until > now).then(|| until - now)
    }

    /// Changes what is ruled on a user. A ruling that says nothing any more is forgotten.
    pub(super) fn rule(
        &mut self,
        user: &UserId,
        change: impl FnOnce(&mut Ruling),
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let mut ruling = self.rulings.remove(user).unwrap_or_else(|| Ruling {
            user: user.clone(),
            caps: Caps::default(),
            barred_until: 0,
            role: None,
            banned: None,
            at: now,
            role_at: 0,
        });
        let role = ruling.role;
        change(&mut ruling);
        ruling.at = now;
        if ruling.role != role {
            ruling.role_at = now;
        }
        let says =
            ruling.caps != Caps::default() || ruling.role.is_some() || ruling.banned.is_some();
        if !says && ruling.barred_until <= now {
            return out.push(Effect::Erase(ruling_key(user)));
        }
        if self.rulings.len() >= MAX_RULINGS
            && let Some(oldest) = self
                .rulings
                .values()
                .min_by_key(|ruling| (ruling.banned.is_some(), ruling.at))
        {
            let oldest = oldest.user.clone();
            self.rulings.remove(&oldest);
            out.push(Effect::Erase(ruling_key(&oldest)));
        }
        out.push(Effect::Save(Record::Ruling(ruling.clone())));
        self.rulings.insert(user.clone(), ruling);
    }
}
