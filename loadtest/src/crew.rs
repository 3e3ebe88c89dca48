//! A crew of bots: started over a ramp, measured together, and the nodes sampled beside them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::bot;
use crate::node::{Node, NodeError, Sample};
use crate::outcome::Outcome;
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
    show: impl FnMut(Progress),
) -> Result<Raw, NodeError> {
    let mut run = Run::start(crew.len(), nodes, workers, show).await?;
    tokio::select! {
        done = run.conduct(crew, timing) => done?,
        () = stop => {}
    }
    run.finish().await
}

/// A run under way.
struct Run<'a, S> {
    people: usize,
    workers: &'a Workers,
    show: S,
    http: reqwest::Client,
    samples: Vec<(Node, Vec<Sample>)>,
    phase: watch::Sender<Phase>,
    connected: Arc<AtomicUsize>,
    bots: Vec<JoinHandle<Outcome>>,
    measured: Duration,
}

impl<'a, S: FnMut(Progress)> Run<'a, S> {
    /// Looks at the nodes before anybody comes.
    async fn start(
        people: usize,
        nodes: &[Node],
        workers: &'a Workers,
        show: S,
    ) -> Result<Self, NodeError> {
        let http = reqwest::Client::new();
        let mut samples = Vec::new();
        for node in nodes {
            samples.push((node.clone(), vec![node.sample(&http).await?]));
        }
        Ok(Self {
            people,
            workers,
            show,
            http,
            samples,
            phase: watch::channel(Phase::Joining).0,
            connected: Arc::default(),
            bots: Vec::new(),
            measured: Duration::ZERO,
        })
    }

    /// From the first join to the end of the measurement.
    async fn conduct<D: Door>(
        &mut self,
        crew: Vec<(Plan, D)>,
        timing: Timing,
    ) -> Result<(), NodeError> {
        self.join(crew, timing.ramp).await;
        self.wait_for_media().await;
        tokio::time::sleep(SETTLE).await;
        self.sample().await?;
        self.measure(timing.measured).await;
        Ok(())
    }

    /// Lets the bots in, evenly over the ramp.
    async fn join<D: Door>(&mut self, crew: Vec<(Plan, D)>, ramp: Duration) {
        let started = Instant::now();
        for (index, (plan, door)) in crew.into_iter().enumerate() {
            let due = started + ramp * index as u32 / self.people.max(1) as u32;
            tokio::time::sleep_until(due.into()).await;
            let (phases, connected) = (self.phase.subscribe(), self.connected.clone());
            let bot = bot::run(plan, door, phases, connected);
            self.bots.push(self.workers.spawn(index, bot));
            self.show_joining();
        }
    }

    /// Until every bot that has not failed is connected, or patience ends.
    async fn wait_for_media(&mut self) {
        let mut looks = tokio::time::interval(LOOK_INTERVAL);
        let deadline = Instant::now() + PATIENCE;
        while self.settled() < self.people && Instant::now() < deadline {
            looks.tick().await;
            self.show_joining();
        }
    }

    /// How many are connected, or have failed.
    fn settled(&self) -> usize {
        let ended = self.bots.iter().filter(|bot| bot.is_finished());
        self.connected.load(Ordering::Relaxed) + ended.count()
    }

    fn show_joining(&mut self) {
        (self.show)(Progress::Joining {
            connected: self.connected.load(Ordering::Relaxed),
            people: self.people,
        });
    }

    /// Looks at the nodes.
    async fn sample(&mut self) -> Result<(), NodeError> {
        for (node, samples) in &mut self.samples {
            samples.push(node.fresh_sample(&self.http).await?);
        }
        Ok(())
    }

    async fn measure(&mut self, of: Duration) {
        // Nobody listens only when every bot has failed.
        let _ = self.phase.send(Phase::Measuring);
        let mut looks = tokio::time::interval(LOOK_INTERVAL);
        let begun = Instant::now();
        while begun.elapsed() < of {
            looks.tick().await;
            self.measured = begun.elapsed();
            (self.show)(Progress::Measuring {
                passed: self.measured,
                of,
            });
        }
    }

    /// Looks at the nodes a last time, and ends the bots.
    async fn finish(mut self) -> Result<Raw, NodeError> {
        self.sample().await?;
        let _ = self.phase.send(Phase::Over);
        let mut outcomes = Vec::new();
        for bot in self.bots {
            outcomes.push(bot.await.unwrap_or_else(|fault| Outcome {
                failure: Some(format!("the bot ended by a fault: {fault}")),
                ..Outcome::default()
            }));
        }
        // A run that was stopped while bots came in has no sample of the start.
        let samples = self
            .samples
            .into_iter()
            .filter_map(|(node, samples)| Some((node, samples.try_into().ok()?)));
        Ok(Raw {
            outcomes,
            measured: self.measured,
            samples: samples.collect(),
        })
    }
}
