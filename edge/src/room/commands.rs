//! What the room's owner asks of it through the API. Of a room that is another's they hear what they would of none.

use std::rc::Rc;

use edge_core::limits::Policy;
use edge_core::room::{Command, Event, NoCommand};
use protocol::developer::{ChangeRoomRequest, Moderation, OwnRoom, ParticipantList};
use protocol::id::{ParticipantId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Shell, is_there};
use crate::http;
use crate::problem::{Outcome, Refusal};

/// What is asked, and for whom.
#[derive(Serialize, Deserialize)]
pub struct Asked {
    pub owner: UserId,
    /// The name of the key that it is asked by.
    pub by: String,
    pub what: What,
}

/// What is asked.
#[derive(Serialize, Deserialize)]
pub enum What {
    Show,
    Participants,
    Kind,
    // These have the body of a request as it came.
    Configure(String),
    Moderate(String),
    SendData(String),
    Remove(ParticipantId),
    Delete,
}

impl Shell {
    pub(super) fn asked(self: &Rc<Self>, asked: Asked, now: u64) -> Outcome<Value> {
        let Asked { owner, by, what } = asked;
        {
            let room = self.room.borrow();
            let room = room.as_ref().filter(|room| room.is_owner(&owner));
            is_there(room.ok_or_else(Refusal::no_room)?)?;
        }
        match what {
            What::Show => self.shown(),
            What::Participants => {
                let participants = self.living(|room| room.participants())?;
                Ok(json!(ParticipantList { participants }))
            }
            What::Kind => Ok(json!(self.living(|room| room.settings().kind)?)),
            What::Configure(body) => {
                let ChangeRoomRequest { settings } = http::read(&body)?;
                self.command(by, Command::Configure(settings), now)?;
                self.shown()
            }
            What::Moderate(body) => self.command(by, Command::Moderate(http::read(&body)?), now),
            What::SendData(body) => self.command(by, Command::SendData(http::read(&body)?), now),
            What::Remove(participant) => {
                let remove = Moderation::Remove { participant };
                self.command(by, Command::Moderate(remove), now)
            }
            What::Delete => {
                self.handle(now, Event::Deleted)?;
                Ok(Value::Null)
            }
        }
    }

    fn shown(&self) -> Outcome<Value> {
        let shown = self.living(|room| OwnRoom {
            room: room.view(),
            settings: room.settings().clone(),
        })?;
        Ok(json!(shown))
    }

    fn command(self: &Rc<Self>, by: String, command: Command, now: u64) -> Outcome<Value> {
        let may = match self.room.borrow_mut().as_mut() {
            Some(room) => room.may_be_commanded(&command, now),
            None => return Err(Refusal::no_room()),
        };
        may?;
        self.handle(now, Event::Commanded { by, command })?;
        Ok(Value::Null)
    }
}

impl From<NoCommand> for Refusal {
    fn from(reason: NoCommand) -> Self {
        let detail = reason.to_string();
        match reason {
            NoCommand::Nobody => Self::not_found(&detail),
            NoCommand::Owner => Self::forbidden(&detail),
            NoCommand::Size => Self::invalid_field("data", &detail),
            NoCommand::Away => Self::away(&detail),
            NoCommand::TooMuch { wait } => {
                Self::too_many(&Policy::new("data", edge_core::room::DATA), wait)
            }
        }
    }
}
