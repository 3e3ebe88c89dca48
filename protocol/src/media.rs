//! What media is: sources, tracks, codecs, layers.

use serde::{Deserialize, Serialize};

use crate::id::ParticipantId;

/// Where a track of a participant comes from. A participant has at most one track of each source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Source {
    Microphone,
    Camera,
    Screen,
    ScreenAudio,
}

impl Source {
    /// Whether tracks of this source are audio or video.
    pub fn kind(self) -> MediaKind {
        match self {
            Source::Microphone | Source::ScreenAudio => MediaKind::Audio,
            Source::Camera | Source::Screen => MediaKind::Video,
        }
    }
}

/// Audio or video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum MediaKind {
    Audio,
    Video,
}

/// A track's name in its room: whose it is, and from which source.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct TrackId {
    pub participant: ParticipantId,
    pub source: Source,
}

/// The codecs that Connect forwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Codec {
    Opus,
    Vp8,
}

impl Codec {
    /// Whether this codec is for audio or video.
    pub fn kind(self) -> MediaKind {
        match self {
            Codec::Opus => MediaKind::Audio,
            Codec::Vp8 => MediaKind::Video,
        }
    }

    /// The codec that a session negotiates for this kind.
    pub fn of(kind: MediaKind) -> Self {
        match kind {
            MediaKind::Audio => Codec::Opus,
            MediaKind::Video => Codec::Vp8,
        }
    }

    /// The RTP clock rate in Hz (RFC 7587, RFC 7741).
    pub fn clock_rate(self) -> u32 {
        match self {
            Codec::Opus => 48_000,
            Codec::Vp8 => 90_000,
        }
    }
}

/// A simulcast layer of a video track, 0 the lowest. Audio has layer 0 only.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Layer(pub u8);

/// What a participant sends now, as everybody in the room sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Publishing {
    pub microphone: bool,
    pub camera: bool,
    pub screen: bool,
}
