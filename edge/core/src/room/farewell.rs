//! An account is deleted: who it was leaves, what they were here goes, and what they said stays as somebody's who is no more.

use protocol::client::{CloseReason, LeaveReason, Role};
use protocol::id::UserId;

use super::reading::read_key;
use super::record::Record;
use super::rulings::ruling_key;
use super::{Effect, Room};
use crate::token::is_guest;

/// What is called so who has deleted their account.
const NAME: &str = "Deleted account";

impl Room {
    /// A room of theirs is passed on to the moderator who has been one for longest; one that has none is deleted.
    pub(super) fn account_gone(
        &mut self,
        user: &UserId,
        stand_in: &UserId,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        if self.info.gone {
            return;
        }
        if self.is_owner(user) {
            match self.successor() {
                Some(heir) => self.passes_on_to(heir, now, out),
                None => return self.deleted(now, out),
            }
        }
        for id in self.everything_of(user) {
            self.ends_for(&id, CloseReason::Left, LeaveReason::Left, now, out);
        }
        for id in self.waiting_of(user) {
            self.sends_off(&id, CloseReason::Left, out);
        }
        if self.rulings.remove(user).is_some() {
            out.push(Effect::Erase(ruling_key(user)));
        }
        if self.read.remove(user).is_some() {
            out.push(Effect::Erase(read_key(user)));
        }
        self.chat_goes_over(user, stand_in, out);
        self.polls_go_over(user, stand_in, now, out);
        self.chat.rename(stand_in, NAME);
        out.push(Effect::Rename {
            user: stand_in.clone(),
            name: NAME.to_owned(),
        });
    }

    fn successor(&self) -> Option<UserId> {
        let moderators = self.rulings.values().filter(|ruling| {
            ruling.role == Some(Role::Moderator)
                && ruling.banned.is_none()
                && !is_guest(&ruling.user)
        });
        let first = moderators.min_by_key(|ruling| (ruling.role_at, ruling.user.clone()));
        first.map(|ruling| ruling.user.clone())
    }

    fn passes_on_to(&mut self, heir: UserId, now: u64, out: &mut Vec<Effect>) {
        // Nothing is ruled on who owns the room.
        self.rulings.remove(&heir);
        out.push(Effect::Erase(ruling_key(&heir)));
        self.info.owner = heir;
        out.push(Effect::Save(Record::Info(self.info.clone())));
        self.report(now, out);
    }
}
