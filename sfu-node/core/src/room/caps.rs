//! What members may send, whatever their clients do: sources, layers and bit rates.

use std::time::{Duration, Instant};

use protocol::id::ParticipantId;
use protocol::media::{Caps, Layer, MediaKind, Source};

use super::{Context, Room, source_index};
use crate::key::MemberKey;
use crate::packet::Packet;

/// What sound may take: Opus has at most 510 kbit/s (RFC 6716, 2.1.1) and 400 packets a second. Nothing further on limits it,
/// since everything gives way to sound.
const MAX_SOUND_BYTES: usize = 80_000;
const MAX_SOUND_PACKETS: u32 = 500;
const SOUND_INTERVAL: Duration = Duration::from_secs(1);

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
        if self.limit_layers(key) {
            self.assign_all(cx);
        }
    }

    /// Whether a packet may go further than this: its source is allowed, and its layer is within the caps.
    pub(super) fn may_publish(
        &mut self,
        now: Instant,
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
            || member.sound[index].admit(now, packet.payload.len());
        let allowed = member.caps.allow(source) && bounded;
        let Some(track) = member.tracks[index] else {
            return false;
        };
        if !allowed {
            return false;
        }
        self.router.count(now, (track, layer), packet);
        self.router.admits((track, layer))
    }

    /// Looks at the bit rates of members that have a limit. Whether anything may be sent that might not be, or the reverse.
    pub(super) fn limit_rates(&mut self) -> bool {
        let limited = self.members.iter();
        let limited: Vec<_> = limited
            .filter(|(_, member)| member.caps.max_bitrate.is_some())
            .map(|(key, _)| key)
            .collect();
        let mut changed = false;
        for key in limited {
            changed |= self.limit_layers(key);
        }
        changed
    }

    /// Applies a member's caps to its video tracks: whole layers go, the highest first. Whether that changed anything.
    pub(super) fn limit_layers(&mut self, key: MemberKey) -> bool {
        let Some(member) = self.member(key) else {
            return false;
        };
        let caps = member.caps;
        let tracks: Vec<_> = [Source::Camera, Source::Screen]
            .into_iter()
            .filter_map(|source| Some((source, member.tracks[source_index(source)]?)))
            .collect();
        let mut left = caps.max_bitrate.map_or(u64::MAX, u64::from);
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
                let rate = entry.rate.get().unwrap_or(0);
                if !capped && in_row && rate <= left && caps.allow(*source) {
                    *highest = Some(Layer(layer));
                    left -= rate;
                }
            }
            if !any {
                break;
            }
        }
        let mut changed = false;
        for ((_, key), highest) in tracks.iter().zip(highest) {
            if let Some(track) = self.router.get_mut(*key) {
                changed |= std::mem::replace(&mut track.highest, highest) != highest;
            }
        }
        changed
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
}
