//! What nodes say to each other over QUIC.
//!
//! Two connections per pair of nodes, told apart by ALPN. On the control connection the dialing node opens one
//! bidirectional stream; each message on it is a 4-byte big-endian length and that many bytes of JSON. On the media
//! connection each datagram is a QUIC varint, the flow id, followed by one RTP packet. The node that wants a flow
//! chooses its id, unique among those it asked this peer for, and never [`FRAGMENT`].
//!
//! A datagram that a path's packets are too small for goes in fragments to a peer that takes them: a varint [`FRAGMENT`]; two
//! bytes, big-endian, that number the datagram; one byte, which fragment this is, from 0; one byte, how many there are, from 2
//! to [`MOST_FRAGMENTS`]; and its part of the datagram.

use serde::{Deserialize, Serialize};

use crate::client::{Caption, ParticipantQuality};
use crate::id::{Attempt, NodeId, RoomId};
use crate::media::{Codec, Layer, TrackId};

/// Version of the control messages. Unknown fields and message types are ignored.
pub const VERSION: u32 = 1;
/// ALPN of the connection for datagrams.
pub const ALPN_MEDIA: &[u8] = b"connect-media/1";
/// ALPN of the connection for control messages.
pub const ALPN_CONTROL: &[u8] = b"connect-control/1";
/// Longest control message, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// In place of a flow id: a fragment of a datagram.
pub const FRAGMENT: u64 = 0;
/// A datagram goes in no more fragments than this. No packet of a client is as large, on the smallest path that QUIC knows.
pub const MOST_FRAGMENTS: usize = 8;

/// A message on the control stream, in either direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum CascadeMessage {
    /// First message of both sides.
    Hello {
        version: u32,
        node: NodeId,
        /// Whether it takes datagrams in fragments. Absent from nodes that do not know of them.
        #[serde(default)]
        fragments: bool,
    },
    /// The sender hosts this room and takes announcements of its tracks. Whoever hosts it too answers with them; an
    /// `Open` that comes before the receiver knows of the room is remembered.
    Open { room: RoomId },
    /// The sender hosts this room no more (or not with the receiver).
    Close { room: RoomId },
    /// A track can be asked for: its publisher is at the sending node, or behind it.
    Announce {
        room: RoomId,
        track: TrackId,
        codec: Codec,
        /// How many layers it has; [`Layer`] counts from 0.
        layers: u8,
        /// The publisher's media session. A participant that moves is announced from two places for a while, and the
        /// highest attempt holds. Absent from nodes that do not know of it: then the newest announcement holds.
        #[serde(default)]
        attempt: Option<Attempt>,
        /// How many nodes or shards have passed the announcement on.
        #[serde(default)]
        hops: u8,
    },
    /// That track is gone, and with it every flow of it.
    Withdraw { room: RoomId, track: TrackId },
    /// Send me this layer of this track as this flow.
    Want {
        flow: u64,
        room: RoomId,
        track: TrackId,
        layer: Layer,
    },
    /// Send this flow no more.
    Unwant { flow: u64 },
    /// A decoder behind the receiver of this flow needs a keyframe.
    Keyframe { flow: u64 },
    /// Send these RTP packets of this flow again.
    Nack { flow: u64, sequences: Vec<u16> },
    /// The path is too narrow for this flow now: nothing of it is sent until [`CascadeMessage::Resume`].
    Pause { flow: u64 },
    /// This flow is sent again.
    Resume { flow: u64 },
    /// The publisher's clock (RFC 3550, 6.4.1): this NTP time is this RTP timestamp. Keeps lips in step across the hop.
    SenderClock { flow: u64, ntp: u64, rtp: u32 },
    /// How the media of these participants travels, as it was measured where they are or told from farther on.
    Qualities {
        room: RoomId,
        participants: Vec<ParticipantQuality>,
        /// How many nodes or shards have passed it on.
        #[serde(default)]
        hops: u8,
    },
    /// What somebody says, for whoever shows it.
    Caption {
        room: RoomId,
        caption: Caption,
        /// How many nodes or shards have passed it on.
        #[serde(default)]
        hops: u8,
    },
    /// A message of a later version.
    #[serde(other)]
    Unknown,
}
