//! The default roster: each node's own heartbeat to the edge, over whatever takes it there.

use std::error::Error;

use protocol::node::{Load, NodeToRegion};

use super::{Roster, RosterError};

/// Sends each announcement as a heartbeat.
pub struct Direct<F>(F);

impl<F, E> Direct<F>
where
    F: FnMut(NodeToRegion) -> Result<(), E>,
{
    /// Heartbeats go to `send`, which must not block.
    pub fn new(send: F) -> Self {
        Self(send)
    }
}

impl<F, E> Roster for Direct<F>
where
    F: FnMut(NodeToRegion) -> Result<(), E> + Send,
    E: Error + Send + Sync + 'static,
{
    fn announce(&mut self, load: Load) -> Result<(), RosterError> {
        (self.0)(NodeToRegion::Heartbeat { load }).map_err(|error| RosterError(Box::new(error)))
    }
}
