//! How much a subscriber's path carries: Google congestion control (draft-ietf-rmcat-gcc-02) on transport-wide feedback
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01).
//!
//! ```text
//! on_sent ─▶ history ─┐
//! on_feedback ─▶ arrivals ─┬─▶ trend ─┬▶ rate ──┐
//!                          ├─▶ queue ─┘         │
//!                          ├─▶ loss ────────────┼─▶ estimate
//!                          └─▶ probe ───────────┘
//! on_remb, on_reports ─▶ fallback (loss), until there is feedback
//! ```
//! The delay's trend says whether a queue grows, and the queue how long it stands; the rate goes up or down by them. Loss
//! puts a bound on it. Probes show what the media that happens to be sent cannot. All is pure: the caller brings time,
//! packets and feedback.

mod arrivals;
mod fallback;
mod history;
mod jitter;
mod loss;
mod probe;
mod queue;
mod rate;
mod trend;
mod window;

use std::time::{Duration, Instant};

use arrivals::{Arrivals, ReferenceClock};
use fallback::Fallback;
use history::{History, State};
use jitter::Jitter;
use loss::{LossBound, Rates};
pub use probe::Probe;
use probe::{Prober, Situation};
use queue::QueueDelay;
use rate::{DelayRate, Seen};
use trend::{Trend, Usage};
use window::RateWindow;

/// Microseconds since the estimator began, or by the receiver's clock.
type Micros = i64;

/// The first estimate, bit/s: sound and a small picture, on any path that carries a call at all. The first probes follow
/// within a round trip.
pub const START_BITRATE: u64 = 300_000;
/// Never less than this, bit/s: sound, and enough feedback to find out that the path has recovered.
pub const MIN_BITRATE: u64 = 50_000;
/// Never more than this, bit/s: beyond every screen full of video.
pub const MAX_BITRATE: u64 = 100_000_000;
/// What is wanted until [`Estimator::set_wanted`] is called, bit/s: a few tiles.
const DEFAULT_WANTED: u64 = 2_000_000;

/// The throughput is measured over this time; the shorter one is for when a queue stands.
const THROUGHPUT: Micros = 500_000;
const THROUGHPUT_NOW: Micros = 250_000;
/// Sending less than this share of the estimate proves nothing about it (application-limited), until sending more than
/// the other one.
const LIMITED: f64 = 0.65;
const UNLIMITED: f64 = 0.80;
/// Without any feedback for so long beside the round trip, the path is taken for dead or full …
const SILENCE: Micros = 1_000_000;
/// … and the estimate is lowered each time this has passed, to this share.
const SILENCE_STEP: Micros = 500_000;
const SILENCE_SHARE: f64 = 0.7;
/// After so long without feedback the trend is forgotten.
const STALE_TREND: Micros = 1_000_000;
/// The round trip until one is measured: a neighboring continent's.
const INITIAL_ROUND_TRIP: Micros = 100_000;
/// The longest that is believed.
const MAX_ROUND_TRIP: Micros = 5_000_000;
/// Between feedbacks one looks no more often than this whether it is time for a probe.
const PROBE_CHECK: Micros = 50_000;
/// Weight of a new round trip, one in so many.
const ROUND_TRIP_WEIGHT: Micros = 4;

/// Why a packet was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Media,
    /// It belongs to this [`Probe`].
    Probe(u8),
}

/// The estimator of one subscriber's path.
#[derive(Debug)]
pub struct Estimator {
    // What each flush needs comes first, side by side in memory; the rest is for feedback.
    began: Instant,
    /// What may be sent, in bits per second, as of the last feedback or silence.
    bitrate: u64,
    /// When feedback came last; `None` until any has come.
    heard: Option<Micros>,
    /// When the first packet was sent that no feedback has followed.
    unanswered: Option<Micros>,
    /// When the estimate was last lowered for want of feedback.
    silenced: Option<Micros>,
    round_trip: Option<Micros>,
    /// When to look next whether it is time for a probe.
    probe_check: Micros,
    history: History,
    /// Bytes by when they were sent, and by when they arrived.
    sent: RateWindow,
    arrived: RateWindow,
    clock: ReferenceClock,
    trend: Trend,
    queue: QueueDelay,
    jitter: Jitter,
    rate: DelayRate,
    loss: LossBound,
    prober: Prober,
    fallback: Fallback,
    limited: bool,
    wanted: Option<u64>,
}

impl Estimator {
    /// An estimator of a path over which nothing was sent.
    pub fn new(now: Instant) -> Self {
        Self {
            began: now,
            bitrate: START_BITRATE,
            heard: None,
            unanswered: None,
            silenced: None,
            round_trip: None,
            probe_check: 0,
            history: History::default(),
            sent: RateWindow::default(),
            arrived: RateWindow::default(),
            clock: ReferenceClock::default(),
            trend: Trend::default(),
            queue: QueueDelay::default(),
            jitter: Jitter::default(),
            rate: DelayRate::new(START_BITRATE),
            loss: LossBound::default(),
            prober: Prober::new(START_BITRATE),
            fallback: Fallback::default(),
            limited: false,
            wanted: None,
        }
    }

    /// A packet has left with this transport-wide number, which goes up by one with each. `bytes` is its whole size.
    pub fn on_sent(&mut self, now: Instant, sequence: u16, bytes: usize, kind: Kind) {
        let at = self.micros(now);
        let cluster = match kind {
            Kind::Media => 0,
            Kind::Probe(cluster) => cluster,
        };
        self.history.push(at, sequence, bytes, cluster);
        self.sent.add(at, bytes.min(usize::from(u16::MAX)) as u32);
        self.unanswered.get_or_insert(at);
    }

    /// Transport-wide feedback has come: its FCI, from the base sequence number on.
    pub fn on_feedback(&mut self, now: Instant, fci: &[u8]) {
        let now = self.micros(now);
        let Some(arrivals) = Arrivals::read(fci, &mut self.clock) else {
            return;
        };
        let newest_sent = self.take(arrivals);
        let Some(newest_sent) = newest_sent else {
            return;
        };
        self.heard = Some(now);
        self.unanswered = None;
        self.silenced = None;
        let trip = (now - newest_sent).clamp(0, MAX_ROUND_TRIP);
        self.round_trip = Some(match self.round_trip {
            None => trip,
            Some(before) => before + (trip - before) / ROUND_TRIP_WEIGHT,
        });
        self.judge(now);
    }

    /// Notes what has arrived and what has not. Returns when the newest of the packets that have was sent.
    fn take(&mut self, arrivals: Arrivals<'_>) -> Option<Micros> {
        let mut newest_sent = None;
        for (sequence, arrival) in arrivals {
            let Some(packet) = self.history.find(sequence) else {
                continue;
            };
            match (arrival, packet.state) {
                (None, State::InFlight) => {
                    packet.state = State::Lost;
                    self.loss.lost();
                }
                (Some(arrival), State::InFlight | State::Lost) => {
                    self.loss.received(packet.state == State::Lost);
                    packet.state = State::Received;
                    newest_sent = newest_sent.max(Some(packet.at));
                    let bytes = packet.bytes.into();
                    self.arrived.add(arrival, bytes);
                    self.queue.add(packet.at, arrival);
                    self.jitter.add(packet.at, arrival);
                    match packet.cluster {
                        // A probe fills a queue by itself, and says nothing about the media's trend.
                        0 => self.trend.add(packet.at, arrival),
                        id => self.prober.received(id, packet.at, arrival, bytes.into()),
                    }
                }
                _ => {}
            }
        }
        newest_sent
    }

    fn judge(&mut self, now: Micros) {
        let before = self.settle();
        let sending = self.sent.rate(now, THROUGHPUT);
        self.limited = is_limited(self.limited, sending, before);
        let acknowledged = self.acknowledged();
        self.queue.update(now);
        let seen = Seen {
            usage: self.trend.usage(),
            acknowledged,
            acknowledged_now: self.throughput(THROUGHPUT_NOW),
            round_trip: self.round_trip(),
            usual_loss: self.loss.usual(),
            standing: self.queue.standing(),
            limited: self.limited,
        };
        self.rate.update(now, &seen);
        let rates = Rates {
            sending: sending.unwrap_or(before),
            allowed: self.rate.bitrate(),
            acknowledged,
            round_trip: self.round_trip(),
        };
        self.loss.update(now, &rates);
        self.settle();
        let situation = self.situation(now);
        if let Some(shown) = self.prober.result(&situation)
            && seen.usage != Usage::Over
        {
            self.loss.lift(shown);
            if shown > self.rate.bitrate() {
                self.rate.set(shown);
            }
        }
        let after = self.settle();
        if after < before {
            self.prober.fell(now, before, after);
        }
        self.probe_check = now;
    }

    /// Lets time pass: without feedback the estimate sinks. Cheap: call it with each flush, and at least once
    /// a second.
    pub fn on_timeout(&mut self, now: Instant) {
        let now = self.micros(now);
        let Some(unanswered) = self.unanswered.filter(|_| self.is_answered()) else {
            return;
        };
        let since = self
            .silenced
            .map_or(unanswered + SILENCE + self.round_trip(), |silenced| {
                silenced + SILENCE_STEP
            });
        if now < since {
            return;
        }
        self.silenced = Some(now);
        let before = self.estimate();
        let after = ((before as f64 * SILENCE_SHARE) as u64).max(MIN_BITRATE);
        self.rate = DelayRate::new(after);
        self.settle();
        self.prober.fell(now, before, after);
        self.probe_check = now;
    }

    /// The receiver's own estimate (REMB); it counts while there is no transport-wide feedback.
    pub fn on_remb(&mut self, bitrate: u64) {
        self.fallback.remb(bitrate);
        self.settle();
    }

    /// A receiver report about one of the streams; it counts while there is no transport-wide feedback.
    pub fn on_report(&mut self, expected: u32, lost: u32) {
        self.fallback.report(expected, lost);
    }

    /// All reports of a moment have come: of what was sent, in bits per second, so much has arrived.
    pub fn on_reports(&mut self, now: Instant, sent: u64, arrived: u64, round_trip: Duration) {
        let rates = Rates {
            sending: sent,
            allowed: self.wanted.unwrap_or(DEFAULT_WANTED).max(sent),
            acknowledged: Some(arrived),
            round_trip: (round_trip.as_micros() as Micros).min(MAX_ROUND_TRIP),
        };
        self.fallback.update(self.micros(now), &rates);
        self.settle();
    }

    /// What may be sent, in bits per second.
    pub fn estimate(&self) -> u64 {
        self.bitrate
    }

    /// Works the estimate out anew, when something that it rests on has changed.
    fn settle(&mut self) -> u64 {
        self.bitrate = if self.is_answered() {
            let rate = self.rate.bitrate();
            let bound = self.loss.bound().unwrap_or(rate);
            rate.min(bound).max(MIN_BITRATE)
        } else {
            self.fallback.estimate().unwrap_or(START_BITRATE)
        };
        self.bitrate
    }

    /// The estimate, if it rests on anything that the receiver has said; `None` until then.
    pub fn known(&self) -> Option<u64> {
        match self.is_answered() {
            true => Some(self.estimate()),
            false => self.fallback.estimate(),
        }
    }

    /// What arrives, in bits per second; `None` until it is measured.
    pub fn acknowledged(&self) -> Option<u64> {
        self.throughput(THROUGHPUT)
    }

    /// Share of packets lost of late, 0 to 1.
    pub fn loss(&self) -> f64 {
        if self.is_answered() {
            self.loss.loss()
        } else {
            self.fallback.loss()
        }
    }

    /// Share of packets lost since the last look, 0 to 1.
    pub fn take_loss(&mut self) -> f64 {
        if self.is_answered() {
            self.loss.take()
        } else {
            self.fallback.take_loss()
        }
    }

    /// By how much packets were late and early since the last look; `None` without transport-wide feedback.
    pub fn take_jitter(&mut self) -> Option<Duration> {
        self.is_answered().then(|| self.jitter.take())
    }

    /// The path's round trip with what the receiver waits before it reports; `None` until it is measured.
    pub fn measured_round_trip(&self) -> Option<Duration> {
        self.round_trip
            .map(|trip| Duration::from_micros(trip.unsigned_abs()))
    }

    /// Whether transport-wide feedback has come: only then is the estimate one of this path.
    pub fn is_answered(&self) -> bool {
        self.heard.is_some()
    }

    /// Whether far less is sent than may be.
    #[cfg(test)]
    pub fn is_limited(&self) -> bool {
        self.limited
    }

    /// What the sender would like to send at most, in bits per second: probing beyond it is pointless.
    pub fn set_wanted(&mut self, bitrate: u64) {
        self.wanted = Some(bitrate);
        self.probe_check = 0;
    }

    /// A cluster to send now, if it is time for one. Ask when the one before has left.
    pub fn next_probe(&mut self, now: Instant) -> Option<Probe> {
        let now = self.micros(now);
        if !self.is_answered() || now < self.probe_check {
            return None;
        }
        let situation = self.situation(now);
        let probe = self.prober.next(now, &situation);
        if probe.is_none() {
            self.probe_check = now + PROBE_CHECK;
        }
        probe
    }

    /// Probe clusters sent so far.
    pub fn probes(&self) -> u64 {
        self.prober.sent
    }

    fn situation(&self, now: Micros) -> Situation {
        // What the trend was before a silence says nothing about the path after it: it has to be probed, or what was paused
        // would stay so.
        let old = |heard: Micros| now - heard > STALE_TREND + self.round_trip();
        let usage = match self.heard {
            Some(heard) if old(heard) => Usage::Normal,
            _ => self.trend.usage(),
        };
        Situation {
            estimate: self.estimate(),
            wanted: self.wanted,
            usage,
            round_trip: self.round_trip(),
        }
    }

    fn round_trip(&self) -> Micros {
        self.round_trip.unwrap_or(INITIAL_ROUND_TRIP)
    }

    fn throughput(&self, window: Micros) -> Option<u64> {
        self.arrived.rate(Micros::MIN, window)
    }

    fn micros(&self, at: Instant) -> Micros {
        at.saturating_duration_since(self.began).as_micros() as Micros
    }
}

fn is_limited(before: bool, sending: Option<u64>, estimate: u64) -> bool {
    let Some(sending) = sending else {
        return true;
    };
    let limit = if before { UNLIMITED } else { LIMITED };
    (sending as f64) < limit * estimate as f64
}

#[cfg(test)]
mod tests;
