//! Breakout rooms in a room: who opens and closes them, and who goes where. The nodes are told before anybody else, and hold it: media
//! of one is nowhere else.

use std::collections::BTreeSet;

use protocol::client::{
    BreakoutAssignment, BreakoutDraft, BreakoutPlace, Breakouts, Deed, ErrorCode, RoomEvent,
    ServerMessage,
};
use protocol::id::{BreakoutId, ParticipantId, UserId};
use protocol::node::RoomToNode;

use super::people::Person;
use super::record::Record;
use super::roles::Right;
use super::{Client, Effect, Room};
use crate::breakouts::{Subroom, check, check_time};
use crate::chat::Reader;
use crate::order::Ordered;
use crate::refusal::Refusal;
use crate::table::{Table, integer, json};

/// There is one row at most.
pub(super) const BREAKOUTS: Table = Table {
    name: "breakouts",
    tag: "Breakouts",
    since: 1,
    columns: &[integer("last"), json("open").optional()],
    indexes: &[],
};

impl Room {
    pub(super) fn opens_breakouts(
        &mut self,
        client: &Client,
        draft: BreakoutDraft,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.require(client, Right::HoldBreakouts)?;
        check(&draft)?;
        if self.breakouts.is_open() {
            let message = "breakout rooms are open already: close them first";
            return Err(Refusal::new(ErrorCode::Forbidden, message));
        }
        let mut reaches = self.nodes.values().filter_map(|node| node.reach.as_ref());
        if reaches.any(|reach| !reach.breakouts) {
            let message =
                "a media node of this call is of an earlier release and has no breakout rooms";
            return Err(Refusal::new(ErrorCode::Forbidden, message));
        }
        self.may_sweep(&client.participant, now)?;
        let rooms = draft.names.len() as u32;
        self.audit_all(client, Deed::BreakoutsOpened { rooms }, now, out);
        self.open_breakouts(draft, now, out);
        Ok(())
    }

    fn open_breakouts(&mut self, draft: BreakoutDraft, now: u64, out: &mut Vec<Effect>) {
        let assigned: Vec<(UserId, u32)> = draft
            .assigned
            .iter()
            .filter_map(|one| Some((self.people.get(&one.participant)?.user.clone(), one.nth)))
            .collect();
        let mut left: Vec<&Person> = self.people.values().filter(|p| p.is_in()).collect();
        left.order_by_key(|person| (person.joined_at, person.id.clone()));
        let left: Vec<UserId> = left
            .into_iter()
            .filter(|person| !Right::HoldBreakouts.is_of(person.role))
            .map(|person| person.user.clone())
            .collect();
        let here = self.users_here();
        let is_automatic = draft.assignment == BreakoutAssignment::Automatic;
        let open = self.breakouts.open(draft, now);
        for (user, nth) in assigned {
            if let Some(id) = open.rooms.get(nth as usize).map(|room| room.id) {
                open.put(user, id, &here);
            }
        }
        for user in left.into_iter().filter(|_| is_automatic) {
            if let (false, Some(id)) = (open.members.contains_key(&user), open.smallest()) {
                open.put(user, id, &here);
            }
        }
        self.save_breakouts(out);
        self.plan(out);
        for id in self.in_breakouts() {
            self.tell_subroom(&id, out);
        }
        let breakouts = self.breakouts_view();
        self.happen(RoomEvent::Breakouts { breakouts }, None, now, out);
        for id in self.in_breakouts() {
            self.show_chat(&id, out);
        }
    }

    pub(super) fn closes_breakouts(
        &mut self,
        client: &Client,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.require(client, Right::HoldBreakouts)?;
        if self.breakouts.is_open() {
            self.audit_all(client, Deed::BreakoutsClosed, now, out);
            self.close_breakouts(now, out);
        }
        Ok(())
    }

    /// Who keeps order says anew for how long they are open.
    pub(super) fn limits_breakouts(
        &mut self,
        client: &Client,
        seconds: Option<u32>,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.require(client, Right::HoldBreakouts)?;
        check_time(seconds)?;
        if !self.breakouts.is_open() {
            let message = "no breakout rooms are open";
            return Err(Refusal::new(ErrorCode::UnknownBreakout, message));
        }
        self.may_sweep(&client.participant, now)?;
        self.audit_all(client, Deed::BreakoutsLimited { seconds }, now, out);
        if let Some(open) = self.breakouts.opened_mut() {
            open.limit(seconds, now);
        }
        self.save_breakouts(out);
        let breakouts = self.breakouts_view();
        self.happen(RoomEvent::Breakouts { breakouts }, None, now, out);
        Ok(())
    }

    /// Their time is over.
    pub(super) fn expire_breakouts(&mut self, now: u64, out: &mut Vec<Effect>) {
        if self.breakouts.ends_at().is_some_and(|at| at <= now) {
            self.close_breakouts(now, out);
        }
    }

    /// Nobody is there any more: who comes next finds a room as any other.
    pub(super) fn abandon_breakouts(&mut self, now: u64, out: &mut Vec<Effect>) {
        if self.people.is_empty() && self.breakouts.is_open() {
            self.close_breakouts(now, out);
        }
    }

    /// Everybody is in the main room again.
    fn close_breakouts(&mut self, now: u64, out: &mut Vec<Effect>) {
        let back = self.in_breakouts();
        self.breakouts.close();
        self.turned_down = 0;
        self.retries.clear();
        self.save_breakouts(out);
        self.plan(out);
        let breakouts = None;
        self.happen(RoomEvent::Breakouts { breakouts }, None, now, out);
        for id in back {
            self.show_chat(&id, out);
        }
    }

    /// Somebody goes to a breakout room or to the main room: by themselves where they may, or as who keeps order says. It
    /// holds for all that their user has in the room.
    pub(super) fn moves_to_breakout(
        &mut self,
        client: &Client,
        target: &ParticipantId,
        breakout: Option<BreakoutId>,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let refused = |code, message| Err(Refusal::new(code, message));
        let person = self.present(target)?;
        let user = person.user.clone();
        let Some(open) = self.breakouts.opened() else {
            return refused(ErrorCode::UnknownBreakout, "no breakout rooms are open");
        };
        if breakout.is_some_and(|id| !open.has(id)) {
            let message = "there is no such breakout room, or no more";
            return refused(ErrorCode::UnknownBreakout, message);
        }
        let is_own = self.people.get(&client.participant).map(|p| &p.user) == Some(&user);
        let is_free = open.assignment == BreakoutAssignment::Free;
        let returns =
            breakout.is_none() || self.breakouts.membership(&user).map(|m| m.breakout) == breakout;
        if !(is_own && (is_free || returns)) {
            self.require(client, Right::HoldBreakouts)?;
        }
        if self.breakouts.subroom_of(&user) == breakout.into() {
            return Ok(());
        }
        self.may_act(&client.participant, now)?;
        if !is_own {
            self.audit_on(client, target, Deed::MovedToBreakout { breakout }, now, out);
        }
        let here = self.users_here();
        if let Some(open) = self.breakouts.opened_mut() {
            match (breakout, open.members.get_mut(&user)) {
                (Some(id), _) => open.put(user.clone(), id, &here),
                (None, Some(member)) => member.away = true,
                (None, None) => {}
            }
        }
        self.save_breakouts(out);
        self.arrives(&user, now, out);
        Ok(())
    }

    /// A user is somewhere else: their nodes, everybody and they themselves are told.
    fn arrives(&mut self, user: &UserId, now: u64, out: &mut Vec<Effect>) {
        for id in self.everything_of(user) {
            self.tell_subroom(&id, out);
            if let Some(place) = self.breakout_place(&id) {
                self.happen(RoomEvent::BreakoutPlace { place }, None, now, out);
                self.show_chat(&id, out);
            }
        }
    }

    /// Somebody has just come: where they were before, or where there is room for them, or in the main room.
    pub(super) fn assign_newcomer(&mut self, id: &ParticipantId, now: u64, out: &mut Vec<Effect>) {
        let (Some(open), Some(person)) = (self.breakouts.opened(), self.people.get(id)) else {
            return;
        };
        let user = person.user.clone();
        let is_automatic = open.assignment == BreakoutAssignment::Automatic;
        let keeps_order = Right::HoldBreakouts.is_of(person.role);
        if is_automatic && !keeps_order && !open.members.contains_key(&user) {
            let here = self.users_here();
            if let Some(open) = self.breakouts.opened_mut()
                && let Some(smallest) = open.smallest()
            {
                open.put(user, smallest, &here);
            }
            self.save_breakouts(out);
        }
        self.tell_subroom(id, out);
        if let Some(place) = self.breakout_place(id) {
            self.happen(
                RoomEvent::BreakoutPlace { place },
                Some(id.clone()),
                now,
                out,
            );
        }
    }

    /// What was the guest's membership is the account's, unless that has one.
    pub(super) fn breakouts_go_over(
        &mut self,
        guest: &UserId,
        to: &UserId,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        if self.breakouts.inherit(guest, to) {
            self.save_breakouts(out);
        }
        // The account may have had one where the guest had none.
        if self.breakouts.is_open() {
            self.arrives(to, now, out);
        }
    }

    /// Where this user is.
    pub(super) fn subroom_of(&self, user: &UserId) -> Subroom {
        self.breakouts.subroom_of(user)
    }

    /// As whom and where somebody reads.
    pub(super) fn reader(&self, user: &UserId) -> Reader {
        Reader {
            user: user.clone(),
            subroom: self.subroom_of(user),
        }
    }

    /// Tells a person's node where they are, if they have media there.
    pub(super) fn tell_subroom(&self, id: &ParticipantId, out: &mut Vec<Effect>) {
        let message = |person: &Person| RoomToNode::Breakout {
            participant: id.clone(),
            breakout: self.subroom_of(&person.user).breakout(),
        };
        self.tell_node_of(id, message, out);
    }

    /// Tells those who are where somebody is, and nobody else.
    pub(super) fn tell_near(
        &self,
        id: &ParticipantId,
        except: Option<ParticipantId>,
        message: ServerMessage,
        out: &mut Vec<Effect>,
    ) {
        if !self.breakouts.is_open() {
            return out.push(Effect::Broadcast { except, message });
        }
        let Some(subroom) = self.people.get(id).map(|p| self.subroom_of(&p.user)) else {
            return;
        };
        let here = self.people.values().filter(|person| person.is_here());
        let near = here.filter(|person| self.subroom_of(&person.user) == subroom);
        let told = near.filter(|person| except.as_ref() != Some(&person.id));
        out.extend(told.map(|person| Effect::Send {
            client: person.client(),
            message: message.clone(),
        }));
    }

    /// Shows somebody the chat of where they are now.
    pub(super) fn show_chat(&self, id: &ParticipantId, out: &mut Vec<Effect>) {
        if let Some(person) = self.people.get(id) {
            let lines = self.chat.history(&self.reader(&person.user));
            let before = self.chat.before(&lines);
            self.send(id, ServerMessage::ChatShown { lines, before }, out);
        }
    }

    /// As everybody is shown them.
    pub(super) fn breakouts_view(&self) -> Option<Breakouts> {
        let open = self.breakouts.opened()?;
        let people = self.people.values().filter(|person| person.is_in());
        Some(Breakouts {
            rooms: open.rooms.clone(),
            assignment: open.assignment,
            ends_at: open.ends_at,
            places: people.filter_map(|p| self.breakout_place(&p.id)).collect(),
        })
    }

    fn breakout_place(&self, id: &ParticipantId) -> Option<BreakoutPlace> {
        let member = self.breakouts.membership(&self.people.get(id)?.user)?;
        Some(BreakoutPlace {
            participant: id.clone(),
            breakout: member.breakout,
            away: member.away,
        })
    }

    /// Everybody who is in one now, or is expected there.
    fn in_breakouts(&self) -> Vec<ParticipantId> {
        let people = self.people.values();
        people
            .filter(|person| self.subroom_of(&person.user) != Subroom::Main)
            .map(|person| person.id.clone())
            .collect()
    }

    fn users_here(&self) -> BTreeSet<UserId> {
        self.people.values().map(|p| p.user.clone()).collect()
    }

    fn save_breakouts(&self, out: &mut Vec<Effect>) {
        out.push(Effect::Save(Record::Breakouts(self.breakouts.clone())));
    }
}
