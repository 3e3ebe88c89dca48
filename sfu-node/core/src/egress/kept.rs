//! Sealed packets, kept to be sent again just as they were: for streams without one for repair (RFC 4588).
//!
//! A packet that comes again under its own SSRC has its index again, and nothing else may ever be sealed under that: two headers
//! (they differ in the transport-wide number) under one nonce of AES-GCM give its authentication away (RFC 7714, 9). So the packet
//! is not sealed again; its bytes are repeated.

use std::collections::VecDeque;

/// Bytes kept for a subscriber: a second at 4 Mbit/s, over which nobody goes whose client knows no repair.
const CAPACITY: usize = 512 * 1024;

/// Where a packet lies.
#[derive(Debug)]
struct Place {
    slot: usize,
    sequence: u64,
    start: usize,
    end: usize,
}

/// The packets that a subscriber was sent last, as far as they may have to be repeated.
#[derive(Debug, Default)]
pub struct Kept {
    /// Empty until there is a packet.
    ring: Vec<u8>,
    /// The oldest first.
    places: VecDeque<Place>,
}

impl Kept {
    /// A slot's packet of this extended sequence number was sealed.
    pub fn keep(&mut self, slot: usize, sequence: u64, sealed: &[u8]) {
        if sealed.len() > CAPACITY {
            return;
        }
        self.ring.resize(CAPACITY, 0);
        let behind = self.places.back().map_or(0, |last| last.end);
        let wraps = behind + sealed.len() > CAPACITY;
        let start = if wraps { 0 } else { behind };
        let end = start + sealed.len();
        // What lies behind the last one is the oldest, and so is what this one covers.
        let gives_way =
            |old: &mut Place| wraps && old.start >= behind || old.start < end && start < old.end;
        while self.places.pop_front_if(gives_way).is_some() {}
        self.ring[start..end].copy_from_slice(sealed);
        self.places.push_back(Place {
            slot,
            sequence,
            start,
            end,
        });
    }

    /// The packet as it was sent, if it is still here.
    pub fn get(&self, slot: usize, sequence: u64) -> Option<&[u8]> {
        let mut places = self.places.iter().rev();
        let place = places.find(|place| (place.slot, place.sequence) == (slot, sequence))?;
        self.ring.get(place.start..place.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet whose bytes tell its number.
    fn packet(slot: usize, sequence: u64) -> Vec<u8> {
        let len = 700 + (sequence * 37 % 600) as usize;
        vec![(sequence * 7) as u8 ^ slot as u8; len]
    }

    #[test]
    fn the_last_packets_come_back_as_they_were_and_older_ones_not() {
        let mut kept = Kept::default();
        assert!(kept.ring.is_empty() && kept.get(0, 0).is_none());
        for sequence in 0..5_000 {
            let slot = (sequence % 3) as usize;
            kept.keep(slot, sequence, &packet(slot, sequence));
            let bytes: usize = kept
                .places
                .iter()
                .map(|place| place.end - place.start)
                .sum();
            assert!(bytes <= CAPACITY);
            // A second at 3 Mbit/s, whatever the ring's end cuts off.
            let oldest = kept.places.front().map_or(0, |place| place.sequence);
            assert!(
                oldest == 0 || sequence - oldest > 380,
                "{oldest} at {sequence}"
            );
            for of in oldest..=sequence {
                let slot = (of % 3) as usize;
                assert_eq!(kept.get(slot, of), Some(&packet(slot, of)[..]));
            }
            assert!(oldest == 0 || kept.get((oldest as usize - 1) % 3, oldest - 1).is_none());
            assert_eq!(kept.get((slot + 1) % 3, sequence), None, "another slot's");
        }
    }

    #[test]
    fn what_is_larger_than_all_is_not_kept() {
        let mut kept = Kept::default();
        kept.keep(0, 1, &vec![0; CAPACITY + 1]);
        assert_eq!(kept.get(0, 1), None);
    }
}
