//! A crew of bots: started over a ramp, measured together, and the nodes sampled beside them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::bot::{self, Outcome};
use crate::node::{Node, NodeError, Sample};
use crate::plan::{Phase, Plan};
use crate::signaling::Door;

/// After the ramp, everybody has this long to be connected.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between the last connection and the measurement: first keyframes and views settle.
const SETTLE: Duration = Duration::from_secs(2);
/// How often progress is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// How long everything takes.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// Over which the bots come in.
    pub ramp: Duration,
    /// Of the measurement.
    pub measured: Duration,
}

/// How far a run is.
#[derive(Debug, Clone, Copy)]
pub enum Progress {
    Joining { connected: usize, people: usize },
    Measuring { passed: Duration, of: Duration },
}

/// What a run left.
pub struct Raw {
    pub outcomes: Vec<Outcome>,
    pub measured: Duration,
    /// Per node: before anybody came, at the start and at the end of the measurement.
    pub samples: Vec<(Node, [Sample; 3])>,
}

/// The threads that bots live in, each with a runtime of its own. They end with this.
pub struct Workers {
    handles: Vec<Handle>,
    _ends: Vec<oneshot::Sender<()>>,
}

impl Workers {
    /// Starts so many threads.
    ///
    /// # Errors
    /// The system has no more threads or files.
    pub fn start(count: usize) -> std::io::Result<Self> {
        let (mut handles, mut ends) = (Vec::new(), Vec::new());
        for index in 0..count.max(1) {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            handles.push(runtime.handle().clone());
            let (end, ended) = oneshot::channel::<()>();
            ends.push(end);
            thread::Builder::new()
                .name(format!("bots-{index}"))
                .spawn(move || runtime.block_on(ended))?;
        }
        Ok(Self {
            handles,
            _ends: ends,
        })
    }

    fn spawn<T: Send + 'static>(
        &self,
        index: usize,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.handles[index % self.handles.len()].spawn(work)
    }
}

/// Runs a crew. `stop` ends the measurement early.
///
/// # Errors
/// A node cannot be looked at.
pub async fn run<D: Door>(
    crew: Vec<(Plan, D)>,
    nodes: &[Node],
    timing: Timing,
    workers: &Workers,
    stop: impl Future<Output = ()>,
    mut show: impl FnMut(Progress),
) -> Result<Raw, NodeError> {
    let http = reqwest::Client::new();
    let people = crew.len();
    let mut samples = Vec::new();
    for node in nodes {
        samples.push((node.clone(), vec![node.sample(&http).await?]));
    }
    let (phase, phases) = watch::channel(Phase::Joining);
    let connected = Arc::new(AtomicUsize::new(0));
    let mut bots = Vec::new();
    let mut measured = Duration::ZERO;
    let whole = async || {
        let started = Instant::now();
        for (index, (plan, door)) in crew.into_iter().enumerate() {
            let due = started + timing.ramp * index as u32 / people.max(1) as u32;
            tokio::time::sleep_until(due.into()).await;
            let bot = bot::run(plan, door, phases.clone(), connected.clone());
            bots.push(workers.spawn(index, bot));
            show(Progress::Joining {
                connected: connected.load(Ordering::Relaxed),
                people,
            });
        }
        let mut looks = tokio::time::interval(LOOK_INTERVAL);
        let deadline = Instant::now() + PATIENCE;
        while connected.load(Ordering::Relaxed) + ended(&bots) < people && Instant::now() < deadline
        {
            looks.tick().await;
            show(Progress::Joining {
                connected: connected.load(Ordering::Relaxed),
                people,
            });
        }
        tokio::time::sleep(SETTLE).await;
        for (node, samples) in &mut samples {
            samples.push(node.fresh_sample(&http).await?);
        }
        let begun = Instant::now();
        // Nobody listens only when every bot has failed.
        let _ = phase.send(Phase::Measuring);
        while begun.elapsed() < timing.measured {
            looks.tick().await;
            measured = begun.elapsed();
            show(Progress::Measuring {
                passed: measured,
                of: timing.measured,
            });
        }
        Ok(())
    };
    tokio::select! {
        done = whole() => done?,
        () = stop => {}
    }
    for (node, samples) in &mut samples {
        samples.push(node.fresh_sample(&http).await?);
    }
    let _ = phase.send(Phase::Over);
    let mut outcomes = Vec::new();
    for bot in bots {
        outcomes.push(bot.await.unwrap_or_else(|fault| Outcome {
            failure: Some(format!("the bot ended by a fault: {fault}")),
            ..Outcome::default()
        }));
    }
    // A run that was stopped while bots came in has no sample of the start.
    let samples = samples
        .into_iter()
        .filter_map(|(node, samples)| Some((node, samples.try_into().ok()?)));
    Ok(Raw {
        outcomes,
        measured,
        samples: samples.collect(),
    })
}

fn ended(bots: &[JoinHandle<Outcome>]) -> usize {
    bots.iter().filter(|bot| bot.is_finished()).count()
}
