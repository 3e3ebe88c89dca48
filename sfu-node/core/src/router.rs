//! A room's tracks: who publishes them, what is kept of them, and which slots and peers want them.

mod track_layer;

use std::collections::HashMap;
use std::time::Instant;

use protocol::media::{Codec, Layer, TrackId};

use crate::io::PeerId;
use crate::key::MemberKey;
use crate::packet::Packet;
use crate::packet::rtp::RTP_HEADER_LEN;
pub use track_layer::{Forward, Inbound, RelayFlow, TrackLayer};

/// A track's place in its room's table. The serial number keeps a late reference from meeting the place's next owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackKey {
    index: u32,
    serial: u32,
}

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
    serial: u32,
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
    tracks: Vec<Option<Track>>,
    by_id: HashMap<TrackId, TrackKey>,
    serial: u32,
}

impl Router {
    /// Adds a track; one of the same name must have been removed before.
    pub fn add(&mut self, id: TrackId, codec: Codec, origin: Origin, layers: u8) -> TrackKey {
        debug_assert!(!self.by_id.contains_key(&id));
        self.serial += 1;
        let free = self.tracks.iter().position(Option::is_none);
        let index = free.unwrap_or_else(|| {
            self.tracks.push(None);
            self.tracks.len() - 1
        });
        let key = TrackKey {
            index: index as u32,
            serial: self.serial,
        };
        self.by_id.insert(id.clone(), key);
        self.tracks[index] = Some(Track {
            id,
            codec,
            origin,
            highest: Some(Layer(layers.max(1) - 1)),
            layers: (0..layers.max(1))
                .map(|_| TrackLayer::new(codec.kind()))
                .collect(),
            serial: self.serial,
        });
        key
    }

    /// Removes a track and returns it, so that its slots and flows can be told.
    pub fn remove(&mut self, key: TrackKey) -> Option<Track> {
        self.get(key)?;
        let track = self.tracks[key.index as usize].take()?;
        self.by_id.remove(&track.id);
        Some(track)
    }

    /// The track of this name.
    pub fn find(&self, id: &TrackId) -> Option<TrackKey> {
        self.by_id.get(id).copied()
    }

    pub fn get(&self, key: TrackKey) -> Option<&Track> {
        let track = self.tracks.get(key.index as usize)?.as_ref()?;
        (track.serial == key.serial).then_some(track)
    }

    pub fn get_mut(&mut self, key: TrackKey) -> Option<&mut Track> {
        let track = self.tracks.get_mut(key.index as usize)?.as_mut()?;
        (track.serial == key.serial).then_some(track)
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
        self.tracks.iter().enumerate().filter_map(|(index, track)| {
            let track = track.as_ref()?;
            let key = TrackKey {
                index: index as u32,
                serial: track.serial,
            };
            Some((key, track))
        })
    }

    /// All tracks, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (TrackKey, &mut Track)> {
        let tracks = self.tracks.iter_mut().enumerate();
        tracks.filter_map(|(index, track)| {
            let track = track.as_mut()?;
            let key = TrackKey {
                index: index as u32,
                serial: track.serial,
            };
            Some((key, track))
        })
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
    pub fn received(&mut self, now: Instant, key: LayerKey, packet: &Packet) -> bool {
        let layer = self.layer_mut(key);
        layer.is_some_and(|layer| layer.received(now, packet))
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
    fn a_late_reference_does_not_meet_the_next_owner_of_its_place() {
        let mut router = Router::default();
        let first = router.add(camera("a"), Codec::Vp8, Origin::Local(0.into()), 1);
        router.remove(first);
        let second = router.add(camera("b"), Codec::Vp8, Origin::Local(1.into()), 1);
        assert_eq!(first.index, second.index);
        assert!(router.get(first).is_none());
        assert!(router.remove(first).is_none());
        assert_eq!(router.get(second).map(|t| &t.id), Some(&camera("b")));
    }

    #[test]
    fn a_removed_track_is_not_found_by_name() {
        let mut router = Router::default();
        let key = router.add(camera("a"), Codec::Vp8, Origin::Local(0.into()), 1);
        assert_eq!(router.find(&camera("a")), Some(key));
        router.remove(key);
        assert_eq!(router.find(&camera("a")), None);
    }
}
