//! Congestion control of media between nodes: by the delay that a queue adds, and not by the loss of a packet here and there.
//!
//! Media is never greedy, and a lost packet is repaired by whoever misses it. A controller that takes each loss for
//! congestion (CUBIC, RFC 9438) leaves a path with 1% of random loss and 200 ms next to nothing. This one lets the window be
//! as large as media needs while packets do not queue, and shrinks it to what the path delivers when they do, as delay-based
//! controllers have since TCP Vegas; the base of the delay is a minimum over a while, as in LEDBAT (RFC 6817, 3.4.2), so that a
//! queue of somebody else's making is taken for the path's own delay before long. Loss counts when it is heavy: then the
//! path has no queue to show.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quinn_proto::RttEstimator;
use quinn_proto::congestion::{Controller, ControllerFactory};

/// The first window, in bytes. Nodes are servers with good paths, and media does not wait for a slow start: a keyframe that is
/// sent as the first thing passes. A path that has been free for a while is trusted with as much again.
const INITIAL_WINDOW: u64 = 64 << 10;
/// Never less, in bytes: sound, and what shows that the path is free again.
const LEAST_WINDOW: u64 = 8 << 10;
/// Never more, in bytes: 1 Gbit/s over 200 ms.
const MOST_WINDOW: u64 = 25 << 20;
/// A queue that adds no more than this is none: acknowledgments are late by as much.
const TARGET: Duration = Duration::from_millis(20);
/// The window is judged once in a round trip, and no more often than this: enough acknowledgments for a minimum.
const SHORTEST_ROUND: Duration = Duration::from_millis(50);
/// The window grows to this many times itself in a round in which it was filled and there was no queue: carefully, …
const GROWTH: f64 = 1.1;
/// … or, on a path that is free, fast.
const FAST_GROWTH: f64 = 1.5;
/// A path without a queue for so long, and for so many round trips, is free.
const FREE: Duration = Duration::from_secs(1);
const FREE_ROUNDS: u32 = 10;
/// The base of the delay is the least of two spans of this length: the path's route may change, or somebody else fill it.
const BASE_SPAN: Duration = Duration::from_secs(10);
/// Share of a round's bytes that is lost to more than chance.
const HEAVY_LOSS: f64 = 0.3;
/// What is left of the window where the path marks packets instead of dropping them (RFC 8511, 3.1).
const AFTER_MARK: f64 = 0.8;
/// Fewer bytes say nothing of queue and loss: the receiver lets a lone packet wait before it acknowledges it.
const FEW_BYTES: u64 = 8 << 10;

/// The controllers of all media connections.
#[derive(Debug, Default)]
pub struct DelayBased;

impl ControllerFactory for DelayBased {
    fn build(self: Arc<Self>, now: Instant, _current_mtu: u16) -> Box<dyn Controller> {
        Box::new(Window::new(now))
    }
}

/// A connection's congestion window.
#[derive(Debug, Clone)]
struct Window {
    /// Bytes that may be in flight.
    bytes: u64,
    in_flight: u64,
    base: Base,
    round: Round,
    /// When the path was too narrow last.
    narrow: Option<Instant>,
}

/// The least delay of the span before, and of this one so far.
#[derive(Debug, Clone)]
struct Base {
    began: Instant,
    before: Duration,
    current: Duration,
}

/// What was seen in this round.
#[derive(Debug, Clone)]
struct Round {
    began: Instant,
    /// The least round trip; none yet without an acknowledgment.
    least: Option<Duration>,
    /// Most bytes in flight.
    in_flight: u64,
    acknowledged: u64,
    lost: u64,
    /// The path has marked a packet (ECN, RFC 3168).
    marked: bool,
    /// The window, and not the application, decided how much was sent.
    filled: bool,
}

impl Base {
    fn new(now: Instant) -> Self {
        Self {
            began: now,
            before: Duration::MAX,
            current: Duration::MAX,
        }
    }

    fn note(&mut self, now: Instant, round_trip: Duration) {
        if now.saturating_duration_since(self.began) >= BASE_SPAN {
            (self.began, self.before, self.current) = (now, self.current, Duration::MAX);
        }
        self.current = self.current.min(round_trip);
    }

    fn least(&self) -> Duration {
        self.before.min(self.current)
    }
}

impl Round {
    fn new(now: Instant) -> Self {
        Self {
            began: now,
            least: None,
            in_flight: 0,
            acknowledged: 0,
            lost: 0,
            marked: false,
            filled: false,
        }
    }

    fn bytes(&self) -> u64 {
        self.acknowledged + self.lost
    }

    /// The share of bytes that got lost.
    fn loss(&self) -> f64 {
        self.lost as f64 / self.bytes().max(1) as f64
    }
}

impl Window {
    fn new(now: Instant) -> Self {
        Self {
            bytes: INITIAL_WINDOW,
            in_flight: 0,
            base: Base::new(now),
            round: Round::new(now),
            narrow: None,
        }
    }

    /// A packet that was sent then is acknowledged. `filled`: the window held others back.
    fn acknowledged(&mut self, now: Instant, sent: Instant, bytes: u64, filled: bool) {
        let round_trip = now.saturating_duration_since(sent);
        self.base.note(now, round_trip);
        let round = &mut self.round;
        // What was sent before the window shrank tells of the queue that it shrank for.
        if self.narrow.is_none_or(|at| sent >= at) {
            let least = round.least.unwrap_or(round_trip);
            round.least = Some(least.min(round_trip));
        }
        round.acknowledged += bytes;
        round.filled |= filled;
    }

    fn sent(&mut self, bytes: u64) {
        self.in_flight += bytes;
        self.round.in_flight = self.round.in_flight.max(self.in_flight);
    }

    fn lost(&mut self, bytes: u64) {
        self.round.lost += bytes;
    }

    /// An acknowledgment has been taken in; so many bytes are in flight still.
    fn judge(&mut self, now: Instant, in_flight: u64) {
        self.in_flight = in_flight;
        let age = now.saturating_duration_since(self.round.began);
        let Some(least) = self.round.least else {
            return;
        };
        let tells = self.round.bytes() >= FEW_BYTES;
        if age < least.max(SHORTEST_ROUND) || !tells && age < FREE {
            return;
        }
        let round = std::mem::replace(&mut self.round, Round::new(now));
        let base = self.base.least();
        if tells && least > base + TARGET {
            // What the path delivers without a queue: that has to be gone for a moment, or it would become part of the base.
            let share = base.as_secs_f64() / least.as_secs_f64();
            self.shrink(now, round.in_flight, share);
        } else if tells && round.loss() > HEAVY_LOSS {
            self.shrink(now, round.in_flight, 1.0 - round.loss() / 2.0);
        } else if round.marked {
            self.shrink(now, round.in_flight, AFTER_MARK);
        } else {
            self.grow(now, round.filled);
        }
    }

    /// To a share of what was in flight: a window that nothing fills would have to shrink for long before it is felt.
    fn shrink(&mut self, now: Instant, in_flight: u64, share: f64) {
        let used = self.bytes.min(in_flight);
        self.bytes = ((used as f64 * share) as u64).max(LEAST_WINDOW);
        self.narrow = Some(now);
    }

    fn grow(&mut self, now: Instant, filled: bool) {
        let while_ago = FREE.max(FREE_ROUNDS * self.base.least());
        let is_free = |at| now.saturating_duration_since(at) >= while_ago;
        let is_free = self.narrow.is_none_or(is_free);
        if filled {
            let growth = if is_free { FAST_GROWTH } else { GROWTH };
            self.bytes = ((self.bytes as f64 * growth) as u64).min(MOST_WINDOW);
        }
        if is_free {
            self.bytes = self.bytes.max(INITIAL_WINDOW);
        }
    }
}

impl Controller for Window {
    fn on_sent(&mut self, _now: Instant, bytes: u64, _last_packet_number: u64) {
        self.sent(bytes);
    }

    fn on_ack(
        &mut self,
        now: Instant,
        sent: Instant,
        bytes: u64,
        app_limited: bool,
        _rtt: &RttEstimator,
    ) {
        self.acknowledged(now, sent, bytes, !app_limited);
    }

    fn on_end_acks(
        &mut self,
        now: Instant,
        in_flight: u64,
        _app_limited: bool,
        _largest_packet_num_acked: Option<u64>,
    ) {
        self.judge(now, in_flight);
    }

    fn on_congestion_event(
        &mut self,
        now: Instant,
        _sent: Instant,
        is_persistent_congestion: bool,
        lost_bytes: u64,
    ) {
        self.lost(lost_bytes);
        self.round.marked |= lost_bytes == 0;
        if is_persistent_congestion {
            self.shrink(now, 0, 0.0);
        }
    }

    fn on_mtu_update(&mut self, _new_mtu: u16) {}

    fn window(&self) -> u64 {
        self.bytes
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }

    fn initial_window(&self) -> u64 {
        INITIAL_WINDOW
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const PACKET: u64 = 1_250;

    /// A path of so many bytes per millisecond, with a queue before it, and somebody who sends media over it.
    struct Link {
        now: Instant,
        window: Window,
        rng: rand::rngs::SmallRng,
        round_trip: Duration,
        capacity: f64,
        loss: f64,
        /// When the path has sent what it has taken.
        busy: Instant,
        /// When each packet was sent, and when one learns of it; none of them is acknowledged that was lost.
        flying: VecDeque<(Instant, Instant, bool)>,
        /// Bytes to be sent, and those that were given up since they had waited for 50 ms.
        backlog: f64,
        dropped: f64,
        delivered: u64,
        longest_queue: Duration,
    }

    impl Link {
        fn new(round_trip: Duration, capacity: f64, loss: f64) -> Self {
            let now = Instant::now();
            Self {
                now,
                window: Window::new(now),
                rng: rand::SeedableRng::seed_from_u64(1),
                round_trip,
                capacity,
                loss,
                busy: now,
                flying: VecDeque::new(),
                backlog: 0.0,
                dropped: 0.0,
                delivered: 0,
                longest_queue: Duration::ZERO,
            }
        }

        /// So many bytes per millisecond are sent for so long; returns the share that arrives.
        fn send(&mut self, rate: f64, time: Duration) -> f64 {
            self.delivered = 0;
            self.longest_queue = Duration::ZERO;
            let end = self.now + time;
            while self.now < end {
                self.now += MS;
                self.learn();
                self.backlog += rate;
                while self.backlog >= PACKET as f64 {
                    if self.window.in_flight + PACKET > self.window.bytes {
                        break;
                    }
                    self.backlog -= PACKET as f64;
                    self.put_on_path();
                }
                let most = (50.0 * rate).max(PACKET as f64);
                self.dropped += (self.backlog - most).max(0.0);
                self.backlog = self.backlog.min(most);
            }
            self.delivered as f64 / (rate * time.as_millis() as f64)
        }

        fn put_on_path(&mut self) {
            self.window.sent(PACKET);
            self.busy = self.busy.max(self.now) + MS.mul_f64(PACKET as f64 / self.capacity);
            self.longest_queue = self.longest_queue.max(self.busy - self.now);
            let arrives = !rand::Rng::random_bool(&mut self.rng, self.loss);
            let known = self.busy + self.round_trip;
            self.flying.push_back((self.now, known, arrives));
        }

        fn learn(&mut self) {
            let mut any = false;
            while let Some((sent, _, arrived)) = self.flying.pop_front_if(|f| f.1 <= self.now) {
                any = true;
                self.window.in_flight -= PACKET;
                if arrived {
                    self.delivered += PACKET;
                    let filled = self.backlog >= PACKET as f64;
                    self.window.acknowledged(self.now, sent, PACKET, filled);
                } else {
                    self.window.lost(PACKET);
                }
            }
            if any {
                self.window.judge(self.now, self.window.in_flight);
            }
        }
    }

    #[test]
    fn random_loss_takes_what_it_takes_and_no_more() {
        for round_trip in [20, 80, 200] {
            for loss in [0.0, 0.01, 0.1, 0.2] {
                // 5 Mbit/s over a path of 100.
                let mut link = Link::new(round_trip * MS, 12_500.0, loss);
                link.send(625.0, Duration::from_secs(5));
                let share = link.send(625.0, Duration::from_secs(20));
                assert!(
                    share > 0.97 * (1.0 - loss),
                    "{share:.3} over {round_trip} ms at {loss}"
                );
            }
        }
    }

    #[test]
    fn a_path_that_is_too_narrow_is_used_and_its_queue_stays_short() {
        for round_trip in [20, 80, 200] {
            for loss in [0.0, 0.05] {
                // 3 Mbit/s over a path of 1.
                let mut link = Link::new(round_trip * MS, 12_500.0, loss);
                link.send(375.0, Duration::from_secs(5));
                link.capacity = 125.0;
                link.send(375.0, Duration::from_secs(5));
                let share = 3.0 * link.send(375.0, Duration::from_secs(20));
                let queue = link.longest_queue;
                assert!(share > 0.8 * (1.0 - loss), "{share:.2} of the path used");
                // One packet takes 10 ms.
                assert!(queue < 130 * MS, "{queue:?}");
            }
        }
    }

    #[test]
    fn what_is_wanted_flows_again_soon_after_the_path_is_wide_again() {
        let mut link = Link::new(80 * MS, 125.0, 0.0);
        link.send(375.0, Duration::from_secs(10));
        link.capacity = 12_500.0;
        link.send(375.0, Duration::from_secs(2));
        assert!(link.send(375.0, Duration::from_secs(5)) > 0.99);
    }

    #[test]
    fn a_queue_of_others_is_taken_for_the_path_s_own_delay_before_long() {
        let mut link = Link::new(40 * MS, 12_500.0, 0.0);
        link.send(625.0, Duration::from_secs(5));
        link.round_trip = 140 * MS;
        link.send(625.0, 2 * BASE_SPAN + Duration::from_secs(2));
        assert!(link.send(625.0, Duration::from_secs(5)) > 0.99);
    }

    #[test]
    fn a_lone_packet_that_is_acknowledged_late_is_no_queue() {
        let mut link = Link::new(40 * MS, 12_500.0, 0.0);
        link.send(625.0, Duration::from_secs(2));
        link.round_trip = 65 * MS;
        // A keep-alive now and then.
        for _ in 0..5 {
            link.send(1.25, Duration::from_secs(1));
        }
        assert!(link.window.bytes >= INITIAL_WINDOW);
    }

    #[test]
    fn a_path_that_marks_its_packets_is_given_way_to() {
        let mut link = Link::new(80 * MS, 12_500.0, 0.0);
        for _ in 0..20 {
            link.send(625.0, 100 * MS);
            let (now, before) = (link.now, link.window.bytes);
            link.window.on_congestion_event(now, now, false, 0);
            assert_eq!(link.window.bytes, before, "once in a round trip");
        }
        link.send(625.0, 100 * MS);
        assert!(
            link.window.bytes < INITIAL_WINDOW / 2,
            "{}",
            link.window.bytes
        );
    }

    #[test]
    fn a_path_that_drops_instead_of_queuing_is_given_way_to() {
        let mut link = Link::new(80 * MS, 12_500.0, 0.5);
        link.send(625.0, Duration::from_secs(5));
        assert!(
            link.window.bytes <= INITIAL_WINDOW / 4,
            "{}",
            link.window.bytes
        );
    }
}
