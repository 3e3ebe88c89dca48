//! What the room wants done: storing, sending, seeking a node, telling the directory, and the alarm.

use std::rc::Rc;

use edge_core::developer::webhooks::Happened;
use edge_core::refusal::Refusal;
use edge_core::room::{Client, Effect, Event, Report, Room};
use edge_core::roster::{self, Choice};
use protocol::client::ServerMessage;
use protocol::developer::EventKind;
use protocol::id::{Epoch, ParticipantId, Region, UserId};
use protocol::trace::Trail;
use serde_json::json;
use worker::{Date, Result};

use super::Shell;
use crate::problem::Outcome;
use crate::region::Assign;
use crate::trace::{self, Following};
use crate::{config, crypto, export, jwt, log, metrics, password, rpc, store, tally};

impl Shell {
    pub(super) fn carry_out(self: &Rc<Self>, effects: Vec<Effect>) -> Result<()> {
        // In memory all of them are done already: if one fails, the object starts anew from what is stored.
        for effect in effects {
            self.carry_out_one(effect)
                .inspect_err(|error| store::reset(&self.state, error))?;
        }
        self.set_alarm();
        Ok(())
    }

    fn carry_out_one(self: &Rc<Self>, effect: Effect) -> Result<()> {
        match effect {
            Effect::Save(record) => {
                self.store.put(record.table(), &record)?;
            }
            Effect::Erase(key) => self.store.delete(key)?,
            Effect::Note(noted) => self.audit.add(&noted)?,
            Effect::SaveLine(line) => self.lines.add(&line)?,
            Effect::Recall { client, user, deed } => {
                let found = self.lines.find(&user, deed.sought())?;
                let (known, line) = found.map_or((None, None), |(number, line)| {
                    (Some(number), line.map(Box::new))
                });
                let recalled = Event::Recalled {
                    client,
                    deed,
                    known,
                    line,
                };
                self.handle(Date::now().as_millis(), recalled)?;
            }
            Effect::OpenNotes {
                client,
                user,
                after,
                author,
                writes,
            } => {
                let page = self.notes.page(&user, after, author, writes)?;
                self.show_notes(&client, Some(page.author))?;
                self.send_to_client(&client, &ServerMessage::Notes(page))?;
            }
            Effect::CloseNotes(client) => self.show_notes(&client, None)?,
            Effect::WriteNotes {
                client,
                user,
                nonce,
                update,
            } => self.write_notes(client, &user, nonce, update)?,
            Effect::TellNotesReaders { except, message } => {
                self.send_to_notes_readers(&except, &message)?
            }
            Effect::Verify { client, token } => self.verify(client, token),
            Effect::LetIn { client } => {
                let resume = crypto::fresh()?;
                self.handle(Date::now().as_millis(), Event::LetIn { client, resume })?;
            }
            Effect::HashPassword {
                client,
                turn,
                password,
            } => self.hash_password(client, turn, password),
            Effect::Inherit { from, to } => {
                self.lines.inherit(&from, &to)?;
                self.notes.inherit(&from, &to)?;
            }
            Effect::Rename { user, name } => self.lines.rename(&user, &name)?,
            Effect::ForgetLines(keep) => self.lines.forget(keep)?,
            Effect::ShowLines {
                client,
                reader,
                before,
                limit,
                keep,
            } => {
                let page = self.lines.page(&reader, before, limit, keep)?;
                self.send_to_client(&client, &ServerMessage::ChatPage(page))?;
            }
            Effect::Send { client, message } => {
                if let ServerMessage::Error { code, .. } = &message {
                    tally::refused(&self.env, json!(code).as_str().unwrap_or_default());
                    self.breath.take(&self.state);
                }
                self.note_answer(&client, &message);
                self.send_to_client(&client, &message)?;
            }
            Effect::Broadcast { except, message } => {
                self.send_to_all(except.as_ref(), &message)?;
            }
            Effect::HangUp { client } => self.hang_up_client(&client),
            Effect::SendAway { client, excess } => self.send_away(&client, excess),
            Effect::Tell { link, message } => {
                self.joins.note_offer(&message);
                self.send_to_node(&link, &message)?;
            }
            Effect::HangUpNode { link } => self.hang_up_node(&link),
            Effect::SendNodeAway { link } => self.send_node_away(&link),
            Effect::Seek {
                participant,
                epoch,
                regions,
                placed,
                avoid,
                given_up,
                patient,
                trail,
            } => {
                let request = roster::Request {
                    placed,
                    avoid,
                    given_up,
                };
                let search = self
                    .clone()
                    .find(participant, epoch, regions, request, patient);
                self.seek(trail, search);
            }
            Effect::TellDeveloper { owner, happened } => self.tell_developer(owner, happened),
            Effect::GaveUpTelling { count } => self.gave_up_telling(count),
            Effect::Report(report) => self.tell_directory(report),
            Effect::Forget => {
                self.notes.forgotten();
                self.store.clear()?;
            }
            Effect::Vanish => self.vanish(),
        }
        Ok(())
    }

    /// Stores what a client has written in the notes, and lets the room know.
    fn write_notes(
        self: &Rc<Self>,
        client: Client,
        user: &UserId,
        nonce: String,
        update: String,
    ) -> Result<()> {
        let written = match self.author_of(&client) {
            Some(author) => self.notes.write(user, author, &update)?,
            None => Err(Refusal::malformed("open the notes first")),
        };
        let event = Event::NotesWritten {
            client,
            nonce,
            update,
            written,
        };
        self.handle(Date::now().as_millis(), event)
    }

    /// Has a password hashed beside everything else, and lets the room know.
    fn hash_password(self: &Rc<Self>, client: Client, turn: u64, password: String) {
        let shell = self.clone();
        self.state.wait_until(async move {
            let hash = password::hash(&shell.env, &password).await;
            let hash = hash.map_err(|_| password::AGAIN);
            shell.handle_later(Event::Hashed { client, turn, hash });
        });
    }

    /// Looks beside everything else whose access token this is, and whether it still speaks for them, and lets the room know.
    fn verify(self: &Rc<Self>, client: Client, token: String) {
        let shell = self.clone();
        self.state.wait_until(async move {
            let account = jwt::account(&shell.env, &token).await;
            shell.handle_later(Event::Verified { client, account });
        });
    }

    /// Finds a node beside everything else, as a part of the join that needs it, and lets the room know.
    fn seek(self: &Rc<Self>, trail: Option<Trail>, search: impl Future<Output = Event> + 'static) {
        let shell = self.clone();
        self.state.wait_until(async move {
            let following = trail.and_then(|trail| Following::along(&trail).ok());
            let event = match following {
                Some(following) => shell.search_for(&following, search).await,
                None => search.await,
            };
            shell.handle_later(event);
            rpc::told(&shell.state, &shell.env);
        });
    }

    async fn search_for(
        &self,
        following: &Rc<Following>,
        search: impl Future<Output = Event>,
    ) -> Event {
        let started = trace::now();
        let event = trace::within(following.clone(), search).await;
        let mut span = following.span("room.assign", started);
        match &event {
            Event::Found {
                node: Some((node, region)),
                ..
            } => {
                span = span
                    .with("connect.node", node.as_str())
                    .with("connect.region", region.as_str());
            }
            _ => span = span.failed(true),
        }
        let failed = span.failed;
        following.keep(span, failed);
        let exporting = export::export(&self.env, following.take());
        exporting
            .into_iter()
            .for_each(|work| self.state.wait_until(work));
        event
    }

    /// Asks region after region for a node.
    async fn find(
        self: Rc<Self>,
        participant: ParticipantId,
        epoch: Epoch,
        regions: Vec<Region>,
        request: roster::Request,
        patient: bool,
    ) -> Event {
        let nowhere = Event::Found {
            participant: participant.clone(),
            epoch,
            node: None,
        };
        let Some(room) = self.room.borrow().as_ref().map(|room| room.view().id) else {
            return nowhere;
        };
        for request in request.rounds() {
            let wish = Assign {
                room: room.clone(),
                epoch,
                request,
                trail: trace::at_hand().map(|following| following.trail()),
            };
            for region in &regions {
                match self.ask(region, &wish).await {
                    Choice::Node(node) => {
                        log::event(
                            "placed",
                            json!({ "room": room, "epoch": epoch.0, "node": node }),
                        );
                        return Event::Found {
                            participant,
                            epoch,
                            node: Some((node, region.clone())),
                        };
                    }
                    Choice::NotKnown if patient => {
                        return Event::NotKnownYet { participant, epoch };
                    }
                    Choice::NotKnown | Choice::Nobody => {}
                }
            }
        }
        nowhere
    }

    /// Asks a region. One that does not answer may have nodes all the same.
    async fn ask(&self, region: &Region, wish: &Assign) -> Choice {
        let choice: Outcome<Choice> = match config::region(&self.env, region) {
            Ok(object) => rpc::call(&object, "assign", wish).await,
            Err(error) => Err(error.into()),
        };
        let choice = choice.unwrap_or_else(|refusal| {
            log::fault(
                "a region did not answer",
                json!({ "region": region, "why": refusal.problem.detail }),
            );
            Choice::NotKnown
        });
        let outcome = match choice {
            Choice::Node(_) => "node",
            Choice::NotKnown => "unknown",
            Choice::Nobody => "nobody",
        };
        let labels = [("region", region.as_str()), ("outcome", outcome)];
        metrics::count("connect_edge_assignments_total", &labels);
        choice
    }

    /// Lets the room take what a call has come to that nobody waits for.
    fn handle_later(self: &Rc<Self>, event: Event) {
        if let Err(error) = self.handle(Date::now().as_millis(), event) {
            log::fault(&error.to_string(), json!({}));
        }
    }

    /// Forgets everything.
    fn vanish(self: &Rc<Self>) {
        self.room.take();
        self.store.forgotten();
        self.notes.forgotten();
        self.alarm.set(None);
        let shell = self.clone();
        self.state.wait_until(async move {
            if let Err(error) = shell.state.storage().delete_all().await {
                store::reset(&shell.state, &error);
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
                let taken = shell.deliver(&report).await.map(|()| report);
                if let Err(refusal) = &taken {
                    log::fault(
                        "the directory was not told",
                        json!({ "why": refusal.problem.detail }),
                    );
                }
                shell.handle_later(Event::Reported { taken: taken.ok() });
            }
            shell.reporting.set(false);
        });
    }

    async fn deliver(&self, report: &Report) -> Outcome<()> {
        match report {
            Report::Room(entry) => {
                let shard = config::directory(&self.env, &entry.room.id)?;
                rpc::call(&shard, "put", entry).await
            }
            Report::Gone(id) => rpc::call(&config::directory(&self.env, id)?, "remove", id).await,
        }
    }

    /// Has the owner's object for developers take what happened, beside everything else.
    fn tell_developer(self: &Rc<Self>, owner: UserId, happened: Vec<Happened>) {
        let shell = self.clone();
        self.state.wait_until(async move {
            let wanted = match config::developer(&shell.env, &owner) {
                Ok(object) => rpc::call(&object, "happened", &happened).await,
                Err(error) => Err(error.into()),
            };
            if let Err(refusal) = &wanted {
                log::fault(
                    "what happened was not told",
                    json!({ "why": refusal.problem.detail }),
                );
            }
            let wanted: Option<Vec<EventKind>> = wanted.ok();
            shell.handle_later(Event::ToldDeveloper { wanted });
        });
    }

    fn gave_up_telling(&self, count: u64) {
        log::fault("what happened was never told", json!({ "count": count }));
        metrics::count_many("connect_edge_webhooks_lost_total", &[], count);
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
                store::reset(&shell.state, &error);
            }
        });
    }
}
