//! The Region Durable Object: the control links of a region's nodes, and the choice among them.
//!
//! What is known of a node is attached to its WebSocket: it survives hibernation and is gone with the node. That there is
//! a node is stored as well: after a restart, which ends all WebSockets, the region knows whom to wait for.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use edge_core::conduct::{Conduct, Misbehaves};
use edge_core::roster::{self, Choice, HEARTBEAT_SECONDS, Member, NODES, Remembered};
use edge_core::table::{Key, Schema};
use protocol::client::POLICY_VIOLATION;
use protocol::id::{Epoch, NodeId, RoomId};
use protocol::node::{NodeToRegion, RegionToNode, VERSION, is_understood};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use worker::{
    Date, DurableObject, Env, Error, Request, Response, Result, State, WebSocket,
    WebSocketIncomingMessage, WebSocketPair, console_log, durable_object,
};

use crate::breath::Breath;
use crate::problem::Outcome;
use crate::socket::{self, attach, attached};
use crate::store::{Class, Store, row};
use crate::{crypto, rpc};

static CLASS: Class = Class {
    schema: &Schema {
        tables: &[&NODES],
        scripts: &[],
    },
    former: |_, _, value| {
        Ok(vec![row(
            &NODES,
            &serde_json::from_str::<Remembered>(value)?,
        )?])
    },
    essence: "",
    before: |_| Ok(()),
};

fn key(node: &NodeId) -> Key {
    NODES.key([node.as_str().into()])
}

/// A room's wish for a node.
#[derive(Serialize, Deserialize)]
pub struct Assign {
    pub room: RoomId,
    /// The placement under which the node is to open the room.
    pub epoch: Epoch,
    #[serde(flatten)]
    pub request: roster::Request,
}

/// What is attached to a control link.
#[derive(Serialize, Deserialize)]
struct Attached {
    node: NodeId,
    /// Absent until the node registers.
    member: Option<Member>,
}

impl Attached {
    fn unregistered(node: NodeId) -> Self {
        Self { node, member: None }
    }
}

/// One region.
#[durable_object]
pub struct RegionObject {
    state: State,
    store: Store,
    breath: Breath,
    /// In memory only.
    conducts: RefCell<HashMap<NodeId, Conduct>>,
}

impl DurableObject for RegionObject {
    fn new(state: State, _env: Env) -> Self {
        Self {
            store: Store::new(&state, &CLASS),
            state,
            breath: Breath::default(),
            conducts: RefCell::default(),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let now = Date::now().as_millis();
        if request.path() == "/node" {
            let response = self.link(&request)?;
            self.watch().await?;
            return Ok(response);
        }
        let (operation, body) = rpc::read(&mut request).await?;
        rpc::answer(match operation.as_str() {
            "assign" => self.assign(&body, now),
            _ => Err(rpc::unknown(&operation)),
        })
    }

    async fn websocket_message(
        &self,
        link: WebSocket,
        message: WebSocketIncomingMessage,
    ) -> Result<()> {
        if !socket::is_open(&link) {
            self.breath.take(&self.state);
            return Ok(());
        }
        let now = Date::now().as_millis();
        let Some::<Attached>(from) = attached(&link) else {
            return Ok(());
        };
        match self.understood(&from.node, &socket::text(message), now) {
            Ok(Some(message)) => self.heard(&link, from, message, now),
            Ok(None) => Ok(()),
            Err(Misbehaves) => {
                let _ = link.close(Some(POLICY_VIOLATION), Some("far too much is said"));
                self.lost(&link)
            }
        }
    }

    async fn websocket_close(&self, link: WebSocket, _: usize, _: String, _: bool) -> Result<()> {
        // An error means that it is closed already.
        let _ = link.close(Some(1000), Some("closed"));
        self.lost(&link)
    }

    async fn websocket_error(&self, link: WebSocket, _: Error) -> Result<()> {
        self.lost(&link)
    }

    /// Hangs up on nodes that fell silent, and forgets those that had their time to come back.
    async fn alarm(&self) -> Result<Response> {
        let now = Date::now().as_millis();
        for link in self.state.get_websockets() {
            let attached: Option<Attached> = attached(&link);
            let silent =
                |attached: &Attached| attached.member.as_ref().is_none_or(|m| m.is_silent(now));
            if attached.as_ref().is_none_or(silent) {
                let _ = link.close(Some(1008), Some("no heartbeat"));
                if let Some(Attached {
                    node,
                    member: Some(_),
                }) = attached
                {
                    self.give_up(&link, &node)?;
                }
            }
        }
        for known in self.remembered(now)? {
            if known.is_over(now) {
                self.store.delete(key(&known.node))?;
            }
        }
        self.watch().await?;
        Response::empty()
    }
}

impl RegionObject {
    fn link(&self, request: &Request) -> Result<Response> {
        #[derive(Deserialize)]
        struct Query {
            node: NodeId,
        }
        let Query { node } = request.query()?;
        let pair = WebSocketPair::new()?;
        self.state
            .accept_websocket_with_tags(&pair.server, &[node.as_str()]);
        attach(&pair.server, &Attached::unregistered(node))?;
        Response::from_websocket(pair.client)
    }

    fn understood(
        &self,
        node: &NodeId,
        text: &str,
        now: u64,
    ) -> std::result::Result<Option<NodeToRegion>, Misbehaves> {
        let mut conducts = self.conducts.borrow_mut();
        let conduct = conducts.entry(node.clone());
        conduct.or_insert_with(|| Conduct::new(now)).hear(text, now)
    }

    fn heard(
        &self,
        link: &WebSocket,
        mut attached: Attached,
        message: NodeToRegion,
        now: u64,
    ) -> Result<()> {
        match message {
            NodeToRegion::Register {
                version,
                node,
                load,
                ..
            } => {
                if !is_understood(version) || node != attached.node {
                    let message = format!(
                        "this edge speaks version {VERSION} and its neighbors, to the node that the token names"
                    );
                    send(link, &RegionToNode::Refused { message })?;
                    return link.close(Some(1008), Some("refused"));
                }
                for other in self.state.get_websockets_with_tag(node.as_str()) {
                    if other.as_ref() != link.as_ref() {
                        let _ = other.close(Some(1000), Some("replaced"));
                        attach(&other, &Attached::unregistered(node.clone()))?;
                    }
                }
                self.remember(&Remembered::present(node.clone()))?;
                attached.member = Some(Member::new(load, now));
                attach(link, &attached)?;
                console_log!("{}", json!({ "event": "node registered", "node": node }));
                send(
                    link,
                    &RegionToNode::Registered {
                        heartbeat_seconds: HEARTBEAT_SECONDS,
                    },
                )
            }
            NodeToRegion::Heartbeat { load } => {
                if let Some(member) = &mut attached.member {
                    member.load = load;
                    member.heard = now;
                    attach(link, &attached)?;
                }
                Ok(())
            }
            NodeToRegion::Draining => {
                if let Some(member) = &mut attached.member {
                    member.draining = true;
                    attach(link, &attached)?;
                }
                Ok(())
            }
        }
    }

    fn assign(&self, body: &str, now: u64) -> Outcome<Value> {
        let wish: Assign = rpc::parse(body)?;
        let mut links = BTreeMap::new();
        let mut members = BTreeMap::new();
        for link in self.state.get_websockets() {
            if let Some(Attached {
                node,
                member: Some(member),
            }) = attached(&link)
            {
                links.insert(node.clone(), link);
                members.insert(node, member);
            }
        }
        let remembered = self.remembered(now)?;
        let random = crypto::random_pair()?;
        let chosen = roster::assign(&members, &remembered, &wish.request, now, random);
        if let Choice::Node(node) = &chosen
            && let (Some(link), Some(mut member)) = (links.get(node), members.remove(node))
        {
            // The next heartbeat says it better; until then this one counts.
            member.load.sessions += 1;
            attach(
                link,
                &Attached {
                    node: node.clone(),
                    member: Some(member),
                },
            )?;
            if !wish.request.placed.contains(node) {
                let (room, epoch) = (wish.room, wish.epoch);
                send(link, &RegionToNode::OpenRoom { room, epoch })?;
            }
        }
        Ok(json!(chosen))
    }

    /// All nodes that ever registered and were not given up. Those that a restart has parted from the region are awaited
    /// from the first look on.
    fn remembered(&self, now: u64) -> Result<Vec<Remembered>> {
        let mut remembered: Vec<Remembered> = self.store.all(&NODES)?;
        let present: Vec<NodeId> = self
            .state
            .get_websockets()
            .iter()
            .filter_map(attached::<Attached>)
            .filter(|attached| attached.member.is_some())
            .map(|attached| attached.node)
            .collect();
        for missed in roster::missed(&remembered, |node| present.contains(node), now) {
            self.remember(&missed)?;
            remembered.retain(|known| known.node != missed.node);
            remembered.push(missed);
        }
        Ok(remembered)
    }

    fn remember(&self, known: &Remembered) -> Result<()> {
        self.store.put(&NODES, known)
    }

    /// A link has broken. Its node may dial again at once, unless it was about to go.
    fn lost(&self, link: &WebSocket) -> Result<()> {
        let Some(Attached {
            node,
            member: Some(member),
        }) = attached(link)
        else {
            return Ok(());
        };
        console_log!("{}", json!({ "event": "node gone", "node": node }));
        if member.draining {
            return self.give_up(link, &node);
        }
        forget(link, &node);
        self.remember(&Remembered::broken(node, Date::now().as_millis()))
    }

    /// A node is gone: nobody waits for it.
    fn give_up(&self, link: &WebSocket, node: &NodeId) -> Result<()> {
        forget(link, node);
        self.conducts.borrow_mut().remove(node);
        self.store.delete(key(node))
    }

    /// Comes back to look for silent nodes, and for those that are awaited, while there are any.
    async fn watch(&self) -> Result<()> {
        let awaited = !self.store.all::<Remembered>(&NODES)?.is_empty();
        if awaited || !self.state.get_websockets().is_empty() {
            self.state.storage().set_alarm(roster::LEASE as i64).await?;
        }
        Ok(())
    }
}

/// Lets a link that is over stand for no node any more. An error means that it is gone already.
fn forget(link: &WebSocket, node: &NodeId) {
    let _ = attach(link, &Attached::unregistered(node.clone()));
}

fn send(link: &WebSocket, message: &RegionToNode) -> Result<()> {
    link.send_with_str(serde_json::to_string(message)?)
}
