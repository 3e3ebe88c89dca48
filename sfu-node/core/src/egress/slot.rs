//! A receive slot of a client: what it carries, and the one stream that its decoder sees.

use std::time::Instant;

use protocol::client::SlotAssignment;
use protocol::media::{MediaKind, TrackId};

use super::carrying::Carrying;
use super::delivery::Delivery;
use super::overrun::Overrun;
use super::repair::SentLog;
use super::report::SentReports;
use super::stream::{NegotiatedSlot, Stream};
use crate::keyframe::Pleas;
use crate::packet::Packet;
use crate::rewrite::{Rewriter, Rewritten};
use crate::router::{LayerKey, Router, TrackKey};

/// A receive slot of the client.
#[derive(Debug)]
pub struct Slot {
    mid: String,
    pub(super) cname: String,
    pub kind: MediaKind,
    /// The track that was given this slot; it keeps it while it is paused.
    pub track: Option<TrackKey>,
    pub carrying: Carrying,
    /// The stretch that packets are let into now: from one beginning to the next.
    stretch: u32,
    /// The track that was let in last.
    entered: Option<TrackKey>,
    departed: Option<Departed>,
    pub(super) stream: Stream,
    pub(super) rewriter: Rewriter,
    pub(super) log: SentLog<LayerKey>,
    pub(super) reports: SentReports,
    pub(super) delivery: Delivery,
    overrun: Overrun,
    pleas: Pleas,
}

/// What became of a packet that was offered to a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// The slot does not carry it now.
    Refused,
    Queued {
        /// A layer that the slot has left with this packet and needs no more.
        left: Option<LayerKey>,
        /// Its layer flows from this packet on.
        began: bool,
    },
}

/// A packet that was let in and waits to depart. It has no numbers yet: whether it departs is not known.
#[derive(Debug, Clone, Copy)]
pub struct Entered {
    pub key: LayerKey,
    /// The source's own number, to look the packet up by.
    pub sequence: u64,
    pub stretch: u32,
    /// A decoder can start with it.
    pub starts: bool,
}

/// A packet that a slot lets in.
#[derive(Debug, Clone, Copy)]
pub struct Passage {
    pub entered: Entered,
    pub left: Option<LayerKey>,
    pub began: bool,
    /// Another layer flows from this packet on.
    pub switched: bool,
}

/// What departed last: its layer and stretch, and what its timestamps were moved by.
#[derive(Debug, Clone, Copy)]
struct Departed {
    key: LayerKey,
    stretch: u32,
    timestamp_offset: u32,
}

/// What becomes of a packet whose turn it is to depart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It departs with these numbers.
    Departs(Rewritten),
    /// It came too late or twice, and there is no place for it.
    Superfluous,
    /// Something that it needs did not depart.
    Undecodable,
}

impl Slot {
    /// A slot that carries nothing.
    pub fn new(slot: NegotiatedSlot) -> Self {
        let rtx_first = slot.rtx_ssrc.map_or(0, |ssrc| ssrc as u16 >> 1);
        Self {
            kind: slot.kind,
            track: None,
            carrying: Carrying::Nothing,
            stretch: 0,
            entered: None,
            departed: None,
            // Any start will do (RFC 3550, 5.1); the random SSRC gives one without randomness of our own. It stays low, so
            // that packets lost before the receiver is ready cannot hide a wrap-around from its SRTP.
            rewriter: Rewriter::new(slot.kind, slot.ssrc as u16 >> 1, slot.ssrc.rotate_left(13)),
            log: SentLog::default(),
            reports: SentReports::default(),
            delivery: Delivery::default(),
            overrun: Overrun::default(),
            pleas: Pleas::default(),
            stream: Stream::new(&slot, rtx_first),
            mid: slot.mid,
            cname: slot.cname,
        }
    }

    /// What the client is told of it.
    pub fn assignment(&self, name: impl Fn(TrackKey) -> Option<TrackId>) -> SlotAssignment {
        SlotAssignment {
            mid: self.mid.clone(),
            track: self.track.and_then(name),
            paused: self.track.is_some() && self.carrying == Carrying::Nothing,
        }
    }

    /// Lets a packet of a layer in, if the slot carries that now: video starts and switches at a keyframe, audio at once.
    pub fn let_in(&mut self, key: LayerKey, packet: &Packet) -> Option<Passage> {
        let starts = packet.keyframe || self.kind == MediaKind::Audio;
        let carrying = self.carrying.accept(key, starts)?;
        if !self.stream.carries(packet.codec) {
            // What follows it in a codec that the client knows cannot be shown without it.
            self.carrying = self.carrying.interrupt(key);
            return None;
        }
        let before = std::mem::replace(&mut self.carrying, carrying);
        if before != carrying {
            self.stretch = self.stretch.wrapping_add(1);
        }
        self.entered = Some(key.0);
        if packet.keyframe {
            self.pleas.answered();
        }
        let mut layers = before.layers();
        Some(Passage {
            entered: Entered {
                key,
                sequence: packet.sequence,
                stretch: self.stretch,
                starts,
            },
            left: layers.find(|layer| carrying.layers().all(|kept| kept != *layer)),
            began: before.flowing() != carrying.flowing(),
            switched: before.flowing().is_some() && before.flowing() != carrying.flowing(),
        })
    }

    /// A packet that was let in is to depart: it is given its numbers, which nothing that stays behind has used. `since`: when it
    /// was let in.
    pub fn depart(
        &mut self,
        since: Instant,
        entered: &Entered,
        packet: &Packet,
        router: &Router,
    ) -> Turn {
        let goes_on = self.rewriter.flows()
            && self
                .departed
                .is_some_and(|last| last.stretch == entered.stretch);
        if !goes_on || self.rewriter.jumps(packet) {
            if !entered.starts {
                // A decoder would take it for the next frame, since it would be numbered as that.
                return Turn::Undecodable;
            }
            self.begin(entered.key, packet, router);
        }
        let rewritten = self.rewriter.rewrite(since, packet);
        let (Some(rewritten), Some(offsets)) = (rewritten, self.rewriter.offsets()) else {
            return Turn::Superfluous;
        };
        self.departed = Some(Departed {
            key: entered.key,
            stretch: entered.stretch,
            timestamp_offset: offsets.timestamp,
        });
        self.log.record(entered.key, &rewritten, offsets);
        Turn::Departs(rewritten)
    }

    /// A packet that was let in does not depart, and neither does what needs it. What departs next closes up to what departed
    /// last, and nothing of before is repaired: it would overtake live video, and not be shown. `recovers`: a decoder can start
    /// with something that waits behind it.
    pub fn skip(&mut self, now: Instant, skipped: &Entered, recovers: bool) {
        self.rewriter.switch();
        self.log.forget();
        if !recovers && skipped.stretch == self.stretch {
            self.overrun(now, skipped.key);
        }
    }

    /// The layer that flows, and what its timestamps are moved by.
    pub fn flows_as(&self) -> Option<(LayerKey, u32)> {
        let is_live = self.carrying.flowing().is_some() && self.rewriter.flows();
        let departed = self.departed.filter(|_| is_live)?;
        Some((departed.key, departed.timestamp_offset))
    }

    /// What comes next of this layer does not go on with what came before, though nothing was lost: its numbers close up. Video goes
    /// on at a keyframe.
    pub fn break_off(&mut self, key: LayerKey) {
        match self.kind {
            MediaKind::Video => self.carrying = self.carrying.interrupt(key),
            MediaKind::Audio if self.carrying.flowing() == Some(key) => {
                self.stretch = self.stretch.wrapping_add(1);
            }
            MediaKind::Audio => {}
        }
    }

    /// A packet of this layer is not sent, because the path does not carry so much. Nothing flows until a keyframe: a decoder
    /// could not show it, and the path is spared.
    pub fn overrun(&mut self, now: Instant, key: LayerKey) {
        let interrupted = self.carrying.interrupt(key);
        if interrupted != self.carrying {
            self.carrying = interrupted;
            self.overrun.note(now);
        }
    }

    /// The decoder needs a keyframe. The layer to ask for one: what flows, or else what is waited for; none while it has to wait.
    pub fn plead(&mut self, now: Instant) -> Option<LayerKey> {
        match self.carrying.flowing() {
            Some(flowing) => self.pleas.plead(now).then_some(flowing),
            None => self.lacks_keyframe(now).next(),
        }
    }

    /// The layer of which a keyframe is to be asked for now, because the decoder needed one and had to wait.
    pub fn held_plea(&mut self, now: Instant) -> Option<LayerKey> {
        let flowing = self.carrying.flowing()?;
        self.pleas.poll(now).then_some(flowing)
    }

    /// When [`Slot::held_plea`] is due. Where nothing flows a keyframe is what is waited for anyway.
    pub fn plea_timeout(&self) -> Option<Instant> {
        self.carrying.flowing()?;
        self.pleas.timeout()
    }

    /// The slot shows another track, or none, from now on.
    pub fn give(&mut self, track: Option<TrackKey>) {
        self.track = track;
        self.pleas = Pleas::default();
    }

    /// What was let in and has departed is of tracks that are not known any more: what comes next begins anew.
    pub fn forget(&mut self) {
        self.entered = None;
        self.departed = None;
        self.rewriter.switch();
        self.log.forget();
    }

    /// The layers of which a keyframe, any of them, would let something flow at last; the one that is wanted first.
    pub fn lacks_keyframe(&self, now: Instant) -> impl Iterator<Item = LayerKey> {
        let lacks = self.carrying.flowing().is_none() && self.overrun.is_over(now);
        self.carrying.layers().filter(move |_| lacks)
    }

    /// Whether it can start with a packet of this layer that came a while ago: nothing that came since is shown already.
    pub fn can_start_in_the_past(&self, key: LayerKey) -> bool {
        self.carrying.flowing().is_none() && self.entered != Some(key.0)
    }

    /// The next packet is the first of another layer, or of the same after a pause.
    fn begin(&mut self, key: LayerKey, packet: &Packet, router: &Router) {
        match self.by_publishers_clock(key, packet, router) {
            Some(timestamp) => self.rewriter.switch_at(timestamp),
            None => self.rewriter.switch(),
        }
    }

    /// The timestamp of a packet in this slot's stream, had the layer that flowed last gone on: both layers' sender
    /// reports tell the same clock.
    fn by_publishers_clock(&self, key: LayerKey, packet: &Packet, router: &Router) -> Option<u32> {
        let last = self.departed.filter(|last| last.key.0 == key.0)?;
        let mut timestamp = packet.timestamp;
        if last.key != key {
            let rate = self.kind.clock_rate();
            let (from, to) = (router.layer(last.key)?.clock?, router.layer(key)?.clock?);
            timestamp = from.rtp_of(to.ntp_of(timestamp, rate), rate);
        }
        Some(timestamp.wrapping_add(last.timestamp_offset))
    }
}

#[cfg(test)]
mod tests {
    use protocol::media::{Codec, Layer, Source};

    use super::*;
    use crate::egress::extensions::Extensions;
    use crate::egress::stream::SlotCodec;
    use crate::key::MemberKey;
    use crate::router::Origin;

    /// The first byte of a VP8 frame says whether it is a keyframe (RFC 7741, 4.3).
    fn packet(sequence: u64, keyframe: bool) -> Packet {
        let payload = [0x10, u8::from(!keyframe), 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let packet = Packet::new(sequence, 0, true, Codec::Vp8, None, payload[..].into());
        assert_eq!(packet.keyframe, keyframe);
        packet
    }

    #[test]
    fn after_a_jump_that_no_loss_explains_video_goes_on_at_a_keyframe() {
        let now = Instant::now();
        let mut router = Router::default();
        let id = TrackId {
            participant: "p1".parse().unwrap(),
            source: Source::Camera,
        };
        let track = router.add(id, Codec::Vp8, Origin::Local(MemberKey::default()), 1);
        let key = (track, Layer(0));
        let negotiated = NegotiatedSlot {
            mid: "v".into(),
            kind: MediaKind::Video,
            codecs: vec![SlotCodec {
                codec: Codec::Vp8,
                pt: 96,
                rtx_pt: None,
            }],
            ssrc: 7,
            rtx_ssrc: None,
            cname: "c".into(),
            extensions: Extensions::default(),
        };
        let mut slot = Slot::new(negotiated);
        slot.carrying = Carrying::Waiting(key);
        let mut pass = |sequence, keyframe| {
            let packet = packet(sequence, keyframe);
            let passage = slot.let_in(key, &packet);
            let number = passage.and_then(|Passage { entered, .. }| {
                match slot.depart(now, &entered, &packet, &router) {
                    Turn::Departs(rewritten) => Some(rewritten.sequence),
                    Turn::Superfluous => None,
                    Turn::Undecodable => {
                        slot.skip(now, &entered, false);
                        None
                    }
                }
            });
            (number, slot.lacks_keyframe(now).next().is_some())
        };
        let (first, _) = pass(100, true);
        let first = first.unwrap();
        assert_eq!(pass(101, false), (Some(first + 1), false));
        assert_eq!(
            pass(3_000, false),
            (Some(first + 2_900), false),
            "mere loss"
        );
        assert_eq!(pass(9_000, false), (None, true));
        assert_eq!(pass(9_001, false), (None, true));
        assert_eq!(pass(9_002, true), (Some(first + 2_901), false));
        assert_eq!(pass(9_003, false), (Some(first + 2_902), false));
    }
}
