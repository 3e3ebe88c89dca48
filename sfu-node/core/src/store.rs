//! What is kept of a published track, so that every hop behind it can be repaired.

use std::time::Duration;

use protocol::media::MediaKind;

use crate::packet::Packet;

/// A packet older than this is of no use to a decoder that plays live.
pub const USEFUL: Duration = Duration::from_secs(1);

/// The last packets of one published track and layer, from which every hop behind it is repaired.
#[derive(Debug)]
pub struct PacketStore {
    /// By sequence number modulo the capacity; empty until there is a packet.
    ring: Vec<Option<Packet>>,
    capacity: usize,
    /// The newest packet's sequence and timestamp.
    newest: Option<(u64, u32)>,
}

impl PacketStore {
    /// An empty store, as large as the kind needs for about a second: 1,024 packets of video (5 Mbit/s send some 600),
    /// 256 of audio (the shortest of 5 ms).
    pub fn new(kind: MediaKind) -> Self {
        let capacity = match kind {
            MediaKind::Video => 1_024,
            MediaKind::Audio => 256,
        };
        Self {
            ring: Vec::new(),
            capacity,
            newest: None,
        }
    }

    /// Forgets all packets, and gives their memory back.
    pub fn clear(&mut self) {
        self.ring = Vec::new();
        self.newest = None;
    }

    /// Remembers a packet. One older than the store reaches back is ignored.
    pub fn insert(&mut self, packet: &Packet) {
        let newest = self.newest.map_or(packet.sequence, |(newest, _)| newest);
        if packet.sequence.saturating_add(self.capacity as u64) <= newest {
            return;
        }
        if packet.sequence >= newest {
            self.newest = Some((packet.sequence, packet.timestamp));
        }
        self.ring.resize(self.capacity, None);
        let at = self.at(packet.sequence);
        self.ring[at] = Some(packet.clone());
    }

    /// The packet, if it is here and less than a second older than the newest.
    pub fn get(&self, sequence: u64) -> Option<&Packet> {
        let packet = self.ring.get(self.at(sequence))?.as_ref()?;
        let (_, newest) = self.newest?;
        let age = newest.wrapping_sub(packet.timestamp) as i32;
        let useful = u64::from(packet.codec.clock_rate()) * USEFUL.as_secs();
        (packet.sequence == sequence && i64::from(age) <= useful as i64).then_some(packet)
    }

    fn at(&self, sequence: u64) -> usize {
        (sequence % self.capacity as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use protocol::media::Codec;

    use super::*;

    fn packet(sequence: u64, timestamp: u32) -> Packet {
        Packet::new(
            sequence,
            timestamp,
            false,
            Codec::Opus,
            None,
            [0][..].into(),
        )
    }

    #[test]
    fn the_store_keeps_the_last_packets_and_a_second_of_them() {
        let mut store = PacketStore::new(MediaKind::Audio);
        assert_eq!(store.get(0), None);
        for n in 0..300 {
            store.insert(&packet(65_400 + n, u32::MAX - 100));
        }
        assert_eq!(store.get(65_443), None);
        assert_eq!(
            store.get(65_444).map(|packet| packet.sequence),
            Some(65_444)
        );
        // A late one, and one too late.
        store.insert(&packet(65_300, 0));
        assert_eq!(store.get(65_300), None);
        assert_eq!(
            store.get(65_300 + 256).map(|packet| packet.sequence),
            Some(65_556)
        );
        // One second on, over the timestamp's wrap-around: still there; then not.
        store.insert(&packet(65_700, (u32::MAX - 100).wrapping_add(48_000)));
        assert!(store.get(65_699).is_some());
        store.insert(&packet(65_701, (u32::MAX - 100).wrapping_add(48_001)));
        assert_eq!(store.get(65_699), None);
    }
}
