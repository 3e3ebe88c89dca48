//! The room's WebSockets: who is at the other end, opening, sending, closing, and when they pinged last.

use std::rc::Rc;

use edge_core::room::{Client, Event, Excess, NodeLink, Pass, Ping};
use protocol::client::{POLICY_VIOLATION, SENT_AWAY, ServerMessage};
use protocol::id::{Epoch, NodeId, ParticipantId, Region};
use protocol::node::RoomToNode;
use protocol::query::ConnectQuery;
use serde::{Deserialize, Serialize};
use worker::{Date, Error, Request, Response, Result, State, WebSocket, WebSocketPair};

use super::{Shell, is_there};
use crate::problem::{Outcome, Refusal};
use crate::{crypto, metrics, rpc, socket};

const OPENED: &str = "connect_edge_sockets_opened_total";
const CLOSED: &str = "connect_edge_sockets_closed_total";

/// The tag of all clients' WebSockets.
const CLIENTS: &str = "client";

/// What is attached to a WebSocket: who is at its other end.
#[derive(Serialize, Deserialize)]
pub(super) enum Attached {
    Client(Client),
    /// A client to whom the notes are shown, and whom it writes them as.
    NotesReader {
        client: Client,
        author: u32,
    },
    Node(NodeLink),
}

impl Attached {
    pub(super) fn of(socket: &WebSocket) -> Option<Self> {
        socket::attached(socket)
    }

    fn client(self) -> Option<Client> {
        match self {
            Self::Client(client) | Self::NotesReader { client, .. } => Some(client),
            Self::Node(_) => None,
        }
    }
}

impl Shell {
    pub(super) fn open_client(self: &Rc<Self>, request: &Request, now: u64) -> Outcome<Response> {
        let malformed = |_| Refusal::malformed("say ?ticket=TICKET or ?resume=TOKEN&since=SEQ");
        let query: ConnectQuery = request.query().map_err(malformed)?;
        let (pass, since) = match (&query.ticket, &query.resume) {
            (Some(ticket), _) => (Pass::Ticket(crypto::sha256(ticket)), None),
            (None, Some(token)) => (
                Pass::Resume(crypto::sha256(token)),
                query.since.map(u64::from),
            ),
            (None, None) => return Err(malformed(Error::BadEncoding)),
        };
        let client = match self.room.borrow().as_ref() {
            Some(room) => {
                is_there(room)?;
                room.admit(&pass, now)?
            }
            None => return Err(Refusal::no_room()),
        };
        let pair = WebSocketPair::new()?;
        self.state
            .accept_websocket_with_tags(&pair.server, &[CLIENTS, &client_tag(&client)]);
        socket::attach(&pair.server, &Attached::Client(client.clone()))?;
        metrics::count(OPENED, &[("peer", "client")]);
        let resume = crypto::fresh()?;
        self.handle(
            now,
            Event::ClientOpened {
                client,
                pass,
                since,
                resume,
            },
        )?;
        Ok(Response::from_websocket(pair.client)?)
    }

    pub(super) fn open_node(self: &Rc<Self>, request: &Request, now: u64) -> Outcome<Response> {
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
        socket::attach(&pair.server, &Attached::Node(link.clone()))?;
        metrics::count(OPENED, &[("peer", "node")]);
        self.handle(now, Event::NodeOpened { link, region })?;
        Ok(Response::from_websocket(pair.client)?)
    }

    pub(super) fn closed(self: &Rc<Self>, socket: &WebSocket) -> Result<()> {
        let now = Date::now().as_millis();
        self.load(now)?;
        match Attached::of(socket) {
            Some(Attached::Node(link)) => {
                metrics::count(CLOSED, &[("peer", "node")]);
                self.handle(now, Event::NodeClosed { link })?;
            }
            Some(Attached::Client(client) | Attached::NotesReader { client, .. }) => {
                metrics::count(CLOSED, &[("peer", "client")]);
                self.handle(now, Event::ClientClosed { client })?;
            }
            None => return Ok(()),
        }
        rpc::told(&self.state, &self.env);
        Ok(())
    }

    /// When each client that is here and ever pinged did so last.
    pub(super) fn pings(&self) -> Vec<Ping> {
        let sockets = self.state.get_websockets_with_tag(CLIENTS);
        let ping = |socket: &WebSocket| {
            Some(Ping {
                client: Attached::of(socket)?.client()?,
                at: last_ping(&self.state, socket)?,
            })
        };
        sockets.iter().filter_map(ping).collect()
    }

    pub(super) fn send_to_client(&self, client: &Client, message: &ServerMessage) -> Result<()> {
        self.send(&client_tag(client), &serde_json::to_string(message)?);
        Ok(())
    }

    pub(super) fn send_to_node(&self, link: &NodeLink, message: &RoomToNode) -> Result<()> {
        self.send(&node_tag(link), &serde_json::to_string(message)?);
        Ok(())
    }

    pub(super) fn send_to_all(
        &self,
        except: Option<&ParticipantId>,
        message: &ServerMessage,
    ) -> Result<()> {
        let text = serde_json::to_string(message)?;
        for socket in self.state.get_websockets_with_tag(CLIENTS) {
            let Some(client) = Attached::of(&socket).and_then(Attached::client) else {
                continue;
            };
            if Some(&client.participant) != except && !self.is_outside(&client.participant) {
                // An error means that it is closing: its end is reported by itself.
                let _ = socket.send_with_str(&text);
            }
        }
        Ok(())
    }

    /// Shows the notes to this client from now on, or no more.
    pub(super) fn show_notes(&self, client: &Client, author: Option<u32>) -> Result<()> {
        let tag = client_tag(client);
        let client = client.clone();
        let attached = match author {
            Some(author) => Attached::NotesReader { client, author },
            None => Attached::Client(client),
        };
        let sockets = self.state.get_websockets_with_tag(&tag);
        sockets
            .iter()
            .try_for_each(|socket| socket::attach(socket, &attached))
    }

    /// Whom this client writes the notes as, if they are shown to it.
    pub(super) fn author_of(&self, client: &Client) -> Option<u32> {
        let sockets = self.state.get_websockets_with_tag(&client_tag(client));
        sockets
            .iter()
            .find_map(|socket| match Attached::of(socket) {
                Some(Attached::NotesReader { author, .. }) => Some(author),
                _ => None,
            })
    }

    pub(super) fn send_to_notes_readers(
        &self,
        except: &Client,
        message: &ServerMessage,
    ) -> Result<()> {
        let text = serde_json::to_string(message)?;
        for socket in self.state.get_websockets_with_tag(CLIENTS) {
            if let Some(Attached::NotesReader { client, .. }) = Attached::of(&socket)
                && client != *except
            {
                // An error means that it is closing: its end is reported by itself.
                let _ = socket.send_with_str(&text);
            }
        }
        Ok(())
    }

    /// Whether this client is not in the room yet.
    fn is_outside(&self, id: &ParticipantId) -> bool {
        let room = self.room.borrow();
        room.as_ref().is_some_and(|room| room.is_outside(id))
    }

    pub(super) fn hang_up_client(&self, client: &Client) {
        self.hang_up(&client_tag(client), 1000, "closed");
    }

    pub(super) fn send_away(&self, client: &Client, excess: Excess) {
        let (code, reason) = match excess {
            Excess::Messages => (SENT_AWAY, "far too many messages"),
            Excess::Nonsense => (POLICY_VIOLATION, "not messages of this protocol"),
        };
        self.hang_up(&client_tag(client), code, reason);
    }

    pub(super) fn hang_up_node(&self, link: &NodeLink) {
        self.hang_up(&node_tag(link), 1000, "closed");
    }

    pub(super) fn send_node_away(&self, link: &NodeLink) {
        self.hang_up(&node_tag(link), POLICY_VIOLATION, "far too much is said");
    }

    fn send(&self, tag: &str, text: &str) {
        for socket in self.state.get_websockets_with_tag(tag) {
            // An error means that it is closing: its end is reported by itself.
            let _ = socket.send_with_str(text);
        }
    }

    fn hang_up(&self, tag: &str, code: u16, reason: &str) {
        for socket in self.state.get_websockets_with_tag(tag) {
            let _ = socket.close(Some(code), Some(reason));
        }
    }
}

fn client_tag(client: &Client) -> String {
    format!("c:{}:{}", client.participant, client.connection)
}

fn node_tag(link: &NodeLink) -> String {
    format!("n:{}:{}:{}", link.node, link.epoch.0, link.link)
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
