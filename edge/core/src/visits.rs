//! A person's list of rooms: the latest visited first.

use protocol::id::RoomId;
use serde::{Deserialize, Serialize};

use crate::order::Ordered;
use crate::table::{Table, integer, text};

/// How many rooms a person's list holds; the least recently visited ones fall out of it.
pub const MAX_VISITS: usize = 100;

/// The rooms of a person.
pub const VISITS: Table = Table {
    name: "visits",
    tag: "",
    since: 1,
    columns: &[text("room").key(), integer("at")],
    indexes: &[(1, "(at)")],
};

/// That somebody created or joined a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    pub room: RoomId,
    /// Unix time in milliseconds.
    pub at: u64,
}

/// Notes a visit, the latest first, and returns the rooms that fall out of the list.
pub fn note_visit(visits: &mut Vec<Visit>, visit: Visit) -> Vec<RoomId> {
    visits.retain(|known| known.room != visit.room);
    visits.push(visit);
    visits.order_by(|a, b| b.at.cmp(&a.at).then_with(|| a.room.cmp(&b.room)));
    let keep = visits.len().min(MAX_VISITS);
    visits
        .split_off(keep)
        .into_iter()
        .map(|old| old.room)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str) -> RoomId {
        name.parse().unwrap()
    }

    #[test]
    fn the_latest_visit_comes_first_and_the_oldest_falls_out() {
        let mut visits = Vec::new();
        for at in 0..MAX_VISITS as u64 {
            let gone = note_visit(
                &mut visits,
                Visit {
                    room: room(&format!("r{at}")),
                    at,
                },
            );
            assert!(gone.is_empty());
        }
        assert!(
            note_visit(
                &mut visits,
                Visit {
                    room: room("r0"),
                    at: 1000
                }
            )
            .is_empty()
        );
        assert_eq!(visits[0].room, room("r0"));
        let gone = note_visit(
            &mut visits,
            Visit {
                room: room("new"),
                at: 1001,
            },
        );
        assert_eq!(gone, [room("r1")]);
    }
}
