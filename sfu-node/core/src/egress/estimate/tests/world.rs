//! A sender that obeys the estimator, a path, a receiver: on virtual time, with the curve that comes of it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::super::{Estimator, Kind, Probe};
use super::link::{Link, Path};
use super::wire::Receiver;

const TICK: Duration = Duration::from_millis(1);
/// Media leaves at this multiple of the estimate.
const PACING: f64 = 2.5;
const FRAME: Duration = Duration::from_micros(33_333);
const PACKET: usize = 1_200;
/// Sound: 50 packets of 100 bytes a second, 40 kbit/s.
const SOUND_EACH: Duration = Duration::from_millis(20);
const SOUND: usize = 100;

/// What is sent beside sound.
#[derive(Debug, Clone, Copy)]
pub enum Source {
    /// This share of the estimate, as an encoder that follows it.
    Follows(f64),
    /// Always this much, bit/s.
    Fixed(u64),
    /// The highest of these layers that fits the estimate, bit/s, as a forwarding server sends.
    Layers(&'static [u64]),
}

/// A moment of the curve.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    pub at: Duration,
    pub estimate: u64,
    /// Arrived in the last 100 ms, bit/s.
    pub arrived: u64,
    /// Longest wait in the bottleneck's queue in that time.
    pub wait: Duration,
}

/// One simulated path with its ends.
pub struct World {
    start: Instant,
    pub now: Duration,
    pub estimator: Estimator,
    pub link: Link<(u64, usize)>,
    back: Link<Vec<u8>>,
    receiver: Receiver,
    pub source: Source,
    /// Packets that wait for the pacer.
    queue: VecDeque<usize>,
    budget: f64,
    frame_due: Duration,
    sound_due: Duration,
    next_sequence: u64,
    probe: Option<(Probe, Duration, u64, u32)>,
    arrived_bytes: usize,
    pub curve: Vec<Moment>,
    pub probed_bytes: u64,
    pub sent_bytes: u64,
}

impl World {
    pub fn new(path: Path, source: Source, seed: u64) -> Self {
        let start = Instant::now();
        let back = Path {
            capacity: 10_000_000,
            loss: 0.0,
            cross: 0,
            ..path
        };
        Self {
            start,
            now: Duration::ZERO,
            estimator: Estimator::new(start),
            link: Link::new(path, seed),
            back: Link::new(back, !seed),
            receiver: Receiver::default(),
            source,
            queue: VecDeque::new(),
            budget: 0.0,
            frame_due: Duration::ZERO,
            sound_due: Duration::ZERO,
            // Close to the wrap-around, so that every run crosses it.
            next_sequence: 65_000,
            probe: None,
            arrived_bytes: 0,
            curve: Vec::new(),
            probed_bytes: 0,
            sent_bytes: 0,
        }
    }

    /// Changes the path.
    pub fn change(&mut self, change: impl FnOnce(&mut Path)) {
        change(&mut self.link.path);
    }

    /// Loses everything on the way back, or lets it through again.
    pub fn mute_feedback(&mut self, mute: bool) {
        self.back.path.loss = if mute { 1.1 } else { 0.0 };
    }

    pub fn run(&mut self, seconds: f64) {
        let end = self.now + Duration::from_secs_f64(seconds);
        while self.now < end {
            self.now += TICK;
            self.tick();
        }
    }

    fn instant(&self) -> Instant {
        self.start + self.now
    }

    fn tick(&mut self) {
        let now = self.now;
        for (at, (sequence, bytes)) in self.link.poll(now) {
            self.receiver.received(at, sequence);
            self.arrived_bytes += bytes;
        }
        if let Some(feedback) = self.receiver.feedback(now) {
            self.back.send(now, feedback.len() + 60, feedback);
        }
        for (_, feedback) in self.back.poll(now) {
            self.estimator.on_feedback(self.instant(), &feedback);
        }
        self.produce();
        self.transmit();
        if now.as_millis().is_multiple_of(500) {
            self.estimator.on_timeout(self.instant());
        }
        if now.as_millis().is_multiple_of(100) {
            self.curve.push(Moment {
                at: now,
                estimate: self.estimator.estimate(),
                arrived: std::mem::take(&mut self.arrived_bytes) as u64 * 80,
                wait: std::mem::take(&mut self.link.longest_wait),
            });
        }
    }

    fn produce(&mut self) {
        if self.now >= self.sound_due {
            self.sound_due += SOUND_EACH;
            self.send(SOUND, Kind::Media);
        }
        if self.now < self.frame_due {
            return;
        }
        self.frame_due += FRAME;
        let estimate = self.estimator.estimate().saturating_sub(40_000);
        let rate = match self.source {
            Source::Follows(share) => estimate as f64 * share,
            Source::Fixed(rate) => rate as f64,
            Source::Layers(layers) => {
                let fits = layers.iter().rev().find(|layer| **layer <= estimate);
                fits.copied().unwrap_or(0) as f64
            }
        };
        let mut bytes = (rate * FRAME.as_secs_f64() / 8.0) as usize;
        while bytes > 0 {
            let packet = bytes.min(PACKET);
            self.queue.push_back(packet);
            bytes -= packet;
        }
    }

    fn transmit(&mut self) {
        let rate = PACING * self.estimator.estimate() as f64 / 8.0;
        self.budget = (self.budget + rate * TICK.as_secs_f64()).min(rate * 0.005);
        if self.probe.is_none() {
            let probe = self.estimator.next_probe(self.instant());
            self.probe = probe.map(|probe| (probe, self.now, 0, 0));
        }
        if let Some((probe, since, mut bytes, mut packets)) = self.probe {
            let elapsed = (self.now - since + TICK).as_secs_f64();
            while (bytes as f64) < probe.bitrate as f64 / 8.0 * elapsed {
                let packet = self.queue.pop_front().unwrap_or(1_000);
                self.send(packet, Kind::Probe(probe.cluster));
                self.probed_bytes += packet as u64;
                bytes += packet as u64;
                packets += 1;
                if bytes >= probe.min_bytes && packets >= probe.min_packets {
                    self.probe = None;
                    return;
                }
            }
            self.probe = Some((probe, since, bytes, packets));
            return;
        }
        while self.budget > 0.0
            && let Some(packet) = self.queue.pop_front()
        {
            self.budget -= packet as f64;
            self.send(packet, Kind::Media);
        }
    }

    fn send(&mut self, bytes: usize, kind: Kind) {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        self.sent_bytes += bytes as u64;
        let now = self.instant();
        self.estimator.on_sent(now, sequence as u16, bytes, kind);
        self.link.send(self.now, bytes, (sequence, bytes));
    }

    /// The moments between two times, in seconds.
    pub fn between(&self, from: f64, to: f64) -> impl Iterator<Item = &Moment> {
        let range = from..to;
        let within = move |moment: &&Moment| range.contains(&moment.at.as_secs_f64());
        self.curve.iter().filter(within)
    }

    /// The mean estimate between two times.
    pub fn mean(&self, from: f64, to: f64) -> f64 {
        let count = self.between(from, to).count() as f64;
        self.between(from, to)
            .map(|m| m.estimate as f64)
            .sum::<f64>()
            / count
    }

    /// When the estimate first reached this, at or after that time; infinity if never.
    pub fn reached(&self, from: f64, estimate: f64) -> f64 {
        self.between(from, f64::INFINITY)
            .find(|moment| moment.estimate as f64 >= estimate)
            .map_or(f64::INFINITY, |moment| moment.at.as_secs_f64())
    }

    /// When the estimate first was down to this, at or after that time; infinity if never.
    pub fn sank(&self, from: f64, estimate: f64) -> f64 {
        self.between(from, f64::INFINITY)
            .find(|moment| moment.estimate as f64 <= estimate)
            .map_or(f64::INFINITY, |moment| moment.at.as_secs_f64())
    }

    /// The longest wait in the queue between two times, in milliseconds.
    pub fn longest_wait(&self, from: f64, to: f64) -> f64 {
        self.between(from, to)
            .map(|moment| moment.wait.as_secs_f64() * 1e3)
            .fold(0.0, f64::max)
    }

    /// Prints the curve, a line each half second.
    pub fn print(&self, name: &str) {
        println!("{name}: s, estimate, arrived (kbit/s), wait (ms)");
        for five in self.curve.chunks(5) {
            let arrived = five.iter().map(|m| m.arrived).sum::<u64>() / five.len() as u64;
            let wait = five.iter().map(|m| m.wait).max().unwrap_or_default();
            let last = five[five.len() - 1];
            println!(
                "{:6.1} {:6} {:6} {:5}",
                last.at.as_secs_f64(),
                last.estimate / 1_000,
                arrived / 1_000,
                wait.as_millis()
            );
        }
    }
}
