//! What media is: sources, tracks, codecs, layers.

use serde::{Deserialize, Serialize};

use crate::id::ParticipantId;

/// Where a track of a participant comes from. A participant has at most one track of each source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
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

impl MediaKind {
    /// The RTP clock rate in Hz, which all codecs of a kind share.
    pub fn clock_rate(self) -> u32 {
        match self {
            MediaKind::Audio => 48_000,
            MediaKind::Video => 90_000,
        }
    }
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
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Codec {
    Opus,
    Vp8,
    H264,
    Vp9,
    Av1,
}

impl Codec {
    /// All of them, in the order in which a node prefers them when a client does not care.
    pub const ALL: [Codec; 5] = [Codec::Opus, Codec::Vp8, Codec::H264, Codec::Vp9, Codec::Av1];

    /// Whether this codec is for audio or video.
    pub fn kind(self) -> MediaKind {
        match self {
            Codec::Opus => MediaKind::Audio,
            Codec::Vp8 | Codec::H264 | Codec::Vp9 | Codec::Av1 => MediaKind::Video,
        }
    }

    /// The RTP clock rate in Hz (RFC 7587, RFC 7741, RFC 6184, RFC 9628, AV1 RTP payload format).
    pub fn clock_rate(self) -> u32 {
        self.kind().clock_rate()
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
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Publishing {
    pub microphone: bool,
    pub camera: bool,
    pub screen: bool,
    /// The codec of its video; absent while it sends none, and from clients that do not say.
    #[serde(default)]
    pub codec: Option<Codec>,
}

impl Publishing {
    /// Whether media of this source is sent. A screen's sound comes with the screen.
    pub fn includes(&self, source: Source) -> bool {
        match source {
            Source::Microphone => self.microphone,
            Source::Camera => self.camera,
            Source::Screen | Source::ScreenAudio => self.screen,
        }
    }
}

/// What a participant may send; the node enforces it, whatever the client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Caps {
    /// Sound of any source.
    pub audio: bool,
    /// Pictures of any source.
    pub video: bool,
    /// The screen and its sound, as far as the two above allow them.
    #[serde(default = "allowed")]
    pub screen: bool,
    /// Captions of what is said.
    #[serde(default = "allowed")]
    pub captions: bool,
    /// The highest camera layer that is forwarded; every one if absent.
    #[serde(default)]
    pub max_layer: Option<u8>,
    /// Most bits per second of all video together that are forwarded; no limit if absent.
    #[serde(default)]
    pub max_bitrate: Option<u32>,
}

fn allowed() -> bool {
    true
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            audio: true,
            video: true,
            screen: true,
            captions: true,
            max_layer: None,
            max_bitrate: None,
        }
    }
}

impl Caps {
    /// Whether media of this source may be sent. Who is muted sends no sound at all, and whose camera is stopped no picture:
    /// what calls itself a screen's may be a microphone's or a camera's.
    pub fn allow(&self, source: Source) -> bool {
        match source {
            Source::Microphone => self.audio,
            Source::Camera => self.video,
            Source::Screen => self.screen && self.video,
            Source::ScreenAudio => self.screen && self.audio,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_muted_sends_no_sound_under_any_name() {
        let muted = Caps {
            audio: false,
            ..Caps::default()
        };
        assert!(!muted.allow(Source::Microphone) && !muted.allow(Source::ScreenAudio));
        assert!(muted.allow(Source::Screen) && muted.allow(Source::Camera));
    }

    #[test]
    fn whose_video_is_stopped_sends_no_picture_under_any_name() {
        let stopped = Caps {
            video: false,
            ..Caps::default()
        };
        assert!(!stopped.allow(Source::Camera) && !stopped.allow(Source::Screen));
        assert!(stopped.allow(Source::Microphone) && stopped.allow(Source::ScreenAudio));
    }
}
