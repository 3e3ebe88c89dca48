//! A room's tracks: who publishes them, what is kept of them, and which slots and peers want them.

mod track_layer;

use std::collections::HashMap;
use std::time::Instant;

use protocol::media::{Codec, Layer, TrackId};
use slotmap::SlotMap;

use crate::io::PeerId;
use crate::key::MemberKey;
pub use crate::key::TrackKey;
use crate::packet::Packet;
use crate::packet::rtp::RTP_HEADER_LEN;
pub use track_layer::{Forward, Inbound, RelayFlow, TrackLayer};

/// One layer of one track: what a slot or a flow carries.
pub type LayerKey = (TrackKey, Layer);

/// Where a track enters this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// From a publisher's session here.
    Local(MemberKey),
    /// From another node.
    Remote(PeerId),
}

/// A published track.
#[derive(Debug)]
pub struct Track {
    pub id: TrackId,
    /// What its sender uses; a packet's own codec is what counts.
    pub codec: Codec,
    pub origin: Origin,
    pub layers: Vec<TrackLayer>,
    /// The highest layer that its publisher may send; none is forwarded above.
    pub highest: Option<Layer>,
}

impl Track {
    /// The picture sizes of its layers, as far as they are known.
    pub fn sizes(&self) -> impl ExactSizeIterator<Item = Option<(u16, u16)>> {
        self.layers.iter().map(|layer| layer.size)
    }
}

/// The tracks of a room.
#[derive(Debug, Default)]
pub struct Router {
    tracks: SlotMap<TrackKey, Track>,
    by_id: HashMap<TrackId, TrackKey>,
}

impl Router {
    /// Adds a track; one of the same name must have been removed before.
    pub fn add(&mut self, id: TrackId, codec: Codec, origin: Origin, layers: u8) -> TrackKey {
        debug_assert!(!self.by_id.contains_key(&id));
        let key = self.tracks.insert(Track {
            id: id.clone(),
            codec,
            origin,
            highest: Some(Layer(layers.max(1) - 1)),
            layers: (0..layers.max(1))
                .map(|_| TrackLayer::new(codec.kind()))
                .collect(),
        });
        self.by_id.insert(id, key);
        key
    }

    /// Removes a track and returns it, so that its slots and flows can be told.
    pub fn remove(&mut self, key: TrackKey) -> Option<Track> {
        let track = self.tracks.remove(key)?;
        self.by_id.remove(&track.id);
        Some(track)
    }

    /// The track of this name.
    pub fn find(&self, id: &TrackId) -> Option<TrackKey> {
        self.by_id.get(id).copied()
    }

    pub fn get(&self, key: TrackKey) -> Option<&Track> {
        self.tracks.get(key)
    }

    pub fn get_mut(&mut self, key: TrackKey) -> Option<&mut Track> {
        self.tracks.get_mut(key)
    }

    pub fn layer(&self, (key, layer): LayerKey) -> Option<&TrackLayer> {
        self.get(key)?.layers.get(usize::from(layer.0))
    }

    pub fn layer_mut(&mut self, (key, layer): LayerKey) -> Option<&mut TrackLayer> {
        self.get_mut(key)?.layers.get_mut(usize::from(layer.0))
    }

    /// A packet kept for repair.
    pub fn packet(&self, key: LayerKey, sequence: u64) -> Option<&Packet> {
        self.layer(key)?.store.get(sequence)
    }

    /// All tracks, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (TrackKey, &Track)> {
        self.tracks.iter()
    }

    /// All tracks, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (TrackKey, &mut Track)> {
        self.tracks.iter_mut()
    }

    /// Whether there are no tracks.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The keys of all layers of all tracks.
    pub fn layer_keys(&self) -> Vec<LayerKey> {
        self.iter()
            .flat_map(|(key, track)| {
                (0..track.layers.len()).map(move |layer| (key, Layer(layer as u8)))
            })
            .collect()
    }

    /// Counts a packet of a layer, whether or not it goes further: that is what the layer takes.
    pub fn count(&mut self, now: Instant, key: LayerKey, packet: &Packet) {
        if let Some(layer) = self.layer_mut(key) {
            layer.rate.add(now, packet.payload.len() + RTP_HEADER_LEN);
        }
    }

    /// Whether packets of a layer may go further: its track has it, within the publisher's caps.
    pub fn admits(&self, (key, layer): LayerKey) -> bool {
        let highest = self.get(key).and_then(|track| track.highest);
        highest.is_some_and(|highest| layer <= highest)
    }

    /// A packet of a layer was received ([`TrackLayer::received`]).
    pub fn received(
        &mut self,
        now: Instant,
        key: LayerKey,
        arrived: Instant,
        packet: &Packet,
    ) -> bool {
        let layer = self.layer_mut(key);
        layer.is_some_and(|layer| layer.received(now, arrived, packet))
    }
}

#[cfg(test)]
mod tests {
    use protocol::media::Source;

    use super::*;

    fn camera(of: &str) -> TrackId {
        TrackId {
            participant: of.parse().expect("an id"),
            source: Source::Camera,
        }
    }

    #[test]
    fn a_removed_track_is_not_found_by_name() {
        let mut router = Router::default();
        let key = router.add(
            camera("a"),
            Codec::Vp8,
            Origin::Local(MemberKey::default()),
            1,
        );
        assert_eq!(router.find(&camera("a")), Some(key));
        router.remove(key);
        assert_eq!(router.find(&camera("a")), None);
    }
}
