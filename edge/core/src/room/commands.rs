//! What the room's owner has done through the API, without being in it: the same deeds as theirs in the room, noted in the audit
//! list under the name of the key.

use protocol::client::{
    CapsChange, CloseReason, Deed, LeaveReason, NotedPerson, Participant, ServerMessage, Settings,
    SettingsChange,
};
use protocol::developer::{MAX_DATA_BYTES, Moderation, SendDataRequest};
use protocol::id::{ParticipantId, UserId};

use super::audit::difference;
use super::people::Person;
use super::settings::after;
use super::{Effect, Room};
use crate::order::Ordered;

/// What is to be done in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    Configure(SettingsChange),
    Moderate(Moderation),
    SendData(SendDataRequest),
}

/// Why it is not done. Times are in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoCommand {
    #[error("nobody in the room has this id")]
    Nobody,
    #[error("the owner is neither removed nor banned: delete the room instead")]
    Owner,
    #[error("a message has 1 to {MAX_DATA_BYTES} bytes")]
    Size,
    #[error("they are away for a moment: send it again")]
    Away,
    #[error("too much data: send it again in {} s", wait.div_ceil(1_000))]
    TooMuch { wait: u64 },
}

impl Room {
    /// How the room is set.
    pub fn settings(&self) -> &Settings {
        &self.info.settings
    }

    /// Who is in the room, who came first first.
    pub fn participants(&self) -> Vec<Participant> {
        let people = self.people.values().filter(|person| person.is_in());
        let mut participants: Vec<_> = people.map(Person::view).collect();
        participants.order_by_key(|participant| participant.joined_at);
        participants
    }

    /// Whether this can be done now.
    pub fn may_be_commanded(&mut self, command: &Command, now: u64) -> Result<(), NoCommand> {
        match command {
            Command::Configure(_) => Ok(()),
            Command::Moderate(moderation) => self.may_be_moderated(moderation),
            Command::SendData(data) => self.may_send_data(data, now),
        }
    }

    fn may_be_moderated(&self, moderation: &Moderation) -> Result<(), NoCommand> {
        match moderation {
            Moderation::Mute { participant } | Moderation::Unmute { participant } => {
                self.user_behind(participant).map(|_| ())
            }
            Moderation::Remove { participant } | Moderation::Ban { participant } => {
                let user = self.user_behind(participant)?;
                let is_owner = self.is_owner(&user);
                (!is_owner).then_some(()).ok_or(NoCommand::Owner)
            }
            Moderation::Unban { .. } | Moderation::Lock | Moderation::Unlock | Moderation::End => {
                Ok(())
            }
        }
    }

    fn may_send_data(&mut self, data: &SendDataRequest, now: u64) -> Result<(), NoCommand> {
        if !(1..=MAX_DATA_BYTES).contains(&data.data.len()) {
            return Err(NoCommand::Size);
        }
        if let Some(to) = &data.to {
            let person = self.people.get(to).filter(|person| person.is_in());
            if !person.ok_or(NoCommand::Nobody)?.is_here() {
                return Err(NoCommand::Away);
            }
        }
        let taken = self.may_carry_data(data.data.len(), now);
        taken.map_err(|wait| NoCommand::TooMuch { wait })
    }

    pub(super) fn commanded(
        &mut self,
        by: String,
        command: Command,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        match command {
            Command::Configure(change) => self.set_by_command(by, change, now, out),
            Command::Moderate(moderation) => self.moderated(by, moderation, now, out),
            Command::SendData(data) => self.carries_data(data, out),
        }
    }

    fn set_by_command(
        &mut self,
        by: String,
        change: SettingsChange,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let settings = &self.info.settings;
        let changed = difference(settings, &after(settings, change.clone()));
        if !changed.is_empty() {
            self.note_command(by, None, Deed::Settings { changed }, now, out);
        }
        self.configured(change, now, out);
    }

    fn moderated(&mut self, by: String, what: Moderation, now: u64, out: &mut Vec<Effect>) {
        match what {
            Moderation::Mute { participant } => self.hears(by, participant, false, now, out),
            Moderation::Unmute { participant } => self.hears(by, participant, true, now, out),
            Moderation::Remove { participant } => self.puts_out(by, participant, false, now, out),
            Moderation::Ban { participant } => self.puts_out(by, participant, true, now, out),
            Moderation::Unban { user } => self.forgives(by, &user, now, out),
            Moderation::Lock => self.locks(by, true, now, out),
            Moderation::Unlock => self.locks(by, false, now, out),
            Moderation::End => self.ends(by, now, out),
        }
    }

    fn hears(
        &mut self,
        by: String,
        participant: ParticipantId,
        audio: bool,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let Ok(user) = self.user_behind(&participant) else {
            return;
        };
        // Said again, as when its answer was lost, it is no other deed.
        if self.caps_of(&user).audio == audio {
            return;
        }
        let change = CapsChange {
            audio: Some(audio),
            ..CapsChange::default()
        };
        let on = self.noted(&participant);
        self.note_command(by, on, Deed::Caps { change }, now, out);
        self.rule(&user, |ruling| ruling.caps.audio = audio, now, out);
    }

    fn puts_out(
        &mut self,
        by: String,
        participant: ParticipantId,
        for_good: bool,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let Ok(user) = self.user_behind(&participant) else {
            return;
        };
        let deed = if for_good {
            Deed::Banned
        } else {
            Deed::Removed
        };
        let on = self.noted(&participant);
        self.note_command(by, on, deed, now, out);
        match for_good {
            true => self.keeps_out(&user, &participant, now, out),
            false => self.keeps_out_for_a_while(&user, now, out),
        }
    }

    fn forgives(&mut self, by: String, user: &UserId, now: u64, out: &mut Vec<Effect>) {
        if let Some(on) = self.kept_out(user, now) {
            self.note_command(by, Some(on), Deed::Unbanned, now, out);
        }
        self.lets_back(user, now, out);
    }

    fn locks(&mut self, by: String, locked: bool, now: u64, out: &mut Vec<Effect>) {
        let change = SettingsChange {
            locked: Some(locked),
            ..SettingsChange::default()
        };
        self.set_by_command(by, change, now, out);
    }

    /// The call is over for everybody, also for those at the door and on their way.
    fn ends(&mut self, by: String, now: u64, out: &mut Vec<Effect>) {
        self.note_command(by, None, Deed::Ended, now, out);
        let people: Vec<ParticipantId> = self.people.keys().cloned().collect();
        for id in people {
            self.ends_for(&id, CloseReason::Ended, LeaveReason::RoomClosed, now, out);
        }
        let waiting: Vec<ParticipantId> = self.waiting.keys().cloned().collect();
        for id in waiting {
            self.sends_off(&id, CloseReason::Ended, out);
        }
    }

    fn carries_data(&self, data: SendDataRequest, out: &mut Vec<Effect>) {
        let SendDataRequest { data, to } = data;
        let message = ServerMessage::Data { data };
        match to {
            Some(to) => self.send(&to, message, out),
            None => out.push(Effect::Broadcast {
                except: None,
                message,
            }),
        }
    }

    fn user_behind(&self, participant: &ParticipantId) -> Result<UserId, NoCommand> {
        let person = self.people.get(participant);
        let person = person.filter(|person| person.is_in());
        person
            .map(|person| person.user.clone())
            .ok_or(NoCommand::Nobody)
    }

    fn note_command(
        &self,
        by: String,
        on: Option<NotedPerson>,
        deed: Deed,
        at: u64,
        out: &mut Vec<Effect>,
    ) {
        let by = NotedPerson {
            participant: None,
            user: self.info.owner.clone(),
            name: by,
        };
        out.push(Effect::Note(protocol::client::Noted { at, by, on, deed }));
    }
}
