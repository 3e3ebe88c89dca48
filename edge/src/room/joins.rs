//! Joins whose offers are at their nodes: how long the answers take, as a step of each one's trace.

use std::cell::RefCell;
use std::collections::HashMap;

use edge_core::room::Client;
use protocol::client::ServerMessage;
use protocol::id::ParticipantId;
use protocol::node::RoomToNode;
use protocol::trace::Trail;

use super::Shell;
use crate::export;
use crate::trace::{self, Following};

/// Most that are waited for: more than a room has people. What was not answered goes with the rest.
const MAX_WAITING: usize = 1_024;

/// Offers that are not answered yet: whose, and since when.
#[derive(Default)]
pub(super) struct Joins(RefCell<HashMap<ParticipantId, (Trail, u64)>>);

impl Joins {
    /// A message goes to a node.
    pub(super) fn note_offer(&self, message: &RoomToNode) {
        if let RoomToNode::Offer {
            participant,
            trail: Some(trail),
            ..
        } = message
        {
            let mut waiting = self.0.borrow_mut();
            if waiting.len() >= MAX_WAITING {
                waiting.clear();
            }
            waiting.insert(participant.clone(), (trail.clone(), trace::now()));
        }
    }
}

impl Shell {
    /// A message goes to a client.
    pub(super) fn note_answer(&self, client: &Client, message: &ServerMessage) {
        let ServerMessage::Answer { node, region, .. } = message else {
            return;
        };
        let waited = self.joins.0.borrow_mut().remove(&client.participant);
        let Some((trail, since)) = waited else {
            return;
        };
        // Without randomness there is no span.
        let Ok(following) = Following::along(&trail) else {
            return;
        };
        let span = following
            .span("room.answer", since)
            .with("connect.participant", client.participant.as_str())
            .with("connect.node", node.as_str())
            .with("connect.region", region.as_str());
        following.keep(span, false);
        let exporting = export::export(&self.env, following.take());
        exporting
            .into_iter()
            .for_each(|work| self.state.wait_until(work));
    }
}
