//! The ledger: which media sessions there were, kept durably and out of the way of media.

mod sqlite;

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::SystemTime;
use std::{io, thread};

use protocol::id::{Attempt, ParticipantId, RoomId};

pub use sqlite::Sqlite;

/// Entries waiting for the disk.
const MAX_WAITING: usize = 65_536;
/// Entries written in one transaction.
const MAX_BATCH: usize = 512;

/// Something to be remembered.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub at: SystemTime,
    pub room: RoomId,
    pub what: What,
}

/// What happened in a room.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A media session came up.
    Started {
        participant: ParticipantId,
        attempt: Attempt,
    },
    /// A media session ended. Ending it again changes nothing.
    Ended {
        participant: ParticipantId,
        attempt: Attempt,
    },
    /// The room left this node, and with it all of its sessions.
    Released,
}

/// Why an entry could not be written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("the ledger's directory cannot be made: {0}")]
    Directory(#[from] io::Error),
    #[error("the ledger's database: {0}")]
    Database(#[from] rusqlite::Error),
    #[error("the ledger was written by a later release (schema {found}, this one knows {known})")]
    TooNew { found: i64, known: i64 },
}

/// Where entries are kept.
pub trait Ledger: Send {
    /// Writes entries in their order, all or none; when it returns they survive a crash.
    fn write(&mut self, entries: &[Entry]) -> Result<(), LedgerError>;
}

/// Hands entries to a ledger on a thread of its own. Dropping it waits until all of them are written.
pub struct Recorder {
    entries: Option<SyncSender<Entry>>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Starts the ledger's thread.
    pub fn start(ledger: Box<dyn Ledger>) -> io::Result<Self> {
        let (entries, waiting) = sync_channel(MAX_WAITING);
        let thread = thread::Builder::new()
            .name("ledger".into())
            .spawn(move || keep_writing(ledger, &waiting))?;
        Ok(Self {
            entries: Some(entries),
            thread: Some(thread),
        })
    }

    /// Queues an entry; returns whether there was room for it.
    #[must_use]
    pub fn record(&self, entry: Entry) -> bool {
        let Some(entries) = &self.entries else {
            return false;
        };
        match entries.try_send(entry) {
            Ok(()) => true,
            Err(TrySendError::Full(entry) | TrySendError::Disconnected(entry)) => {
                tracing::error!(room = %entry.room, "ledger entry lost: the disk does not keep up");
                false
            }
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.entries = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported by the panic hook.
            let _ = thread.join();
        }
    }
}

fn keep_writing(mut ledger: Box<dyn Ledger>, waiting: &Receiver<Entry>) {
    let mut batch = Vec::new();
    while let Ok(entry) = waiting.recv() {
        batch.push(entry);
        batch.extend(waiting.try_iter().take(MAX_BATCH - 1));
        if let Err(error) = ledger.write(&batch) {
            tracing::error!(%error, entries = batch.len(), "ledger entries not written");
        }
        batch.clear();
    }
}
