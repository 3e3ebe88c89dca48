//! Reactions: shown to everybody who is here now, and neither stored nor sent again.

use protocol::client::{Reaction, ServerMessage};

use super::messages::Refusal;
use super::roles::Right;
use super::{Client, Effect, Room};

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
        out.push(Effect::Broadcast {
            except: None,
            message: ServerMessage::Reacted {
                participant: client.participant.clone(),
                reaction,
            },
        });
        Ok(())
    }
}
