//! Transport-wide feedback, read as it lies: which packets arrived, and when (draft-holmer-rmcat-transport-wide-cc-extensions-01).

use super::Micros;

/// Unit of the reference time (3.1).
const REFERENCE_UNIT: Micros = 64_000;
/// Unit of the deltas (3.1.5).
const DELTA_UNIT: Micros = 250;
/// Base sequence number, count, reference time, feedback count.
const HEADER_LEN: usize = 8;
/// Packets that one feedback may speak of. A receiver that reports every 250 ms sees this many at 300 Mbit/s; more
/// would only be work that a few bytes can ask for.
const MAX_PACKETS: u16 = 8_192;

/// The receiver's clock over the wrap-arounds of the reference time (24 bits of 64 ms: twelve days).
#[derive(Debug, Default)]
pub struct ReferenceClock {
    /// In units of the reference time.
    last: Option<i64>,
}

impl ReferenceClock {
    /// The time of the nearest reference to the last one, in microseconds.
    fn unwrap(&mut self, raw: u32) -> Micros {
        let at = match self.last {
            None => i64::from(raw),
            Some(last) => {
                let step = (raw.wrapping_sub(last as u32) << 8) as i32 >> 8;
                last + i64::from(step)
            }
        };
        self.last = Some(at);
        at * REFERENCE_UNIT
    }
}

/// What a status symbol says of its packet (3.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    NotReceived,
    SmallDelta,
    LargeDelta,
    /// Reserved; there is no saying how long its delta is.
    Reserved,
}

impl Status {
    fn of(symbol: u16) -> Self {
        match symbol & 3 {
            0 => Status::NotReceived,
            1 => Status::SmallDelta,
            2 => Status::LargeDelta,
            _ => Status::Reserved,
        }
    }
}

/// A packet status chunk (3.1.2 to 3.1.4), from which symbols are taken one by one.
#[derive(Debug, Clone, Copy)]
struct Chunk {
    word: u16,
    /// Symbols still to come.
    left: u16,
}

impl Chunk {
    const EMPTY: Self = Self { word: 0, left: 0 };

    fn read(bytes: [u8; 2]) -> Self {
        let word = u16::from_be_bytes(bytes);
        let left = match word >> 14 {
            0 | 1 => word & 0x1FFF,
            2 => 14,
            _ => 7,
        };
        Self { word, left }
    }

    fn next(&mut self) -> Option<Status> {
        self.left = self.left.checked_sub(1)?;
        Some(match self.word >> 14 {
            0 | 1 => Status::of(self.word >> 13),
            2 => Status::of(self.word >> self.left & 1),
            _ => Status::of(self.word >> (2 * self.left)),
        })
    }
}

/// The packets that a feedback speaks of, in their order: sequence number, and when it arrived by the receiver's clock
/// (`None`: it did not).
#[derive(Debug, Clone)]
pub struct Arrivals<'a> {
    chunks: &'a [u8],
    chunk: Chunk,
    deltas: &'a [u8],
    sequence: u16,
    /// Packets still to come.
    left: u16,
    at: Micros,
}

impl<'a> Arrivals<'a> {
    /// Reads a feedback from its base sequence number on. `None` when it is malformed from the start; what is malformed
    /// later ends it there.
    pub fn read(fci: &'a [u8], clock: &mut ReferenceClock) -> Option<Self> {
        let (header, rest) = fci.split_first_chunk::<HEADER_LEN>()?;
        let [b0, b1, c0, c1, r0, r1, r2, _] = *header;
        let count = u16::from_be_bytes([c0, c1]);
        if count > MAX_PACKETS {
            return None;
        }
        let (chunks, deltas) = rest.split_at_checked(chunks_len(rest, count)?)?;
        Some(Self {
            chunks,
            chunk: Chunk::EMPTY,
            deltas,
            sequence: u16::from_be_bytes([b0, b1]),
            left: count,
            at: clock.unwrap(u32::from_be_bytes([0, r0, r1, r2])),
        })
    }

    fn status(&mut self) -> Option<Status> {
        loop {
            if let Some(status) = self.chunk.next() {
                return Some(status);
            }
            let (bytes, rest) = self.chunks.split_first_chunk::<2>()?;
            self.chunks = rest;
            self.chunk = Chunk::read(*bytes);
        }
    }

    fn delta(&mut self, status: Status) -> Option<Option<Micros>> {
        let delta = match status {
            Status::NotReceived => return Some(None),
            Status::Reserved => return None,
            Status::SmallDelta => {
                let (delta, rest) = self.deltas.split_first()?;
                self.deltas = rest;
                Micros::from(*delta)
            }
            Status::LargeDelta => {
                let (delta, rest) = self.deltas.split_first_chunk::<2>()?;
                self.deltas = rest;
                Micros::from(i16::from_be_bytes(*delta))
            }
        };
        self.at += delta * DELTA_UNIT;
        Some(Some(self.at))
    }
}

/// How many bytes the chunks take that hold `count` symbols.
fn chunks_len(bytes: &[u8], count: u16) -> Option<usize> {
    let mut left = count;
    let mut chunks = bytes.chunks_exact(2);
    let mut len = 0;
    while left > 0 {
        let chunk = chunks.next()?;
        left = left.saturating_sub(Chunk::read([chunk[0], chunk[1]]).left);
        len += 2;
    }
    Some(len)
}

impl Iterator for Arrivals<'_> {
    type Item = (u16, Option<Micros>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let status = self.status();
        let Some(arrival) = status.and_then(|status| self.delta(status)) else {
            self.left = 0;
            return None;
        };
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        Some((sequence, arrival))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(fci: &[u8]) -> Vec<(u16, Option<Micros>)> {
        let mut clock = ReferenceClock::default();
        Arrivals::read(fci, &mut clock).map_or(Vec::new(), Iterator::collect)
    }

    #[test]
    fn run_lengths_and_vectors_are_read_with_their_deltas() {
        let mut fci = vec![0xFF, 0xFE, 0, 13, 0, 0, 2, 7];
        // Three small deltas, then two not received.
        fci.extend([0x20, 3, 0x00, 2]);
        // Two-bit vector: large, small, none, small, none, none, none; then one-bit: 1 and the rest unused.
        fci.extend([0b1110_0100, 0b0100_0000]);
        fci.extend([0b1010_0000, 0]);
        fci.extend([4, 0, 1]);
        fci.extend((-8_i16).to_be_bytes());
        fci.extend([2, 255, 1]);
        let base = 2 * 64_000;
        let at = |ticks: i64| Some(base + ticks * 250);
        assert_eq!(
            read(&fci),
            [
                (65_534, at(4)),
                (65_535, at(4)),
                (0, at(5)),
                (1, None),
                (2, None),
                (3, at(-3)),
                (4, at(-1)),
                (5, None),
                (6, at(254)),
                (7, None),
                (8, None),
                (9, None),
                (10, at(255)),
            ]
        );
    }

    #[test]
    fn the_reference_time_wraps_and_may_step_back() {
        let mut clock = ReferenceClock::default();
        let feedback = |raw: u32| {
            let [_, a, b, c] = raw.to_be_bytes();
            [0, 0, 0, 1, a, b, c, 0, 0x20, 1, 0]
        };
        let mut at = |raw| {
            let fci = feedback(raw);
            let mut arrivals = Arrivals::read(&fci, &mut clock).unwrap();
            arrivals.next().unwrap().1.unwrap() / REFERENCE_UNIT
        };
        assert_eq!(at(0xFF_FFFE), 0xFF_FFFE);
        assert_eq!(at(3), 0x100_0003);
        assert_eq!(at(0xFF_FFFF), 0xFF_FFFF);
        assert_eq!(at(0), 0x100_0000);
    }

    #[test]
    fn a_feedback_cut_short_ends_where_it_is_cut() {
        let whole = [0, 7, 0, 3, 0, 0, 0, 0, 0x20, 3, 1, 1, 1];
        assert_eq!(read(&whole).len(), 3);
        assert_eq!(read(&whole[..12]).len(), 2);
        assert_eq!(read(&whole[..9]).len(), 0);
        assert_eq!(read(&[0, 7, 0xFF, 0xFF, 0, 0, 0, 0]).len(), 0);
    }

    proptest! {
        #[test]
        fn garbage_costs_bounded_work_and_no_panic(fci in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(read(&fci).len() <= usize::from(MAX_PACKETS));
        }
    }
}
