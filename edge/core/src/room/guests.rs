//! Guests: people without an account. They may take one later without leaving; then all that was theirs is the account's.

use protocol::client::{ErrorCode, RoomEvent, ServerMessage};
use protocol::id::{ParticipantId, UserId};
use protocol::media::Caps;

use super::rulings;
use super::{Client, Effect, Identity, Room};
use crate::refusal::Refusal;

impl Room {
    /// A guest shows the access token of an account.
    pub(super) fn shows_account(
        &self,
        client: &Client,
        token: String,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let person = self.people.get(&client.participant);
        if !person.is_some_and(|person| person.guest) {
            return Err(forbidden("you have an account here already"));
        }
        out.push(Effect::Verify {
            client: client.clone(),
            token,
        });
        Ok(())
    }

    /// The token is looked at.
    pub(super) fn verified(
        &mut self,
        client: Client,
        account: Option<Identity>,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let message = "the access token is not an account's, or has expired";
        let account = account.ok_or_else(|| forbidden(message));
        let taken = account.and_then(|account| self.takes(&client.participant, &account, now, out));
        if let Err(Refusal { code, message, .. }) = taken {
            out.push(Effect::Send {
                client,
                message: ServerMessage::Error {
                    code,
                    message: message.to_owned(),
                    nonce: None,
                    of: Some("takeAccount".to_owned()),
                    retry_after_ms: None,
                },
            });
        }
    }

    /// The guest goes on as this account, on all pages that they have in the room.
    fn takes(
        &mut self,
        id: &ParticipantId,
        account: &Identity,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let Some(person) = self.people.get(id) else {
            return Ok(());
        };
        // They may have shown two, one right after the other.
        if !person.guest {
            return Err(forbidden("you have an account here already"));
        }
        let guest = person.user.clone();
        // A guest's token is no way around a removal.
        if self.stays_out(&account.user, now).is_err() {
            return Err(forbidden("this account was removed from this room"));
        }
        self.ruling_goes_over(&guest, &account.user, now, out);
        self.chat_goes_over(&guest, &account.user, out);
        for id in self.everything_of(&guest) {
            let Some(person) = self.people.get_mut(&id) else {
                continue;
            };
            person.user = account.user.clone();
            person.name = account.name.clone();
            person.guest = false;
            let is_news = person.is_in();
            self.save_person(&id, out);
            if is_news {
                let event = RoomEvent::Account {
                    participant: id,
                    user: account.user.clone(),
                    name: account.name.clone(),
                };
                self.happen(event, None, now, out);
            }
        }
        self.breakouts_go_over(&guest, &account.user, now, out);
        self.polls_go_over(&guest, &account.user, now, out);
        Ok(())
    }

    /// What was ruled on the guest holds for the account. Where both were ruled on, it is what lets less through.
    fn ruling_goes_over(
        &mut self,
        guest: &UserId,
        account: &UserId,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let Some(ruling) = self.rulings.remove(guest) else {
            return;
        };
        out.push(Effect::Erase(rulings::ruling_key(guest)));
        if self.is_owner(account) {
            return;
        }
        let change = |own: &mut rulings::Ruling| {
            own.caps = least(own.caps, ruling.caps);
            own.role = own.role.into_iter().chain(ruling.role).min();
        };
        self.rule(account, change, now, out);
    }
}

/// What both allow.
fn least(a: Caps, b: Caps) -> Caps {
    fn lower<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
        a.into_iter().chain(b).min()
    }
    Caps {
        audio: a.audio && b.audio,
        video: a.video && b.video,
        screen: a.screen && b.screen,
        captions: a.captions && b.captions,
        max_layer: lower(a.max_layer, b.max_layer),
        max_bitrate: lower(a.max_bitrate, b.max_bitrate),
    }
}

fn forbidden(message: &'static str) -> Refusal {
    Refusal::new(ErrorCode::Forbidden, message)
}
