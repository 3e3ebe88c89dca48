//! The Room Durable Object: what comes in is given to the room's rules (`edge_core::room`), and what they want done is
//! carried out.

mod audit;
mod chat;
mod commands;
mod effects;
mod joins;
mod notes;
mod sockets;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use edge_core::chat::Keep;
use edge_core::limits::Policy;
use edge_core::password::presented;
use edge_core::room::record::{Record, Stored, TABLES};
use edge_core::room::{Admission, Event, NoExport, PAGES, Report, Room};
use edge_core::table::Schema;
use protocol::api;
use protocol::client::{Role, SettingsChange};
use protocol::id::{Region, RoomId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use worker::{
    Date, DurableObject, Env, Error, Request, Response, Result, State, WebSocket,
    WebSocketIncomingMessage, WebSocketRequestResponsePair, durable_object,
};

use crate::breath::Breath;
use crate::problem::{Outcome, Refusal};
use crate::store::{Class, Everything, Store, row};
use crate::{config, metrics, password, rpc, socket};
use audit::Audit;
use chat::Lines;
pub use commands::{Asked, What};
use joins::Joins;
use notes::Notes;
use sockets::Attached;

#[derive(Deserialize)]
struct Create {
    id: RoomId,
    name: String,
    owner: UserId,
    settings: SettingsChange,
    #[serde(default)]
    regions: Vec<Region>,
}

/// Somebody who asks for a ticket.
#[derive(Serialize, Deserialize)]
pub struct Join {
    pub admission: Admission,
    /// The room's password, as it was typed.
    pub password: Option<String>,
}

pub(crate) static CLASS: Class = Class {
    schema: &Schema {
        tables: TABLES,
        scripts: &[(1, chat::TABLE), (1, audit::TABLE), (1, notes::TABLES)],
    },
    former: |_, _, value| {
        let record: Record = serde_json::from_str(value)?;
        Ok(vec![row(record.table(), &record)?])
    },
    essence: "info",
    before: chat::take_over,
};

/// One room.
#[durable_object]
pub struct RoomObject(Rc<Shell>);

struct Shell {
    state: State,
    env: Env,
    store: Rc<Store>,
    lines: Lines,
    audit: Audit,
    notes: Notes,
    joins: Joins,
    room: RefCell<Option<Room>>,
    loaded: Cell<bool>,
    breath: Breath,
    /// When the alarm is set for.
    alarm: Cell<Option<u64>>,
    /// What the directory is to be told next.
    report: RefCell<Option<Report>>,
    reporting: Cell<bool>,
}

impl DurableObject for RoomObject {
    fn new(state: State, env: Env) -> Self {
        if let Ok(pair) = WebSocketRequestResponsePair::new("ping", "pong") {
            state.set_websocket_auto_response(&pair);
        }
        let store = Rc::new(Store::new(&state, &CLASS));
        Self(Rc::new(Shell {
            lines: Lines(store.clone()),
            audit: Audit(store.clone()),
            notes: Notes::new(store.clone()),
            joins: Joins::default(),
            store,
            state,
            env,
            room: RefCell::new(None),
            loaded: Cell::new(false),
            breath: Breath::default(),
            alarm: Cell::new(None),
            report: RefCell::new(None),
            reporting: Cell::new(false),
        }))
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        let step = match request.path().as_str() {
            "/client" => Some("room.socket"),
            "/join" => Some("room.join"),
            _ => None,
        };
        let Shell { state, env, .. } = &*self.0;
        let work = async |request| self.0.answer(request).await;
        rpc::serve(state, env, request, step, work).await
    }

    async fn websocket_message(
        &self,
        from: WebSocket,
        message: WebSocketIncomingMessage,
    ) -> Result<()> {
        if !socket::is_open(&from) {
            self.0.breath.take(&self.0.state);
            return Ok(());
        }
        let now = Date::now().as_millis();
        self.0.load(now)?;
        let text = socket::text(message);
        match Attached::of(&from) {
            Some(Attached::Client(client) | Attached::NotesReader { client, .. }) => {
                metrics::count("connect_edge_messages_total", &[("from", "client")]);
                self.0.handle(now, Event::ClientSaid { client, text })?;
            }
            Some(Attached::Node(link)) => {
                metrics::count("connect_edge_messages_total", &[("from", "node")]);
                self.0.handle(now, Event::NodeSaid { link, text })?;
            }
            None => return Ok(()),
        }
        rpc::told(&self.0.state, &self.0.env);
        Ok(())
    }

    async fn websocket_close(&self, socket: WebSocket, _: usize, _: String, _: bool) -> Result<()> {
        // An error means that it is closed already.
        let _ = socket.close(Some(1000), Some("closed"));
        self.0.closed(&socket)
    }

    async fn websocket_error(&self, socket: WebSocket, _: Error) -> Result<()> {
        self.0.closed(&socket)
    }

    async fn alarm(&self) -> Result<Response> {
        let now = Date::now().as_millis();
        // It rings just now: loading the room is to set no other for what follows.
        self.0.alarm.set(Some(now));
        self.0.load(now)?;
        self.0.alarm.set(None);
        let pings = self.0.pings();
        self.0.handle(now, Event::Alarm { pings })?;
        Response::empty()
    }
}

impl Shell {
    async fn answer(self: &Rc<Self>, mut request: Request) -> Result<Response> {
        let now = Date::now().as_millis();
        self.load(now)?;
        let opened = match request.path().as_str() {
            "/client" => self.open_client(&request, now),
            "/node" => self.open_node(&request, now),
            _ => {
                let (operation, body) = rpc::read(&mut request).await?;
                return rpc::answer(self.operate(&operation, &body, now).await);
            }
        };
        opened.or_else(Refusal::into_response)
    }

    /// Builds the room anew after a restart or hibernation.
    fn load(self: &Rc<Self>, now: u64) -> Result<()> {
        if self.loaded.get() {
            return Ok(());
        }
        let (lines, latest_line) = self.lines.latest()?;
        let Everything {
            records,
            unreadable,
        } = self.store.everything()?;
        let is_there = !unreadable.is_empty();
        let stored = Stored {
            records,
            unreadable,
            lines,
            latest_line,
        };
        let (mut clients, mut links) = (Vec::new(), Vec::new());
        let sockets = self.state.get_websockets();
        for open in sockets.iter().filter(|socket| socket::is_open(socket)) {
            match Attached::of(open) {
                Some(Attached::Client(client) | Attached::NotesReader { client, .. }) => {
                    clients.push(client);
                }
                Some(Attached::Node(link)) => links.push(link),
                None => {}
            }
        }
        match Room::restore(stored, &clients, &links, now) {
            Some((mut room, mut effects)) => {
                room.has_seats(config::seats(&self.env)?);
                effects.extend(room.retires_after(config::unused(&self.env)?, now));
                self.loaded.set(true);
                self.lines.forget(room.keep_lines(now))?;
                self.room.replace(Some(room));
                self.carry_out(effects)
            }
            // Not the same as that there is none.
            None if is_there => Err(Error::RustError("the room cannot be read".into())),
            None => {
                self.loaded.set(true);
                Ok(())
            }
        }
    }

    async fn operate(self: &Rc<Self>, operation: &str, body: &str, now: u64) -> Outcome<Value> {
        match operation {
            "create" => {
                let Create {
                    id,
                    name,
                    owner,
                    settings,
                    regions,
                } = rpc::parse(body)?;
                if self.room.borrow().is_some() {
                    // Made out of the same number before, by a request whose answer was lost; else 50 bits that were drawn before.
                    let view = self.view()?;
                    return match view.owner == owner && view.name == name {
                        true => Ok(json!(view)),
                        false => Err(Refusal::internal()),
                    };
                }
                let (mut room, mut effects) = Room::create(id, name, owner, settings, now);
                room.has_seats(config::seats(&self.env)?);
                effects.extend(room.bind(regions));
                effects.extend(room.retires_after(config::unused(&self.env)?, now));
                let view = room.view();
                self.room.replace(Some(room));
                self.carry_out(effects)?;
                Ok(json!(view))
            }
            "show" => {
                let (user, granted): (UserId, Option<Role>) = rpc::parse(body)?;
                Ok(json!(self.living(|room| room.details(&user, granted))?))
            }
            "regions" => Ok(json!(self.living(|room| room.regions().to_vec())?)),
            "audit" => {
                let (user, before): (UserId, Option<u64>) = rpc::parse(body)?;
                if !self.living(|room| room.may_read_audit(&user))? {
                    return Err(Refusal::forbidden("only the host reads what was done"));
                }
                Ok(json!(self.audit.page(before)?))
            }
            "exportChat" => {
                let (user, after): (UserId, u64) = rpc::parse(body)?;
                let keep = self.export_of(&user, now)?;
                Ok(json!(self.lines.export(&user, after, keep)?))
            }
            "exportNotes" => {
                let user: UserId = rpc::parse(body)?;
                self.export_of(&user, now)?;
                Ok(json!(self.notes.text()?))
            }
            "door" => Ok(json!(self.living(Room::door)?)),
            "guest" => {
                let guests: Vec<UserId> = rpc::parse(body)?;
                self.living(Room::may_be_guest)??;
                Ok(json!(
                    self.living(|room| room.stays_guest(&guests, now).cloned())?
                ))
            }
            "join" => {
                let join: Join = rpc::parse(body)?;
                let view = self.view()?;
                self.may_join(&join, now).await?;
                self.handle(Date::now().as_millis(), Event::Admitted(join.admission))?;
                Ok(json!((view, self.living(|room| room.regions().to_vec())?)))
            }
            "asked" => self.asked(rpc::parse(body)?, now),
            "delete" => {
                let user: UserId = rpc::parse(body)?;
                if self.view()?.owner != user {
                    return Err(Refusal::forbidden("only its owner deletes a room"));
                }
                self.handle(now, Event::Deleted)?;
                Ok(Value::Null)
            }
            "accountGone" => {
                let (user, stand_in): (UserId, UserId) = rpc::parse(body)?;
                self.handle(now, Event::AccountGone { user, stand_in })?;
                Ok(Value::Null)
            }
            _ => Err(rpc::unknown(operation)),
        }
    }

    /// Refuses who may not come, the cheapest reason first: a password costs its hash.
    async fn may_join(&self, join: &Join, now: u64) -> Outcome<()> {
        let asked = self.password_for(&join.admission, now)?;
        let Some(hash) = &asked else { return Ok(()) };
        let typed = join
            .password
            .as_ref()
            .ok_or_else(Refusal::password_needed)?;
        let fits = password::verify(&self.env, &presented(typed), Some(hash)).await?;
        // The room has not waited: it may be shut by now, or ask for another one.
        let asks = self.password_for(&join.admission, Date::now().as_millis())?;
        (fits && asks == asked)
            .then_some(())
            .ok_or_else(Refusal::wrong_room_password)
    }

    /// The hash of the password that this person has to show, if they may come.
    fn password_for(&self, admission: &Admission, now: u64) -> Outcome<Option<String>> {
        let room = self.room.borrow();
        let room = room.as_ref().ok_or_else(Refusal::no_room)?;
        is_there(room)?;
        Ok(room.may_join(admission, now)?.map(str::to_owned))
    }

    fn view(&self) -> Outcome<api::Room> {
        self.living(Room::view)
    }

    /// Which lines of chat this user may take along, if anything.
    fn export_of(&self, user: &UserId, now: u64) -> Outcome<Keep> {
        let mut room = self.room.borrow_mut();
        let room = room.as_mut().ok_or_else(Refusal::no_room)?;
        is_there(room)?;
        room.may_export(user, now).map_err(|reason| match reason {
            NoExport::NotHost => Refusal::forbidden("only the host takes along what was written"),
            NoExport::TooSoon(wait) => Refusal::too_many(&Policy::new("pages", PAGES), wait),
        })?;
        Ok(room.keep_lines(now))
    }

    /// Looks at the room. One that was deleted is none.
    fn living<T>(&self, look: impl FnOnce(&Room) -> T) -> Outcome<T> {
        let room = self.room.borrow();
        let room = room.as_ref().ok_or_else(Refusal::no_room)?;
        is_there(room)?;
        Ok(look(room))
    }

    /// Lets the room take an event. The borrow ends before anything is carried out.
    fn handle(self: &Rc<Self>, now: u64, event: Event) -> Result<()> {
        let effects = match self.room.borrow_mut().as_mut() {
            Some(room) => room.handle(now, event),
            None => return Ok(()),
        };
        self.carry_out(effects)
    }
}

/// Refuses a room that was deleted or retired: what is left of it is no room.
fn is_there(room: &Room) -> Outcome<()> {
    match room.is_gone() {
        true if room.is_retired() => Err(Refusal::retired()),
        true => Err(Refusal::no_room()),
        false => Ok(()),
    }
}
