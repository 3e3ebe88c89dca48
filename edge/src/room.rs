//! The Room Durable Object: carries out what the room's rules (`edge_core::room`) want done.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use edge_core::chat::HISTORY;
use edge_core::room::record::CHAT;
use edge_core::room::{Client, Effect, Event, NodeLink, Pass, Room, Secret};
use edge_core::roster;
use protocol::api;
use protocol::id::{Epoch, NodeId, ParticipantId, Region, RoomId, UserId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use worker::{
    Date, DurableObject, Env, Error, Request, Response, Result, State, WebSocket,
    WebSocketIncomingMessage, WebSocketPair, WebSocketRequestResponsePair, console_error,
    console_log, durable_object,
};

use crate::problem::Refusal;
use crate::region::Assign;
use crate::store::Store;
use crate::{config, crypto, rpc};

/// How often WebSockets are looked at, and how long one that used to ping may be silent (milliseconds).
const SWEEP: u64 = 45_000;
const SILENCE: u64 = 90_000;
/// The tag of all clients' WebSockets.
const CLIENTS: &str = "client";

/// What the Worker asks on behalf of somebody who joins.
#[derive(Serialize, Deserialize)]
pub struct Join {
    pub participant: ParticipantId,
    pub user: UserId,
    pub name: String,
    /// SHA-256 of the ticket.
    pub ticket: String,
    pub regions: Vec<Region>,
}

#[derive(Deserialize)]
struct Create {
    id: RoomId,
    name: String,
    owner: UserId,
}

/// What is attached to a WebSocket: who is at its other end.
#[derive(Serialize, Deserialize)]
enum Attached {
    Client {
        participant: ParticipantId,
        connection: u32,
    },
    Node {
        node: NodeId,
        epoch: Epoch,
        link: u32,
    },
}

impl Attached {
    fn of(socket: &WebSocket) -> Option<Self> {
        let text: String = socket.deserialize_attachment().ok()??;
        serde_json::from_str(&text).ok()
    }
}

#[durable_object]
pub struct RoomObject(Rc<Shell>);

struct Shell {
    state: State,
    env: Env,
    store: Store,
    room: RefCell<Option<Room>>,
    loaded: Cell<bool>,
    /// When the alarm is set for.
    alarm: Cell<Option<u64>>,
    /// What the directory is to be told next; `None` inside says that the room is gone.
    report: RefCell<Option<Report>>,
    reporting: Cell<bool>,
}

enum Report {
    Room(api::Room),
    Gone(RoomId),
}

impl DurableObject for RoomObject {
    fn new(state: State, env: Env) -> Self {
        if let Ok(pair) = WebSocketRequestResponsePair::new("ping", "pong") {
            state.set_websocket_auto_response(&pair);
        }
        Self(Rc::new(Shell {
            store: Store::new(&state),
            state,
            env,
            room: RefCell::new(None),
            loaded: Cell::new(false),
            alarm: Cell::new(None),
            report: RefCell::new(None),
            reporting: Cell::new(false),
        }))
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let now = Date::now().as_millis();
        self.0.load(now)?;
        let opened = match request.path().as_str() {
            "/client" => self.0.open_client(&request, now),
            "/node" => self.0.open_node(&request, now),
            _ => {
                let (operation, body) = rpc::read(&mut request).await?;
                return rpc::answer(self.0.operate(&operation, &body, now).await);
            }
        };
        opened.or_else(Refusal::into_response)
    }

    async fn websocket_message(
        &self,
        socket: WebSocket,
        message: WebSocketIncomingMessage,
    ) -> Result<()> {
        let now = Date::now().as_millis();
        self.0.load(now)?;
        // A binary message is none of this protocol, as an empty text is not.
        let text = match message {
            WebSocketIncomingMessage::String(text) => text,
            WebSocketIncomingMessage::Binary(_) => String::new(),
        };
        match Attached::of(&socket) {
            Some(Attached::Client {
                participant,
                connection,
            }) => {
                let client = Client {
                    participant,
                    connection,
                };
                self.0.handle(now, Event::ClientSaid { client, text })
            }
            Some(Attached::Node { node, epoch, link }) => {
                let link = NodeLink { node, epoch, link };
                // A message of a later version is ignored (`protocol::node`).
                match serde_json::from_str(&text) {
                    Ok(message) => self.0.handle(now, Event::NodeSaid { link, message }),
                    Err(_) => Ok(()),
                }
            }
            None => Ok(()),
        }
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
        self.0.alarm.set(None);
        self.0.load(now)?;
        self.0.sweep(now)?;
        self.0.handle(now, Event::Alarm)?;
        Response::empty()
    }
}

impl Shell {
    /// Builds the room anew after a restart or hibernation.
    fn load(self: &Rc<Self>, now: u64) -> Result<()> {
        if self.loaded.get() {
            return Ok(());
        }
        let mut records = self.store.all_but(CHAT)?;
        records.extend(self.store.last(CHAT, HISTORY)?);
        let (mut clients, mut links) = (Vec::new(), Vec::new());
        for socket in self.state.get_websockets() {
            match Attached::of(&socket) {
                Some(Attached::Client {
                    participant,
                    connection,
                }) => {
                    clients.push(Client {
                        participant,
                        connection,
                    });
                }
                Some(Attached::Node { node, epoch, link }) => {
                    links.push(NodeLink { node, epoch, link });
                }
                None => {}
            }
        }
        self.loaded.set(true);
        if let Some((room, effects)) = Room::restore(records, &clients, &links, now) {
            self.room.replace(Some(room));
            self.carry_out(effects)?;
        }
        Ok(())
    }

    async fn operate(
        self: &Rc<Self>,
        operation: &str,
        body: &str,
        now: u64,
    ) -> std::result::Result<Value, Refusal> {
        fn read<T: DeserializeOwned>(body: &str) -> std::result::Result<T, Refusal> {
            Ok(serde_json::from_str(body)?)
        }
        match operation {
            "create" => {
                let Create { id, name, owner } = read(body)?;
                if self.room.borrow().is_some() {
                    return Err(Refusal::internal()); // 50 bits that were drawn before
                }
                let (room, effects) = Room::create(id, name, owner, now);
                let view = room.view();
                self.room.replace(Some(room));
                self.carry_out(effects)?;
                Ok(json!(view))
            }
            "show" => Ok(json!(self.view()?)),
            "join" => {
                let join: Join = read(body)?;
                let view = self.view()?;
                self.handle(
                    now,
                    Event::Admitted {
                        participant: join.participant,
                        user: join.user,
                        name: join.name,
                        ticket: join.ticket,
                        regions: join.regions,
                    },
                )?;
                Ok(json!(view))
            }
            "delete" => {
                let user: UserId = read(body)?;
                let owner = self.room.borrow().as_ref().map(|room| room.is_owner(&user));
                if !owner.ok_or_else(Refusal::no_room)? {
                    return Err(Refusal::forbidden("only its owner deletes a room"));
                }
                self.handle(now, Event::Deleted)?;
                Ok(Value::Null)
            }
            _ => Err(rpc::unknown(operation)),
        }
    }

    fn view(&self) -> std::result::Result<api::Room, Refusal> {
        let room = self.room.borrow();
        Ok(room.as_ref().ok_or_else(Refusal::no_room)?.view())
    }

    fn open_client(
        self: &Rc<Self>,
        request: &Request,
        now: u64,
    ) -> std::result::Result<Response, Refusal> {
        #[derive(Deserialize)]
        struct Query {
            ticket: Option<String>,
            resume: Option<String>,
            since: Option<u64>,
        }
        let malformed = |_| Refusal::malformed("say ?ticket=TICKET or ?resume=TOKEN&since=SEQ");
        let query: Query = request.query().map_err(malformed)?;
        let (ticket, resume) = (
            query.ticket.as_deref().map(crypto::sha256),
            query.resume.as_deref().map(crypto::sha256),
        );
        let pass = match (&ticket, &resume) {
            (Some(ticket), _) => Pass::Ticket(ticket),
            (None, Some(resume)) => Pass::Resume(resume),
            (None, None) => return Err(malformed(Error::BadEncoding)),
        };
        let client = match self.room.borrow().as_ref() {
            Some(room) => room.admit(&pass, now)?,
            None => return Err(Refusal::no_room()),
        };
        let pair = WebSocketPair::new()?;
        self.state
            .accept_websocket_with_tags(&pair.server, &[CLIENTS, &client_tag(&client)]);
        attach(
            &pair.server,
            &Attached::Client {
                participant: client.participant.clone(),
                connection: client.connection,
            },
        )?;
        let text = crypto::secret()?;
        let resume = Secret {
            hash: crypto::sha256(&text),
            text,
        };
        let since = query.since.filter(|_| ticket.is_none());
        self.handle(
            now,
            Event::ClientOpened {
                client,
                since,
                resume,
            },
        )?;
        Ok(Response::from_websocket(pair.client)?)
    }

    fn open_node(
        self: &Rc<Self>,
        request: &Request,
        now: u64,
    ) -> std::result::Result<Response, Refusal> {
        #[derive(Deserialize)]
        struct Query {
            node: NodeId,
            region: Region,
            epoch: Epoch,
        }
        let Query {
            node,
            region,
            epoch,
        } = request.query()?;
        let link = match self.room.borrow().as_ref() {
            Some(room) => room.expect_node(&node, epoch)?,
            None => return Err(Refusal::no_room()),
        };
        let pair = WebSocketPair::new()?;
        self.state
            .accept_websocket_with_tags(&pair.server, &[&node_tag(&link)]);
        attach(
            &pair.server,
            &Attached::Node {
                node,
                epoch,
                link: link.link,
            },
        )?;
        self.handle(now, Event::NodeOpened { link, region })?;
        Ok(Response::from_websocket(pair.client)?)
    }

    fn closed(self: &Rc<Self>, socket: &WebSocket) -> Result<()> {
        let now = Date::now().as_millis();
        self.load(now)?;
        match Attached::of(socket) {
            Some(Attached::Client {
                participant,
                connection,
            }) => {
                let client = Client {
                    participant,
                    connection,
                };
                self.handle(now, Event::ClientClosed { client })
            }
            Some(Attached::Node { node, epoch, link }) => {
                let link = NodeLink { node, epoch, link };
                self.handle(now, Event::NodeClosed { link })
            }
            None => Ok(()),
        }
    }

    /// Gives up clients that used to ping and fell silent: their network went without a word.
    fn sweep(self: &Rc<Self>, now: u64) -> Result<()> {
        for socket in self.state.get_websockets_with_tag(CLIENTS) {
            if last_ping(&self.state, &socket).is_some_and(|ping| now >= ping + SILENCE) {
                let _ = socket.close(Some(1008), Some("no ping"));
                self.closed(&socket)?;
            }
        }
        Ok(())
    }

    /// Lets the room take an event. The borrow ends before anything is carried out.
    fn handle(self: &Rc<Self>, now: u64, event: Event) -> Result<()> {
        let effects = match self.room.borrow_mut().as_mut() {
            Some(room) => room.handle(now, event),
            None => return Ok(()),
        };
        self.carry_out(effects)
    }

    fn carry_out(self: &Rc<Self>, effects: Vec<Effect>) -> Result<()> {
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
                self.send(&client_tag(&client), &serde_json::to_string(&message)?);
            }
            Effect::Broadcast { except, message } => {
                let text = serde_json::to_string(&message)?;
                for socket in self.state.get_websockets_with_tag(CLIENTS) {
                    let Some(Attached::Client { participant, .. }) = Attached::of(&socket) else {
                        continue;
                    };
                    if Some(participant) != except {
                        // An error means that it is closing: its end is reported by itself.
                        let _ = socket.send_with_str(&text);
                    }
                }
            }
            Effect::HangUp { client } => self.hang_up(&client_tag(&client)),
            Effect::Tell { link, message } => {
                self.send(&node_tag(&link), &serde_json::to_string(&message)?);
            }
            Effect::HangUpNode { link } => self.hang_up(&node_tag(&link)),
            Effect::Seek {
                participant,
                epoch,
                regions,
                hosting,
                avoid,
            } => {
                let shell = self.clone();
                self.state.wait_until(async move {
                    let request = roster::Request { hosting, avoid };
                    let place = shell.find(epoch, regions, request).await;
                    let now = Date::now().as_millis();
                    let event = Event::Found {
                        participant,
                        epoch,
                        place,
                    };
                    if let Err(error) = shell.handle(now, event) {
                        console_error!("{}", json!({ "fault": error.to_string() }));
                    }
                });
            }
            Effect::Report(room) => self.tell_directory(Report::Room(room)),
            Effect::Vanish => {
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
        }
        Ok(())
    }

    fn send(&self, tag: &str, text: &str) {
        for socket in self.state.get_websockets_with_tag(tag) {
            // An error means that it is closing: its end is reported by itself.
            let _ = socket.send_with_str(text);
        }
    }

    fn hang_up(&self, tag: &str) {
        for socket in self.state.get_websockets_with_tag(tag) {
            let _ = socket.close(Some(1000), Some("closed"));
        }
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
            let found: std::result::Result<Option<NodeId>, Refusal> =
                match config::region(&self.env, &region) {
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

    async fn deliver(&self, report: &Report) -> std::result::Result<(), Refusal> {
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
        let deadline = self.room.borrow().as_ref().and_then(Room::deadline);
        let sweep =
            (!self.state.get_websockets_with_tag(CLIENTS).is_empty()).then_some(now + SWEEP);
        let Some(due) = deadline.into_iter().chain(sweep).min() else {
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

fn client_tag(client: &Client) -> String {
    format!("c:{}:{}", client.participant, client.connection)
}

fn node_tag(link: &NodeLink) -> String {
    format!("n:{}:{}:{}", link.node, link.epoch.0, link.link)
}

fn attach(socket: &WebSocket, attached: &Attached) -> Result<()> {
    socket.serialize_attachment(serde_json::to_string(attached)?)
}

/// When the client's latest `ping` was answered, in Unix milliseconds. The runtime answers by itself, without waking the
/// object; workers-rs has no binding for this yet.
fn last_ping(state: &State, socket: &WebSocket) -> Option<u64> {
    use worker::js_sys::{Date, Function, Reflect};
    use worker::wasm_bindgen::JsCast;
    let raw = state.as_raw();
    let method = Reflect::get(raw, &"getWebSocketAutoResponseTimestamp".into()).ok()?;
    let answered = method
        .dyn_into::<Function>()
        .ok()?
        .call1(raw, socket.as_ref())
        .ok()?;
    Some(answered.dyn_into::<Date>().ok()?.get_time() as u64)
}
