//! Quality: every few seconds it is measured how each client's media travels, and the client is told so.

use std::time::{Duration, Instant};

use protocol::client::{NodeMediaMessage, PathQuality, Quality};
use protocol::media::{MediaKind, Source};

use super::deadlines::Deadline;
use super::{Context, Room, source_index};
use crate::e_model::{Journey, score};
use crate::key::MemberKey;
use crate::reception::Interval;

/// How often, for each member and for the room. A member's is counted from its connection, so that a large room's are
/// spread over the time.
pub(super) const INTERVAL: Duration = Duration::from_secs(5);

/// What is known of a member's quality.
#[derive(Debug, Default)]
pub(super) struct Measured {
    /// When it was measured last, and the bytes sent by then.
    at: Option<(Instant, u64)>,
    pub(super) latest: Option<Quality>,
    /// What its client said last of its playback ([`Quality::frozen`]).
    frozen: Option<f32>,
}

/// What a member's tracks were received like.
struct Upward {
    all: Interval,
    sound: Interval,
    jitter: Duration,
}

impl Room {
    /// A member is connected here: its quality is measured from now on.
    pub(super) fn start_quality(&mut self, cx: &mut Context<'_>, key: MemberKey) {
        if let Some(member) = self.member_mut(key) {
            member.quality.at = Some((cx.now, member.subscriber.sent_bytes()));
        }
        self.deadlines.lower(Deadline::Qualities, cx.now + INTERVAL);
    }

    /// A client says how it has played what it receives: the latest counts. Returns whether it is a figure at all.
    pub(crate) fn played(&mut self, key: MemberKey, frozen: f32) -> bool {
        if !frozen.is_finite() {
            return false;
        }
        if let Some(member) = self.member_mut(key) {
            member.quality.frozen = Some(frozen.clamp(0.0, 1.0));
        }
        true
    }

    /// Measures a member's quality if it is time, and tells its client.
    pub(super) fn measure_quality(&mut self, cx: &mut Context<'_>, key: MemberKey) {
        let Some((since, sent_before)) = self.member(key).and_then(|m| m.quality.at) else {
            return;
        };
        let passed = cx.now.saturating_duration_since(since);
        if passed < INTERVAL {
            return;
        }
        let upward = self.received_from(key);
        let Some(member) = self.member_mut(key) else {
            return;
        };
        let downward = member.subscriber.take_journey();
        let sent = member.subscriber.sent_bytes();
        member.quality.at = Some((cx.now, sent));
        let bitrate = |bytes: u64| (bytes as f64 * 8.0 / passed.as_secs_f64()) as u32;
        let quality = Quality {
            round_trip_ms: downward.round_trip.map(|time| time.as_secs_f32() * 1e3),
            up: PathQuality {
                loss: upward.all.loss() as f32,
                jitter_ms: upward.jitter.as_secs_f32() * 1e3,
                bitrate: bitrate(upward.all.bytes),
            },
            down: PathQuality {
                loss: downward.loss as f32,
                jitter_ms: downward.jitter.as_secs_f32() * 1e3,
                bitrate: bitrate(sent.saturating_sub(sent_before)),
            },
            estimate: u32::try_from(member.subscriber.estimate()).unwrap_or(u32::MAX),
            frozen: member.quality.frozen,
            score: sound_score(&upward, downward),
        };
        member.quality.latest = Some(quality);
        if !member.channel_open {
            return;
        }
        let session = member.session;
        cx.tell(session, &NodeMediaMessage::Quality { quality });
    }

    /// What has come of a member's tracks since the last look. The jitter is the sound's, or else that of any other: video
    /// is sent in bursts, which look like jitter.
    fn received_from(&mut self, key: MemberKey) -> Upward {
        let mut upward = Upward {
            all: Interval::default(),
            sound: Interval::default(),
            jitter: Duration::ZERO,
        };
        let tracks = self.member(key).map_or([None; 4], |member| member.tracks);
        let microphone = tracks[source_index(Source::Microphone)];
        for track in tracks.into_iter().flatten() {
            let Some(entry) = self.router.get_mut(track) else {
                continue;
            };
            let is_sound = entry.id.source.kind() == MediaKind::Audio;
            for layer in &mut entry.layers {
                let interval = layer.reception.take();
                if interval.expected == 0 {
                    continue;
                }
                upward.all += interval;
                if is_sound {
                    upward.sound += interval;
                }
                if Some(track) == microphone || upward.sound.expected == 0 {
                    upward.jitter = layer.reception.jitter();
                }
            }
        }
        upward
    }
}

/// A conversation is as good as the worse of its directions.
fn sound_score(upward: &Upward, downward: Journey) -> f32 {
    let upward = Journey {
        jitter: upward.jitter,
        loss: upward.sound.loss(),
        ..downward
    };
    score(&upward).min(score(&downward))
}
