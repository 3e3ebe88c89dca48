//! What a client says: not too often, not too long, and each message to the file of its subject; chat is this one's own.

use protocol::client::{
    ClientMessage, ErrorCode, MAX_MESSAGE_BYTES, Offer, RoomEvent, ServerMessage,
};
use protocol::id::ParticipantId;

use super::record::Record;
use super::{Client, Effect, Room};
use crate::chat::Said;
use crate::limits::{Bucket, Limit};

/// How many messages a client may send: 60 at once, 20 a second in the long run.
const MESSAGES: Limit = Limit {
    burst: 60,
    window: 3_000,
};

impl Room {
    pub(super) fn client_said(
        &mut self,
        client: Client,
        text: &str,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let Some(person) = self.people.get(&client.participant) else {
            return out.push(Effect::HangUp { client });
        };
        if person.connection != client.connection {
            return out.push(Effect::HangUp { client });
        }
        self.heard_from(&client.participant, now);
        self.has_welcome(&client.participant, out);
        let message = self.understood(&client.participant, text, now);
        let participant = client.participant.clone();
        match message {
            Err((code, message)) => out.push(refuse(client, code, message, None)),
            Ok(ClientMessage::Offer {
                attempt,
                sdp,
                sources,
            }) => {
                let offer = Offer {
                    attempt,
                    sdp,
                    sources,
                };
                self.offered(&participant, offer, now, out);
            }
            Ok(ClientMessage::RestartIce { attempt, sdp }) => {
                self.restarts_ice(&participant, attempt, sdp, out);
            }
            Ok(ClientMessage::Publishing { publishing }) => {
                self.publishes(&participant, publishing, now, out);
            }
            Ok(ClientMessage::Chat { nonce, text }) => self.said(client, nonce, text, now, out),
            Ok(ClientMessage::MediaFailed { attempt }) => {
                self.media_failed(&participant, attempt, now, out);
            }
            Ok(ClientMessage::SetCaps { participant, caps }) => {
                self.sets_caps(client, &participant, caps, now, out);
            }
            Ok(ClientMessage::Remove { participant }) => {
                self.sends_out(client, &participant, now, out);
            }
            Ok(ClientMessage::MoveHere) => self.moves_here(&participant, now, out),
            Ok(ClientMessage::Leave) => self.leaves(client, now, out),
        }
    }

    /// The message that this text is, unless it comes too soon, is too long or is none.
    fn understood(
        &mut self,
        participant: &ParticipantId,
        text: &str,
        now: u64,
    ) -> Result<ClientMessage, (ErrorCode, &'static str)> {
        let bucket = self
            .buckets
            .entry(participant.clone())
            .or_insert_with(|| Bucket::full(MESSAGES, now));
        if bucket.take(MESSAGES, now).is_err() {
            return Err((
                ErrorCode::RateLimited,
                "too many messages: wait and send again",
            ));
        }
        if text.len() > MAX_MESSAGE_BYTES {
            return Err((ErrorCode::TooLarge, "a message has at most 256 KiB"));
        }
        serde_json::from_str(text)
            .map_err(|_| (ErrorCode::Malformed, "not a message of this protocol"))
    }

    fn said(
        &mut self,
        client: Client,
        nonce: String,
        text: String,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let Some(person) = self.people.get(&client.participant) else {
            return;
        };
        let (user, name) = (person.user.clone(), person.name.clone());
        match self
            .chat
            .say(&client.participant, &user, &name, nonce.clone(), text, now)
        {
            Said::New(line) => {
                let message = line.message.clone();
                out.push(Effect::Save(Record::Chat(line)));
                let id = message.id.clone();
                self.happen(RoomEvent::Chat { message }, None, now, out);
                out.push(Effect::Send {
                    client,
                    message: ServerMessage::ChatAccepted { nonce, id },
                });
            }
            Said::Known { id } => out.push(Effect::Send {
                client,
                message: ServerMessage::ChatAccepted { nonce, id },
            }),
            Said::Refused { code, message } => {
                out.push(refuse(client, code, &message, Some(nonce)));
            }
        }
    }
}

/// Tells a client that a message of its was refused, and why.
pub(super) fn refuse(
    client: Client,
    code: ErrorCode,
    message: &str,
    nonce: Option<String>,
) -> Effect {
    Effect::Send {
        client,
        message: ServerMessage::Error {
            code,
            message: message.to_owned(),
            nonce,
            of: None,
            retry_after_ms: None,
        },
    }
}
