//! The rate that loss allows: a bound for paths that drop packets before a queue can be seen to grow.
//!
//! Loss alone says little: radio links lose packets whatever is sent over them. So when much is lost the rate is lowered
//! to what arrived, which would end a loss by congestion, and then one looks: what is lost still belongs to the path, and
//! is allowed for from then on.

use super::{MIN_BITRATE, Micros};

/// A sample: at least so many packets, over at least so long; and after so long whatever has come.
const MIN_PACKETS: u32 = 25;
const MIN_TIME: Micros = 250_000;
const MAX_TIME: Micros = 2_000_000;
/// Loss beyond the path's own share at which it is taken for congestion (the field's customary tenth) …
const EXCESS: f64 = 0.10;
/// … and near a capacity that was met of late by such a loss.
const EXCESS_NEAR: f64 = 0.05;
/// A sample is small: what chance makes of the usual loss is within so many standard deviations, but for one sample in
/// a thousand.
const DEVIATIONS: f64 = 3.0;
/// How far above the met capacity it counts as near, and for how long it is remembered.
const NEAR: f64 = 1.3;
const REMEMBERED: Micros = 30_000_000;
/// What is sent after such a loss, in shares of what arrived.
const BACKOFF: f64 = 0.95;
/// Loss falls to below this share of the excess if it was congestion.
const RESPONSE: f64 = 0.5;
/// Most loss that is taken for the path's own. Beyond it the path is congested by others, if not by us.
const MAX_OWN: f64 = 0.15;
/// A loss that does not answer to our rate lowers it no further than to this bitrate divided by the loss: at 30% there
/// is still sound and a small picture.
const UNANSWERED: f64 = 100_000.0;
/// Growth of the bound each second while little is lost; slower near a capacity met of late.
const GROWTH: f64 = 1.08;
const GROWTH_NEAR: f64 = 1.02;
/// A bound so far above what the delay allows says nothing any more.
const LIFTED: f64 = 2.0;
/// Weight of a sample in the usual loss, and the most that is taken for usual.
const USUAL_WEIGHT: f64 = 0.1;
const MAX_USUAL: f64 = 0.10;
/// Weight of a sample in the loss that is shown.
const WEIGHT: f64 = 0.3;

/// A decrease is obeyed when no more than this multiple of the bound is sent. Who waits for a keyframe to send a smaller
/// picture takes a while, and who sends nothing but sound cannot.
const OBEYED: f64 = 1.15;
const PATIENCE: Micros = 3_000_000;

/// The rates that a decision rests on, in bits per second.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// What is sent.
    pub sending: u64,
    /// What the delay allows to be sent.
    pub allowed: u64,
    /// What arrives.
    pub acknowledged: Option<u64>,
    pub round_trip: Micros,
}

/// A decrease whose effect is awaited.
#[derive(Debug, Clone, Copy)]
struct Trial {
    /// The bound before it; `None` if there was none.
    before: Option<f64>,
    /// What was lost before it.
    loss: f64,
    /// Samples that began before this time show what was sent before.
    from: Micros,
}

/// The loss-based bound.
#[derive(Debug, Default)]
pub struct LossBound {
    received: u32,
    lost: u32,
    /// When the present sample began.
    began: Option<Micros>,
    bound: Option<f64>,
    /// Share of packets that the path loses by itself.
    own: f64,
    trial: Option<Trial>,
    /// The capacity that a loss by congestion showed, and when.
    met: Option<(f64, Micros)>,
    smoothed: f64,
    usual: f64,
    samples: u32,
    /// Packets of the samples since the last look, and those of them that were lost.
    seen: (u32, u32),
}

impl LossBound {
    /// A packet was reported as received; `late` if it was reported as lost before.
    pub fn received(&mut self, late: bool) {
        self.received += 1;
        if late {
            self.lost = self.lost.saturating_sub(1);
        }
    }

    /// A packet was reported as lost.
    pub fn lost(&mut self) {
        self.lost += 1;
    }

    /// A report says that so many packets were to come, and that so many of them did not.
    pub fn reported(&mut self, expected: u32, lost: u32) {
        let lost = lost.min(expected);
        self.received = self.received.saturating_add(expected - lost);
        self.lost = self.lost.saturating_add(lost);
    }

    /// Share of packets lost of late, 0 to 1.
    pub fn loss(&self) -> f64 {
        self.smoothed
    }

    /// Share of packets lost since the last look, 0 to 1.
    pub fn take(&mut self) -> f64 {
        let (packets, lost) = std::mem::take(&mut self.seen);
        f64::from(lost) / f64::from(packets.max(1))
    }

    /// Share of packets that are lost most of the time, whatever is sent.
    pub fn usual(&self) -> f64 {
        self.usual
    }

    /// The bound in bits per second, if there is one.
    pub fn bound(&self) -> Option<u64> {
        self.bound.map(|bound| bound as u64)
    }

    /// A probe has shown that this rate passes.
    pub fn lift(&mut self, bitrate: u64) {
        self.bound = self.bound.map(|bound| bound.max(bitrate as f64));
        if self.met.is_some_and(|(met, _)| bitrate as f64 > NEAR * met) {
            self.met = None;
        }
    }

    /// Goes by a feedback.
    pub fn update(&mut self, now: Micros, rates: &Rates) {
        let began = *self.began.get_or_insert(now);
        let packets = self.received + self.lost;
        let passed = now - began;
        let enough = packets >= MIN_PACKETS && passed >= MIN_TIME;
        if !enough && passed < MAX_TIME {
            return;
        }
        let loss = f64::from(self.lost) / f64::from(packets.max(1));
        self.seen.0 = self.seen.0.saturating_add(packets);
        self.seen.1 = self.seen.1.saturating_add(self.lost);
        self.received = 0;
        self.lost = 0;
        self.began = Some(now);
        if packets == 0 {
            return;
        }
        let weight = if self.samples == 0 { 1.0 } else { WEIGHT };
        self.samples = self.samples.saturating_add(1);
        self.smoothed += weight * (loss - self.smoothed);
        self.usual += USUAL_WEIGHT * (loss.min(MAX_USUAL) - self.usual);
        if packets < MIN_PACKETS {
            // A few packets of sound: shown, but no ground to act on.
            return;
        }
        // One packet more or less is chance.
        let chance = 1.0 / f64::from(packets);
        self.judge(now, began, (loss, chance), rates);
        self.grow(passed, rates.allowed as f64, loss);
    }

    fn judge(&mut self, now: Micros, began: Micros, (loss, chance): (f64, f64), rates: &Rates) {
        let sending = rates.sending as f64;
        if let Some(trial) = self.trial {
            let obeyed = self.bound.is_none_or(|bound| sending <= OBEYED * bound);
            if began < trial.from || !obeyed && now < trial.from + PATIENCE {
                return;
            }
            self.trial = None;
            self.conclude(now, trial, (loss, chance), sending);
            return;
        }
        self.own = self.own.min((self.own + loss) / 2.0);
        if self.met.is_some_and(|(_, at)| now - at > REMEMBERED) {
            self.met = None;
        }
        let near = self.met.is_some_and(|(met, _)| sending <= NEAR * met);
        let excess = if near { EXCESS_NEAR } else { EXCESS };
        let excessive = loss > (self.own + excess).max(self.by_chance(chance));
        let Some(acknowledged) = rates.acknowledged.filter(|_| excessive) else {
            return;
        };
        self.trial = Some(Trial {
            before: self.bound,
            loss,
            from: now + rates.round_trip,
        });
        // Known not to answer: it will not this time, either.
        let lowest = if self.own < MAX_OWN {
            0.0
        } else {
            (UNANSWERED / loss).min(sending)
        };
        let bound = (BACKOFF * acknowledged as f64).max(lowest);
        self.bound = Some(bound.max(MIN_BITRATE as f64));
    }

    /// Was it congestion?
    fn conclude(&mut self, now: Micros, trial: Trial, (loss, chance): (f64, f64), sending: f64) {
        let excess = trial.loss - self.own;
        if loss <= self.own + RESPONSE * excess + chance {
            if let Some(bound) = self.bound {
                self.met = Some((bound / BACKOFF, now));
            }
            return;
        }
        let own = loss.min(trial.loss);
        if own <= MAX_OWN + EXCESS {
            self.own = own.min(MAX_OWN);
            self.bound = trial.before;
            self.met = None;
        } else {
            self.own = MAX_OWN;
            self.bound = Some((UNANSWERED / loss).max(sending * BACKOFF));
        }
    }

    /// The most that is lost by chance among so many packets, when as much gets lost as usual.
    fn by_chance(&self, chance: f64) -> f64 {
        let usual = self.usual.min(EXCESS_NEAR).max(self.own);
        usual + DEVIATIONS * (usual * (1.0 - usual) * chance).sqrt() + chance
    }

    fn grow(&mut self, passed: Micros, allowed: f64, loss: f64) {
        let Some(bound) = self.bound else {
            return;
        };
        if self.trial.is_some() || loss > self.own + EXCESS_NEAR {
            return;
        }
        let near = self.met.is_some_and(|(met, _)| bound <= NEAR * met);
        let growth = if near { GROWTH_NEAR } else { GROWTH };
        let bound = bound * growth.powf(passed as f64 / 1e6);
        self.bound = (bound < LIFTED * allowed).then_some(bound);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Micros = 1_000;

    fn rates(sending: u64, allowed: u64, acknowledged: u64) -> Rates {
        Rates {
            sending,
            allowed,
            acknowledged: Some(acknowledged),
            round_trip: 50 * MS,
        }
    }

    /// Sends at the bound (or `most`) for so many seconds over a path that loses by `loss(rate)`; returns the last rate.
    fn run(
        bound: &mut LossBound,
        from: i64,
        seconds: i64,
        most: f64,
        loss: impl Fn(f64) -> f64,
    ) -> f64 {
        let mut rate = most;
        let mut carry = 0.0;
        for step in from * 10..(from + seconds) * 10 {
            rate = bound.bound().map_or(most, |b| most.min(b as f64));
            let packets = (rate / 80_000.0).ceil().max(3.0);
            let share = loss(rate);
            carry += packets * share;
            for _ in 0..packets as u32 {
                if carry >= 1.0 {
                    carry -= 1.0;
                    bound.lost();
                } else {
                    bound.received(false);
                }
            }
            let acknowledged = (rate * (1.0 - share)) as u64;
            bound.update(
                step * 100 * MS,
                &rates(rate as u64, most as u64, acknowledged),
            );
        }
        rate
    }

    #[test]
    fn a_path_that_loses_by_itself_is_no_reason_to_send_less() {
        for loss in [0.02, 0.05, 0.10, 0.15, 0.20] {
            let mut bound = LossBound::default();
            let rate = run(&mut bound, 0, 20, 2e6, |_| loss);
            assert!(rate >= 1.9e6, "{loss}: {rate}");
            assert!(
                (bound.loss() - loss).abs() < 0.03,
                "{loss}: {}",
                bound.loss()
            );
        }
    }

    #[test]
    fn a_policer_is_found_and_kept_to() {
        let mut bound = LossBound::default();
        let policer = |rate: f64| (1.0 - 1e6 / rate).max(0.0);
        let rate = run(&mut bound, 0, 3, 2.5e6, policer);
        assert!((0.85e6..=1.1e6).contains(&rate), "{rate}");
        let rate = run(&mut bound, 3, 30, 2.5e6, policer);
        assert!((0.85e6..=1.1e6).contains(&rate), "{rate}");
        // The policer is gone.
        let rate = run(&mut bound, 33, 40, 2.5e6, |_| 0.0);
        assert!(rate > 2.4e6, "{rate}");
    }

    #[test]
    fn a_hopeless_path_still_gets_sound() {
        let mut bound = LossBound::default();
        let rate = run(&mut bound, 0, 60, 2e6, |_| 0.5);
        assert!((150e3..=300e3).contains(&rate), "{rate}");
    }

    #[test]
    fn packets_that_come_late_were_not_lost() {
        let mut bound = LossBound::default();
        bound.update(0, &rates(1_000_000, 1_000_000, 1_000_000));
        for _ in 0..40 {
            bound.lost();
        }
        for _ in 0..40 {
            bound.received(true);
        }
        bound.update(300 * MS, &rates(1_000_000, 1_000_000, 1_000_000));
        assert_eq!((bound.loss(), bound.bound()), (0.0, None));
    }
}
