//! Who is who: the names of clients and of their tracks.

use protocol::id::ParticipantId;
use protocol::media::{Source, TrackId};

use crate::world::World;

/// The participant that a client is.
pub fn participant(client: usize) -> ParticipantId {
    format!("p{client}").parse().expect("an id")
}

impl World {
    /// The camera of a client, to be shown.
    pub fn camera(client: usize) -> TrackId {
        TrackId {
            participant: participant(client),
            source: Source::Camera,
        }
    }

    /// The screen of a client, to be shown.
    pub fn screen(client: usize) -> TrackId {
        TrackId {
            participant: participant(client),
            source: Source::Screen,
        }
    }
}
