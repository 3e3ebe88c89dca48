//! One media node under the supervisor: started, watched, and started again when it dies.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Result};
use crate::log;
use crate::process::Child;
use crate::{http, paths};

/// The pause before a first restart; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause before a restart.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A node that ran for so long starts with a clean record: who fails at its start does so sooner.
const STEADY: Duration = Duration::from_secs(10);

/// How to start a node.
pub struct Plan {
    /// Its region.
    pub region: &'static str,
    /// The program.
    pub program: PathBuf,
    /// The Worker's address.
    pub edge: String,
    /// The key for its tokens.
    pub key: String,
    /// Where its media port binds.
    pub media: SocketAddr,
    /// Where its QUIC port binds.
    pub quic: SocketAddr,
    /// The QUIC address that other nodes are told, if it is another one.
    pub quic_address: Option<SocketAddr>,
    /// Where it keeps its files.
    pub data: PathBuf,
    /// Where it exports its spans, if anywhere.
    pub collector: Option<String>,
}

enum State {
    /// Not yet listening; its first line will come from here.
    Starting(Child, Receiver<String>),
    /// Listening, by the words of its first line.
    Running {
        child: Child,
        listens: HashMap<String, String>,
        since: Instant,
    },
    /// Dead, to be started again.
    Down(Instant),
}

/// A node.
pub struct Node {
    plan: Plan,
    id: String,
    log: PathBuf,
    state: State,
    failures: u32,
}

impl Node {
    /// Starts it; it is not ready yet.
    pub fn start(plan: Plan) -> Result<Self> {
        let id = format!("{}-1", plan.region);
        let log = paths::log(&format!("node-{id}"));
        let state = launch(&plan, &id, &log, true)?;
        Ok(Self {
            plan,
            id,
            log,
            state,
            failures: 0,
        })
    }

    /// Its name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its log file.
    pub fn log(&self) -> &PathBuf {
        &self.log
    }

    /// Whether it has died since the start.
    pub fn has_failed(&self) -> bool {
        self.failures > 0
    }

    /// Whether it is registered with the edge.
    pub fn is_healthy(&self) -> bool {
        let metrics = self
            .word("metrics")
            .trim_start_matches("http://")
            .trim_end_matches("/metrics");
        metrics
            .parse()
            .is_ok_and(|address| http::status(address, "/readyz") == Some(200))
    }

    /// Moves on what has to move on; tells whether anything changed.
    pub fn tend(&mut self) -> Result<bool> {
        match &mut self.state {
            State::Starting(child, lines) => {
                if let Some(status) = child.ended() {
                    self.died(&status.to_string(), Duration::ZERO);
                    return Ok(true);
                }
                let Some(line) = lines.try_iter().find(|line| line.starts_with("ready ")) else {
                    return Ok(false);
                };
                let listens = words(&line);
                let State::Starting(child, _) =
                    std::mem::replace(&mut self.state, State::Down(Instant::now()))
                else {
                    return Ok(false);
                };
                self.state = State::Running {
                    child,
                    listens,
                    since: Instant::now(),
                };
                if self.failures > 0 {
                    println!("{} is back: {}", self.id, self.describe());
                }
                Ok(true)
            }
            State::Running { child, since, .. } => {
                let Some(status) = child.ended() else {
                    return Ok(false);
                };
                let ran = since.elapsed();
                self.died(&status.to_string(), ran);
                Ok(true)
            }
            State::Down(until) if Instant::now() >= *until => {
                self.state = launch(&self.plan, &self.id, &self.log, false)?;
                Ok(true)
            }
            State::Down(_) => Ok(false),
        }
    }

    /// What listens where.
    pub fn describe(&self) -> String {
        format!(
            "{:<13} media {}  quic {}  metrics {}",
            self.plan.region,
            self.word("media"),
            self.word("quic"),
            self.word("metrics")
        )
    }

    /// The same for programs; `pid` is 0 while it is down.
    pub fn json(&self) -> String {
        let pid = match &self.state {
            State::Starting(child, _) | State::Running { child, .. } => child.id(),
            State::Down(_) => 0,
        };
        format!(
            r#"{{"id":"{}","region":"{}","pid":{pid},"media":"{}","quic":"{}","metrics":"{}"}}"#,
            self.id,
            self.plan.region,
            self.word("media"),
            self.word("quic"),
            self.word("metrics")
        )
    }

    /// The process, to be stopped.
    pub fn into_child(self) -> Option<Child> {
        match self.state {
            State::Starting(child, _) | State::Running { child, .. } => Some(child),
            State::Down(_) => None,
        }
    }

    fn word(&self, name: &str) -> &str {
        match &self.state {
            State::Running { listens, .. } => listens.get(name).map_or("", String::as_str),
            _ => "",
        }
    }

    fn died(&mut self, status: &str, ran: Duration) {
        self.failures = if ran > STEADY { 1 } else { self.failures + 1 };
        let pause = FIRST_PAUSE
            .saturating_mul(1 << (self.failures - 1).min(5))
            .min(LONGEST_PAUSE);
        println!(
            "{} ended ({status}); starting it again in {} s. The end of {}:\n{}",
            self.id,
            pause.as_secs(),
            self.log.display(),
            log::tail(&self.log, 5)
        );
        self.state = State::Down(Instant::now() + pause);
    }
}

fn launch(plan: &Plan, id: &str, log: &PathBuf, fresh: bool) -> Result<State> {
    if fresh {
        log::create(log)?;
    }
    let failed = |error| Failure::file("write", log, &error);
    let stderr = fs::OpenOptions::new()
        .append(true)
        .open(log)
        .map_err(failed)?;
    fs::create_dir_all(&plan.data).map_err(|error| Failure::file("create", &plan.data, &error))?;
    let mut command = Command::new(&plan.program);
    command
        .args([
            "--edge",
            &plan.edge,
            "--region",
            plan.region,
            "--node-id",
            id,
        ])
        .args([
            "--media",
            &plan.media.to_string(),
            "--quic",
            &plan.quic.to_string(),
        ])
        .args(["--private", "127.0.0.1:0", "--shards", "1", "--data-dir"])
        .arg(&plan.data)
        .env("CONNECT_NODE_KEY", &plan.key)
        .env(
            "CONNECT_OTLP_ENDPOINT",
            plan.collector.as_deref().unwrap_or_default(),
        )
        .env("NO_COLOR", "1")
        .stdout(Stdio::piped())
        .stderr(stderr);
    if let Some(address) = plan.quic_address {
        command.args(["--quic-address", &address.to_string()]);
    }
    let mut child = Child::start(&mut command)?;
    let (sender, lines) = mpsc::channel();
    if let Some(stdout) = child.take_stdout() {
        // Reads to the end, so that the node never waits for a full pipe.
        thread::spawn(move || {
            for line in BufReader::new(stdout)
                .lines()
                .map_while(std::result::Result::ok)
            {
                let _ = sender.send(line);
            }
        });
    }
    Ok(State::Starting(child, lines))
}

/// The `name=value` words of a line.
fn words(line: &str) -> HashMap<String, String> {
    line.split_whitespace()
        .filter_map(|word| word.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ready_line_is_read() {
        let line = "ready node=a region=eu-west media=127.0.0.1:1 quic=127.0.0.1:2 metrics=http://127.0.0.1:3/metrics";
        let words = words(line);
        assert_eq!(words["media"], "127.0.0.1:1");
        assert_eq!(words["metrics"], "http://127.0.0.1:3/metrics");
    }
}
