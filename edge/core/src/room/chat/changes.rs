//! What becomes of a line that was said: another text, none any more, and how others feel about it. Its place stays.

use protocol::client::{
    ChatReaction, Deed as Noted, ErrorCode, NotedPerson, RoomEvent, ServerMessage,
};
use protocol::id::UserId;

use super::{no_line, recall};
use crate::chat::{self, Line};
use crate::refusal::Refusal;
use crate::room::record::Record;
use crate::room::roles::Right;
use crate::room::{Client, Deed, Effect, Room};

impl Room {
    pub(in crate::room) fn edits(
        &mut self,
        client: &Client,
        id: &str,
        text: String,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        chat::check_text(&text)?;
        self.require(client, Right::Chat)?;
        let number = self.number(id)?;
        let bytes = text.clone();
        self.asks_for_line(client, Deed::Edit { number, text }, &bytes, now, out)
    }

    pub(in crate::room) fn deletes(
        &mut self,
        client: &Client,
        id: &str,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let number = self.number(id)?;
        self.asks_for_line(client, Deed::Delete { number }, "", now, out)
    }

    pub(in crate::room) fn reacts(
        &mut self,
        client: &Client,
        id: &str,
        reaction: ChatReaction,
        on: bool,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.require(client, Right::Chat)?;
        let number = self.number(id)?;
        let deed = Deed::React {
            number,
            reaction,
            on,
        };
        self.asks_for_line(client, deed, "", now, out)
    }

    fn asks_for_line(
        &mut self,
        client: &Client,
        deed: Deed,
        text: &str,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        if let Some(user) = self.user_of(client) {
            self.may_write(&user, text, now)?;
            out.push(recall(client, user, deed));
        }
        Ok(())
    }

    pub(super) fn changes_line(
        &mut self,
        client: Client,
        deed: Deed,
        line: Option<Line>,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let Some(user) = self.user_of(&client) else {
            return;
        };
        let of = match &deed {
            Deed::Say(_) => return,
            Deed::Edit { .. } => "editChat",
            Deed::Delete { .. } => "deleteChat",
            Deed::React { .. } => "reactToChat",
        };
        let changed = self.changed(&client, &user, deed, line, now);
        let (line, event) = match changed {
            Ok(Some(changed)) => changed,
            Ok(None) => return,
            Err(Refusal { code, message, .. }) => {
                return out.push(Effect::Send {
                    client,
                    message: ServerMessage::Error {
                        code,
                        message: message.to_owned(),
                        nonce: None,
                        of: Some(of.to_owned()),
                        retry_after_ms: None,
                    },
                });
            }
        };
        if line.message.deleted && line.message.user.as_ref() != Some(&user) {
            self.notes_deletion(&client, &line, now, out);
        }
        self.chat.change(&line);
        if line.message.deleted {
            let redacted = self.log.redact(&line.message.id).into_iter();
            out.extend(redacted.map(|logged| Effect::Save(Record::Event(logged))));
        }
        out.push(Effect::SaveLine(line.clone()));
        self.tell_of(&line, event, now, out);
    }

    /// One who keeps order deletes what somebody else has said.
    fn notes_deletion(&self, client: &Client, line: &Line, now: u64, out: &mut Vec<Effect>) {
        let message = &line.message;
        let on = message.user.clone().map(|user| NotedPerson {
            participant: Some(message.participant.clone()),
            user,
            name: message.name.clone(),
        });
        let id = message.id.clone();
        self.audit_of(client, on, Noted::ChatDeleted { id }, now, out);
    }

    /// The line as it is then, and what is told of it; nothing where it is so already.
    fn changed(
        &self,
        client: &Client,
        user: &UserId,
        deed: Deed,
        line: Option<Line>,
        now: u64,
    ) -> Result<Option<(Line, RoomEvent)>, Refusal> {
        // What somebody does not see is not there for them.
        let line = line.filter(|line| line.seen_by(&self.reader(user)).is_some());
        let mut line = line.ok_or_else(no_line)?;
        let is_own = line.message.user.as_ref() == Some(user);
        let id = line.message.id.clone();
        let event = match deed {
            Deed::Say(_) => None,
            Deed::Delete { .. } => {
                if !is_own {
                    self.require(client, Right::Moderate)?;
                }
                line.delete().then_some(RoomEvent::ChatDeleted { id })
            }
            Deed::Edit { .. } | Deed::React { .. } if line.message.deleted => {
                return Err(no_line());
            }
            Deed::Edit { text, .. } => {
                if !is_own {
                    let message = "one changes one's own lines alone";
                    return Err(Refusal::new(ErrorCode::Forbidden, message));
                }
                let edited = RoomEvent::ChatEdited {
                    id,
                    text: text.clone(),
                    edited_at: now,
                };
                line.edit(text, now).then_some(edited)
            }
            Deed::React { reaction, on, .. } => {
                let count = line.react(user, reaction, on).map_err(|_| {
                    let message = "no more people may feel so about a line";
                    Refusal::new(ErrorCode::TooLarge, message)
                })?;
                count.map(|count| RoomEvent::ChatReacted {
                    id,
                    user: user.clone(),
                    reaction,
                    on,
                    count,
                })
            }
        };
        Ok(event.map(|event| (line, event)))
    }
}
