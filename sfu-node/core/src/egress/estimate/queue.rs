//! How much waits in the path's queue: the delay of late above the shortest of the last half minute.

use super::Micros;

/// The shortest delay is remembered for so many spans of time: routes change, clocks drift apart (50 ppm are 1.5 ms in
/// half a minute), and a queue that others never let empty is a part of the path.
const SPAN: Micros = 2_000_000;
const SPANS: usize = 15;

/// The path's delay, from the sender's clock to the receiver's, whatever lies between them.
#[derive(Debug)]
pub struct QueueDelay {
    /// The shortest delay of each span, by its number.
    shortest: [Option<(i64, Micros)>; SPANS],
    /// The shortest among the packets of a feedback: so jitter does not count.
    latest: Option<Micros>,
    standing: Micros,
}

impl Default for QueueDelay {
    fn default() -> Self {
        Self {
            shortest: [None; SPANS],
            latest: None,
            standing: 0,
        }
    }
}

impl QueueDelay {
    /// A packet has arrived, each time by its side's clock.
    pub fn add(&mut self, sent: Micros, arrival: Micros) {
        let delay = arrival - sent;
        self.latest = Some(self.latest.map_or(delay, |latest| latest.min(delay)));
    }

    /// The feedback is read: takes its packets into account.
    pub fn update(&mut self, now: Micros) {
        let Some(latest) = self.latest.take() else {
            return;
        };
        let span = now / SPAN;
        let place = &mut self.shortest[span as usize % SPANS];
        *place = match *place {
            Some((number, delay)) if number == span => Some((span, delay.min(latest))),
            _ => Some((span, latest)),
        };
        let recent = |(number, _): &&(i64, Micros)| span - number < SPANS as i64;
        let shortest = self.shortest.iter().flatten().filter(recent);
        let shortest = shortest.map(|(_, delay)| *delay).min();
        self.standing = shortest.map_or(0, |shortest| latest - shortest);
    }

    /// How long a packet waits in the queue now.
    pub fn standing(&self) -> Micros {
        self.standing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Micros = 1_000_000;

    #[test]
    fn what_waits_is_told_until_it_belongs_to_the_path() {
        let mut queue = QueueDelay::default();
        let mut after = |second: i64, delay: Micros| {
            // The receiver's clock is behind.
            let sent = second * SECOND;
            queue.add(sent, sent - 900 * SECOND + delay + 7_000);
            queue.add(sent, sent - 900 * SECOND + delay);
            queue.update(sent);
            queue.standing()
        };
        assert_eq!(after(0, 50_000), 0);
        assert_eq!(after(1, 250_000), 200_000);
        assert_eq!(after(3, 40_000), 0);
        assert_eq!(after(30, 90_000), 50_000);
        assert_eq!(after(34, 90_000), 0);
    }
}
