//! What a client says: not too often, not too long, and each message to the file of its subject. Whatever is refused is
//! answered with its type and nonce, as far as they can be read.

use protocol::client::{ClientMessage, ErrorCode, MAX_MESSAGE_BYTES, Offer};
use protocol::id::ParticipantId;
use serde::Deserialize;
use serde_json::Value;
use serde_json::error::Category;

use super::chat::About;
use super::{Client, Effect, Room};
use crate::refusal::Refusal;

/// Longest type and nonce that a refusal repeats, in bytes. Ours are shorter.
const MAX_HEAD_BYTES: usize = 256;

/// What a message is answered by, whatever else stands in it.
#[derive(Default, Deserialize)]
struct Head {
    #[serde(rename = "type", default)]
    of: Value,
    #[serde(default)]
    nonce: Value,
}

impl Head {
    /// What cannot be repeated is left out, and what stands beside it is not.
    fn of(text: &str) -> (Option<String>, Option<String>) {
        if text.len() > MAX_MESSAGE_BYTES {
            return (None, None);
        }
        let short = |value: Value| match value {
            Value::String(text) if text.len() <= MAX_HEAD_BYTES => Some(text),
            _ => None,
        };
        let Self { of, nonce } = serde_json::from_str(text).unwrap_or_default();
        (short(of), short(nonce))
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
        let id = &client.participant;
        let waiting = self.waiting.get(id).map(|waiting| &waiting.person);
        let Some(person) = self.people.get(id).or(waiting) else {
            return out.push(Effect::HangUp { client });
        };
        // What was on its way when the room hung up, too.
        if person.connection != client.connection || !person.is_here() {
            return out.push(Effect::HangUp { client });
        }
        self.heard_from(&client.participant, now);
        self.has_welcome(&client.participant, out);
        if let Err(refusal) = self.take_up(&client, text, now, out) {
            if let Some(excess) = self.exceeds(&client.participant, &refusal, now) {
                return self.send_away(client, excess, now, out);
            }
            let (of, nonce) = Head::of(text);
            out.push(Effect::Send {
                client,
                message: refusal.told(of, nonce),
            });
        }
    }

    fn take_up(
        &mut self,
        client: &Client,
        text: &str,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let id = &client.participant;
        let message = self.understood(id, text, now)?;
        if self.is_outside(id) {
            self.said_outside(id, message, out);
            return Ok(());
        }
        match message {
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
                self.may_offer(id, now)?;
                self.offered(id, offer, now, out);
            }
            ClientMessage::RestartIce { attempt, sdp } => {
                self.restarts_ice(id, attempt, sdp, now, out);
            }
            ClientMessage::Publishing { publishing } => self.publishes(id, publishing, now, out),
            ClientMessage::Chat {
                nonce,
                text,
                reply_to,
                mentions,
                to,
                broadcast,
                breakout,
            } => {
                let about = About {
                    reply_to,
                    mentions,
                    to,
                    broadcast,
                    breakout,
                };
                self.says(client, nonce, text, about, now, out)?;
            }
            ClientMessage::EditChat { id, text } => self.edits(client, &id, text, now, out)?,
            ClientMessage::DeleteChat { id } => self.deletes(client, &id, now, out)?,
            ClientMessage::ReactToChat { id, reaction, on } => {
                self.reacts(client, &id, reaction, on, now, out)?;
            }
            ClientMessage::ChatHistory { before, limit } => {
                self.shows_history(client, &before, limit, now, out)?;
            }
            ClientMessage::ReadChat { id: line } => self.reads(client, &line, now, out)?,
            ClientMessage::Typing => self.types(client, now, out)?,
            ClientMessage::MediaFailed { attempt } => self.media_failed(id, attempt, now, out),
            ClientMessage::NoMedia { attempt } => self.no_media(id, attempt, out),
            ClientMessage::SetCaps { participant, caps } => {
                self.sets_caps(client, &participant, caps, now, out)?;
            }
            ClientMessage::TurnOff {
                participant,
                source,
            } => self.turns_off(client, &participant, source, now, out)?,
            ClientMessage::AskToUnmute { participant } => {
                self.asks_to_unmute(client, &participant, now, out)?;
            }
            ClientMessage::MuteAll { mute } => self.mutes_all(client, mute, now, out)?,
            ClientMessage::Remove { participant } => {
                self.sends_out(client, &participant, now, out)?;
            }
            ClientMessage::SetRole { participant, role } => {
                self.sets_role(client, &participant, role, now, out)?;
            }
            ClientMessage::Configure { change } => self.configures(client, change, now, out)?,
            ClientMessage::Ban { participant } => self.bans(client, &participant, now, out)?,
            ClientMessage::Unban { user } => self.unbans(client, &user, now, out)?,
            ClientMessage::Admit { participant } => self.admits(client, participant, now, out)?,
            ClientMessage::Refuse { participant } => self.refuses(client, participant, now, out)?,
            ClientMessage::SetPassword { password } => {
                self.sets_password(client, password, now, out)?;
            }
            ClientMessage::TakeAccount { token } => self.shows_account(client, token, out)?,
            ClientMessage::CreatePoll { nonce, draft } => {
                self.creates_poll(client, nonce, draft, now, out)?;
            }
            ClientMessage::Vote { poll, choices } => self.votes(client, poll, choices, now, out)?,
            ClientMessage::ClosePoll { poll } => self.closes_poll(client, poll, now, out)?,
            ClientMessage::DeletePoll { poll } => self.deletes_poll(client, poll, now, out)?,
            ClientMessage::ShowVotes { poll } => self.shows_votes(client, poll, now, out)?,
            ClientMessage::RaiseHand => self.raises_hand(client, now, out)?,
            ClientMessage::LowerHand { participant } => {
                self.lowers_hand(client, &participant, now, out)?;
            }
            ClientMessage::LowerAllHands => self.lowers_all_hands(client, now, out)?,
            ClientMessage::AskToSpeak { on } => self.asks_to_speak(client, on, now, out)?,
            ClientMessage::RefuseToSpeak { participant } => {
                self.refuses_to_speak(client, participant, now, out)?;
            }
            ClientMessage::React { reaction } => self.shows_reaction(client, reaction, now, out)?,
            ClientMessage::Spotlight { participant, on } => {
                self.spotlights(client, &participant, on, now, out)?;
            }
            ClientMessage::OpenNotes { after, author } => {
                self.opens_notes(client, after, author, now, out)?;
            }
            ClientMessage::WriteNotes { nonce, update } => {
                self.writes_notes(client, nonce, update, now, out)?;
            }
            ClientMessage::PointInNotes { at } => self.points_in_notes(client, at, now, out)?,
            ClientMessage::CloseNotes => out.push(Effect::CloseNotes(client.clone())),
            ClientMessage::OpenBreakouts { draft } => {
                self.opens_breakouts(client, draft, now, out)?;
            }
            ClientMessage::MoveToBreakout {
                participant,
                breakout,
            } => self.moves_to_breakout(client, &participant, breakout, now, out)?,
            ClientMessage::LimitBreakouts { seconds } => {
                self.limits_breakouts(client, seconds, now, out)?;
            }
            ClientMessage::CloseBreakouts => self.closes_breakouts(client, now, out)?,
            ClientMessage::MoveHere => self.moves_here(id, now, out),
            ClientMessage::Leave => self.leaves(client.clone(), now, out),
            ClientMessage::PageGone => self.page_gone(client.clone(), now, out),
        }
        Ok(())
    }

    /// The message, if there is one, and it is not too much. What is too long is not read.
    fn understood(
        &mut self,
        id: &ParticipantId,
        text: &str,
        now: u64,
    ) -> Result<ClientMessage, Refusal> {
        if text.len() > MAX_MESSAGE_BYTES {
            let message = "a message has at most 256 KiB";
            return Err(Refusal::nonsense(ErrorCode::TooLarge, message));
        }
        self.may_speak(id, text.len(), now)?;
        serde_json::from_str(text).map_err(|error| {
            let message = "not a message of this protocol";
            match error.classify() {
                // JSON, and no message that we know: one of a later version, it may be.
                Category::Data => Refusal::malformed(message),
                _ => Refusal::nonsense(ErrorCode::Malformed, message),
            }
        })
    }
}
