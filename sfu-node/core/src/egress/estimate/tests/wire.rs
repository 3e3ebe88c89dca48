//! The receiver's end: notes arrivals and writes transport-wide feedback as browsers do.

use std::collections::BTreeMap;
use std::time::Duration;

/// Time between two feedbacks (browsers: 50 to 250 ms by the bitrate).
const INTERVAL: Duration = Duration::from_millis(100);
/// The receiver's clock is its own.
const OFFSET: Duration = Duration::from_secs(777_777);

/// A receiver's notes.
#[derive(Default)]
pub struct Receiver {
    arrivals: BTreeMap<u64, Duration>,
    /// The first extended sequence number of the next feedback.
    next: u64,
    reported: Duration,
    count: u8,
}

impl Receiver {
    pub fn received(&mut self, at: Duration, sequence: u64) {
        self.arrivals.insert(sequence, at + OFFSET);
    }

    /// A feedback from the base sequence number on, when it is time for one.
    pub fn feedback(&mut self, now: Duration) -> Option<Vec<u8>> {
        if now < self.reported + INTERVAL || self.arrivals.is_empty() {
            return None;
        }
        self.reported = now;
        let arrivals = std::mem::take(&mut self.arrivals);
        let (&first, &first_at) = arrivals.first_key_value()?;
        let (&last, _) = arrivals.last_key_value()?;
        // A packet that came late is reported again from its own number on.
        let base = if self.next == 0 {
            first
        } else {
            first.min(self.next)
        };
        self.next = self.next.max(last + 1);
        self.count = self.count.wrapping_add(1);

        let reference = first_at.as_micros() as i64 / 64_000;
        let mut fci = Vec::new();
        fci.extend((base as u16).to_be_bytes());
        fci.extend(((last - base + 1) as u16).to_be_bytes());
        fci.extend(&((reference as u32) << 8).to_be_bytes()[..3]);
        fci.push(self.count);
        let mut deltas = Vec::new();
        let mut at = reference * 256;
        let sequences: Vec<u64> = (base..=last).collect();
        for chunk in sequences.chunks(7) {
            let mut word = 3_u16 << 14;
            for (n, sequence) in chunk.iter().enumerate() {
                let Some(arrival) = arrivals.get(sequence) else {
                    continue;
                };
                let ticks = arrival.as_micros() as i64 / 250;
                let delta = ticks - at;
                at = ticks;
                let symbol = match u8::try_from(delta) {
                    Ok(small) => {
                        deltas.push(small);
                        1
                    }
                    Err(_) => {
                        deltas.extend((delta as i16).to_be_bytes());
                        2
                    }
                };
                word |= symbol << (2 * (6 - n));
            }
            fci.extend(word.to_be_bytes());
        }
        fci.extend(deltas);
        Some(fci)
    }
}
