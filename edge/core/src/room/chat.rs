//! Chat in a room: a line of a user is stored once, whichever participant they are when they send it, and then told.

mod changes;

use protocol::client::{
    ChatMessage, ErrorCode, MAX_CHAT_PAGE, MAX_MENTIONS, Mention, Role, RoomEvent, ServerMessage,
};
use protocol::id::{BreakoutId, UserId};

use super::log::{Hearers, LoggedEvent};
use super::people::Person;
use super::record::Record;
use super::roles::Right;
use super::{Client, Deed, Draft, Effect, Room};
use crate::breakouts::Subroom;
use crate::chat::{self, Keep, Line};
use crate::nonce;
use crate::refusal::Refusal;

/// Why somebody does not take the chat along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoExport {
    NotHost,
    /// Milliseconds to wait.
    TooSoon(u64),
}

/// What a line is about beside its text.
pub(super) struct About {
    pub reply_to: Option<String>,
    pub mentions: Vec<UserId>,
    pub to: Option<UserId>,
    pub broadcast: bool,
    /// Where it was written, if that is said.
    pub breakout: Option<Option<BreakoutId>>,
}

impl Room {
    pub(super) fn says(
        &mut self,
        client: &Client,
        nonce: String,
        text: String,
        about: About,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        nonce::check(&nonce)?;
        chat::check_text(&text)?;
        self.require(client, Right::Chat)?;
        if about.broadcast {
            self.require(client, Right::HoldBreakouts)?;
        }
        let Some(user) = self.user_of(client) else {
            return Ok(());
        };
        if let Some(id) = self.chat.find(&user, &nonce) {
            out.push(accepted(client.clone(), nonce, id));
            return Ok(());
        }
        let draft = self.drafted(nonce, text, about)?;
        self.may_write(&user, &draft.text, now)?;
        let deed = Deed::Say(draft);
        out.push(recall(client, user, deed));
        Ok(())
    }

    /// A line that is said about what and whom there is.
    fn drafted(&self, nonce: String, text: String, about: About) -> Result<Draft, Refusal> {
        let About {
            reply_to,
            mentions,
            to,
            broadcast,
            breakout,
        } = about;
        if mentions.len() > MAX_MENTIONS {
            let message = "a line mentions at most 20 people";
            return Err(Refusal::new(ErrorCode::TooLarge, message));
        }
        if let Some(id) = &reply_to {
            self.number(id)?;
        }
        let to = match to {
            None => None,
            Some(user) => Some(self.named(&user).ok_or_else(|| {
                let message = "whom this is for is not in the room";
                Refusal::new(ErrorCode::UnknownParticipant, message)
            })?),
        };
        let mut mentioned: Vec<Mention> = Vec::new();
        for mention in mentions.iter().filter_map(|user| self.named(user)) {
            if !mentioned.contains(&mention) {
                mentioned.push(mention);
            }
        }
        Ok(Draft {
            nonce,
            text,
            reply_to,
            mentions: mentioned,
            to,
            broadcast,
            breakout,
        })
    }

    /// The line that a deed needs is stored, or is not.
    pub(super) fn recalled(
        &mut self,
        client: Client,
        deed: Deed,
        known: Option<u64>,
        line: Option<Box<Line>>,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        match deed {
            Deed::Say(draft) => self.said(client, draft, known, now, out),
            deed => self.changes_line(client, deed, line.map(|line| *line), now, out),
        }
    }

    fn said(
        &mut self,
        client: Client,
        draft: Draft,
        known: Option<u64>,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        if let Some(number) = known {
            return out.push(accepted(client, draft.nonce, number.to_string()));
        }
        let Some(person) = self.people.get(&client.participant) else {
            return;
        };
        // What is for one or for all is not of where they are.
        let is_anywhere = draft.broadcast || draft.to.is_some();
        let breakout = match is_anywhere {
            true => None,
            false => self.subroom_of(&person.user).breakout(),
        };
        if !is_anywhere && draft.breakout.is_some_and(|written| written != breakout) {
            return out.push(elsewhere(client, draft.nonce));
        }
        let line = self.chat.add(ChatMessage {
            id: String::new(),
            nonce: draft.nonce.clone(),
            participant: person.id.clone(),
            user: Some(person.user.clone()),
            name: person.name.clone(),
            text: draft.text,
            sent_at: now,
            edited_at: None,
            deleted: false,
            reply_to: draft.reply_to,
            mentions: draft.mentions,
            breakout,
            to: draft.to,
            broadcast: draft.broadcast,
            reactions: Vec::new(),
        });
        let message = line.message.clone();
        let id = message.id.clone();
        out.push(Effect::SaveLine(line.clone()));
        self.forget_lines(now, out);
        let event = RoomEvent::Chat {
            message: message.clone(),
        };
        self.tell_of(&line, event, now, out);
        self.tell_of_line(message, now, out);
        out.push(accepted(client, draft.nonce, id));
    }

    /// Shows stored lines. What is in memory stays as it is.
    pub(super) fn shows_history(
        &mut self,
        client: &Client,
        before: &str,
        limit: u32,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let Some(before) = chat::number(before).filter(|_| limit > 0) else {
            let message = "ask for some lines before the id of a line";
            return Err(Refusal::new(ErrorCode::Malformed, message));
        };
        let Some(reader) = self.user_of(client).map(|user| self.reader(&user)) else {
            return Ok(());
        };
        self.may_page(&client.participant, now)?;
        out.push(Effect::ShowLines {
            client: client.clone(),
            reader,
            before: before.min(self.chat.latest() + 1),
            limit: limit.min(MAX_CHAT_PAGE),
            keep: self.keep_lines(now),
        });
        Ok(())
    }

    /// Which lines this room keeps.
    pub fn keep_lines(&self, now: u64) -> Keep {
        let settings = &self.info.settings;
        self.chat.keep(settings.chat_lines, settings.chat_days, now)
    }

    /// Has the lines go that are not kept any more: as lines come and as the room awakes, and at no other time.
    pub(super) fn forget_lines(&mut self, now: u64, out: &mut Vec<Effect>) {
        let keep = self.keep_lines(now);
        self.chat.forget(keep);
        out.push(Effect::ForgetLines(keep));
    }

    /// Whether this user may take the chat along now; if they are too fast, the milliseconds to wait.
    pub fn may_export(&mut self, user: &UserId, now: u64) -> Result<(), NoExport> {
        let is_host = |person: &Person| person.user == *user && person.role == Role::Host;
        if !self.is_owner(user) && !self.people.values().any(is_host) {
            return Err(NoExport::NotHost);
        }
        self.may_take_along(now).map_err(NoExport::TooSoon)
    }

    /// Somebody writes something for everybody.
    pub(super) fn types(
        &mut self,
        client: &Client,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.require(client, Right::Chat)?;
        if self.may_type(now) {
            let participant = client.participant.clone();
            let message = ServerMessage::Typing {
                participant: participant.clone(),
            };
            let id = &client.participant;
            self.tell_near(id, Some(participant), message, out);
        }
        Ok(())
    }

    /// Tells of a line whom it is for.
    fn tell_of(&mut self, line: &Line, event: RoomEvent, now: u64, out: &mut Vec<Effect>) {
        let hearers = match (line.between(), line.subroom()) {
            (Some(both), _) => Hearers::Both(both),
            (None, Some(subroom)) => Hearers::In(subroom),
            (None, None) => Hearers::All,
        };
        let is_for_all = hearers == Hearers::In(Subroom::Main) && !self.breakouts.is_open();
        if hearers == Hearers::All {
            self.happen(event, None, now, out);
        } else if is_for_all {
            let LoggedEvent { seq, event, .. } = self.note(event, hearers, now, out);
            let message = ServerMessage::Event { seq, event };
            out.push(Effect::Broadcast {
                except: None,
                message,
            });
        } else {
            self.happen_among(hearers, event, now, out);
        }
    }

    /// What the guest has said, and what was said to them, is the account's.
    pub(super) fn chat_goes_over(&mut self, guest: &UserId, to: &UserId, out: &mut Vec<Effect>) {
        let about = self.chat.inherit(guest, to);
        out.push(Effect::Inherit {
            from: guest.clone(),
            to: to.clone(),
        });
        out.extend(about.into_iter().map(Effect::SaveLine));
        let told = self.log.inherit(guest, to).into_iter();
        out.extend(told.map(|logged| Effect::Save(Record::Event(logged))));
    }

    pub(super) fn user_of(&self, client: &Client) -> Option<UserId> {
        let person = self.people.get(&client.participant);
        person.map(|person| person.user.clone())
    }

    /// Somebody who is here, as a line names them.
    fn named(&self, user: &UserId) -> Option<Mention> {
        let is_meant = |person: &&Person| person.user == *user && person.is_in();
        let person = self.people.values().find(is_meant)?;
        Some(Mention {
            user: person.user.clone(),
            name: person.name.clone(),
        })
    }

    /// The number of a line that there is, or was.
    pub(super) fn number(&self, id: &str) -> Result<u64, Refusal> {
        let number = chat::number(id).filter(|number| (1..=self.chat.latest()).contains(number));
        number.ok_or_else(no_line)
    }
}

fn recall(client: &Client, user: UserId, deed: Deed) -> Effect {
    Effect::Recall {
        client: client.clone(),
        user,
        deed,
    }
}

fn no_line() -> Refusal {
    Refusal::new(ErrorCode::UnknownLine, "there is no such line, or no more")
}

/// What was written among a few is not said to others: its writer decides.
fn elsewhere(client: Client, nonce: String) -> Effect {
    let message = "you wrote this in another room than you are in now";
    let refusal = Refusal::new(ErrorCode::Elsewhere, message);
    Effect::Send {
        client,
        message: refusal.told(Some("chat".to_owned()), Some(nonce)),
    }
}

fn accepted(client: Client, nonce: String, id: String) -> Effect {
    Effect::Send {
        client,
        message: ServerMessage::ChatAccepted { nonce, id },
    }
}
