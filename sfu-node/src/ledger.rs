//! The ledger: which media sessions there were, kept durably and out of the way of media.

mod recorder;
mod sqlite;

use std::io;
use std::time::SystemTime;

use protocol::id::{Attempt, ParticipantId, RoomId};

pub use recorder::{Counts, Recorder};
pub use sqlite::Sqlite;

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
