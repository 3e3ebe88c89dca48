//! A subscriber's path: what leaves when, and what is learned from it. Joins the estimator, the pacer and the probes.

use std::time::{Duration, Instant};

use super::estimate::{Estimator, Kind, Probe};
use super::pace::{Class, Pacer};

/// A probe's packets leave in bursts this far apart.
const PROBE_STEP: Duration = Duration::from_millis(3);
/// A probe that gets no further is given up: nothing was there to fill it with.
const MAX_PROBE: Duration = Duration::from_millis(500);

/// What leaves next.
#[derive(Debug)]
pub enum Departure<T> {
    /// A packet that has waited, and since when.
    Queued(Instant, T),
    /// Anything that fills a probe: best a packet of late once more, or else padding.
    Filler,
}

/// A probe that is being sent.
#[derive(Debug)]
struct Active {
    probe: Probe,
    began: Instant,
    bytes: u64,
    packets: u32,
    /// Bytes of what left meanwhile and has no transport-wide number.
    unnumbered: u64,
}

impl Active {
    /// Whether its rate allows another packet now. It starts with one step's worth.
    fn wants(&self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.began) + PROBE_STEP;
        ((self.bytes + self.unnumbered) as f64)
            < self.probe.bitrate as f64 / 8.0 * passed.as_secs_f64()
    }

    fn is_done(&self) -> bool {
        self.bytes >= self.probe.min_bytes && self.packets >= self.probe.min_packets
    }
}

/// A subscriber's path.
#[derive(Debug)]
pub struct Path<T> {
    pub estimator: Estimator,
    pub pacer: Pacer<T>,
    /// The transport-wide number of the next packet.
    sequence: u16,
    /// Whether something can be sent that has such a number, and that nobody misses.
    can_probe: bool,
    probe: Option<Active>,
}

impl<T> Path<T> {
    /// A path over which nothing was sent. `can_probe`: it has a stream for repair whose packets carry transport-wide numbers,
    /// in which probes travel.
    pub fn new(now: Instant, can_probe: bool) -> Self {
        Self {
            estimator: Estimator::new(now),
            pacer: Pacer::default(),
            sequence: 0,
            can_probe,
            probe: None,
        }
    }

    /// The transport-wide number that the next packet carries, if its stream has such numbers.
    pub fn sequence(&self) -> u16 {
        self.sequence
    }

    /// A packet of about so many bytes waits to leave.
    pub fn push(&mut self, now: Instant, class: Class, bytes: usize, packet: T) {
        self.pacer.push(now, class, bytes, packet);
    }

    /// A flush begins.
    pub fn begin(&mut self, now: Instant) {
        self.estimator.on_timeout(now);
        let is_known = self.estimator.is_answered();
        self.pacer
            .set_estimate(is_known.then(|| self.estimator.estimate()));
        self.pacer.fill(now);
        let expired = |active: &mut Active| now > active.began + MAX_PROBE;
        self.probe.take_if(expired);
        if self.probe.is_none() && self.can_probe {
            let probe = self.estimator.next_probe(now);
            self.probe = probe.map(|probe| Active {
                probe,
                began: now,
                bytes: 0,
                packets: 0,
                unnumbered: 0,
            });
        }
    }

    /// What leaves next in this flush. For each that has left, call [`Path::sent`], or else
    /// [`Path::sent_unnumbered`].
    pub fn next(&mut self, now: Instant) -> Option<Departure<T>> {
        match &self.probe {
            None => self.pacer.pop().map(queued),
            Some(active) if active.wants(now) => {
                let waiting = self.pacer.pop_for_probe();
                Some(waiting.map_or(Departure::Filler, queued))
            }
            Some(_) => self.pacer.pop_audio().map(queued),
        }
    }

    /// There is nothing to fill a probe with.
    pub fn cannot_fill(&mut self) {
        self.probe = None;
    }

    /// A packet without a transport-wide number has left, of so many bytes in all: it takes its part of a probe's rate, but tells
    /// nothing.
    pub fn sent_unnumbered(&mut self, bytes: usize) {
        if let Some(active) = &mut self.probe {
            active.unnumbered += bytes as u64;
        }
    }

    /// A packet with the number [`Path::sequence`] has left, of so many bytes in all.
    pub fn sent(&mut self, now: Instant, bytes: usize) {
        let mut kind = Kind::Media;
        if let Some(active) = &mut self.probe {
            kind = Kind::Probe(active.probe.cluster);
            active.bytes += bytes as u64;
            active.packets += 1;
        }
        self.probe.take_if(|active| active.is_done());
        self.estimator.on_sent(now, self.sequence, bytes, kind);
        self.sequence = self.sequence.wrapping_add(1);
    }

    /// When the next flush is due; `None` when nothing waits.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        match &self.probe {
            Some(_) => Some(now + PROBE_STEP),
            None => self.pacer.due(now),
        }
    }
}

fn queued<T>((since, packet): (Instant, T)) -> Departure<T> {
    Departure::Queued(since, packet)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Feedback that the first `count` packets have arrived, one each millisecond.
    fn feedback(count: u16) -> Vec<u8> {
        let mut fci = vec![0, 0];
        fci.extend(count.to_be_bytes());
        fci.extend([0, 0, 1, 0]);
        fci.extend((0x2000 | count).to_be_bytes());
        fci.extend(vec![4; count.into()]);
        fci
    }

    #[test]
    fn a_probe_is_filled_at_its_rate_with_media_first() {
        let start = Instant::now();
        let mut path = Path::new(start, true);
        for n in 0..5 {
            path.push(start, Class::Audio, 100, n);
        }
        path.begin(start);
        while let Some(Departure::Queued(..)) = path.next(start) {
            path.sent(start, 100);
        }
        path.estimator.on_feedback(start + 50 * MS, &feedback(5));

        let mut now = start + 60 * MS;
        path.push(now, Class::Video, 1_000, 7);
        let mut left = Vec::new();
        while left.len() < 6 {
            path.begin(now);
            while let Some(departure) = path.next(now) {
                left.push((now - start, matches!(departure, Departure::Queued(_, 7))));
                path.sent(now, 1_000);
            }
            now = path.due(now).unwrap_or(now + MS);
        }
        assert!(left[0].1, "media first");
        assert!(left[1..].iter().all(|(_, queued)| !queued));
        // 900 kbit/s: a kilobyte each 8.9 ms.
        let took = left[4].0 - left[0].0;
        assert!((30 * MS..50 * MS).contains(&took), "{took:?}");
    }

    #[test]
    fn what_has_no_number_takes_its_part_of_a_probe() {
        let start = Instant::now();
        let mut path = Path::new(start, true);
        path.begin(start);
        path.sent(start, 100);
        path.estimator.on_feedback(start + 50 * MS, &feedback(1));
        let now = start + 60 * MS;
        for _ in 0..50 {
            path.push(now, Class::Video, 1_000, ());
        }
        path.begin(now);
        let mut left = 0;
        while let Some(Departure::Queued(..)) = path.next(now) {
            path.sent_unnumbered(1_000);
            left += 1;
        }
        assert_eq!(left, 1, "900 kbit/s: one in 3 ms");
    }

    #[test]
    fn without_something_to_fill_it_with_there_is_no_probe() {
        let start = Instant::now();
        let mut path = Path::<()>::new(start, false);
        path.begin(start);
        path.sent(start, 100);
        path.estimator.on_feedback(start + 50 * MS, &feedback(1));
        path.begin(start + 60 * MS);
        assert!(path.next(start + 60 * MS).is_none());
        assert_eq!(path.due(start + 60 * MS), None);
    }
}
