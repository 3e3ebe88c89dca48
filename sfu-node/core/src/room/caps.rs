//! What members may send, whatever their clients do: sources, layers and bit rates.

use std::time::{Duration, Instant};

use protocol::id::ParticipantId;
use protocol::media::{Caps, Layer, MediaKind, Source};

use super::{Context, Room, source_index};
use crate::key::MemberKey;
use crate::layer;
use crate::packet::Packet;
use crate::packet::rtp::RTP_HEADER_LEN;
use crate::router::Track;

/// What sound may take: Opus has at most 510 kbit/s (RFC 6716, 2.1.1) and 400 packets a second. Nothing further on limits it,
/// since everything gives way to sound.
const MAX_SOUND_BYTES: usize = 80_000;
const MAX_SOUND_PACKETS: u32 = 500;
const SOUND_INTERVAL: Duration = Duration::from_secs(1);

/// A limit on the bit rate holds over any time of this length, in steps of so much.
const WINDOW: Duration = Duration::from_secs(2);
const STEP: Duration = Duration::from_millis(50);
/// One more than the window has: it may begin and end within a step.
const STEPS: usize = 41;
/// Layers are let through that leave so much of the limit, in percent: rates waver, and a keyframe is large.
const MARGIN: u64 = 10;
/// What a layer had before it was silent for so long counts no more: its publisher may have other bits for it by now.
const FORGOTTEN: Duration = Duration::from_secs(10);

/// What a member with a limit on its bit rate has sent of late.
#[derive(Debug)]
pub struct Allowance {
    began: Instant,
    /// The latest step, counted from the beginning, and the bytes of each of the last ones.
    step: u64,
    bytes: [u64; STEPS],
    /// What a packet of was refused, until a keyframe of it is let through: nothing else of it could be decoded.
    cut: Vec<(Source, Layer)>,
}

/// Whether a packet of video is within its publisher's limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Admission {
    Admitted,
    Refused,
    /// It needs a keyframe before it, and there is room for one.
    NeedsKeyframe,
}

impl Allowance {
    fn new(now: Instant) -> Self {
        Self {
            began: now,
            step: 0,
            bytes: [0; STEPS],
            cut: Vec::new(),
        }
    }

    /// The same for a packet of this layer, `starts`: a decoder can start with it.
    fn admit_of(
        &mut self,
        now: Instant,
        limit: u32,
        bytes: usize,
        (of, starts): ((Source, Layer), bool),
    ) -> Admission {
        let is_cut = self.cut.contains(&of);
        if is_cut && !starts {
            let has_room = 2 * self.sum(now) <= most(limit);
            return match has_room {
                true => Admission::NeedsKeyframe,
                false => Admission::Refused,
            };
        }
        if self.admit(now, limit, bytes) {
            self.cut.retain(|cut| *cut != of);
            return Admission::Admitted;
        }
        if !is_cut {
            self.cut.push(of);
        }
        Admission::Refused
    }

    /// Whether one more packet is within so many bits per second.
    fn admit(&mut self, now: Instant, limit: u32, bytes: usize) -> bool {
        let admitted = self.sum(now) + bytes as u64 <= most(limit);
        if admitted {
            self.bytes[(self.step % STEPS as u64) as usize] += bytes as u64;
        }
        admitted
    }

    /// Bytes of the window that ends now.
    fn sum(&mut self, now: Instant) -> u64 {
        let passed = now.saturating_duration_since(self.began).as_millis();
        let step = (passed / STEP.as_millis()) as u64;
        for fresh in (self.step + 1..=step).take(STEPS) {
            self.bytes[(fresh % STEPS as u64) as usize] = 0;
        }
        self.step = self.step.max(step);
        self.bytes.iter().sum()
    }
}

/// Most bytes of a window.
fn most(limit: u32) -> u64 {
    u64::from(limit) * WINDOW.as_secs() / 8
}

/// How much sound a source has sent in this second.
#[derive(Debug, Default)]
pub struct Sound {
    began: Option<Instant>,
    bytes: usize,
    packets: u32,
}

impl Sound {
    /// Whether one more packet is within what sound may take.
    fn admit(&mut self, now: Instant, bytes: usize) -> bool {
        let fresh = |began| now.saturating_duration_since(began) >= SOUND_INTERVAL;
        if self.began.is_none_or(fresh) {
            *self = Self {
                began: Some(now),
                ..Self::default()
            };
        }
        self.bytes += bytes;
        self.packets += 1;
        self.bytes <= MAX_SOUND_BYTES && self.packets <= MAX_SOUND_PACKETS
    }
}

impl Room {
    /// What a participant may send has changed; from the next packet on.
    pub fn set_caps(&mut self, cx: &mut Context<'_>, participant: &ParticipantId, caps: Caps) {
        let key = self.find(participant).map(|(key, _)| key);
        let Some(key) = key else {
            return;
        };
        if let Some(member) = self.member_mut(key) {
            member.caps = caps;
        }
        for source in [Source::Microphone, Source::ScreenAudio] {
            let track = self
                .member(key)
                .and_then(|m| m.tracks[source_index(source)]);
            if let Some(track) = track.filter(|_| !caps.allow(source)) {
                // Who is muted is not heard, and holds no audio slot.
                self.loudest.remove(&track);
                self.hear_again(cx.now);
            }
        }
        if self.limit_layers(cx, key) {
            self.assign_all(cx);
        }
    }

    /// Whether a packet may go further than this: its source is allowed, and its layer is within the caps.
    pub(super) fn may_publish(
        &mut self,
        cx: &mut Context<'_>,
        key: MemberKey,
        source: Source,
        layer: Layer,
        packet: &Packet,
    ) -> bool {
        let Some(member) = self.member_mut(key) else {
            return false;
        };
        let index = source_index(source);
        let bounded = source.kind() != MediaKind::Audio
            || member.sound[index].admit(cx.now, packet.payload.len());
        let allowed = member.caps.allow(source) && bounded;
        let Some(track) = member.tracks[index].filter(|_| allowed) else {
            return false;
        };
        self.router.count(cx.now, (track, layer), packet);
        if !self.router.admits((track, layer)) {
            return false;
        }
        match self.is_allowed_now(cx.now, key, (source, layer), packet) {
            Admission::Admitted => true,
            Admission::Refused => false,
            Admission::NeedsKeyframe => {
                self.request_keyframe(cx, (track, layer));
                false
            }
        }
    }

    /// Whether a packet is within its publisher's bit rate: bursts between two looks at the rates of layers count, too.
    fn is_allowed_now(
        &mut self,
        now: Instant,
        key: MemberKey,
        of: (Source, Layer),
        packet: &Packet,
    ) -> Admission {
        let Some(member) = self.member_mut(key) else {
            return Admission::Refused;
        };
        let limit = member.caps.max_bitrate;
        let Some(limit) = limit.filter(|_| packet.codec.kind() == MediaKind::Video) else {
            return Admission::Admitted;
        };
        let allowance = member
            .allowance
            .get_or_insert_with(|| Box::new(Allowance::new(now)));
        let bytes = packet.payload.len() + RTP_HEADER_LEN;
        allowance.admit_of(now, limit, bytes, (of, packet.keyframe))
    }

    /// Looks at the bit rates of members that have a limit. Whether anything may be sent that might not be, or the reverse.
    pub(super) fn limit_rates(&mut self, cx: &mut Context<'_>) -> bool {
        let limited = self.members.iter();
        let limited: Vec<_> = limited
            .filter(|(_, member)| member.caps.max_bitrate.is_some())
            .map(|(key, _)| key)
            .collect();
        let mut changed = false;
        for key in limited {
            changed |= self.limit_layers(cx, key);
        }
        changed
    }

    /// Applies a member's caps to its video tracks: whole layers go, the highest first. Whether that changed anything.
    pub(super) fn limit_layers(&mut self, cx: &mut Context<'_>, key: MemberKey) -> bool {
        let Some(member) = self.member(key) else {
            return false;
        };
        let caps = member.caps;
        let tracks: Vec<_> = [Source::Camera, Source::Screen]
            .into_iter()
            .filter_map(|source| Some((source, member.tracks[source_index(source)]?)))
            .collect();
        let mut left = caps.max_bitrate.map_or(u64::MAX, u64::from);
        let margin = caps
            .max_bitrate
            .map_or(0, |limit| u64::from(limit) * MARGIN / 100);
        let mut highest = vec![None; tracks.len()];
        for layer in 0..=u8::MAX {
            let mut any = false;
            for ((source, key), highest) in tracks.iter().zip(&mut highest) {
                let Some(track) = self.router.get(*key) else {
                    continue;
                };
                let Some(entry) = track.layers.get(usize::from(layer)) else {
                    continue;
                };
                any = true;
                let capped =
                    *source == Source::Camera && caps.max_layer.is_some_and(|max| layer > max);
                let in_row = layer == 0 || *highest == Some(Layer(layer - 1));
                let rate = presumed_rate(track, layer, cx.now);
                // A keyframe may take what is left for it.
                let flows = track.highest >= Some(Layer(layer));
                let margin = match flows && entry.had_keyframe(cx.now, WINDOW) {
                    true => 0,
                    false => margin,
                };
                let fits = rate.saturating_add(margin) <= left;
                if !capped && in_row && fits && caps.allow(*source) {
                    *highest = Some(Layer(layer));
                    left -= rate;
                }
            }
            if !any {
                break;
            }
        }
        let mut changed = false;
        for ((_, key), highest) in tracks.into_iter().zip(highest) {
            let Some(track) = self.router.get_mut(key) else {
                continue;
            };
            if std::mem::replace(&mut track.highest, highest) == highest {
                continue;
            }
            changed = true;
            for layer in (0..track.layers.len()).map(|layer| Layer(layer as u8)) {
                self.forbid_layer(cx, (key, layer), Some(layer) > highest);
            }
        }
        changed
    }
}

/// What a layer would take, in bits per second. One that was too much comes back: a silent one is taken to have no more than
/// is usual, and a lowest one is tried, since there is no picture without it.
fn presumed_rate(track: &Track, layer: u8, now: Instant) -> u64 {
    let index = usize::from(layer);
    let Some(rate) = track.layers.get(index).map(|layer| &layer.rate) else {
        return 0;
    };
    let measured = rate.get().unwrap_or(0);
    match rate.is_silent(now, FORGOTTEN) {
        false => measured,
        true if layer == 0 => 0,
        true => measured.min(layer::usual_rate(
            track.id.source,
            track.layers.len(),
            index,
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_has_what_opus_can_take_and_no_more() {
        let start = Instant::now();
        let mut sound = Sound::default();
        let mut admitted = |from: Duration, packets: u32, bytes| {
            let times = (0..packets).map(|n| from + SOUND_INTERVAL * n / packets);
            times.filter(|at| sound.admit(start + *at, bytes)).count()
        };
        assert_eq!(
            admitted(Duration::ZERO, 400, 160),
            400,
            "as much as Opus has"
        );
        assert_eq!(admitted(SOUND_INTERVAL, 5_000, 1), 500);
        assert_eq!(admitted(2 * SOUND_INTERVAL, 400, 1_200), 66);
    }

    #[test]
    fn what_was_cut_goes_on_with_a_keyframe_and_not_before() {
        const LIMIT: u32 = 400_000;
        let start = Instant::now();
        let mut allowance = Allowance::new(start);
        let (camera, screen) = ((Source::Camera, Layer(0)), (Source::Screen, Layer(0)));
        let mut offer = |ms: u64, bytes, of, starts| {
            let now = start + Duration::from_millis(ms);
            allowance.admit_of(now, LIMIT, bytes, (of, starts))
        };
        assert_eq!(offer(0, 90_000, camera, true), Admission::Admitted);
        assert_eq!(offer(10, 20_000, camera, false), Admission::Refused);
        assert_eq!(offer(20, 100, camera, false), Admission::Refused);
        assert_eq!(offer(30, 100, screen, false), Admission::Admitted);
        assert_eq!(offer(40, 20_000, camera, true), Admission::Refused);
        assert_eq!(offer(2_200, 100, camera, false), Admission::NeedsKeyframe);
        assert_eq!(offer(2_210, 20_000, camera, true), Admission::Admitted);
        assert_eq!(offer(2_220, 100, camera, false), Admission::Admitted);
    }

    #[test]
    fn no_two_seconds_have_more_than_the_limit_however_it_is_sent() {
        const LIMIT: u32 = 800_000;
        let most = 200_000;
        let start = Instant::now();
        let ms = Duration::from_millis;
        // Bytes that are offered each 10 ms.
        let steady = |_| 1_500;
        let bursts = |at: u64| if at % 1_300 < 300 { 20_000 } else { 0 };
        let after_silence = |at: u64| if at > 7_777 { 50_000 } else { 10 };
        let offers: [&dyn Fn(u64) -> u64; 3] = [&steady, &bursts, &after_silence];
        for offered in offers {
            let mut allowance = Allowance::new(start);
            let mut sent = Vec::new();
            for at in (0..20_000).step_by(10) {
                let packets = offered(at).div_ceil(1_000);
                for _ in 0..packets {
                    let bytes = offered(at) / packets;
                    if allowance.admit(start + ms(at), LIMIT, bytes as usize) {
                        sent.push((at, bytes));
                    }
                }
            }
            let over = |from: u64| {
                let within = sent
                    .iter()
                    .filter(|(at, _)| (from..from + 2_000).contains(at));
                within.map(|(_, bytes)| bytes).sum::<u64>()
            };
            let peak = (0..18_000).step_by(10).map(over).max().unwrap_or(0);
            assert!(peak <= most && peak > most * 9 / 10, "{peak} bytes");
        }
    }

    #[test]
    fn who_keeps_to_the_limit_is_not_cut() {
        let start = Instant::now();
        let mut allowance = Allowance::new(start);
        // 30 frames a second that take 90% of the limit, and a keyframe five times as large now and then.
        let cut = (0..3_000_u32).filter(|frame| {
            let bytes = if frame % 300 == 0 { 15_000 } else { 3_000 };
            !allowance.admit(
                start + *frame * Duration::from_micros(33_333),
                800_000,
                bytes,
            )
        });
        assert_eq!(cut.count(), 0);
    }
}
