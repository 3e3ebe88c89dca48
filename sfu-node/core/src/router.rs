//! A room's tracks: who publishes them, what is kept of them, and which slots and peers want them.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use protocol::media::{Codec, Layer, MediaKind, TrackId};

use crate::clock::ClockMap;
use crate::io::PeerId;
use crate::key::MemberKey;
use crate::keyframe::KeyframeGate;
use crate::loss::LossTracker;
use crate::packet::{Packet, RTP_HEADER_LEN, extend};
use crate::rate::Rate;
use crate::reception::Reception;
use crate::store::PacketStore;

/// A layer that has been silent for so long starts afresh: nothing of before is worth keeping, and its sequence numbers may
/// have gone round any number of times.
const SILENCE: Duration = Duration::from_secs(2);
/// A layer flows while its last packet is no older than this: two frames of the slowest that we ask for (5 per second).
const LATELY: Duration = Duration::from_millis(400);
/// Most packets that overtake another one: a large keyframe.
const OVERTAKEN: u64 = 128;
/// How long a layer that did not come is done without before it is asked for again.
const ABSENCE: Duration = Duration::from_secs(10);
/// A larger hole in an audio flow is no loss: its home node did not send what was not loud enough.
const MAX_AUDIO_GAP: u64 = 10;

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

/// A local slot that wants a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forward {
    pub member: MemberKey,
    pub slot: usize,
}

/// A peer that asked for a layer, under the flow id that it chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelayFlow {
    pub peer: PeerId,
    pub flow: u64,
}

/// The receiving end of a flow.
#[derive(Debug)]
pub struct Inbound {
    pub flow: u64,
    pub loss: LossTracker,
    /// The peer's path to us is too narrow for it now: the layer counts as not there.
    pub paused: bool,
}

/// One layer of a track.
#[derive(Debug)]
pub struct TrackLayer {
    pub store: PacketStore,
    /// The highest extended sequence number received, and when the last packet came.
    latest: Option<(u64, Instant)>,
    pub keyframes: KeyframeGate,
    pub reception: Reception,
    /// Width and height of the picture in pixels, once a keyframe has told them.
    pub size: Option<(u16, u16)>,
    /// The publisher's clock, from its latest sender report.
    pub clock: Option<ClockMap>,
    pub forwards: Vec<Forward>,
    pub relays: Vec<RelayFlow>,
    /// Set while this layer is asked for at its home node.
    pub inbound: Option<Inbound>,
    /// Since when slots here want it without interruption.
    wanted_since: Option<Instant>,
    /// Whether anybody wanted it when that was last noted, and when nobody did any more.
    demanded: bool,
    pub left_at: Option<Instant>,
    /// It was wanted and did not come: not to be counted on until then.
    absent_until: Option<Instant>,
    pub rate: Rate,
}

impl Inbound {
    /// A flow that has just been asked for.
    pub fn new(flow: u64) -> Self {
        Self {
            flow,
            loss: LossTracker::new(),
            paused: false,
        }
    }
}

impl TrackLayer {
    fn new(kind: MediaKind) -> Self {
        Self {
            store: PacketStore::new(kind),
            latest: None,
            keyframes: KeyframeGate::default(),
            reception: Reception::default(),
            size: None,
            clock: None,
            forwards: Vec::new(),
            relays: Vec::new(),
            inbound: None,
            wanted_since: None,
            demanded: false,
            left_at: None,
            absent_until: None,
            rate: Rate::default(),
        }
    }

    /// The highest extended sequence number received, to extend the 16 bits on the wire against.
    pub fn highest(&self) -> Option<u64> {
        self.latest.map(|(sequence, _)| sequence)
    }

    /// The packets after this one that are here already, if it has been overtaken.
    pub fn after(&self, sequence: u64) -> impl Iterator<Item = &Packet> {
        let newest = self.highest().unwrap_or(sequence).min(sequence + OVERTAKEN);
        (sequence + 1..=newest).filter_map(|sequence| self.store.get(sequence))
    }

    /// The extended sequence number of a packet from a peer that may have been silent: after a pause it is taken for the
    /// next that fits, since the number may have moved by more than the half of 16 bits that [`extend`] can tell.
    pub fn extend(&self, now: Instant, sequence: u16) -> u64 {
        match self.latest {
            Some((highest, at)) if now.saturating_duration_since(at) > SILENCE => {
                highest + u64::from(sequence.wrapping_sub(highest as u16))
            }
            latest => extend(latest.map(|(highest, _)| highest), sequence),
        }
    }

    /// Gives back what a layer keeps that has fallen silent.
    pub fn rest(&mut self, now: Instant) {
        let silent = |(_, at): (u64, Instant)| now.saturating_duration_since(at) > SILENCE;
        if self.latest.is_some_and(silent) {
            self.store.clear();
        }
    }

    /// A slot wants this layer from now on.
    pub fn attach(&mut self, now: Instant, forward: Forward) {
        self.wanted_since.get_or_insert(now);
        self.forwards.push(forward);
    }

    /// A slot wants this layer no more.
    pub fn detach(&mut self, forward: Forward) {
        self.forwards.retain(|other| *other != forward);
        if self.forwards.is_empty() {
            self.wanted_since = None;
        }
    }

    /// Notes whether anybody wants this layer now. Returns whether that is news.
    pub fn note_demand(&mut self, now: Instant) -> bool {
        let wanted = self.is_wanted();
        let before = std::mem::replace(&mut self.demanded, wanted);
        if wanted != before {
            self.left_at = before.then_some(now);
        }
        wanted != before
    }

    /// Whether packets have come lately.
    pub fn flows(&self, now: Instant) -> bool {
        self.latest
            .is_some_and(|(_, at)| now.saturating_duration_since(at) < LATELY)
    }

    /// The layer does not come: it is not to be counted on for a while, or until it does. Whether that is news.
    pub fn note_absence(&mut self, now: Instant) -> bool {
        if self.is_absent(now) {
            return false;
        }
        self.absent_until = Some(now + ABSENCE);
        true
    }

    /// Whether the layer did not come lately when it was wanted.
    pub fn is_absent(&self, now: Instant) -> bool {
        self.absent_until.is_some_and(|until| now < until) && !self.flows(now)
    }

    /// Whether slots have waited for a packet for so long.
    pub fn is_stalled(&self, now: Instant, patience: Duration) -> bool {
        let latest = self.latest.map(|(_, at)| at);
        self.wanted_since
            .map(|since| latest.map_or(since, |latest| latest.max(since)))
            .is_some_and(|since| now.saturating_duration_since(since) >= patience)
    }

    /// Whether the path by which this layer comes does not carry it now.
    pub fn is_paused(&self) -> bool {
        self.inbound.as_ref().is_some_and(|inbound| inbound.paused)
    }

    /// Whether anybody here or behind another node wants this layer.
    pub fn is_wanted(&self) -> bool {
        !self.forwards.is_empty() || !self.relays.is_empty()
    }
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

    /// Keeps a received packet for repair and notes what it tells about losses and keyframes. Returns false for a
    /// packet that has been received before.
    pub fn received(&mut self, now: Instant, key: LayerKey, packet: &Packet) -> bool {
        let Some(layer) = self.layer_mut(key) else {
            return false;
        };
        if layer.store.get(packet.sequence).is_some() {
            return false;
        }
        layer.reception.note(now, packet);
        if packet.keyframe {
            layer.keyframes.received();
            layer.size = packet.size().or(layer.size);
        }
        let highest = layer.highest();
        if let Some(inbound) = &mut layer.inbound {
            let gap = packet
                .sequence
                .saturating_sub(highest.unwrap_or(packet.sequence));
            if packet.codec.kind() == MediaKind::Audio && gap > MAX_AUDIO_GAP {
                inbound.loss.restart();
            }
            inbound.loss.note(packet.sequence, now);
        }
        let highest = highest.map_or(packet.sequence, |highest| highest.max(packet.sequence));
        layer.latest = Some((highest, now));
        layer.store.insert(packet);
        true
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
