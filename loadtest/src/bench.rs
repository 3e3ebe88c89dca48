//! A bench: one media node, alone on a core, forwards real traffic in a known shape.

use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use protocol::id::ParticipantId;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::crew::{self, Progress, Timing, Workers};
use crate::node::{Node, NodeError};
use crate::plan::{Looks, Plan, Sends, Slots, Tiles, Watch};
use crate::publisher::Video;
use crate::report::Report;
use crate::signaling::EnterError;
use crate::stand_in::{StandIn, StandInDoor};

const ROOM: &str = "bench-room";
const REGION: &str = "eu-west";
const NODE: &str = "bench-1";
/// How long the node may take to listen, and to dial the room's link.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two joins: each costs the node a handshake.
const JOIN_INTERVAL: Duration = Duration::from_millis(30);

/// A shape of traffic: so many send to so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub name: &'static str,
    pub publishers: usize,
    /// Who only watch; without them the publishers watch each other.
    pub viewers: usize,
    pub video: Video,
    pub slots: Slots,
    /// How many of those who receive decrypt; the others read the clear headers.
    pub decrypting: usize,
}

/// Where one core cannot decrypt for all bots, so many do.
const SOME: usize = 5;

/// The shapes that are measured.
pub const SHAPES: [Shape; 7] = [
    shape("1-20", 1, 20),
    shape("1-50", 1, 50),
    shape("5-25", 5, 25),
    shape("10-10", 10, 0),
    Shape {
        decrypting: SOME,
        ..shape("10-50", 10, 50)
    },
    Shape {
        slots: Slots { audio: 3, video: 9 },
        decrypting: SOME,
        ..shape("50-in-9", 50, 0)
    },
    Shape {
        video: Video::HEAVY,
        decrypting: SOME,
        ..shape("5-50-heavy", 5, 50)
    },
];

const fn shape(name: &'static str, publishers: usize, viewers: usize) -> Shape {
    Shape {
        name,
        publishers,
        viewers,
        video: Video::PLAIN,
        // As many as there is to receive.
        slots: Slots {
            audio: publishers,
            video: publishers,
        },
        decrypting: usize::MAX,
    }
}

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

impl Shape {
    /// The bots of this shape, publishers first.
    ///
    /// # Errors
    /// There are more than there can be names.
    pub fn plans(&self) -> Result<Vec<(ParticipantId, Plan)>, BenchError> {
        let epoch = Instant::now();
        let name = |number: usize| format!("p{number}").parse::<ParticipantId>();
        let mut bots = Vec::new();
        for number in 0..self.publishers + self.viewers {
            let publishes = number < self.publishers;
            // The next ones around the circle of publishers, so that all are watched equally often.
            let watched = (1..=self.publishers)
                .map(|step| (number + step) % self.publishers)
                .filter(|other| *other != number)
                .take(if publishes && self.viewers > 0 {
                    0
                } else {
                    self.slots.video
                });
            let watched = watched.map(name).collect::<Result<Vec<_>, _>>()?;
            let receivers_before = if self.viewers > 0 {
                number.saturating_sub(self.publishers)
            } else {
                number
            };
            let decrypts = receivers_before < self.decrypting;
            let plan = Plan {
                number: number as u32,
                sends: if publishes {
                    Sends::AudioAndVideo(self.video)
                } else {
                    Sends::Nothing
                },
                slots: if publishes && self.viewers > 0 {
                    // These only send.
                    Slots { audio: 0, video: 0 }
                } else {
                    self.slots
                },
                watch: Watch::These(watched),
                tiles: Tiles::GRID,
                looks: if decrypts {
                    Looks::Decrypts
                } else {
                    Looks::Counts
                },
                ip: Ipv4Addr::LOCALHOST.into(),
                epoch,
            };
            bots.push((name(number)?, plan));
        }
        Ok(bots)
    }
}

/// Measures the node's program in one shape.
///
/// # Errors
/// The node does not start, or cannot be looked at.
pub async fn run(
    program: &Path,
    shape: &Shape,
    measured: Duration,
    stop: impl Future<Output = ()>,
    show: impl FnMut(Progress),
) -> Result<Report, BenchError> {
    let stand_in = StandIn::start(ROOM.parse()?, REGION.parse()?, NODE.parse()?).await?;
    let cores = Cores::split()?;
    cores.take_first()?;
    let started = start(program, &stand_in.address.to_string()).await;
    cores.take_rest()?;
    let (_child, node) = started?;
    stand_in.ready(PATIENCE).await?;
    let workers = Workers::start(cores.rest)?;
    let plans = shape.plans()?;
    let timing = Timing {
        ramp: JOIN_INTERVAL * plans.len() as u32,
        measured,
    };
    let crew: Vec<(Plan, StandInDoor)> = plans
        .into_iter()
        .map(|(participant, plan)| (plan, stand_in.door(participant)))
        .collect();
    let raw = crew::run(crew, &[node], timing, &workers, stop, show).await;
    cores.take_all()?;
    Ok(Report::of(shape.name, &raw?))
}

/// Starts the node; it is killed when the handle goes.
async fn start(program: &Path, edge: &str) -> Result<(Child, Node), BenchError> {
    let data = std::env::temp_dir().join(format!("connect-bench-{:016x}", fastrand::u64(..)));
    let mut command = Command::new(program);
    command
        .args(["--edge", &format!("http://{edge}")])
        .args(["--region", REGION, "--node-id", NODE, "--shards", "1"])
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
        .find_map(|word| word.strip_prefix("metrics="));
    let node = Node {
        id: NODE.into(),
        region: REGION.into(),
        pid: child.id(),
        metrics: metrics
            .ok_or_else(|| BenchError::NotReady(line.trim().to_owned()))?
            .to_owned(),
    };
    // It holds the file open, and nobody else wants it.
    let _ = std::fs::remove_dir_all(&data);
    Ok((child, node))
}

/// The cores of this machine: the first for the node, the rest for the bots.
struct Cores {
    all: CpuSet,
    first: CpuSet,
    others: CpuSet,
    /// How many are for the bots.
    rest: usize,
}

impl Cores {
    fn split() -> io::Result<Self> {
        let all = sched_getaffinity(None)?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| all.is_set(*core));
        let (mut first, mut others) = (CpuSet::new(), CpuSet::new());
        if let Some(core) = cores.next() {
            first.set(core);
        }
        cores.for_each(|core| others.set(core));
        if others.count() == 0 {
            // One core only: they share it, and the node's own CPU time is all that can be told.
            others = first;
        }
        Ok(Self {
            all,
            first,
            rest: others.count() as usize,
            others,
        })
    }

    /// What this thread starts from now on runs on the first core.
    fn take_first(&self) -> io::Result<()> {
        Ok(sched_setaffinity(None, &self.first)?)
    }

    fn take_rest(&self) -> io::Result<()> {
        Ok(sched_setaffinity(None, &self.others)?)
    }

    fn take_all(&self) -> io::Result<()> {
        Ok(sched_setaffinity(None, &self.all)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_has_its_people_and_its_streams() {
        let streams = |name: &str| {
            let shape = SHAPES.iter().find(|shape| shape.name == name).unwrap();
            let plans = shape.plans().unwrap();
            let watched = |plan: &Plan| match &plan.watch {
                Watch::These(these) => these.len(),
                Watch::Everybody => unreachable!("a bench names them"),
            };
            (
                plans.len(),
                plans.iter().map(|(_, plan)| watched(plan)).sum::<usize>(),
            )
        };
        assert_eq!(streams("1-20"), (21, 20));
        assert_eq!(streams("5-25"), (30, 125));
        assert_eq!(streams("10-10"), (10, 90));
        assert_eq!(streams("10-50"), (60, 500));
        assert_eq!(streams("50-in-9"), (50, 450));
        assert_eq!(streams("5-50-heavy"), (55, 250));
    }
}
