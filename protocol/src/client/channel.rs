//! Messages between a client and its media node, over the data channel named `connect`: what is shown, what is watched,
//! and how media travels.

use serde::{Deserialize, Serialize};

use super::captions::{Caption, CaptionLine, CaptionRefusal};
use crate::id::ParticipantId;
use crate::media::{Source, TrackId};

/// Client → node, over the data channel named `connect`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum ClientMediaMessage {
    /// What the client shows now, whole each time. What is not in it is not sent.
    View { tiles: Vec<Tile> },
    /// Nothing but a sign of life, every second: from the first one on, a node takes two seconds of silence for a loss.
    Alive,
    /// Whether captions are to be told from now on.
    ShowCaptions { on: bool },
    /// What somebody says just now.
    FeedCaption(CaptionLine),
    /// How what it receives was played, every few seconds: only the receiver knows.
    Playback {
        /// Share of the time since the last report in which a picture stood still, 0 to 1: the mean of all that it shows,
        /// and 0 where it shows none.
        frozen: f32,
    },
}

/// A video that the client shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Tile {
    pub track: TrackId,
    /// Size on the screen in device pixels.
    pub width: u16,
    pub height: u16,
    /// Larger matters more. Ties go to the earlier tile.
    pub priority: u8,
}

/// Node → client, over the data channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum NodeMediaMessage {
    /// Which track each receive slot carries now, whole each time.
    Slots { slots: Vec<SlotAssignment> },
    /// Who speaks now, the loudest first, whole each time; empty while nobody does.
    Speakers { speakers: Vec<ParticipantId> },
    /// What somebody says, as somebody feeds it. What was missed is not told again.
    Caption(Caption),
    /// What the client fed under this number is not passed on. It is told once a second at most.
    CaptionRefused { id: u32, reason: CaptionRefusal },
    /// What of the client's own video anybody, anywhere, watches now, whole each time. It encodes nothing else (dynacast).
    Demand { demand: Vec<SourceDemand> },
    /// How the client's media travels, every few seconds.
    Quality { quality: Quality },
    /// How the media of those in the room travels, every few seconds: who sends something comes first, and of whom nothing
    /// comes, nothing is told.
    Qualities {
        participants: Vec<ParticipantQuality>,
    },
}

/// Which simulcast layers of a source are watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct SourceDemand {
    pub source: Source,
    /// For each layer in the order of the offer's rids, the lowest first, whether it is wanted.
    pub layers: Vec<bool>,
}

/// How a participant's media travels between the client and its node.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Quality {
    /// Round-trip time in milliseconds; absent until it is measured.
    pub round_trip_ms: Option<f32>,
    /// What the client sends, as the node receives it.
    pub up: PathQuality,
    /// What the client receives, as it reports back.
    pub down: PathQuality,
    /// What the node may send to the client, in bits per second.
    pub estimate: u32,
    /// Share of the time in which the pictures that the client shows stood still, 0 to 1, as it reported last; absent until
    /// it has ([`ClientMediaMessage::Playback`]).
    #[serde(default)]
    pub frozen: Option<f32>,
    /// How a listener would rate the client's sound: 1 to 5, mean opinion score by the E-model (ITU-T G.107).
    pub score: f32,
}

/// How one participant's media travels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ParticipantQuality {
    pub participant: ParticipantId,
    pub quality: Quality,
}

/// One direction of a path.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct PathQuality {
    /// Share of packets lost since the last report, before repair, 0 to 1.
    pub loss: f32,
    /// Interarrival jitter (RFC 3550, 6.4.1) in milliseconds.
    pub jitter_ms: f32,
    /// Bits per second since the last report.
    pub bitrate: u32,
}

/// One receive slot, named by the `mid` of its m-line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct SlotAssignment {
    pub mid: String,
    pub track: Option<TrackId>,
    /// The track is paused, because the path to the client cannot carry it now.
    #[serde(default)]
    pub paused: bool,
}
