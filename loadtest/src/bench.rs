//! A bench: a media node, or two that share a room, alone on a core, forwards real traffic in a known shape.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use protocol::node::Peer;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::cores::Cores;
use crate::crew::{self, Progress, Timing, Workers};
use crate::janus::Janus;
use crate::node::{Node, NodeError};
use crate::plan::Plan;
use crate::report::{Hop, Report};
use crate::shape::Shape;
use crate::signaling::{Door, EnterError};
use crate::stand_in::StandIn;

const ROOM: &str = "bench-room";
const REGION: &str = "eu-west";
const NODE: &str = "bench-1";
/// The one that those are on who are away.
const OTHER_NODE: &str = "bench-2";
/// How long the node may take to listen, and to dial the room's link.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two joins: each costs the node a handshake.
const JOIN_INTERVAL: Duration = Duration::from_millis(30);

/// Why a bench came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error("cannot start {program}: {error}; build it with `cargo build --release -p sfu-node`")]
    Start { program: String, error: io::Error },
    #[error("the node did not say that it is ready: {0}")]
    NotReady(String),
    #[error(transparent)]
    Node(#[from] NodeError),
    #[error(transparent)]
    Enter(#[from] EnterError),
    #[error("this machine refuses: {0}")]
    Machine(#[from] io::Error),
    #[error("an id does not do: {0}")]
    Id(#[from] protocol::id::InvalidId),
}

/// A measurement of one server in one shape.
#[derive(Debug, Clone, Copy)]
pub struct Bench<'a> {
    pub shape: &'a Shape,
    /// The address of everybody's media.
    pub ip: IpAddr,
    pub measured: Duration,
}

impl Bench<'_> {
    /// Measures the node's program.
    ///
    /// # Errors
    /// The node does not start, or cannot be looked at.
    pub async fn run(
        &self,
        program: &Path,
        stop: impl Future<Output = ()>,
        show: impl FnMut(Progress),
    ) -> Result<Report, BenchError> {
        let cores = Cores::split()?;
        let home = Host::start(program, NODE, self.ip, &cores).await?;
        let mut away = None;
        if self.shape.away > 0 {
            let other = Host::start(program, OTHER_NODE, self.ip, &cores).await?;
            home.edge.share_with(vec![other.peer.clone()]).await?;
            other.edge.share_with(vec![home.peer.clone()]).await?;
            away = Some(other);
        }
        let nodes: Vec<_> = std::iter::once(&home)
            .chain(&away)
            .map(|host| host.node.clone())
            .collect();
        let plans = self.shape.plans(self.ip)?.into_iter();
        let crew = plans.enumerate().map(|(number, (participant, plan))| {
            let host = away.as_ref().filter(|_| self.shape.is_away(number));
            (plan, host.unwrap_or(&home).edge.door(participant))
        });
        self.measure(crew.collect(), &nodes, &cores, stop, show)
            .await
    }

    /// Measures Janus.
    ///
    /// # Errors
    /// Janus does not start, or cannot be looked at.
    pub async fn run_janus(
        &self,
        stop: impl Future<Output = ()>,
        show: impl FnMut(Progress),
    ) -> Result<Report, BenchError> {
        let cores = Cores::split()?;
        cores.take_first()?;
        let started = Janus::start(self.ip).await;
        cores.take_rest()?;
        let janus = started?;
        let crew = janus.doors(self.shape.plans(self.ip)?);
        let nodes = [janus.node.clone()];
        self.measure(crew, &nodes, &cores, stop, show).await
    }

    async fn measure<D: Door>(
        &self,
        crew: Vec<(Plan, D)>,
        nodes: &[Node],
        cores: &Cores,
        stop: impl Future<Output = ()>,
        show: impl FnMut(Progress),
    ) -> Result<Report, BenchError> {
        let workers = Workers::start(cores.rest)?;
        let timing = Timing {
            ramp: JOIN_INTERVAL * crew.len() as u32,
            measured: self.measured,
        };
        let raw = crew::run(crew, nodes, timing, &workers, stop, show).await;
        cores.take_all()?;
        let raw = raw?;
        let mut report = Report::of(self.shape.name, &raw);
        if self.shape.away > 0 {
            report.hop = Hop::of(&raw.outcomes, |number| self.shape.is_away(number));
        }
        Ok(report)
    }
}

/// A node of ours, which lives as long as this, and what it takes for the edge.
struct Host {
    edge: StandIn,
    node: Node,
    /// How the other one reaches it.
    peer: Peer,
    _child: Child,
}

impl Host {
    async fn start(
        program: &Path,
        name: &str,
        ip: IpAddr,
        cores: &Cores,
    ) -> Result<Self, BenchError> {
        let edge = StandIn::start(ROOM.parse()?, REGION.parse()?, name.parse()?).await?;
        cores.take_first()?;
        let started = start(program, name, &edge.address.to_string(), ip).await;
        cores.take_rest()?;
        let (child, node) = started?;
        Ok(Self {
            peer: edge.ready(PATIENCE).await?,
            edge,
            node,
            _child: child,
        })
    }
}

/// Starts a node; it is killed when the handle goes.
async fn start(
    program: &Path,
    name: &str,
    edge: &str,
    ip: IpAddr,
) -> Result<(Child, Node), BenchError> {
    let data = std::env::temp_dir().join(format!("connect-bench-{:016x}", fastrand::u64(..)));
    let mut command = Command::new(program);
    command
        .args(["--edge", &format!("http://{edge}")])
        .args(["--region", REGION, "--node-id", name, "--shards", "1"])
        .args(["--media", &SocketAddr::new(ip, 0).to_string()])
        .arg("--data-dir")
        .arg(&data)
        // Nobody checks it here.
        .env("CONNECT_NODE_KEY", "0".repeat(43))
        .env("RUST_LOG", "warn")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| BenchError::Start {
        program: program.display().to_string(),
        error,
    })?;
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        let mut reader = BufReader::new(stdout);
        let read = tokio::time::timeout(PATIENCE, reader.read_line(&mut line)).await;
        read.unwrap_or(Ok(0))?;
    }
    let metrics = line
        .split_whitespace()
        .find_map(|word| word.strip_prefix("metrics="))
        .ok_or_else(|| BenchError::NotReady(line.trim().to_owned()))?;
    let node = Node {
        id: name.into(),
        region: REGION.into(),
        pid: child.id(),
        metrics: Some(metrics.to_owned()),
    };
    // It holds the file open, and nobody else wants it.
    let _ = std::fs::remove_dir_all(&data);
    Ok((child, node))
}
