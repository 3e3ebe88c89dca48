//! Residency: the regions that a room is bound to, from when it is made on and for good. Nobody's media is ever sought a node in
//! another one, so nothing of it passes there: a room's nodes are its cascade as well.

use protocol::id::Region;

use super::record::Record;
use super::{Effect, Room};

impl Room {
    /// Binds a new room to these regions; to none if there are none.
    pub fn bind(&mut self, regions: Vec<Region>) -> Vec<Effect> {
        if regions.is_empty() {
            return Vec::new();
        }
        self.info.regions = regions;
        vec![Effect::Save(Record::Info(self.info.clone()))]
    }

    /// The regions that it is bound to.
    pub fn regions(&self) -> &[Region] {
        &self.info.regions
    }

    /// Of these regions those that its media may be in, in their order.
    pub(super) fn within(&self, mut regions: Vec<Region>) -> Vec<Region> {
        let bound = &self.info.regions;
        regions.retain(|region| bound.is_empty() || bound.contains(region));
        regions
    }
}
