//! The Region Durable Object: the control links of a region's nodes, and the choice among them.
//!
//! The nodes stand in a table in memory. What is known of each is attached to its WebSocket, from which the table is made after a
//! sleep. That there is a node is stored as well: after a restart, which ends all WebSockets, the region knows whom to wait for.

use std::cell::RefCell;
use std::collections::HashMap;

use edge_core::conduct::{Conduct, Misbehaves};
use edge_core::roster::{self, Choice, Fleet, HEARTBEAT_SECONDS, Member, NODES, Remembered};
use edge_core::table::{Key, Schema};
use protocol::client::POLICY_VIOLATION;
use protocol::id::{Epoch, NodeId, RoomId};
use protocol::node::{NodeToRegion, RegionToNode, VERSION, is_understood};
use protocol::trace::Trail;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use worker::{
    Date, DurableObject, Env, Error, Request, Response, Result, State, WebSocket,
    WebSocketIncomingMessage, WebSocketPair, durable_object,
};

use crate::breath::Breath;
use crate::problem::Outcome;
use crate::socket::{self, attach, attached};
use crate::store::{Class, Store, row};
use crate::{crypto, log, rpc};

pub(crate) static CLASS: Class = Class {
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
    /// Whose join it is for.
    #[serde(default)]
    pub trail: Option<Trail>,
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
    env: Env,
    store: Store,
    breath: Breath,
    /// In memory only.
    conducts: RefCell<HashMap<NodeId, Conduct>>,
    /// Absent until it is needed: it is made from what is attached and stored.
    fleet: RefCell<Option<Fleet>>,
}

impl DurableObject for RegionObject {
    fn new(state: State, env: Env) -> Self {
        Self {
            store: Store::new(&state, &CLASS),
            state,
            env,
            breath: Breath::default(),
            conducts: RefCell::default(),
            fleet: RefCell::default(),
        }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        let step = (request.path() == "/assign").then_some("region.assign");
        let work = async |request| self.answer(request).await;
        rpc::serve(&self.state, &self.env, request, step, work).await
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
        for known in self.store.all::<Remembered>(&NODES)? {
            if known.is_over(now) {
                self.fleet(now, |fleet| fleet.forget(&known.node))?;
                self.store.delete(key(&known.node))?;
            }
        }
        self.watch().await?;
        Response::empty()
    }
}

impl RegionObject {
    async fn answer(&self, mut request: Request) -> Result<Response> {
        let now = Date::now().as_millis();
        if request.path() == "/node" {
            let response = self.link(&request)?;
            self.watch().await?;
            return Ok(response);
        }
        let (operation, body) = rpc::read(&mut request).await?;
        rpc::answer(match operation.as_str() {
            "assign" => self.assign(&body, now),
            "probe" => self.probe(now),
            _ => Err(rpc::unknown(&operation)),
        })
    }

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
                probes,
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
                let member = Member::new(load, now).reached_at(probes);
                self.fleet(now, |fleet| fleet.register(node.clone(), member.clone()))?;
                attached.member = Some(member);
                attach(link, &attached)?;
                log::event("node registered", json!({ "node": node }));
                send(
                    link,
                    &RegionToNode::Registered {
                        heartbeat_seconds: HEARTBEAT_SECONDS,
                    },
                )
            }
            NodeToRegion::Heartbeat { load } => self.update(link, attached, now, |fleet, node| {
                fleet.report(node, load, now)
            }),
            NodeToRegion::Draining => self.update(link, attached, now, Fleet::drain),
        }
    }

    /// Takes over what a registered node has said.
    fn update(
        &self,
        link: &WebSocket,
        mut attached: Attached,
        now: u64,
        change: impl for<'a> FnOnce(&'a mut Fleet, &NodeId) -> Option<&'a Member>,
    ) -> Result<()> {
        if attached.member.is_some() {
            let changed = |fleet: &mut Fleet| change(fleet, &attached.node).cloned();
            attached.member = self.fleet(now, changed)?;
            attach(link, &attached)?;
        }
        Ok(())
    }

    fn assign(&self, body: &str, now: u64) -> Outcome<Value> {
        let wish: Assign = rpc::parse(body)?;
        let random = crypto::random_pair()?;
        let chosen = self.fleet(now, |fleet| fleet.assign(&wish.request, now, random))?;
        if let Choice::Node(node) = &chosen
            && !wish.request.placed.contains(node)
            && let Some(link) = self.link_of(node)
        {
            let open = RegionToNode::OpenRoom {
                room: wish.room,
                epoch: wish.epoch,
                trail: wish.trail,
            };
            send(&link, &open)?;
        }
        Ok(json!(chosen))
    }

    /// Where clients measure the way to this region.
    fn probe(&self, now: u64) -> Outcome<Value> {
        let [random, _] = crypto::random_pair()?;
        let probes = self.fleet(now, |fleet| fleet.probe(random).to_vec())?;
        Ok(json!(probes))
    }

    /// The link of a node that has registered.
    fn link_of(&self, node: &NodeId) -> Option<WebSocket> {
        let links = self.state.get_websockets_with_tag(node.as_str());
        links.into_iter().find(|link| {
            attached::<Attached>(link).is_some_and(|attached| attached.member.is_some())
        })
    }

    /// Does something with the table of nodes, which is made if there is none yet.
    fn fleet<T>(&self, now: u64, run: impl FnOnce(&mut Fleet) -> T) -> Result<T> {
        let mut fleet = self.fleet.borrow_mut();
        let fleet = match &mut *fleet {
            Some(fleet) => fleet,
            none => none.insert(self.gather(now)?),
        };
        Ok(run(fleet))
    }

    /// All nodes that are here, and those that ever registered and were not given up: whom a restart has parted from the region is
    /// awaited from now on.
    fn gather(&self, now: u64) -> Result<Fleet> {
        let mut fleet = Fleet::default();
        for link in self.state.get_websockets() {
            if let Some(Attached {
                node,
                member: Some(member),
            }) = attached(&link)
            {
                fleet.register(node, member);
            }
        }
        let remembered: Vec<Remembered> = self.store.all(&NODES)?;
        let missed = roster::missed(&remembered, |node| fleet.member(node).is_some(), now);
        for known in &missed {
            self.remember(known)?;
        }
        let away = remembered
            .iter()
            .filter(|known| known.awaited_until.is_some());
        let away = away.filter(|known| !known.is_over(now)).chain(&missed);
        for known in away.collect::<Vec<_>>() {
            if fleet.member(&known.node).is_none() {
                fleet.await_back(known);
            }
        }
        Ok(fleet)
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
        log::event("node gone", json!({ "node": node }));
        if member.draining {
            return self.give_up(link, &node);
        }
        forget(link, &node);
        let now = Date::now().as_millis();
        let broken = Remembered::broken(node, now);
        self.fleet(now, |fleet| fleet.await_back(&broken))?;
        self.remember(&broken)
    }

    /// A node is gone: nobody waits for it.
    fn give_up(&self, link: &WebSocket, node: &NodeId) -> Result<()> {
        forget(link, node);
        self.conducts.borrow_mut().remove(node);
        self.fleet(Date::now().as_millis(), |fleet| fleet.remove(node))?;
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
