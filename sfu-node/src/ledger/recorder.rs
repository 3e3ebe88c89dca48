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
const MAX_WAITING: usize = 65_536;
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
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::sync::mpsc::Sender;
    use std::time::SystemTime;

    use super::super::{LedgerError, What};
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    /// A ledger that does with each attempt what the test says, or all that is left when the test says no more.
    struct Scripted {
        asked: Sender<Vec<Entry>>,
        words: Receiver<Result<(), LedgerError>>,
    }

    impl Ledger for Scripted {
        fn write(&mut self, entries: &[Entry]) -> Result<(), LedgerError> {
            let _ = self.asked.send(entries.to_vec());
            self.words.recv().unwrap_or(Ok(()))
        }
    }

    /// The test's end of it.
    struct Disk {
        asked: Receiver<Vec<Entry>>,
        words: Sender<Result<(), LedgerError>>,
    }

    impl Disk {
        fn new() -> (Self, Recorder) {
            let ((ask, asked), (words, said)) = (channel(), channel());
            let ledger = Scripted {
                asked: ask,
                words: said,
            };
            (
                Self { asked, words },
                Recorder::start(Box::new(ledger)).unwrap(),
            )
        }

        /// The next attempt, which waits for its answer.
        fn is_asked(&self) -> Vec<Entry> {
            self.asked.recv_timeout(PATIENCE).expect("an attempt")
        }

        fn refuse(&self) {
            let full = io::Error::from(io::ErrorKind::StorageFull);
            self.words.send(Err(full.into())).unwrap();
        }

        fn take(&self) {
            self.words.send(Ok(())).unwrap();
        }
    }

    fn entry(seconds: u64) -> Entry {
        Entry {
            at: SystemTime::UNIX_EPOCH + Duration::from_secs(seconds),
            room: "bako-tuvi".parse().unwrap(),
            what: What::Released,
        }
    }

    #[test]
    fn what_could_not_be_written_is_written_once_it_can_be() {
        let (disk, recorder) = Disk::new();
        recorder.record(entry(1));
        assert_eq!(disk.is_asked(), [entry(1)]);
        recorder.record(entry(2));
        disk.refuse();
        let mut taken = disk.is_asked();
        assert_eq!(recorder.counts().failed_writes, 1);
        disk.take();
        // The second may have come too late for the same attempt.
        while taken.len() < 2 {
            taken.extend(disk.is_asked());
            disk.take();
        }
        assert_eq!(taken, [entry(1), entry(2)]);
        let counters = recorder.counters.clone();
        drop(recorder);
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        assert_eq!((of(&counters.waiting), of(&counters.lost)), (0, 0));
    }

    #[test]
    fn the_end_waits_for_a_disk_that_is_not_ready() {
        let (disk, recorder) = Disk::new();
        let is_ready = Arc::new(AtomicBool::new(false));
        recorder.record(entry(1));
        disk.is_asked();
        let ready = is_ready.clone();
        let end = thread::spawn(move || {
            drop(recorder);
            ready.load(Ordering::SeqCst)
        });
        for _ in 0..2 {
            disk.refuse();
            assert_eq!(disk.is_asked(), [entry(1)]);
        }
        is_ready.store(true, Ordering::SeqCst);
        disk.take();
        assert!(end.join().unwrap(), "the end did not wait for the disk");
    }

    #[test]
    fn what_finds_no_room_is_counted() {
        let (disk, recorder) = Disk::new();
        recorder.record(entry(0));
        let mut taken = disk.is_asked().len();
        for seconds in 1..MAX_WAITING as u64 + 3 {
            recorder.record(entry(seconds));
        }
        let Counts { waiting, lost, .. } = recorder.counts();
        assert_eq!((waiting, lost), (MAX_WAITING as u64, 3));
        disk.take();
        while taken < MAX_WAITING {
            let batch = disk.is_asked();
            assert_eq!(batch[0], entry(taken as u64));
            taken += batch.len();
            disk.take();
        }
    }

    #[test]
    fn a_disk_that_hangs_does_not_keep_the_node_from_its_end() {
        let (disk, mut recorder) = Disk::new();
        recorder.patience = Duration::from_millis(1);
        recorder.record(entry(1));
        disk.is_asked();
        let (dropped, is_dropped) = channel();
        thread::spawn(move || {
            drop(recorder);
            dropped.send(())
        });
        let ended = is_dropped.recv_timeout(PATIENCE);
        assert_eq!(ended, Ok(()), "the end waits for the disk");
    }
}
