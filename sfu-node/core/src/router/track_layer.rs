//! One layer of a track: what is kept of it, who wants it, and whether it comes.

use std::time::{Duration, Instant};

use protocol::media::MediaKind;

use crate::clock::ClockMap;
use crate::io::PeerId;
use crate::key::MemberKey;
use crate::keyframe::KeyframeGate;
use crate::loss::LossTracker;
use crate::packet::{Packet, extend};
use crate::rate::Rate;
use crate::reception::Reception;
use crate::rewrite::MAX_DROPOUT;
use crate::store::PacketStore;

/// A layer that has been silent for so long starts afresh: nothing of before is worth keeping, and its sequence numbers may
/// have gone round any number of times.
const SILENCE: Duration = Duration::from_secs(2);
/// A layer flows while its last packet is no older than this: two frames of the slowest that we ask for (5 per second).
const LATELY: Duration = Duration::from_millis(400);
/// Most packets that may follow the one that a slot starts with, and be there already: a large keyframe, and its next frames.
const FOLLOWING: u64 = 128;
/// How long a layer that did not come is done without before it is asked for again.
const ABSENCE: Duration = Duration::from_secs(10);
/// A larger hole in an audio flow is no loss: its home node did not send what was not loud enough.
const MAX_AUDIO_GAP: u64 = 10;

/// A keyframe that came this lately is where a slot starts that wants the layer now: what has come since is little, and a new
/// one would take about as long to come.
const FRESH: Duration = Duration::from_millis(500);

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
    /// The packet that came last does not go on with those before: what is missing between them was not sent to us, or its encoder
    /// started anew.
    pub resumes: bool,
    pub keyframes: KeyframeGate,
    /// The sequence number that the newest keyframe starts with, and when that came.
    newest_keyframe: Option<(u64, Instant)>,
    pub reception: Reception,
    /// Width and height of the picture in pixels, once a keyframe has told them.
    pub size: Option<(u16, u16)>,
    /// The publisher's clock, from its latest sender report.
    pub clock: Option<ClockMap>,
    pub forwards: Vec<Forward>,
    pub relays: Vec<RelayFlow>,
    /// Set while this layer is asked for at its home node.
    pub inbound: Option<Inbound>,
    /// Its publisher here may not send it: it counts as not there, at other nodes too.
    pub forbidden: bool,
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
    /// A layer of which nothing has come.
    pub fn new(kind: MediaKind) -> Self {
        Self {
            store: PacketStore::new(kind),
            latest: None,
            resumes: false,
            keyframes: KeyframeGate::default(),
            newest_keyframe: None,
            reception: Reception::default(),
            size: None,
            clock: None,
            forwards: Vec::new(),
            relays: Vec::new(),
            inbound: None,
            forbidden: false,
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

    /// The packets after this one that are here already.
    pub fn after(&self, sequence: u64) -> impl Iterator<Item = &Packet> {
        let newest = self.highest().unwrap_or(sequence).min(sequence + FOLLOWING);
        (sequence + 1..=newest).filter_map(|sequence| self.store.get(sequence))
    }

    /// Whether a keyframe came within this time.
    pub fn had_keyframe(&self, now: Instant, within: Duration) -> bool {
        self.newest_keyframe
            .is_some_and(|(_, at)| now.saturating_duration_since(at) < within)
    }

    /// The first packet of the newest keyframe, if a slot can start there now.
    pub fn fresh_keyframe(&self, now: Instant) -> Option<&Packet> {
        let (first, at) = self.newest_keyframe?;
        let few = self.highest()?.saturating_sub(first) <= FOLLOWING;
        let fresh = few && now.saturating_duration_since(at) < FRESH;
        self.store.get(first).filter(|_| fresh)
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

    /// Keeps a received packet for repair and notes what it tells about losses and keyframes. Returns false for a packet
    /// that has been received before.
    pub fn received(&mut self, now: Instant, arrived: Instant, packet: &Packet) -> bool {
        if self.store.get(packet.sequence).is_some() {
            return false;
        }
        self.reception.note(arrived, packet);
        if packet.keyframe {
            self.keyframes.received();
            let newer = |(newest, _): (u64, Instant)| packet.sequence > newest;
            if self.newest_keyframe.is_none_or(newer) {
                self.newest_keyframe = Some((packet.sequence, now));
            }
            self.size = packet.size().or(self.size);
        }
        let highest = self.highest();
        let gap = packet
            .sequence
            .saturating_sub(highest.unwrap_or(packet.sequence));
        let is_quiet = packet.codec.kind() == MediaKind::Audio && self.inbound.is_some();
        self.resumes = gap >= MAX_DROPOUT || is_quiet && gap > MAX_AUDIO_GAP;
        if let Some(inbound) = &mut self.inbound {
            if self.resumes {
                inbound.loss.restart();
            }
            inbound.loss.note(packet.sequence, now);
        }
        let highest = highest.map_or(packet.sequence, |highest| highest.max(packet.sequence));
        self.latest = Some((highest, now));
        self.store.insert(packet);
        true
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

    /// Whether this layer cannot be had now: the path by which it comes does not carry it, or its publisher may not send it.
    pub fn is_paused(&self) -> bool {
        self.forbidden || self.inbound.as_ref().is_some_and(|inbound| inbound.paused)
    }

    /// It can be had again: that it did not come says nothing any more.
    pub fn expect_again(&mut self) {
        self.absent_until = None;
    }

    /// Whether anybody here or behind another node wants this layer, and may have it.
    pub fn is_wanted(&self) -> bool {
        let anybody = !self.forwards.is_empty() || !self.relays.is_empty();
        anybody && !self.forbidden
    }
}
