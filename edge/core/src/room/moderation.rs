//! Moderation: what somebody is let send, and sending somebody out. Both hold for a user, whichever participant
//! they are now or come back as. And what is only asked of somebody, who may undo it.

use std::collections::BTreeSet;

use protocol::client::{
    CapsChange, CloseReason, Deed, ErrorCode, LeaveReason, MuteAll, REMOVAL_SECONDS, Role,
    RoomEvent, ServerMessage,
};
use protocol::id::{ParticipantId, UserId};
use protocol::media::{Caps, Source};
use protocol::node::RoomToNode;

use super::people::Person;
use super::roles::Right;
use super::rulings::Ruling;
use super::{Client, Effect, Room};
use crate::refusal::Refusal;

impl Room {
    pub(super) fn sets_caps(
        &mut self,
        client: &Client,
        target: &ParticipantId,
        change: CapsChange,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let user = self.subject(client, target)?;
        let gives = [
            (change.audio, Right::Speak),
            (change.video, Right::ShowCamera),
            (change.screen, Right::ShareScreen),
        ];
        for (allowed, right) in gives {
            if allowed == Some(true) {
                self.is_open_to(target, right)?;
            }
        }
        let before = self.rulings.get(&user).map(|ruling| ruling.caps);
        let before = before.unwrap_or_default();
        // Said again, as when its answer was lost, it is no other deed.
        if after(before, change) == before {
            return Ok(());
        }
        self.audit_on(client, target, Deed::Caps { change }, now, out);
        self.rule(
            &user,
            |ruling| ruling.caps = after(ruling.caps, change),
            now,
            out,
        );
        Ok(())
    }

    /// Refuses to give somebody what their role, or the room's settings, keep from them: that is to be changed first.
    fn is_open_to(&self, target: &ParticipantId, right: Right) -> Result<(), Refusal> {
        let role = self.people.get(target).map(|person| person.role);
        if role.is_some_and(|role| self.may(role, right)) {
            return Ok(());
        }
        let message = "their role or the room's settings keep it from them: change these first";
        Err(Refusal::new(ErrorCode::Forbidden, message))
    }

    /// Somebody's client is to turn off what it sends of a source.
    pub(super) fn turns_off(
        &mut self,
        client: &Client,
        target: &ParticipantId,
        source: Source,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.subject(client, target)?;
        self.audit_on(client, target, Deed::TurnedOff { source }, now, out);
        self.has_turned_off(client, vec![target.clone()], source, now, out);
        Ok(())
    }

    /// An event, since it is to reach also those who are away for a moment.
    fn has_turned_off(
        &mut self,
        client: &Client,
        mut participants: Vec<ParticipantId>,
        source: Source,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        participants.retain(|id| {
            let person = self.people.get(id);
            person.is_some_and(|person| person.publishing.includes(source))
        });
        if participants.is_empty() {
            return;
        }
        let event = RoomEvent::TurnedOff {
            participants,
            source,
            by: client.participant.clone(),
        };
        self.happen(event, None, now, out);
    }

    /// Somebody is asked for their microphone, and decides.
    pub(super) fn asks_to_unmute(
        &mut self,
        client: &Client,
        target: &ParticipantId,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let user = self.subject(client, target)?;
        if !self.people.get(target).is_some_and(Person::is_here) {
            let message = "they are away for a moment: ask again";
            return Err(Refusal::new(ErrorCode::UnknownParticipant, message));
        }
        self.is_open_to(target, Right::Speak)?;
        self.audit_on(client, target, Deed::AskedToUnmute, now, out);
        if !self.caps_of(&user).audio {
            self.rule(&user, |ruling| ruling.caps.audio = true, now, out);
            // They hear of it first.
            self.settle_roles(now, out);
        }
        let by = &client.participant;
        for told in [target, by] {
            let message = ServerMessage::AskedToUnmute {
                participant: target.clone(),
                by: by.clone(),
            };
            self.send(told, message, out);
        }
        Ok(())
    }

    /// Mutes everybody who keeps no order, or lifts that.
    pub(super) fn mutes_all(
        &mut self,
        client: &Client,
        mute: MuteAll,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.require(client, Right::Moderate)?;
        self.may_sweep(&client.participant, now)?;
        self.audit_all(client, Deed::MutedAll { mute }, now, out);
        match mute {
            MuteAll::Soft => {
                let all = self.kept_in_order().map(|person| person.id.clone());
                let all = all.collect();
                self.has_turned_off(client, all, Source::Microphone, now, out);
            }
            MuteAll::Hard => {
                // Who may not be heard anyway is not to find it so once that has changed.
                let heard = |person: &&Person| self.may(person.role, Right::Speak);
                let all = self.kept_in_order().filter(heard);
                let all = all.map(|person| person.user.clone());
                self.lets_be_heard(all.collect(), false, now, out);
            }
            MuteAll::Lifted => {
                let muted = |ruling: &&Ruling| {
                    ruling.role.is_none_or(|role| role < Role::Moderator) && !ruling.caps.audio
                };
                let muted = self.rulings.values().filter(muted);
                self.lets_be_heard(
                    muted.map(|ruling| ruling.user.clone()).collect(),
                    true,
                    now,
                    out,
                );
            }
        }
        Ok(())
    }

    /// Those in the room who do not keep order themselves.
    fn kept_in_order(&self) -> impl Iterator<Item = &Person> {
        let people = self.people.values().filter(|person| person.is_in());
        people.filter(|person| person.role < Role::Moderator)
    }

    fn lets_be_heard(
        &mut self,
        users: BTreeSet<UserId>,
        audio: bool,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        for user in users {
            if self.caps_of(&user).audio != audio {
                self.rule(&user, |ruling| ruling.caps.audio = audio, now, out);
            }
        }
    }

    /// Tells a person's node what they may send, if they have media there.
    pub(super) fn tell_caps(&self, id: &ParticipantId, out: &mut Vec<Effect>) {
        let message = |person: &Person| RoomToNode::Caps {
            participant: id.clone(),
            caps: person.caps,
        };
        self.tell_node_of(id, message, out);
    }

    pub(super) fn sends_out(
        &mut self,
        client: &Client,
        target: &ParticipantId,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let user = self.subject_but_owner(client, target)?;
        self.audit_on(client, target, Deed::Removed, now, out);
        self.keeps_out_for_a_while(&user, now, out);
        Ok(())
    }

    /// A user is out of the room, and may come again later.
    pub(super) fn keeps_out_for_a_while(&mut self, user: &UserId, now: u64, out: &mut Vec<Effect>) {
        let until = now + REMOVAL_SECONDS * 1_000;
        self.rule(user, |ruling| ruling.barred_until = until, now, out);
        self.ends_for_user(user, now, out);
    }

    /// Everything ends that a user has in the room.
    pub(super) fn ends_for_user(&mut self, user: &UserId, now: u64, out: &mut Vec<Effect>) {
        for id in self.everything_of(user) {
            self.ends_for(&id, CloseReason::Removed, LeaveReason::Removed, now, out);
        }
    }

    /// The same as [`Self::subject`], for what would keep them out: nobody keeps the owner out.
    pub(super) fn subject_but_owner(
        &self,
        client: &Client,
        target: &ParticipantId,
    ) -> Result<UserId, Refusal> {
        let user = self.subject(client, target)?;
        if self.is_owner(&user) {
            let message = "the owner is neither removed nor banned: leave, or delete the room";
            return Err(Refusal::new(ErrorCode::Forbidden, message));
        }
        Ok(user)
    }

    /// The user behind a participant, if this client may rule on them.
    pub(super) fn subject(
        &self,
        client: &Client,
        target: &ParticipantId,
    ) -> Result<UserId, Refusal> {
        let role = self.require(client, Right::Moderate)?;
        let target = self.present(target)?;
        // What is ruled holds for the user, who may be more on another page.
        let roles = self.everything_of(&target.user).into_iter();
        let highest = roles
            .filter_map(|id| Some(self.people.get(&id)?.role))
            .max();
        if role != Role::Host && highest >= Some(role) {
            let message = "a moderator decides about those who keep no order, alone";
            return Err(Refusal::new(ErrorCode::Forbidden, message));
        }
        Ok(target.user.clone())
    }

    pub(super) fn everything_of(&self, user: &UserId) -> Vec<ParticipantId> {
        let of_user = |person: &&Person| person.user == *user;
        let people = self.people.values().filter(of_user);
        people.map(|person| person.id.clone()).collect()
    }
}

/// Those of these who are meant: the one who is named, or all.
pub(super) fn meant(
    target: Option<&ParticipantId>,
    mut of: Vec<ParticipantId>,
) -> Vec<ParticipantId> {
    of.retain(|id| target.is_none_or(|target| target == id));
    of
}

/// What somebody may send after a change.
fn after(caps: Caps, change: CapsChange) -> Caps {
    let CapsChange {
        audio,
        video,
        screen,
        max_layer,
        max_bitrate,
    } = change;
    Caps {
        audio: audio.unwrap_or(caps.audio),
        video: video.unwrap_or(caps.video),
        screen: screen.unwrap_or(caps.screen),
        captions: caps.captions,
        max_layer: max_layer.unwrap_or(caps.max_layer),
        max_bitrate: max_bitrate.unwrap_or(caps.max_bitrate),
    }
}
