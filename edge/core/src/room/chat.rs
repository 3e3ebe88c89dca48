//! Chat in a room: a line of a user is stored once, whichever participant they are when they send it, and then told.

use protocol::client::{ChatMessage, RoomEvent, ServerMessage};

use super::messages::Refusal;
use super::roles::Right;
use super::{Client, Draft, Effect, Room};
use crate::chat;

impl Room {
    pub(super) fn says(
        &mut self,
        client: &Client,
        nonce: String,
        text: String,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        chat::check(&nonce, &text).map_err(|(code, message)| Refusal::new(code, message))?;
        self.demand(client, Right::Chat)?;
        let Some(person) = self.people.get(&client.participant) else {
            return Ok(());
        };
        let user = person.user.clone();
        if let Some(id) = self.chat.find(&user, &nonce) {
            out.push(accepted(client.clone(), nonce, id));
            return Ok(());
        }
        self.may_write(&user, &text, now)?;
        out.push(Effect::Recall {
            client: client.clone(),
            user,
            draft: Draft { nonce, text },
        });
        Ok(())
    }

    /// A line is known under the id, or is new.
    pub(super) fn recalled(
        &mut self,
        client: Client,
        draft: Draft,
        known: Option<String>,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let Draft { nonce, text } = draft;
        if let Some(id) = known {
            return out.push(accepted(client, nonce, id));
        }
        let Some(person) = self.people.get(&client.participant) else {
            return;
        };
        let line = self.chat.add(ChatMessage {
            id: String::new(),
            nonce: nonce.clone(),
            participant: person.id.clone(),
            user: Some(person.user.clone()),
            name: person.name.clone(),
            text,
            sent_at: now,
        });
        let message = line.message.clone();
        let id = message.id.clone();
        out.push(Effect::SaveLine(line));
        self.happen(RoomEvent::Chat { message }, None, now, out);
        out.push(accepted(client, nonce, id));
    }
}

fn accepted(client: Client, nonce: String, id: String) -> Effect {
    Effect::Send {
        client,
        message: ServerMessage::ChatAccepted { nonce, id },
    }
}
