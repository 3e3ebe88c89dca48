//! The end of the node: the edge is told, then the links end, then the shards; what is in the ledger's queue is written.

use protocol::node::NodeToRegion;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{FAREWELL, Node};
use crate::health::{Health, Readiness};
use crate::ledger::What;
use crate::shard::FromShard;

impl Node {
    /// Says goodbye to everybody.
    pub(super) async fn say_goodbye(mut self, mut from_shards: mpsc::Receiver<(u16, FromShard)>) {
        self.health
            .send_replace(Health::now(self.vitals.lost(), Readiness::Draining));
        for room in self.rooms.keys() {
            self.record(room, What::Released);
        }
        if let Err(error) = self.region.send(NodeToRegion::Draining) {
            tracing::warn!(%error, "the edge does not learn that this node drains");
        }
        // It holds a sender of the region link, which closes when the last one is gone.
        drop(self.roster);
        let mut closing = tokio::task::JoinSet::new();
        closing.spawn(self.region.close());
        for open in self.rooms.into_values() {
            closing.spawn(open.link.close());
        }
        // A link that is down has nobody to say goodbye to: the time-out ends it.
        let _ = timeout(FAREWELL, closing.join_all()).await;
        for place in &mut self.shards {
            place.inbox.close();
        }
        let ended = async {
            let mut left = self.seating.alive_count();
            while left > 0 {
                match from_shards.recv().await {
                    Some((_, FromShard::Ended(_))) => left -= 1,
                    Some(_) => {}
                    None => break,
                }
            }
        };
        if timeout(FAREWELL, ended).await.is_err() {
            tracing::warn!("a shard did not end in time");
        }
    }
}
