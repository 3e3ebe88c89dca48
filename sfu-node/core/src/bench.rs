//! The inner loop of forwarding, opened for the benches alone (feature `bench`): one track and the slots that carry it,
//! without sessions, ciphers and sockets.

use std::time::{Duration, Instant};

use protocol::media::{Codec, Layer, MediaKind, Source, TrackId};

use crate::key::MemberKey;
use crate::packet::Packet;
use crate::rewrite::Rewriter;
use crate::router::{LayerKey, Origin, Router};

/// Packets of 1,100 bytes, two a frame, 32 frames a second.
const PAYLOAD_BYTES: usize = 1_100;
const TICKS: u32 = 90_000 / 32;
const INTERVAL: Duration = Duration::from_micros(15_625);

/// A camera and the slots that show it.
pub struct Fanout {
    router: Router,
    key: LayerKey,
    slots: Vec<Rewriter>,
    packet: Packet,
    now: Instant,
}

impl Fanout {
    /// A camera that so many slots show. `now` is any time.
    ///
    /// # Panics
    /// Never: the name is one.
    pub fn new(now: Instant, slots: usize) -> Self {
        let mut router = Router::default();
        let id = TrackId {
            participant: "p1".parse().expect("an id"),
            source: Source::Camera,
        };
        let track = router.add(id, Codec::Vp8, Origin::Local(MemberKey::default()), 1);
        let mut payload = vec![0; PAYLOAD_BYTES];
        // A descriptor with a picture id of 15 bits and TL0PICIDX, then an interframe (RFC 7741).
        payload[..7].copy_from_slice(&[0x90, 0xE0, 0x80, 0, 0, 0, 1]);
        Self {
            router,
            key: (track, Layer(0)),
            slots: (0..slots)
                .map(|slot| Rewriter::new(MediaKind::Video, slot as u16, slot as u32))
                .collect(),
            packet: Packet::new(0, 0, false, Codec::Vp8, None, payload.into()),
            now,
        }
    }

    fn next(&mut self) {
        self.packet.sequence += 1;
        if self.packet.marker {
            self.packet.timestamp = self.packet.timestamp.wrapping_add(TICKS);
        }
        self.packet.marker = !self.packet.marker;
        self.now += INTERVAL;
    }

    /// The router keeps the next packet.
    pub fn receive(&mut self) -> bool {
        self.next();
        self.router
            .received(self.now, self.key, self.now, &self.packet)
    }

    /// Each slot finds the latest packet and gives it its place; returns how many took it.
    pub fn rewrite(&mut self) -> usize {
        let Some(packet) = self.router.packet(self.key, self.packet.sequence) else {
            return 0;
        };
        let now = self.now;
        let places = self.slots.iter_mut().map(|slot| slot.rewrite(now, packet));
        places.flatten().count()
    }

    /// Each slot goes over to the same track anew.
    pub fn switch(&mut self) {
        self.slots.iter_mut().for_each(Rewriter::switch);
    }
}
