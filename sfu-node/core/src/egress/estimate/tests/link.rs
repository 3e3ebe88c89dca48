//! A simulated path: a bottleneck with a queue, then distance, jitter and loss.

use std::collections::VecDeque;
use std::time::Duration;

/// What a path is like. Times are from the simulation's beginning.
#[derive(Debug, Clone, Copy)]
pub struct Path {
    /// Of the bottleneck, bit/s.
    pub capacity: u64,
    /// Longest wait in its queue; what would wait longer is dropped.
    pub queue: Duration,
    /// One way.
    pub delay: Duration,
    /// Added to the delay, up to this much; packets keep their order.
    pub jitter: Duration,
    /// Share of packets lost after the bottleneck.
    pub loss: f64,
    /// What others send through the bottleneck, bit/s.
    pub cross: u64,
}

impl Path {
    /// A path of this capacity as an access line has it: 25 ms away, 300 ms of queue.
    pub fn of(capacity: u64) -> Self {
        Self {
            capacity,
            queue: Duration::from_millis(300),
            delay: Duration::from_millis(25),
            jitter: Duration::from_millis(3),
            loss: 0.0,
            cross: 0,
        }
    }
}

/// Chance that is the same in every run (SplitMix64).
#[derive(Debug)]
pub struct Chance(pub u64);

impl Chance {
    /// Between 0 and 1.
    pub fn draw(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ z >> 31) as f64 / u64::MAX as f64
    }
}

struct Waiting<T> {
    since: Duration,
    bytes: usize,
    /// `None` for the packets of others.
    packet: Option<T>,
}

/// One direction of a path.
pub struct Link<T> {
    pub path: Path,
    chance: Chance,
    queue: VecDeque<Waiting<T>>,
    queued_bytes: usize,
    /// Until when the bottleneck is busy.
    busy: Duration,
    cross_due: Duration,
    arriving: VecDeque<(Duration, T)>,
    /// Longest wait in the queue since it was last taken.
    pub longest_wait: Duration,
    pub dropped: u64,
}

impl<T> Link<T> {
    pub fn new(path: Path, seed: u64) -> Self {
        Self {
            path,
            chance: Chance(seed),
            queue: VecDeque::new(),
            queued_bytes: 0,
            busy: Duration::ZERO,
            cross_due: Duration::ZERO,
            arriving: VecDeque::new(),
            longest_wait: Duration::ZERO,
            dropped: 0,
        }
    }

    fn airtime(&self, bytes: usize) -> Duration {
        Duration::from_secs_f64(bytes as f64 * 8.0 / self.path.capacity as f64)
    }

    /// A packet enters the path.
    pub fn send(&mut self, now: Duration, bytes: usize, packet: T) {
        self.enqueue(now, bytes, Some(packet));
    }

    fn enqueue(&mut self, now: Duration, bytes: usize, packet: Option<T>) {
        if self.airtime(self.queued_bytes) > self.path.queue {
            self.dropped += u64::from(packet.is_some());
            return;
        }
        self.queued_bytes += bytes;
        self.queue.push_back(Waiting {
            since: now,
            bytes,
            packet,
        });
    }

    /// Lets time pass, and returns what has arrived, with the time of its arrival.
    pub fn poll(&mut self, now: Duration) -> Vec<(Duration, T)> {
        self.others_send(now);
        while let Some(first) = self.queue.front() {
            let departs = self.busy.max(first.since) + self.airtime(first.bytes);
            if departs > now {
                break;
            }
            self.busy = departs;
            let Some(sent) = self.queue.pop_front() else {
                break;
            };
            self.queued_bytes -= sent.bytes;
            self.longest_wait = self.longest_wait.max(departs - sent.since);
            let lost = self.chance.draw() < self.path.loss;
            if let Some(packet) = sent.packet.filter(|_| !lost) {
                let jitter = self.path.jitter.mul_f64(self.chance.draw());
                let arrival = departs + self.path.delay + jitter;
                let after = self.arriving.back().map_or(Duration::ZERO, |(at, _)| *at);
                self.arriving.push_back((arrival.max(after), packet));
            }
        }
        let arrived = self.arriving.iter().take_while(|(at, _)| *at <= now);
        let count = arrived.count();
        self.arriving.drain(..count).collect()
    }

    fn others_send(&mut self, now: Duration) {
        const BYTES: usize = 1_200;
        if self.path.cross == 0 {
            self.cross_due = now;
            return;
        }
        while self.cross_due <= now {
            self.enqueue(self.cross_due, BYTES, None);
            let mean = BYTES as f64 * 8.0 / self.path.cross as f64;
            // Irregular: between half and one and a half of the mean.
            let step = mean * (0.5 + self.chance.draw());
            self.cross_due += Duration::from_secs_f64(step);
        }
    }
}
