//! Reactions: shown to everybody who is where they are now, and neither stored nor sent again.

use protocol::client::{Reaction, ServerMessage};

use super::roles::Right;
use super::{Client, Effect, Room};
use crate::refusal::Refusal;

impl Room {
    pub(super) fn shows_reaction(
        &mut self,
        client: &Client,
        reaction: Reaction,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.require(client, Right::React)?;
        self.may_react(&client.participant, now)?;
        let message = ServerMessage::Reacted {
            participant: client.participant.clone(),
            reaction,
        };
        self.tell_near(&client.participant, None, message, out);
        Ok(())
    }
}
