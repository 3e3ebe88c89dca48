//! Somebody who waits to be let in, as is stored of them.

use protocol::id::ParticipantId;
use serde::{Deserialize, Serialize};

use crate::room::people::{self, Person};
use crate::table::{Column, Key, Table, flag};

pub(in crate::room) const WAITING: Table = Table {
    name: "waiting",
    tag: "Waiting",
    since: 1,
    columns: &waiting_columns(),
    indexes: &[],
};

const fn waiting_columns() -> [Column; people::COLUMNS + 1] {
    let person = people::columns("person");
    let mut all = [flag("admitted"); people::COLUMNS + 1];
    let mut at = 0;
    while at < person.len() {
        all[at] = person[at];
        at += 1;
    }
    all
}

pub(super) fn waiting_key(id: &ParticipantId) -> Key {
    WAITING.key([id.as_str().into()])
}

/// Somebody at the door: as they will be in the room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    pub person: Person,
    /// Whether they were let in while they had no WebSocket: they go in with the next.
    pub admitted: bool,
}
