//! Hands entries to a ledger on a thread of its own. What cannot be written waits, and is tried again: a disk that is full,
//! locked or gone for a while costs nothing but memory.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};
use std::{io, thread};

use super::{Entry, Ledger};
use crate::backoff::Backoff;

/// Entries waiting for the disk, some 100 bytes each: a full node's for hours. Beyond, the newest are lost.
pub(super) const MAX_WAITING: usize = 65_536;
/// Entries written in one transaction.
const MAX_BATCH: usize = 512;
/// How long after a failure it is tried again.
const FIRST_RETRY: Duration = Duration::from_millis(100);
const SLOWEST_RETRY: Duration = Duration::from_secs(5);
/// How long the node's end waits for a disk that does not take what is left. A supervisor gives it some ten seconds in all.
const LAST_CHANCE: Duration = Duration::from_secs(5);
/// How much longer it waits for an attempt that is under way. One that hangs is left to the end of the process.
const LAST_ATTEMPT: Duration = Duration::from_secs(1);

/// What became of entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Entries that wait for the disk now.
    pub waiting: u64,
    /// Attempts to write that failed, and are repeated.
    pub failed_writes: u64,
    /// Entries lost: there was no room for them, or the disk took none until the end.
    pub lost: u64,
}

#[derive(Debug, Default)]
struct Counters {
    waiting: AtomicU64,
    failed_writes: AtomicU64,
    lost: AtomicU64,
}

/// A ledger's thread. Dropping it waits until all entries are written, or for [`LAST_CHANCE`] and [`LAST_ATTEMPT`].
pub struct Recorder {
    entries: Option<SyncSender<Entry>>,
    /// Closed when the thread has ended.
    ended: Receiver<Infallible>,
    patience: Duration,
    counters: Arc<Counters>,
}

impl Recorder {
    /// Starts the ledger's thread.
    pub fn start(ledger: Box<dyn Ledger>) -> io::Result<Self> {
        let (entries, arriving) = sync_channel(MAX_WAITING);
        let counters = Arc::<Counters>::default();
        let mut writer = Writer {
            ledger,
            waiting: VecDeque::new(),
            backoff: Backoff::new(FIRST_RETRY, SLOWEST_RETRY),
            counters: counters.clone(),
        };
        let (ending, ended) = channel();
        thread::Builder::new()
            .name("ledger".into())
            .spawn(move || {
                let _ending = ending;
                writer.run(&arriving);
            })?;
        Ok(Self {
            entries: Some(entries),
            ended,
            patience: LAST_CHANCE + LAST_ATTEMPT,
            counters,
        })
    }

    /// Queues an entry. One that finds no room is lost, and counted.
    pub fn record(&self, entry: Entry) {
        let Some(entries) = &self.entries else { return };
        let Counters { waiting, lost, .. } = &*self.counters;
        // Counted before it is there to be taken.
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        if before >= MAX_WAITING as u64 || entries.try_send(entry).is_err() {
            waiting.fetch_sub(1, Ordering::Relaxed);
            // The first of many is enough for a log.
            if lost.fetch_add(1, Ordering::Relaxed) == 0 {
                tracing::error!("ledger entries are lost: the disk takes none");
            }
        }
    }

    /// What became of entries so far.
    pub fn counts(&self) -> Counts {
        let counters = &self.counters;
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            waiting: of(&counters.waiting),
            failed_writes: of(&counters.failed_writes),
            lost: of(&counters.lost),
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.entries = None;
        if self.ended.recv_timeout(self.patience) == Err(RecvTimeoutError::Timeout) {
            let waiting = self.counts().waiting;
            tracing::error!(waiting, "ledger entries lost: the disk hangs");
        }
    }
}

/// What the thread has.
struct Writer {
    ledger: Box<dyn Ledger>,
    waiting: VecDeque<Entry>,
    backoff: Backoff,
    counters: Arc<Counters>,
}

impl Writer {
    fn run(&mut self, arriving: &Receiver<Entry>) {
        // While nothing waits, whatever comes next is waited for; while something does, the next attempt.
        let mut retry: Option<Instant> = None;
        loop {
            let arrived = match retry {
                None => arriving.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(at) => arriving.recv_timeout(at.saturating_duration_since(Instant::now())),
            };
            match arrived {
                Ok(entry) => self.waiting.push_back(entry),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.waiting.extend(arriving.try_iter());
            if retry.is_none_or(|at| at <= Instant::now()) {
                retry = self.write_all().map(|wait| Instant::now() + wait);
            }
        }
        self.finish();
    }

    /// Writes what waits; returns after how long to try again if that fails.
    fn write_all(&mut self) -> Option<Duration> {
        while !self.waiting.is_empty() {
            let batch = self.waiting.len().min(MAX_BATCH);
            let (entries, _) = self.waiting.make_contiguous().split_at(batch);
            if let Err(error) = self.ledger.write(entries) {
                let Counters { failed_writes, .. } = &*self.counters;
                failed_writes.fetch_add(1, Ordering::Relaxed);
                let waiting = self.waiting.len();
                tracing::error!(%error, waiting, "ledger entries not written; they are tried again");
                return Some(self.backoff.wait());
            }
            self.backoff.reset();
            self.waiting.drain(..batch);
            let Counters { waiting, .. } = &*self.counters;
            waiting.fetch_sub(batch as u64, Ordering::Relaxed);
        }
        None
    }

    /// The node ends: what still waits has a last chance.
    fn finish(&mut self) {
        let end = Instant::now() + LAST_CHANCE;
        self.backoff.reset();
        while let Some(wait) = self.write_all() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let lost = self.waiting.len() as u64;
                self.counters.lost.fetch_add(lost, Ordering::Relaxed);
                return tracing::error!(lost, "ledger entries lost: the disk takes none");
            }
            thread::park_timeout(wait.min(left));
        }
    }
}

#[cfg(test)]
mod hung_disk_tests {
    use std::time::SystemTime;

    use super::super::{LedgerError, What};
    use super::*;

    /// A disk that takes an entry and never answers.
    struct Hung(Receiver<Infallible>, SyncSender<()>);

    impl Ledger for Hung {
        fn write(&mut self, _: &[Entry]) -> Result<(), LedgerError> {
            self.1.send(()).unwrap();
            let _ = self.0.recv();
            Ok(())
        }
    }

    #[test]
    fn a_disk_that_hangs_does_not_keep_the_node_from_its_end() {
        let (hold, held) = channel();
        let (asked, is_asked) = sync_channel(1);
        let mut recorder = Recorder::start(Box::new(Hung(held, asked))).unwrap();
        recorder.patience = Duration::from_millis(1);
        recorder.record(Entry {
            at: SystemTime::UNIX_EPOCH,
            room: "bako-tuvi".parse().unwrap(),
            what: What::Released,
        });
        is_asked.recv().unwrap();
        let (dropped, is_dropped) = channel();
        thread::spawn(move || {
            drop(recorder);
            dropped.send(())
        });
        let ended = is_dropped.recv_timeout(Duration::from_secs(10));
        assert_eq!(ended, Ok(()), "the end waits for the disk");
        drop(hold);
    }
}
