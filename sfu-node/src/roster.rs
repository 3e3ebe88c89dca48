//! The roster of a region: where a node says that it lives and how busy it is.

mod direct;

use protocol::node::Load;

pub use direct::Direct;

/// The announcement was not taken; the next one follows soon.
#[derive(Debug, thiserror::Error)]
#[error("the roster did not take the announcement: {0}")]
pub struct RosterError(pub Box<dyn std::error::Error + Send + Sync>);

/// Where heartbeats go. The node calls it at the pace that the edge asks for; it must not block.
pub trait Roster: Send {
    /// Announces that this node lives, and its load.
    fn announce(&mut self, load: Load) -> Result<(), RosterError>;
}
