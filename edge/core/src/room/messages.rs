//! What a client says: not too often, not too long, and each message to the file of its subject. Whatever is refused is
//! answered with its type and nonce, as far as they can be read.

use protocol::client::{ClientMessage, ErrorCode, MAX_MESSAGE_BYTES, Offer, ServerMessage};
use serde::Deserialize;

use super::{Client, Effect, Room};

/// Longest type and nonce that a refusal repeats, in bytes. Ours are shorter.
const MAX_HEAD_BYTES: usize = 256;

/// Why a message is refused.
pub(super) struct Refusal {
    pub code: ErrorCode,
    pub message: &'static str,
    /// After how many milliseconds the same message may be taken; absent if it never will.
    pub retry_after: Option<u64>,
}

impl Refusal {
    pub(super) fn new(code: ErrorCode, message: &'static str) -> Self {
        Self {
            code,
            message,
            retry_after: None,
        }
    }
}

/// What a message is answered by, whatever else stands in it.
#[derive(Default, Deserialize)]
struct Head {
    #[serde(rename = "type")]
    of: Option<String>,
    nonce: Option<String>,
}

impl Head {
    fn of(text: &str) -> Self {
        if text.len() > MAX_MESSAGE_BYTES {
            return Self::default();
        }
        let short = |text: &String| text.len() <= MAX_HEAD_BYTES;
        let Self { of, nonce } = serde_json::from_str(text).unwrap_or_default();
        Self {
            of: of.filter(short),
            nonce: nonce.filter(short),
        }
    }
}

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
        // What was on its way when the room hung up.
        if self.away(&client.participant, now).is_some() {
            return;
        }
        self.heard_from(&client.participant, now);
        self.has_welcome(&client.participant, out);
        if let Err(refusal) = self.take_up(&client, text, now, out) {
            let Head { of, nonce } = Head::of(text);
            out.push(Effect::Send {
                client: client.clone(),
                message: ServerMessage::Error {
                    code: refusal.code,
                    message: refusal.message.to_owned(),
                    nonce,
                    of,
                    retry_after_ms: refusal.retry_after.map(|wait| wait as u32),
                },
            });
            self.note_refusal(&client, now, out);
        }
    }

    fn take_up(
        &mut self,
        client: &Client,
        text: &str,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.may_speak(&client.participant, now)?;
        let id = &client.participant;
        match understood(text)? {
            ClientMessage::Offer {
                attempt,
                sdp,
                sources,
            } => {
                let offer = Offer {
                    attempt,
                    sdp,
                    sources,
                };
                self.offered(id, offer, now, out);
            }
            ClientMessage::RestartIce { attempt, sdp } => self.restarts_ice(id, attempt, sdp, out),
            ClientMessage::Publishing { publishing } => self.publishes(id, publishing, now, out),
            ClientMessage::Chat { nonce, text } => self.says(client, nonce, text, now, out)?,
            ClientMessage::MediaFailed { attempt } => self.media_failed(id, attempt, now, out),
            ClientMessage::SetCaps { participant, caps } => {
                self.sets_caps(client, &participant, caps, now, out)?;
            }
            ClientMessage::Remove { participant } => {
                self.sends_out(client, &participant, now, out)?;
            }
            ClientMessage::MoveHere => self.moves_here(id, now, out),
            ClientMessage::Leave => self.leaves(client.clone(), now, out),
        }
        Ok(())
    }
}

fn understood(text: &str) -> Result<ClientMessage, Refusal> {
    if text.len() > MAX_MESSAGE_BYTES {
        let message = "a message has at most 256 KiB";
        return Err(Refusal::new(ErrorCode::TooLarge, message));
    }
    serde_json::from_str(text)
        .map_err(|_| Refusal::new(ErrorCode::Malformed, "not a message of this protocol"))
}
