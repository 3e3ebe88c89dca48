//! The node as a whole: joins the links to the edge, the shards, the roster and the ledger.
//!
//! Its loop waits for nothing but what comes next: what one shard or one link does not take at once holds up no other.

mod farewell;
mod inbox;
mod lost;
mod rooms;
mod seats;
mod traces;
mod vitals;

use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use protocol::id::{Epoch, NodeId, Region, RoomId};
use protocol::node::{
    Load, NodeToRegion, NodeToRoom, RegionToNode, RoomToNode, SessionRef, VERSION,
};
use sfu_core::PeerId;
use tokio::sync::{mpsc, watch};
use tokio::time::{Interval, MissedTickBehavior};

use crate::control::{Edge, Greeting, Link, LinkEvent};
use crate::export::Exporter;
use crate::health::{Health, Readiness};
use crate::ledger::{Entry, Recorder, What};
use crate::metrics;
use crate::roster::{Direct, Roster};
use crate::seating::Seating;
use crate::shard::{FromShard, Report, Shard, ShardError};
use inbox::Inbox;
use rooms::OpenRoom;
use traces::Traces;
use vitals::Vitals;

/// Events of links waiting for the node.
const MAX_WAITING: usize = 1_024;
/// How long the farewell to the edge and to peers may take.
const FAREWELL: Duration = Duration::from_secs(1);
/// Seconds between heartbeats: whatever the edge asks for, within reason.
const HEARTBEAT_SECONDS: std::ops::RangeInclusive<u32> = 1..=60;

/// What the node is joined of.
pub struct Parts {
    pub node: NodeId,
    pub region: Region,
    pub edge: Arc<Edge>,
    pub shards: Vec<RunningShard>,
    /// What the shards say.
    pub from_shards: mpsc::Receiver<(u16, FromShard)>,
    pub ledger: Recorder,
    /// Where the spans of joins go.
    pub exporter: Exporter,
    /// What probes are told.
    pub health: watch::Sender<Health>,
    pub max_sessions: u32,
    pub max_sessions_per_shard: u32,
    /// How many joins between two heartbeats.
    pub max_joins: u32,
    /// Where clients measure the way here.
    pub probes: Vec<String>,
}

/// A shard, and where peers reach it.
pub struct RunningShard {
    pub shard: Shard,
    pub quic_address: String,
}

/// A shard as the node knows it.
struct Place {
    /// What peers pin.
    id: PeerId,
    inbox: Inbox,
    quic_address: String,
}

/// What links report.
enum Event {
    Region(LinkEvent<RegionToNode>),
    Room {
        room: RoomId,
        epoch: Epoch,
        event: LinkEvent<RoomToNode>,
    },
}

struct Node {
    edge: Arc<Edge>,
    shards: Vec<Place>,
    vitals: Vitals,
    ledger: Recorder,
    traces: Traces,
    health: watch::Sender<Health>,
    registered: bool,
    region: Link<NodeToRegion>,
    roster: Box<dyn Roster>,
    heartbeat: Option<Interval>,
    load: watch::Sender<Load>,
    reports: Vec<Report>,
    rooms: HashMap<RoomId, OpenRoom>,
    seating: Seating,
    events: mpsc::Sender<Event>,
}

/// Runs the node until `stop` resolves.
///
/// # Errors
/// A shard was lost, and nobody is left at the others.
pub async fn run(parts: Parts, stop: impl Future<Output = ()>) -> Result<(), ShardError> {
    let (events, mut incoming) = mpsc::channel(MAX_WAITING);
    let (load, load_now) = watch::channel(Load {
        max_sessions: parts.max_sessions,
        max_joins_per_interval: parts.max_joins,
        ..Load::default()
    });
    let region = open_region_link(&parts, events.clone(), load_now);
    let mut from_shards = parts.from_shards;
    let mut node = Node {
        roster: Box::new(Direct::new(region.sender())),
        region,
        edge: parts.edge,
        reports: vec![Report::default(); parts.shards.len()],
        seating: Seating::new(parts.shards.len(), parts.max_sessions_per_shard as usize),
        vitals: Vitals::new(parts.shards.len()),
        shards: parts.shards.into_iter().map(Place::from).collect(),
        ledger: parts.ledger,
        traces: Traces::new(parts.exporter),
        health: parts.health,
        registered: false,
        heartbeat: None,
        load,
        rooms: HashMap::new(),
        events,
    };
    let mut look = tokio::time::interval(vitals::LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::pin!(stop);
    let ended = loop {
        tokio::select! {
            () = &mut stop => break Ok(()),
            Some(event) = incoming.recv() => match event {
                Event::Region(event) => node.on_region(event),
                Event::Room { room, epoch, event } => node.on_room(room, epoch, event),
            },
            Some((index, message)) = from_shards.recv() => node.on_shard(index, message),
            () = next_beat(&mut node.heartbeat) => node.beat(),
            _ = look.tick() => node.look(),
        }
        if node.is_spent() {
            break Err(ShardError::Lost);
        }
    };
    node.say_goodbye(from_shards).await;
    ended
}

impl From<RunningShard> for Place {
    fn from(running: RunningShard) -> Self {
        Self {
            id: running.shard.id,
            inbox: Inbox::new(running.shard.inbox),
            quic_address: running.quic_address,
        }
    }
}

fn open_region_link(
    parts: &Parts,
    events: mpsc::Sender<Event>,
    load: watch::Receiver<Load>,
) -> Link<NodeToRegion> {
    let (node, region) = (parts.node.clone(), parts.region.clone());
    let probes = parts.probes.clone();
    let path = format!("/node/regions/{region}");
    let greet = move || {
        let register = NodeToRegion::Register {
            version: VERSION,
            node: node.clone(),
            region: region.clone(),
            load: *load.borrow(),
            probes: probes.clone(),
        };
        async { Greeting::from(register) }
    };
    Link::open(parts.edge.clone(), path, greet, move |event| {
        let events = events.clone();
        // Nobody listens any more only when the node ends.
        async move { drop(events.send(Event::Region(event)).await) }
    })
}

async fn next_beat(heartbeat: &mut Option<Interval>) {
    match heartbeat {
        Some(interval) => drop(interval.tick().await),
        None => pending().await,
    }
}

impl Node {
    fn on_region(&mut self, event: LinkEvent<RegionToNode>) {
        match event {
            LinkEvent::Up => {}
            LinkEvent::Message(RegionToNode::Registered { heartbeat_seconds }) => {
                let seconds =
                    heartbeat_seconds.clamp(*HEARTBEAT_SECONDS.start(), *HEARTBEAT_SECONDS.end());
                let mut interval = tokio::time::interval(Duration::from_secs(seconds.into()));
                interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
                self.heartbeat = Some(interval);
                self.set_registered(true);
            }
            LinkEvent::Message(RegionToNode::OpenRoom { room, epoch, trail }) => {
                self.traces.opens(&room, epoch, trail.as_ref());
                self.open_room(room, epoch)
            }
            LinkEvent::Message(RegionToNode::Refused { message }) => {
                tracing::error!(message, "the edge refuses this node");
                self.set_registered(false);
            }
            LinkEvent::Down => {
                metrics::link_lost("region");
                self.set_registered(false);
            }
            LinkEvent::Refused(status) => {
                tracing::error!(
                    status,
                    "the edge refuses this node; is CONNECT_NODE_KEY the same there?"
                );
                metrics::link_refused("region", status);
            }
        }
    }

    fn set_registered(&mut self, registered: bool) {
        if !registered {
            self.heartbeat = None;
        }
        tracing::info!(registered, "registration");
        metrics::registered(registered);
        self.registered = registered;
        self.tell_health();
    }

    /// Looks after itself: which shards report, and what probes are told.
    fn look(&mut self) {
        for shard in self.vitals.look() {
            self.shard_hung(shard);
        }
        metrics::ledger(self.ledger.counts());
        self.tell_health();
    }

    fn tell_health(&self) {
        let load = *self.load.borrow();
        let readiness = match self.registered {
            false => Readiness::NotRegistered,
            true if !load.has_headroom() => Readiness::Overloaded,
            true => Readiness::Ready,
        };
        self.health
            .send_replace(Health::now(self.vitals.lost(), readiness));
    }

    fn beat(&mut self) {
        let load = *self.load.borrow();
        if let Err(error) = self.roster.announce(load) {
            tracing::warn!(%error, "heartbeat lost");
        }
    }

    fn on_shard(&mut self, index: u16, message: FromShard) {
        // What was given up may come to life again; its sessions are elsewhere by then.
        if self.vitals.is_lost(index.into()) {
            return;
        }
        match message {
            FromShard::Room { room, message } => {
                if let Some(session) = session_that_ends(&message) {
                    self.session_over(&room, &session);
                }
                self.tell_room(room, message);
            }
            FromShard::Step {
                room,
                session,
                step,
                at,
            } => self.traces.stepped(&room, &session, step, at),
            FromShard::Report(report) => self.take_report(index, *report),
            FromShard::Ended(ended) => self.shard_ended(index, ended),
        }
    }

    fn take_report(&mut self, index: u16, report: Report) {
        self.vitals.reported(index.into());
        self.seating.set_load(index.into(), report.load);
        self.note_report(index, report);
    }

    /// Counts what a shard holds: in the node's load, and for whoever reads the metrics.
    fn note_report(&mut self, index: u16, report: Report) {
        metrics::shard(index, &report);
        if let Some(place) = self.reports.get_mut(usize::from(index)) {
            *place = report;
        }
        let sum = |field: fn(&Report) -> u64| self.reports.iter().map(field).sum::<u64>() as u32;
        let (sessions, rooms) = (sum(|r| r.stats.sessions), self.rooms.len() as u32);
        let cpu = self.reports.iter().map(|r| r.load).fold(0.0, f32::max);
        let is_whole = self.vitals.lost().is_none();
        self.load.send_modify(|load| {
            (load.cpu, load.sessions, load.rooms) = (cpu, sessions, rooms);
            // A node that has lost a shard is given nobody else, so that it ends when those who are there have left.
            load.max_sessions = if is_whole { load.max_sessions } else { 0 };
        });
    }

    fn record(&self, room: &RoomId, what: What) {
        let (at, room) = (SystemTime::now(), room.clone());
        self.ledger.record(Entry { at, room, what });
    }
}

/// The session that is over with this message.
fn session_that_ends(message: &NodeToRoom) -> Option<SessionRef> {
    match message {
        NodeToRoom::Disconnected {
            participant,
            attempt,
        }
        | NodeToRoom::Refused {
            participant,
            attempt,
            ..
        } => Some(SessionRef {
            participant: participant.clone(),
            attempt: *attempt,
        }),
        _ => None,
    }
}
