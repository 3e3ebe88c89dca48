//! A media node as seen from outside: its metrics page, and its process where it runs on this machine.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::proc::{self, Ticks};

/// A page that takes longer does not come.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often to look for the next report of the shards, which comes once a second.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// Where a node is to be looked at.
#[derive(Debug, Clone, Deserialize)]
pub struct Node {
    pub id: String,
    #[serde(default)]
    pub region: String,
    /// Its process on this machine.
    #[serde(default)]
    pub pid: Option<u32>,
    /// The address of its metrics page; another server than ours has none, and is seen by its process alone.
    #[serde(default)]
    pub metrics: Option<String>,
}

/// What `cargo xtask dev` writes about itself.
#[derive(Debug, Deserialize)]
pub struct Stack {
    pub url: String,
    pub nodes: Vec<Node>,
}

/// Why a node could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    #[error("{path} cannot be read: {error}")]
    Stack { path: String, error: std::io::Error },
    #[error("{path} is not what `cargo xtask dev` writes: {error}")]
    Malformed {
        path: String,
        error: serde_json::Error,
    },
    #[error("the metrics of {id} at {url} cannot be had: {error}")]
    Metrics {
        id: String,
        url: String,
        error: reqwest::Error,
    },
    #[error("{url} has no {name}: is it a node's metrics page?")]
    Missing { url: String, name: &'static str },
    #[error("{0} reported nothing new for {PATIENCE:?}")]
    Silent(String),
}

impl Stack {
    /// Reads the file; `None` if there is none.
    ///
    /// # Errors
    /// The file cannot be read, or is another one.
    pub fn read(path: &Path) -> Result<Option<Self>, NodeError> {
        let named = || path.display().to_string();
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                let path = named();
                return Err(NodeError::Stack { path, error });
            }
        };
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| NodeError::Malformed {
                path: named(),
                error,
            })
    }
}

/// A node's counters at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub at: Instant,
    /// CPU time of all shards' threads, in microseconds.
    pub cpu: f64,
    pub packets_in: f64,
    pub packets_out: f64,
    pub bytes_out: f64,
    pub relayed_out: f64,
    /// Datagrams that the kernel had no room for.
    pub full: f64,
    pub sessions: f64,
    pub memory: Option<u64>,
    /// CPU time of all shards' threads, split by the kernel's own clock ticks.
    pub ticks: Option<Ticks>,
}

impl Node {
    /// The counters as of the latest report.
    ///
    /// # Errors
    /// The page cannot be had, or is another one.
    pub async fn sample(&self, http: &reqwest::Client) -> Result<Sample, NodeError> {
        let Some(url) = &self.metrics else {
            return self.sample_process();
        };
        let failed = |error| NodeError::Metrics {
            id: self.id.clone(),
            url: url.clone(),
            error,
        };
        let request = http.get(url).timeout(PATIENCE);
        let answer = request.send().await.map_err(failed)?;
        let page = answer.error_for_status().map_err(failed)?;
        let sums = sums(&page.text().await.map_err(failed)?);
        let get = |name: &'static str| {
            sums.get(name).copied().ok_or(NodeError::Missing {
                url: url.clone(),
                name,
            })
        };
        Ok(Sample {
            at: Instant::now(),
            cpu: get("connect_shard_cpu_microseconds_total")?,
            packets_in: get("connect_packets_in_total")?,
            packets_out: get("connect_packets_out_total")?,
            bytes_out: get("connect_bytes_out_total")?,
            relayed_out: get("connect_relay_packets_out_total")?,
            full: get("connect_drops_total{udp_full}")?,
            sessions: get("connect_sessions")?,
            memory: sums
                .get("process_resident_memory_bytes")
                .map(|bytes| *bytes as u64)
                .or_else(|| proc::memory(self.pid?)),
            ticks: self.pid.and_then(|pid| proc::ticks(pid, "shard-")),
        })
    }

    /// What the kernel knows: the CPU time of all threads, and memory.
    fn sample_process(&self) -> Result<Sample, NodeError> {
        let gone = || NodeError::Silent(self.id.clone());
        let pid = self.pid.ok_or_else(gone)?;
        Ok(Sample {
            at: Instant::now(),
            cpu: proc::cpu(pid).ok_or_else(gone)?,
            packets_in: 0.0,
            packets_out: 0.0,
            bytes_out: 0.0,
            relayed_out: 0.0,
            full: 0.0,
            sessions: 0.0,
            memory: proc::memory(pid),
            ticks: proc::ticks(pid, ""),
        })
    }

    /// The counters at the moment of a report, so that CPU time and packets are of one instant.
    ///
    /// # Errors
    /// As [`Node::sample`], or no report comes.
    pub async fn fresh_sample(&self, http: &reqwest::Client) -> Result<Sample, NodeError> {
        if self.metrics.is_none() {
            return self.sample_process();
        }
        let first = self.sample(http).await?;
        let mut looks = tokio::time::interval(LOOK_INTERVAL);
        while first.at.elapsed() < PATIENCE {
            looks.tick().await;
            let sample = self.sample(http).await?;
            if sample.cpu > first.cpu {
                return Ok(sample);
            }
        }
        Err(NodeError::Silent(self.id.clone()))
    }
}

/// What a node did between two samples.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    pub node: String,
    pub region: String,
    pub packets_in: u64,
    pub packets_out: u64,
    /// Bytes of packets sent to clients; 0 for a server that does not count them.
    pub bytes_out: u64,
    /// Packets sent to other nodes.
    pub relayed_out: u64,
    /// Packets dropped because the kernel's send buffer was full.
    pub full: u64,
    pub cpu_microseconds: u64,
    pub seconds: f64,
    /// CPU time of the shards per packet sent to a client.
    pub microseconds_per_packet: Option<f64>,
    pub packets_per_second: f64,
    /// As many packets as one core could send at this price.
    pub packets_per_core_second: Option<f64>,
    /// Share of the CPU time spent in system calls, 0 to 1.
    pub system_share: Option<f64>,
    pub memory_bytes: Option<u64>,
    /// What each session added to the process's memory.
    pub memory_per_session_bytes: Option<u64>,
}

impl Figures {
    /// The difference of two samples; `idle` is from before the first session. `delivered` is how many packets bots
    /// received, for a server that does not count those it sends.
    pub fn of(node: &Node, [idle, before, after]: &[Sample; 3], delivered: u64) -> Self {
        let packets = match node.metrics {
            Some(_) => after.packets_out - before.packets_out,
            None => delivered as f64,
        };
        let cpu = after.cpu - before.cpu;
        let seconds = (after.at - before.at).as_secs_f64();
        let price = (packets > 0.0).then(|| cpu / packets);
        let sessions = after.sessions - idle.sessions;
        Self {
            node: node.id.clone(),
            region: node.region.clone(),
            packets_in: (after.packets_in - before.packets_in) as u64,
            packets_out: packets as u64,
            bytes_out: (after.bytes_out - before.bytes_out) as u64,
            relayed_out: (after.relayed_out - before.relayed_out) as u64,
            full: (after.full - before.full) as u64,
            cpu_microseconds: cpu as u64,
            seconds,
            microseconds_per_packet: price,
            packets_per_second: if seconds > 0.0 {
                packets / seconds
            } else {
                0.0
            },
            packets_per_core_second: price.filter(|p| *p > 0.0).map(|p| 1e6 / p),
            system_share: before
                .ticks
                .zip(after.ticks)
                .and_then(|(before, after)| after.system_share_since(before)),
            memory_bytes: after.memory,
            memory_per_session_bytes: match (idle.memory, after.memory) {
                (Some(idle), Some(now)) if sessions >= 1.0 => {
                    Some((now.saturating_sub(idle) as f64 / sessions) as u64)
                }
                _ => None,
            },
        }
    }
}

/// The sum of each metric over its labels; of drops also by reason.
fn sums(page: &str) -> HashMap<String, f64> {
    let mut sums = HashMap::new();
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let Some((series, value)) = line.rsplit_once(' ') else {
            continue;
        };
        let Ok(value) = value.parse::<f64>() else {
            continue;
        };
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        *sums.entry(name.to_owned()).or_insert(0.0) += value;
        if let Some((_, reason)) = labels.split_once("reason=\"") {
            let reason = reason.split('"').next().unwrap_or_default();
            *sums.entry(format!("{name}{{{reason}}}")).or_insert(0.0) += value;
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_summed_over_shards_and_by_reason() {
        let page = "# HELP x y\nconnect_packets_out_total{shard=\"0\"} 10\nconnect_packets_out_total{shard=\"1\"} 5\n\
                    connect_drops_total{shard=\"0\",reason=\"udp_full\"} 3\nconnect_drops_total{shard=\"0\",reason=\"unknown\"} 4\n\
                    connect_registered 1\n\nnonsense\n";
        let sums = sums(page);
        assert_eq!(sums["connect_packets_out_total"], 15.0);
        assert_eq!(sums["connect_drops_total"], 7.0);
        assert_eq!(sums["connect_drops_total{udp_full}"], 3.0);
        assert_eq!(sums["connect_registered"], 1.0);
    }

    #[test]
    fn figures_are_differences() {
        let node = Node {
            id: "n".into(),
            region: "eu-west".into(),
            pid: None,
            metrics: Some(String::new()),
        };
        let at = Instant::now();
        let idle = Sample {
            at,
            cpu: 100.0,
            packets_in: 0.0,
            packets_out: 0.0,
            bytes_out: 0.0,
            relayed_out: 0.0,
            full: 0.0,
            sessions: 0.0,
            memory: Some(1_000),
            ticks: None,
        };
        let ticks = |user, system| Some(Ticks { user, system });
        let before = Sample {
            packets_out: 500.0,
            cpu: 1_000.0,
            ticks: ticks(10, 10),
            ..idle
        };
        let after = Sample {
            at: at + Duration::from_secs(2),
            packets_out: 1_500.0,
            bytes_out: 700_000.0,
            cpu: 5_000.0,
            sessions: 4.0,
            memory: Some(5_000),
            ticks: ticks(13, 11),
            ..before
        };
        let figures = Figures::of(&node, &[idle, before, after], 0);
        assert_eq!(figures.microseconds_per_packet, Some(4.0));
        assert_eq!(figures.packets_per_second, 500.0);
        assert_eq!(figures.bytes_out, 700_000);
        assert_eq!(figures.packets_per_core_second, Some(250_000.0));
        assert_eq!(figures.memory_per_session_bytes, Some(1_000));
        assert_eq!(figures.system_share, Some(0.25));
        let figures = Figures::of(&node, &[idle; 3], 7);
        assert_eq!(figures.microseconds_per_packet, None);
        // One that does not count what it sends.
        let other = Node {
            metrics: None,
            ..node
        };
        let figures = Figures::of(&other, &[idle, before, after], 2_000);
        assert_eq!(figures.microseconds_per_packet, Some(2.0));
    }

    #[test]
    fn the_file_of_a_running_stack_is_understood() {
        let text = r#"{"url":"http://localhost:8787","nodes":[
            {"id":"eu-west-1","region":"eu-west","pid":7,"media":"127.0.0.1:1","quic":"127.0.0.1:2","metrics":"http://127.0.0.1:3/metrics"}]}"#;
        let stack: Stack = serde_json::from_str(text).unwrap();
        assert_eq!(stack.nodes[0].pid, Some(7));
    }
}
