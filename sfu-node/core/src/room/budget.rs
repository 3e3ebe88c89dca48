//! What each member is sent of what it wants: the room's side of the budget.

use std::time::{Duration, Instant};

use protocol::media::{Layer, MediaKind};

use super::deadlines::Deadline;
use super::shown::Shown;
use super::{Context, Room};
use crate::budget::Want;
use crate::egress::subscriber::Limit;
use crate::key::MemberKey;
use crate::layer;
use crate::rate::Rate;
use crate::router::{Track, TrackKey};

/// Shortest time between two decisions that only a changed estimate asks for.
const DECIDE_INTERVAL: Duration = Duration::from_millis(100);
/// An estimate that has moved by less than this, in percent, changes nothing.
const NOTABLE: u64 = 5;
/// What sound is taken to have until it is measured, in bits per second.
const AUDIO_RATE: u64 = 40_000;
/// What header extensions and the cipher's tag add to 50 packets a second, in bits per second.
const AUDIO_OVERHEAD: u64 = 11_000;
/// What they add to video, in percent.
const VIDEO_OVERHEAD: u64 = 3;
/// A path is probed for so many times what is wanted: where packets get lost by chance, estimates fall by half at times, and
/// what flows should outlive that.
const PROBED: u64 = 2;
/// It is probed for this much in any case, in bits per second: somebody may share a screen in a moment.
const LEAST_PROBED: u64 = 2_000_000;

/// When a member's budget was decided on, and by what.
#[derive(Debug, Clone, Copy)]
pub struct Decided {
    at: Instant,
    limit: Limit,
    /// How many packets had been dropped because they had waited too long.
    stale: u64,
    /// Something is sent in a lower quality than wanted, or not at all.
    is_short: bool,
}

impl Room {
    /// The layers of the videos that a member shows, as far as its path carries them, in the same order.
    pub(super) fn decide(
        &mut self,
        cx: &mut Context<'_>,
        key: MemberKey,
        shown: &[Shown],
    ) -> Vec<Option<Layer>> {
        let Some(member) = self.member_mut(key) else {
            return Vec::new();
        };
        let limit = member.subscriber.limit(cx.now);
        let (wants, reduced): (Vec<Want<TrackKey>>, Vec<bool>) = shown
            .iter()
            .map(|shown| self.want(cx.now, *shown, limit))
            .unzip();
        let sound = self.sound_of(key);
        let Some(member) = self.member_mut(key) else {
            return Vec::new();
        };
        let available = match limit {
            Limit::Unknown | Limit::None => None,
            Limit::Bits(estimate) => Some(estimate.saturating_sub(sound)),
        };
        let stale = member.subscriber.stale();
        if member.decided.is_some_and(|before| stale > before.stale) {
            member.budget.overrun(cx.now);
        }
        let choice = member.budget.decide(cx.now, available, &wants);
        let mut chosen = wants.iter().zip(&choice);
        let is_short = chosen.any(|(want, layer)| *layer < Some(want.target));
        member.decided = Some(Decided {
            at: cx.now,
            limit,
            stale,
            is_short: is_short || reduced.contains(&true),
        });
        let most: u64 = wants.iter().map(Want::most).sum();
        let most = (PROBED * most).max(LEAST_PROBED) + sound;
        member.subscriber.set_wanted(most);
        if let Some(at) = member.budget.timeout(cx.now) {
            self.decide_at(at, key);
        }
        choice
    }

    /// What a shown video could take, and whether that is less than its tile could use because a layer does not come. Until
    /// the path is known, the lowest layer has to do.
    fn want(&self, now: Instant, shown: Shown, limit: Limit) -> (Want<TrackKey>, bool) {
        let mut want = Want {
            track: shown.track,
            target: Layer(0),
            rates: Vec::new(),
        };
        let track = self.router.get(shown.track);
        let Some((track, highest)) = track.and_then(|track| Some((track, track.highest?))) else {
            return (want, false);
        };
        let fitting = layer::for_tile(track.id.source, track.sizes(), shown.tile).min(highest);
        if limit != Limit::Unknown {
            let comes = |layer: &u8| {
                let layer = track.layers.get(usize::from(*layer));
                layer.is_some_and(|layer| !layer.is_absent(now) && !layer.is_paused())
            };
            want.target = Layer((0..=fitting.0).rev().find(comes).unwrap_or(0));
        }
        want.rates = (0..=want.target.0)
            .map(|layer| rate(now, track, layer))
            .collect();
        let reduced = want.target < fitting;
        (want, reduced)
    }

    /// What a member's audio slots take, in bits per second.
    fn sound_of(&self, key: MemberKey) -> u64 {
        let slots = self.member(key).map(|member| &member.subscriber.slots);
        let slots = slots.into_iter().flatten();
        slots
            .filter(|slot| slot.kind == MediaKind::Audio)
            .filter_map(|slot| self.router.layer((slot.track?, Layer(0))))
            .map(|layer| layer.rate.get().unwrap_or(AUDIO_RATE) + AUDIO_OVERHEAD)
            .sum()
    }

    /// A member's feedback came: decides anew when its path's estimate has moved.
    pub(super) fn estimated(&mut self, now: Instant, key: MemberKey) {
        let Some(member) = self.member_mut(key) else {
            return;
        };
        let limit = member.subscriber.limit(now);
        let Some(decided) = member.decided else {
            return;
        };
        let moved = match (decided.limit, limit) {
            (Limit::Bits(before), Limit::Bits(after)) => {
                after.abs_diff(before) * 100 > before * NOTABLE
            }
            (before, after) => before != after,
        };
        if moved {
            self.decide_at(now.max(decided.at + DECIDE_INTERVAL), key);
        }
    }

    /// Looks at a member's budget without a reason of its own: layers that flow take more or less than before.
    pub(super) fn look_at_budget(&mut self, now: Instant, key: MemberKey) {
        let decided = self.member(key).and_then(|member| member.decided);
        if decided.is_some_and(|decided| decided.is_short) {
            self.decide_at(now, key);
        } else {
            self.estimated(now, key);
        }
    }

    /// Sees to it that a member's budget is decided on anew at that time, or earlier.
    pub(super) fn decide_at(&mut self, at: Instant, key: MemberKey) {
        self.deadlines.lower(Deadline::Budget(key), at);
    }
}

/// What a layer takes, in bits per second: as measured, or else as usual, unless it has begun with less.
fn rate(now: Instant, track: &Track, layer: u8) -> u64 {
    let index = usize::from(layer);
    let known = track.layers.get(index).map(|layer| &layer.rate);
    let measured = known.and_then(Rate::get);
    let rate = measured.unwrap_or_else(|| {
        let usual = layer::usual_rate(track.id.source, track.layers.len(), index);
        let so_far = known.and_then(|rate| rate.so_far(now));
        so_far.map_or(usual, |so_far| so_far.min(usual))
    });
    rate + rate / 100 * VIDEO_OVERHEAD
}
