//! How a subscriber's bandwidth is shared among the videos that it wants: first everybody's lowest layer, then better ones,
//! the important first; what does not fit is paused.
//!
//! Downwards it goes at once, upwards with caution: only with headroom, and ever later after an attempt that failed, so
//! that the picture does not go back and forth.

use std::time::{Duration, Instant};

use protocol::media::Layer;

/// An estimate must be so much above what an upgrade makes, in percent: estimates waver, and a keyframe is large.
const HEADROOM: u64 = 15;
/// What flows already may be so much above the estimate, in percent: rates waver too.
const SLACK: u64 = 5;
/// The shortest and the longest wait after an upgrade that failed.
const SHORTEST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// No picture at all is worse than one that comes and goes: a paused video waits no longer than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(6);
/// An estimate dips when packets get lost by chance, or while a queue empties: lowest layers are kept for so long …
const PINCH: Duration = Duration::from_secs(8);
/// … if they take no more than this multiple of it. The pacer sees to it that sound gets through meanwhile. Once it had to drop
/// video, that is no dip: then the most important one alone is kept, or none would be seen.
const BORNE: u64 = 2;
/// The same for the most important one, whose rate as measured has the keyframe in it that it came with, from which the
/// estimate has shrunk, too.
const BORNE_FOR_FIRST: u64 = 3;
/// The most important video is sent if it takes no more than so much above the estimate, in percent: the pacer lets as much through, an
/// estimate may be that much too low, and without any picture there is nothing that could be spoiled.
const STRETCH: u64 = 20;
/// An upgrade that has to be taken back within this time has failed; after it, the next failure counts as the first.
const PROBATION: Duration = Duration::from_secs(10);

/// A video that a subscriber is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want<K> {
    pub track: K,
    /// The best layer that is of use.
    pub target: Layer,
    /// What each layer up to the target takes, in bits per second.
    pub rates: Vec<u64>,
}

/// A subscriber's budget: remembers what was given, to be steady.
#[derive(Debug)]
pub struct Budget<K> {
    given: Vec<(K, Option<Layer>)>,
    wait: Duration,
    /// No upgrade before this.
    patient_until: Option<Instant>,
    /// Nothing that is paused resumes before this.
    paused_until: Option<Instant>,
    /// Since when not even the lowest layers fit.
    pinched: Option<Instant>,
    /// When video was last dropped because the path did not carry it.
    overrun: Option<Instant>,
    upgraded: Option<Instant>,
}

impl<K> Default for Budget<K> {
    fn default() -> Self {
        Self {
            given: Vec::new(),
            wait: SHORTEST_WAIT,
            patient_until: None,
            paused_until: None,
            pinched: None,
            overrun: None,
            upgraded: None,
        }
    }
}

impl<K: Copy + Eq> Budget<K> {
    /// Decides which layer of each video is sent, in the order of `wants`, the most important first. `available` is in
    /// bits per second, sound deducted; `None` is no limit.
    pub fn decide(
        &mut self,
        now: Instant,
        available: Option<u64>,
        wants: &[Want<K>],
    ) -> Vec<Option<Layer>> {
        let choice: Vec<Option<Layer>> = match available {
            None => wants.iter().map(|want| Some(want.target)).collect(),
            Some(available) => {
                let bears = self.bears(now, available, wants);
                self.share(now, available, wants, bears)
            }
        };
        self.judge(now, wants, &choice);
        self.given = wants
            .iter()
            .zip(&choice)
            .map(|(want, layer)| (want.track, *layer))
            .collect();
        choice
    }

    /// Video was dropped because the path did not carry all that was given.
    pub fn overrun(&mut self, now: Instant) {
        self.overrun = Some(now);
    }

    /// When to decide again even if nothing else happens: an upgrade was held back until then.
    pub fn timeout(&self, now: Instant) -> Option<Instant> {
        let paused = self.given.iter().any(|(_, layer)| layer.is_none());
        let resume = self.paused_until.filter(|_| paused);
        let pinched = self.pinched.map(|since| since + PINCH);
        let waits = [self.patient_until, resume, pinched].into_iter().flatten();
        waits.filter(|at| *at > now).min()
    }

    /// How many of the lowest layers that flow are kept although they do not fit.
    fn bears(&mut self, now: Instant, available: u64, wants: &[Want<K>]) -> usize {
        let kept = wants
            .iter()
            .filter(|want| matches!(self.before(want.track), Some(Some(_))));
        let total = kept.map(|want| want.rate(Layer(0))).sum();
        if with_slack(available, total) {
            self.pinched = None;
            return 0;
        }
        let since = *self.pinched.get_or_insert(now);
        if now.saturating_duration_since(since) >= PINCH {
            return 0;
        }
        match self.overrun.is_some_and(|at| at > since) {
            true => 1,
            false => wants.len(),
        }
    }

    /// `bears`: of so many, the lowest layers that flow are kept on half of what they take, the important first.
    fn share(
        &self,
        now: Instant,
        available: u64,
        wants: &[Want<K>],
        bears: usize,
    ) -> Vec<Option<Layer>> {
        let passed = |until: Option<Instant>| until.is_none_or(|until| now >= until);
        let (patient, resume) = (passed(self.patient_until), passed(self.paused_until));
        let mut used = 0;
        let mut choice: Vec<Option<Layer>> = Vec::with_capacity(wants.len());
        for (place, want) in wants.iter().enumerate() {
            let cost = want.rate(Layer(0));
            let stretched = place == 0 && cost <= with_stretch(available);
            let fits = match self.before(want.track) {
                Some(Some(_)) => {
                    let most = match place {
                        0 if bears > 0 => BORNE_FOR_FIRST * available,
                        _ if place < bears => BORNE * available,
                        _ => available,
                    };
                    let total = used + cost;
                    with_slack(available, total) || total <= most || stretched
                }
                Some(None) => resume && (with_headroom(available, used + cost) || stretched),
                None => used + cost <= available,
            };
            choice.push(fits.then_some(Layer(0)));
            used += if fits { cost } else { 0 };
        }
        for (want, chosen) in wants.iter().zip(&mut choice) {
            if chosen.is_none() {
                continue;
            }
            let before = self.before(want.track);
            let lowest = want.rate(Layer(0));
            for layer in (1..=want.target.0).rev().map(Layer) {
                let total = used - lowest + want.rate(layer);
                let fits = match before {
                    Some(Some(given)) if layer <= given => with_slack(available, total),
                    // A video that is new to the subscriber takes nothing from anybody's steadiness.
                    None => with_headroom(available, total),
                    _ => patient && with_headroom(available, total),
                };
                if fits {
                    *chosen = Some(layer);
                    used = total;
                    break;
                }
            }
        }
        choice
    }

    /// What was given to a track last; `None` for one that is new.
    fn before(&self, track: K) -> Option<Option<Layer>> {
        let mut given = self.given.iter();
        given
            .find(|(known, _)| *known == track)
            .map(|(_, layer)| *layer)
    }

    /// Learns from what had to be taken back.
    fn judge(&mut self, now: Instant, wants: &[Want<K>], choice: &[Option<Layer>]) {
        let recently = |at: Instant| now.saturating_duration_since(at) < PROBATION;
        let (mut raised, mut taken) = (false, false);
        for (want, layer) in wants.iter().zip(choice) {
            let Some(before) = self.before(want.track) else {
                continue;
            };
            raised |= *layer > before;
            // A smaller tile is no loss.
            taken |= *layer < before && *layer < Some(want.target);
        }
        if taken {
            let failed = self.upgraded.is_some_and(recently);
            self.wait = match failed {
                true => (self.wait * 2).min(LONGEST_WAIT),
                false => SHORTEST_WAIT,
            };
            self.patient_until = Some(now + self.wait);
            self.paused_until = Some(now + self.wait.min(LONGEST_PAUSE));
        } else if raised && self.patient_until.is_some_and(|until| now >= until) {
            self.patient_until = None;
            self.paused_until = None;
        }
        if raised {
            self.upgraded = Some(now);
        }
    }
}

impl<K> Want<K> {
    /// What it takes at its best, in bits per second.
    pub fn most(&self) -> u64 {
        self.rate(self.target)
    }

    fn rate(&self, layer: Layer) -> u64 {
        let rates = &self.rates;
        let rate = rates.get(usize::from(layer.0)).or(rates.last());
        rate.copied().unwrap_or_default()
    }
}

fn with_slack(available: u64, total: u64) -> bool {
    total <= available.saturating_add(available / 100 * SLACK)
}

fn with_stretch(available: u64) -> u64 {
    available.saturating_add(available / 100 * STRETCH)
}

fn with_headroom(available: u64, total: u64) -> bool {
    total.saturating_add(total / 100 * HEADROOM) <= available
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const S: Duration = Duration::from_secs(1);
    const CAMERA: [u64; 3] = [150_000, 500_000, 1_700_000];

    fn camera(track: u8, target: u8) -> Want<u8> {
        Want {
            track,
            target: Layer(target),
            rates: CAMERA[..=usize::from(target)].to_vec(),
        }
    }

    fn layers(choice: Vec<Option<Layer>>) -> Vec<Option<u8>> {
        choice.into_iter().map(|layer| layer.map(|l| l.0)).collect()
    }

    #[test]
    fn everybody_s_lowest_comes_first_then_the_important_ones_get_better() {
        let now = Instant::now();
        let wants = [camera(1, 2), camera(2, 1), camera(3, 1)];
        for (kbps, expected) in [
            (100, [None, None, None]),
            (200, [Some(0), None, None]),
            (320, [Some(0), Some(0), None]),
            (460, [Some(0), Some(0), Some(0)]),
            (1_000, [Some(1), Some(0), Some(0)]),
            (1_400, [Some(1), Some(1), Some(0)]),
            (2_400, [Some(2), Some(0), Some(0)]),
            (3_200, [Some(2), Some(1), Some(1)]),
        ] {
            let mut budget = Budget::default();
            let choice = budget.decide(now, Some(kbps * 1_000), &wants);
            assert_eq!(layers(choice), expected, "{kbps} kbit/s");
        }
        let all = Budget::default().decide(now, None, &wants);
        assert_eq!(layers(all), [Some(2), Some(1), Some(1)]);
    }

    #[test]
    fn down_at_once_and_up_again_with_headroom_after_a_while() {
        let now = Instant::now();
        let wants = [camera(1, 2)];
        let mut budget = Budget::default();
        let mut at = |seconds: u32, kbps: u64| {
            let choice = budget.decide(now + seconds * S, Some(kbps * 1_000), &wants);
            choice[0].map(|layer| layer.0)
        };
        assert_eq!(at(0, 3_000), Some(2));
        assert_eq!(at(1, 1_640), Some(2), "within the slack");
        assert_eq!(at(2, 1_500), Some(1));
        assert_eq!(at(3, 3_000), Some(1), "too soon");
        assert_eq!(at(4, 1_900), Some(1), "no headroom");
        assert_eq!(at(5, 2_000), Some(2));
        assert_eq!(at(6, 40), None);
        assert_eq!(at(9, 180), None, "too soon");
        assert_eq!(at(10, 180), Some(0));
    }

    /// Two cameras in one layer each.
    const PLAIN: u64 = 700_000;

    fn plain(track: u8) -> Want<u8> {
        Want {
            track,
            target: Layer(0),
            rates: vec![PLAIN],
        }
    }

    #[test]
    fn a_path_that_drops_video_keeps_the_most_important_alone() {
        let now = Instant::now();
        let wants = [plain(1), plain(2)];
        let mut budget = Budget::default();
        budget.decide(now, Some(2_000_000), &wants);
        let dip = layers(budget.decide(now + S, Some(800_000), &wants));
        assert_eq!(dip, [Some(0), Some(0)], "it may be over in a moment");
        budget.overrun(now + S + S / 2);
        let fallen = layers(budget.decide(now + S + S / 2, Some(500_000), &wants));
        assert_eq!(fallen, [Some(0), None]);
        // What was dropped before the pinch says nothing of it.
        budget.decide(now + 20 * S, Some(2_000_000), &wants);
        let both = layers(budget.decide(now + 21 * S, Some(2_000_000), &wants));
        assert_eq!(both, [Some(0), Some(0)]);
        let dip = layers(budget.decide(now + 22 * S, Some(800_000), &wants));
        assert_eq!(dip, [Some(0), Some(0)]);
    }

    #[test]
    fn the_most_important_is_kept_and_comes_back_on_a_path_that_hardly_carries_it() {
        let now = Instant::now();
        let wants = [plain(1), plain(2)];
        let mut budget = Budget::default();
        budget.decide(now, Some(2_000_000), &wants);
        for second in 1..30 {
            let choice = budget.decide(now + second * S, Some(600_000), &wants);
            assert_eq!(choice[0], Some(Layer(0)), "second {second}");
        }
        for second in 30..45 {
            budget.decide(now + second * S, Some(300_000), &wants);
        }
        let gone = layers(budget.decide(now + 45 * S, Some(300_000), &wants));
        assert_eq!(gone, [None, None]);
        let back = layers(budget.decide(now + 60 * S, Some(600_000), &wants));
        assert_eq!(back, [Some(0), None]);
    }

    #[test]
    fn a_picture_outlives_a_dip_and_no_more() {
        let now = Instant::now();
        let wants = [camera(1, 1), camera(2, 0)];
        let mut budget = Budget::default();
        let mut at = |tenths: u32, kbps: u64| {
            layers(budget.decide(now + tenths * S / 10, Some(kbps * 1_000), &wants))
        };
        assert_eq!(at(0, 1_000), [Some(1), Some(0)]);
        assert_eq!(at(10, 200), [Some(0), Some(0)], "a dip");
        assert_eq!(at(30, 200), [Some(0), Some(0)]);
        assert_eq!(at(35, 400), [Some(0), Some(0)], "over");
        assert_eq!(at(40, 200), [Some(0), Some(0)], "another");
        assert_eq!(at(120, 200), [Some(0), None], "that lasts");
        assert_eq!(at(121, 100), [None, None], "it has had its time");
        let expectations = [
            (140, [Some(0), None]),
            (60, [Some(0), None]),
            (40, [None, None]),
        ];
        for (kbps, expected) in expectations {
            let mut budget = Budget::default();
            budget.decide(now, Some(1_000_000), &wants);
            let choice = budget.decide(now + S, Some(kbps * 1_000), &wants);
            assert_eq!(layers(choice), expected, "{kbps} kbit/s");
        }
    }

    #[test]
    fn an_upgrade_that_fails_again_and_again_is_tried_ever_less_often() {
        let now = Instant::now();
        let wants = [camera(1, 2)];
        let mut budget = Budget::default();
        let mut ups = Vec::new();
        let mut layer = Some(Layer(2));
        // A path that seems to carry the highest layer until it is tried.
        for tenth in 0..3_000_u32 {
            let at = now + tenth * S / 10;
            let estimate = if layer == Some(Layer(2)) {
                1_200
            } else {
                2_200
            };
            let next = budget.decide(at, Some(estimate * 1_000), &wants)[0];
            if next > layer {
                ups.push(tenth / 10);
            }
            layer = next;
        }
        let within = |from: u32| {
            let minute = from..from + 60;
            ups.iter().filter(|at| minute.contains(*at)).count()
        };
        assert!(within(0) <= 6, "{ups:?}");
        assert!(within(60) <= 3, "{ups:?}");
        assert!(within(180) <= 2, "{ups:?}");
        assert!(within(180) >= 1, "it is not given up: {ups:?}");
    }

    #[test]
    fn a_new_tile_waits_for_nobody_s_back_off() {
        let now = Instant::now();
        let mut budget = Budget::default();
        budget.decide(now, Some(3_000_000), &[camera(1, 2)]);
        budget.decide(now + S, Some(1_000_000), &[camera(1, 2)]);
        let both = [camera(1, 2), camera(2, 0)];
        let choice = budget.decide(now + 2 * S, Some(1_000_000), &both);
        assert_eq!(layers(choice), [Some(1), Some(0)]);
    }

    #[test]
    fn a_tile_that_gets_smaller_is_no_failure() {
        let now = Instant::now();
        let mut budget = Budget::default();
        budget.decide(now, Some(3_000_000), &[camera(1, 2)]);
        budget.decide(now + S, Some(3_000_000), &[camera(1, 0)]);
        assert_eq!(budget.timeout(now + S), None);
        let choice = budget.decide(now + 2 * S, Some(3_000_000), &[camera(1, 2)]);
        assert_eq!(layers(choice), [Some(2)]);
    }

    proptest! {
        #[test]
        fn it_never_gives_more_than_there_is_nor_better_than_is_wanted(
            estimates in proptest::collection::vec(0..6_000_000_u64, 1..30),
            wants in proptest::collection::vec((0..3_u8, proptest::collection::vec(1_000..2_000_000_u64, 3)), 1..10),
        ) {
            let now = Instant::now();
            let wants: Vec<Want<u8>> = wants
                .into_iter()
                .enumerate()
                .map(|(track, (target, mut rates))| {
                    rates.sort();
                    Want { track: track as u8, target: Layer(target), rates }
                })
                .collect();
            let mut budget = Budget::default();
            for (step, available) in estimates.into_iter().enumerate() {
                let at = now + step as u32 * S;
                let choice = budget.decide(at, Some(available), &wants);
                let used: u64 = wants
                    .iter()
                    .zip(&choice)
                    .filter_map(|(want, layer)| Some(want.rate((*layer)?)))
                    .sum();
                let alone = choice.iter().skip(1).all(Option::is_none);
                let borne = if alone { BORNE_FOR_FIRST } else { BORNE };
                let bears = choice.iter().all(|layer| *layer <= Some(Layer(0))) && used <= borne * available;
                prop_assert!(used <= available + available / 100 * SLACK || bears);
                for (want, layer) in wants.iter().zip(&choice) {
                    prop_assert!(*layer <= Some(want.target));
                }
            }
        }

        #[test]
        fn without_a_limit_everybody_gets_what_is_wanted(targets in proptest::collection::vec(0..3_u8, 0..10)) {
            let wants: Vec<_> = targets.iter().zip(0..).map(|(target, track)| camera(track, *target)).collect();
            let choice = Budget::default().decide(Instant::now(), None, &wants);
            prop_assert_eq!(choice, targets.into_iter().map(|t| Some(Layer(t))).collect::<Vec<_>>());
        }
    }
}
