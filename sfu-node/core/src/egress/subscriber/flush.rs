//! What leaves a subscriber's queue: numbered, built and sealed, or dropped with all that needs it.

use std::time::Instant;

use super::{Queued, Subscriber};
#[cfg(debug_assertions)]
use crate::egress::audit::Clear;
use crate::egress::batch::Batch;
use crate::egress::path::Departure;
use crate::egress::repair::Sent;
use crate::egress::slot::{Entered, Turn};
use crate::egress::stream::Written;
use crate::router::{LayerKey, Router};

/// What an Ethernet carries in one piece of 1,500 bytes, behind an IPv4 and a UDP header. Longer datagrams are sent, too, and
/// are lost on many a path.
const MAX_WHOLE: usize = 1_472;
/// How many packets of late are sent in turn to fill a probe.
const FILLERS: u64 = 16;

impl Subscriber {
    /// Builds and seals what may leave now. Returns when to call it again, if anything is left.
    pub fn flush(&mut self, now: Instant, router: &Router, batch: &mut Batch) -> Option<Instant> {
        if self.sealer.is_none() {
            self.path.pacer.clear();
            return None;
        }
        self.drop_stale(now);
        self.path.begin(now);
        while let Some(departure) = self.path.next(now) {
            let start = batch.bytes.len();
            let mut repeats = None;
            #[cfg(debug_assertions)]
            let is_repair = !matches!(departure, Departure::Queued(_, Queued::Media { .. }));
            let written = match departure {
                Departure::Queued(since, Queued::Media { slot, entered }) => {
                    let written = self.write((now, since), router, (slot, &entered), batch);
                    repeats = written.filter(|written| written.repeats).map(|_| slot);
                    written
                }
                Departure::Queued(_, Queued::Repair { slot, sent }) => {
                    if self.repeat(slot, sent.number(), batch) {
                        continue;
                    }
                    self.write_repair(router, (slot, &sent), batch)
                }
                Departure::Filler => {
                    let written = self.write_filler(router, batch);
                    match written {
                        Some(_) => self.counters.fillers += 1,
                        None => self.path.cannot_fill(),
                    }
                    written
                }
            };
            let (Some(written), Some(sealer)) = (written, &mut self.sealer) else {
                continue;
            };
            let Written {
                header_len,
                sequence,
                numbered,
                ..
            } = written;
            if sealer
                .seal_rtp(&mut batch.bytes, start, header_len, sequence)
                .is_err()
            {
                batch.discard_rest();
                continue;
            }
            let bytes = batch.bytes.len() - start;
            if let Some(slot) = repeats {
                let sealed = &batch.bytes[start..];
                self.kept.keep(slot, sequence, sealed);
                #[cfg(debug_assertions)]
                self.audit.sealed(slot, sequence, sealed);
            }
            #[cfg(debug_assertions)]
            if is_repair {
                assert_eq!(self.audit.repair(&batch.bytes[start..], sequence), Ok(()));
            }
            if numbered {
                #[cfg(debug_assertions)]
                assert_eq!(self.audit.transport_wide(self.path.sequence()), Ok(()));
                self.path.sent(now, bytes);
            } else {
                self.path.sent_unnumbered(bytes);
            }
            self.counters.packets += 1;
            self.counters.bytes += bytes as u64;
            self.counters.oversized += u64::from(bytes > MAX_WHOLE);
            batch.end_datagram();
        }
        self.path.due(now)
    }

    /// Drops what has waited too long, and what is of no use without it.
    fn drop_stale(&mut self, now: Instant) {
        while let Some(queued) = self.path.pacer.pop_stale(now) {
            if let Queued::Media { slot, entered } = queued {
                self.drop_up_to_keyframe(now, slot, &entered);
            }
        }
    }

    /// A packet of a slot was dropped: so is what waits behind it up to a keyframe, and what was to repair the frames before it.
    fn drop_up_to_keyframe(&mut self, now: Instant, slot: usize, dropped: &Entered) {
        let mut recovers = false;
        self.path.pacer.drop_useless(|queued| match queued {
            Queued::Repair { slot: of, sent } => (*of, sent.key) == (slot, dropped.key),
            Queued::Media { slot: of, entered } => {
                let is_next = *of == slot && entered.stretch == dropped.stretch && !recovers;
                recovers |= is_next && entered.starts;
                is_next && !entered.starts
            }
        });
        self.slots[slot].skip(now, dropped, recovers);
    }

    /// Writes a packet in the clear, if it departs.
    fn write(
        &mut self,
        (now, since): (Instant, Instant),
        router: &Router,
        (slot, entered): (usize, &Entered),
        batch: &mut Batch,
    ) -> Option<Written> {
        let twcc = self.path.sequence();
        let packet = router.packet(entered.key, entered.sequence);
        let entry = &mut self.slots[slot];
        let turn = packet.map(|packet| (packet, entry.depart(since, entered, packet, router)));
        let (packet, rewritten) = match turn {
            Some((packet, Turn::Departs(rewritten))) => (packet, rewritten),
            Some((_, Turn::Superfluous)) => return None,
            // What is kept no more is as good as dropped.
            Some((_, Turn::Undecodable)) | None => {
                self.drop_up_to_keyframe(now, slot, entered);
                return None;
            }
        };
        #[cfg(debug_assertions)]
        let start = batch.bytes.len();
        let stream = &mut entry.stream;
        let written = stream.write(&mut batch.bytes, packet, &rewritten, twcc)?;
        #[cfg(debug_assertions)]
        {
            let clear = Clear {
                bytes: &batch.bytes[start..],
                number: written.sequence,
            };
            let came = |sequence| router.packet(entered.key, sequence).is_some();
            let found = self.audit.media(now, slot, clear, (entered, packet), came);
            assert_eq!(found, Ok(()));
        }
        Some(written)
    }

    /// Writes a packet once more in the slot's stream for repair, in the clear.
    fn write_repair(
        &mut self,
        router: &Router,
        (slot, sent): (usize, &Sent<LayerKey>),
        batch: &mut Batch,
    ) -> Option<Written> {
        let packet = router.packet(sent.key, sent.sequence)?;
        let rewritten = sent.rewritten(packet);
        let (twcc, stream) = (self.path.sequence(), &mut self.slots[slot].stream);
        let written = stream.write_rtx(&mut batch.bytes, packet, &rewritten, twcc)?;
        #[cfg(debug_assertions)]
        self.audit.repaired(slot, sent.number());
        self.counters.repairs += 1;
        Some(written)
    }

    /// Sends a packet once more as it was, if it was kept for that. It has its transport-wide number still, of which the feedback has
    /// been awaited.
    fn repeat(&mut self, slot: usize, number: u64, batch: &mut Batch) -> bool {
        let Some(sealed) = self.kept.get(slot, number) else {
            return false;
        };
        #[cfg(debug_assertions)]
        assert_eq!(self.audit.repeated(slot, number, sealed), Ok(()));
        batch.bytes.extend_from_slice(sealed);
        batch.end_datagram();
        self.path.sent_unnumbered(sealed.len());
        self.counters.repairs += 1;
        self.counters.packets += 1;
        self.counters.bytes += sealed.len() as u64;
        true
    }

    /// Writes something that fills a probe: a packet of late once more, which may even be of use, or else padding.
    fn write_filler(&mut self, router: &Router, batch: &mut Batch) -> Option<Written> {
        let twcc = self.path.sequence();
        let back = self.counters.fillers % FILLERS;
        for slot in &mut self.slots {
            if !slot.stream.can_probe() || slot.carrying.flowing().is_none() {
                continue;
            }
            let sent = slot.log.recent(back);
            let packet = sent.and_then(|sent| router.packet(sent.key, sent.sequence));
            if let (Some(sent), Some(packet)) = (sent, packet) {
                let rewritten = sent.rewritten(packet);
                let stream = &mut slot.stream;
                let written = stream.write_rtx(&mut batch.bytes, packet, &rewritten, twcc);
                if written.is_some() {
                    return written;
                }
            }
        }
        let mut slots = self.slots.iter_mut();
        let slot = slots.find(|slot| slot.stream.can_probe())?;
        slot.stream.write_padding(&mut batch.bytes, twcc)
    }
}
