//! What was sent and not yet reported on, in a ring by transport-wide sequence number.

use super::Micros;

/// Packets remembered at first: half a second at 12 Mbit/s.
const FIRST_LEN: usize = 512;
/// Packets remembered at most: feedback that comes later than after so many is of no use.
const MAX_LEN: usize = 8_192;
/// A packet without feedback for so long will get none: its place may be taken.
const STALE: Micros = 3_000_000;

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    InFlight,
    Received,
    /// A feedback said so; a later one may say otherwise.
    Lost,
}

/// A packet that was sent.
#[derive(Debug, Clone, Copy)]
pub struct SentPacket {
    pub at: Micros,
    /// The low bits of the extended sequence number.
    sequence: u32,
    pub bytes: u16,
    /// The probe cluster that it belongs to; 0 is none.
    pub cluster: u8,
    pub state: State,
}

/// The packets sent of late. It grows by doubling while feedback is slow, and never allocates otherwise.
#[derive(Debug)]
pub struct History {
    /// By extended sequence number modulo the length, which is a power of two.
    ring: Vec<SentPacket>,
    /// Extended sequence number of the next packet.
    next: u64,
    /// Extended sequence number of the first packet ever.
    first: u64,
}

impl Default for History {
    fn default() -> Self {
        Self {
            ring: vec![EMPTY; FIRST_LEN],
            next: 0,
            first: 0,
        }
    }
}

/// A place that nothing was put in: by its state nobody waits for it.
const EMPTY: SentPacket = SentPacket {
    at: 0,
    sequence: u32::MAX,
    bytes: 0,
    cluster: 0,
    state: State::Received,
};

impl History {
    /// Remembers a packet. Sequence numbers go up by one, modulo 2¹⁶.
    pub fn push(&mut self, at: Micros, sequence: u16, bytes: usize, cluster: u8) {
        if self.next == 0 {
            // One round on, so that a number before the first one can be told.
            self.first = 1 << 16 | u64::from(sequence);
            self.next = self.first;
        }
        let extended = self.next + u64::from(sequence.wrapping_sub(self.next as u16));
        let mut place = self.place(extended);
        let before = &self.ring[place];
        if before.state == State::InFlight && at - before.at < STALE && self.ring.len() < MAX_LEN {
            self.grow();
            place = self.place(extended);
        }
        self.ring[place] = SentPacket {
            at,
            sequence: extended as u32,
            bytes: bytes.min(usize::from(u16::MAX)) as u16,
            cluster,
            state: State::InFlight,
        };
        self.next = extended + 1;
    }

    /// The packet that the receiver names by these 16 bits, if it is remembered.
    pub fn find(&mut self, sequence: u16) -> Option<&mut SentPacket> {
        let newest = self.next.checked_sub(1)?;
        let back = (newest as u16).wrapping_sub(sequence);
        // The other half is of numbers that were not sent yet.
        if back >= 1 << 15 {
            return None;
        }
        let extended = newest - u64::from(back);
        if extended < self.first {
            return None;
        }
        let place = self.place(extended);
        let packet = &mut self.ring[place];
        (packet.sequence == extended as u32).then_some(packet)
    }

    fn place(&self, extended: u64) -> usize {
        extended as usize & (self.ring.len() - 1)
    }

    fn grow(&mut self) {
        let ring = vec![EMPTY; 2 * self.ring.len()];
        for packet in std::mem::replace(&mut self.ring, ring) {
            if packet.sequence != EMPTY.sequence {
                let place = self.place(u64::from(packet.sequence));
                self.ring[place] = packet;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_found_over_the_wrap_around() {
        let mut history = History::default();
        for n in 0..1_000_u16 {
            history.push(i64::from(n), 65_000_u16.wrapping_add(n), 100, 0);
            if let Some(packet) = history.find(65_000_u16.wrapping_add(n)) {
                packet.state = State::Received;
            }
        }
        assert_eq!(history.ring.len(), FIRST_LEN);
        assert_eq!(
            history.find(65_000_u16.wrapping_add(999)).unwrap().at,
            999,
            "the newest"
        );
        assert_eq!(history.find(65_000_u16.wrapping_add(488)).unwrap().at, 488);
        assert!(history.find(65_000_u16.wrapping_add(487)).is_none());
        assert!(history.find(65_000_u16.wrapping_add(1_000)).is_none());
    }

    #[test]
    fn nothing_before_the_first_is_found() {
        let mut history = History::default();
        assert!(history.find(0).is_none());
        history.push(0, 3, 100, 0);
        assert!(history.find(2).is_none());
        assert!(history.find(3).is_some());
    }

    #[test]
    fn the_ring_grows_while_feedback_is_slow_and_not_beyond_its_limit() {
        let mut history = History::default();
        for n in 0..2_000_u16 {
            history.push(i64::from(n), n, 100, 0);
        }
        assert_eq!(history.ring.len(), 2_048);
        assert!((0..2_000).all(|n| history.find(n).is_some_and(|p| p.at == i64::from(n))));
        for n in 2_000..20_000_u16 {
            history.push(i64::from(n), n, 100, 0);
        }
        assert_eq!(history.ring.len(), MAX_LEN);
        // Old places are taken without growing.
        let mut idle = History::default();
        for n in 0..2_000_u16 {
            idle.push(i64::from(n) * 10_000, n, 100, 0);
        }
        assert_eq!(idle.ring.len(), FIRST_LEN);
    }
}
