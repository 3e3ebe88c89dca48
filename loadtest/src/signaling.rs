//! The seam between a bot and whatever lets it into a room: the edge, or the stand-in for it in a bench.

use std::time::Duration;

use protocol::client::{ClientMessage, Offer, ServerMessage};
use protocol::id::ParticipantId;
use tokio::sync::mpsc;

/// Messages waiting in one direction: a room of many people says much while they come in.
pub const MAX_WAITING: usize = 4_096;

/// A place in a room.
pub struct Seat {
    pub you: ParticipantId,
    pub to_room: mpsc::Sender<ClientMessage>,
    /// Ends when the way to the room is lost.
    pub from_room: mpsc::Receiver<ServerMessage>,
    /// How long `POST …/join` took; nothing where there is no API.
    pub asked: Duration,
    /// How long the WebSocket took to open.
    pub opened: Duration,
}

/// Why a bot did not get into its room.
#[derive(Debug, thiserror::Error)]
pub enum EnterError {
    #[error("{what} failed: {error}")]
    Http {
        what: &'static str,
        error: reqwest::Error,
    },
    #[error("{what} answered {status}: {detail}")]
    Refused {
        what: &'static str,
        status: u16,
        detail: String,
    },
    #[error("the signaling WebSocket failed: {0}")]
    Socket(#[from] Box<tokio_tungstenite::tungstenite::Error>),
    #[error("an id does not do: {0}")]
    Id(#[from] protocol::id::InvalidId),
    #[error("there is no node any more")]
    Gone,
}

/// A door to a room.
pub trait Door: Send + 'static {
    /// The other side's offer, where it is the other side that offers: never at a node of Connect.
    fn remote_offer(&mut self) -> impl Future<Output = Result<Option<String>, EnterError>> + Send {
        async { Ok(None) }
    }

    /// Goes in with the first offer, as the web client does; or with the answer to a [`Door::remote_offer`].
    fn enter(self, offer: Offer) -> impl Future<Output = Result<Seat, EnterError>> + Send;
}
