//! What a member shows, and in which order it matters: by the client's view, or else by who spoke last.

use std::cmp::Reverse;

use protocol::client::Tile;
use protocol::media::{MediaKind, Source, TrackId};

use super::{Member, Room};
use crate::router::TrackKey;

/// A video that a member shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown {
    pub track: TrackKey,
    /// Width and height of its tile in device pixels.
    pub tile: (u16, u16),
}

impl Room {
    /// What a member shows, the most important first: screens, then by the client's priority, who speaks before who does
    /// not, and by the order of the tiles.
    pub(super) fn shown(&self, member: &Member) -> Vec<Shown> {
        match &member.view {
            Some(view) => self.shown_in(member, view),
            None => self.shown_without_view(member),
        }
    }

    fn shown_in(&self, member: &Member, view: &[Tile]) -> Vec<Shown> {
        let mut tiles: Vec<(&Tile, TrackKey)> = view
            .iter()
            .filter(|tile| tile.track.source.kind() == MediaKind::Video)
            .filter_map(|tile| Some((tile, self.router.find(&tile.track)?)))
            .filter(|(_, track)| self.can_show(member, *track))
            .collect();
        tiles.sort_by_cached_key(|(tile, _)| {
            let silent = !self.speaks(&tile.track);
            (
                tile.track.source != Source::Screen,
                Reverse(tile.priority),
                silent,
            )
        });
        let mut shown: Vec<Shown> = Vec::with_capacity(tiles.len());
        for (tile, track) in tiles {
            if shown.iter().all(|known| known.track != track) {
                shown.push(Shown {
                    track,
                    tile: (tile.width, tile.height),
                });
            }
        }
        shown
    }

    /// Everybody's videos as far as slots go: screens, then who spoke last (last-N).
    fn shown_without_view(&self, member: &Member) -> Vec<Shown> {
        let slots = member.subscriber.slots.iter();
        let slots = slots.filter(|slot| slot.kind == MediaKind::Video).count();
        self.by_recency
            .iter()
            .filter(|track| self.can_show(member, **track))
            .take(slots)
            .map(|track| Shown {
                track: *track,
                tile: (u16::MAX, u16::MAX),
            })
            .collect()
    }

    /// Whether the video is somebody else's, and the member's client has the codec: what it cannot decode would hold a slot,
    /// and ask for keyframes for nothing.
    fn can_show(&self, member: &Member, track: TrackKey) -> bool {
        let codec = self.router.get(track).map(|track| track.codec);
        codec.is_some_and(|codec| member.subscriber.carries(codec)) && !self.is_own(member, track)
    }

    /// Whether a track is the member's own: by name, since it may be one of a former session, here or at another node.
    pub(super) fn is_own(&self, member: &Member, track: TrackKey) -> bool {
        let track = self.router.get(track);
        track.is_some_and(|track| track.id.participant == member.participant)
    }

    /// Orders all videos anew by who spoke last.
    pub(super) fn order_by_recency(&mut self) {
        let mut videos: Vec<_> = self
            .router
            .iter()
            .filter(|(_, track)| track.id.source.kind() == MediaKind::Video)
            .map(|(key, track)| {
                let voice = self.voice_of(&track.id);
                let recency = voice.and_then(|voice| self.talk.recency(&voice));
                let screen = track.id.source == Source::Screen;
                ((!screen, recency.unwrap_or(usize::MAX), key), key)
            })
            .collect();
        videos.sort();
        self.by_recency.clear();
        self.by_recency
            .extend(videos.into_iter().map(|(_, key)| key));
    }

    fn speaks(&self, video: &TrackId) -> bool {
        let voice = self.voice_of(video);
        voice.is_some_and(|voice| self.talk.speakers().contains(&voice))
    }

    fn voice_of(&self, video: &TrackId) -> Option<TrackKey> {
        self.router.find(&TrackId {
            participant: video.participant.clone(),
            source: Source::Microphone,
        })
    }
}
