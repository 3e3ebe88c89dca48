//! What the room wants done: storing, sending, seeking a node, telling the directory, and the alarm.

use std::rc::Rc;

use edge_core::room::{Effect, Event, Room};
use edge_core::roster;
use protocol::api;
use protocol::client::ServerMessage;
use protocol::id::{Epoch, NodeId, ParticipantId, Region, RoomId};
use serde_json::json;
use worker::{Date, Result, console_error, console_log};

use super::Shell;
use crate::problem::Outcome;
use crate::region::Assign;
use crate::{config, rpc, tally};

/// What the directory is told.
pub(super) enum Report {
    Room(api::Room),
    Gone(RoomId),
}

impl Shell {
    pub(super) fn carry_out(self: &Rc<Self>, effects: Vec<Effect>) -> Result<()> {
        for effect in effects {
            self.carry_out_one(effect)?;
        }
        self.set_alarm();
        Ok(())
    }

    fn carry_out_one(self: &Rc<Self>, effect: Effect) -> Result<()> {
        match effect {
            Effect::Save(record) => {
                let key = record.key();
                self.store.put(key.kind, &key.name, &record)?;
            }
            Effect::Erase(key) => self.store.delete(key.kind, &key.name)?,
            Effect::Send { client, message } => {
                if let ServerMessage::Error { code, .. } = &message {
                    tally::refused(&self.env, json!(code).as_str().unwrap_or_default());
                }
                self.send_to_client(&client, &message)?;
            }
            Effect::Broadcast { except, message } => {
                self.send_to_all(except.as_ref(), &message)?;
            }
            Effect::HangUp { client } => self.hang_up_client(&client),
            Effect::Tell { link, message } => self.send_to_node(&link, &message)?,
            Effect::HangUpNode { link } => self.hang_up_node(&link),
            Effect::Seek {
                participant,
                epoch,
                regions,
                hosting,
                avoid,
            } => self.seek(
                participant,
                epoch,
                regions,
                roster::Request { hosting, avoid },
            ),
            Effect::Report(room) => self.tell_directory(Report::Room(room)),
            Effect::Vanish => self.vanish(),
        }
        Ok(())
    }

    /// Finds a node beside everything else, and lets the room know.
    fn seek(
        self: &Rc<Self>,
        participant: ParticipantId,
        epoch: Epoch,
        regions: Vec<Region>,
        request: roster::Request,
    ) {
        let shell = self.clone();
        self.state.wait_until(async move {
            let place = shell.find(epoch, regions, request).await;
            let event = Event::Found {
                participant,
                epoch,
                place,
            };
            if let Err(error) = shell.handle(Date::now().as_millis(), event) {
                console_error!("{}", json!({ "fault": error.to_string() }));
            }
        });
    }

    /// Asks region after region for a node.
    async fn find(
        &self,
        epoch: Epoch,
        regions: Vec<Region>,
        request: roster::Request,
    ) -> Option<(NodeId, Region)> {
        let room = self.room.borrow().as_ref().map(|room| room.view().id)?;
        let wish = Assign {
            room,
            epoch,
            request,
        };
        for region in regions {
            let found: Outcome<Option<NodeId>> = match config::region(&self.env, &region) {
                Ok(object) => rpc::call(&object, "assign", &wish).await,
                Err(error) => Err(error.into()),
            };
            match found {
                Ok(Some(node)) => {
                    console_log!(
                        "{}",
                        json!({ "event": "placed", "room": wish.room, "epoch": epoch.0, "node": node })
                    );
                    return Some((node, region));
                }
                Ok(None) => {}
                Err(refusal) => {
                    console_error!(
                        "{}",
                        json!({ "fault": "a region did not answer", "region": region, "why": refusal.problem.detail })
                    );
                }
            }
        }
        None
    }

    /// Forgets everything.
    fn vanish(self: &Rc<Self>) {
        if let Some(room) = self.room.take() {
            self.tell_directory(Report::Gone(room.view().id));
        }
        self.store.forgotten();
        let shell = self.clone();
        self.state.wait_until(async move {
            if let Err(error) = shell.state.storage().delete_all().await {
                console_error!("{}", json!({ "fault": error.to_string() }));
            }
        });
    }

    /// Tells the directory one thing after the other, and of several that wait the last only.
    fn tell_directory(self: &Rc<Self>, report: Report) {
        self.report.replace(Some(report));
        if self.reporting.replace(true) {
            return;
        }
        let shell = self.clone();
        self.state.wait_until(async move {
            while let Some(report) = shell.report.take() {
                if let Err(refusal) = shell.deliver(&report).await {
                    console_error!("{}", json!({ "fault": "the directory was not told", "why": refusal.problem.detail }));
                }
            }
            shell.reporting.set(false);
        });
    }

    async fn deliver(&self, report: &Report) -> Outcome<()> {
        match report {
            Report::Room(room) => {
                rpc::call(&config::directory(&self.env, &room.id)?, "put", room).await
            }
            Report::Gone(id) => rpc::call(&config::directory(&self.env, id)?, "remove", id).await,
        }
    }

    /// Sets the alarm for the next deadline, unless it rings before that anyway.
    fn set_alarm(self: &Rc<Self>) {
        let now = Date::now().as_millis();
        let Some(due) = self.room.borrow().as_ref().and_then(Room::deadline) else {
            return;
        };
        if self.alarm.get().is_some_and(|set| set <= due) {
            return;
        }
        self.alarm.set(Some(due));
        let shell = self.clone();
        self.state.wait_until(async move {
            let offset = due.saturating_sub(now) as i64;
            if let Err(error) = shell.state.storage().set_alarm(offset).await {
                console_error!("{}", json!({ "fault": error.to_string() }));
            }
        });
    }
}
