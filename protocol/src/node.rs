//! Messages between a media node and the edge. The node dials both links (WebSocket, JSON text), with
//! `Authorization: Bearer <JWT>` (HS256 under the node's own key, see [`key_certificate`]; [`Claims`]):
//! - the control link, one per node: `/node/regions/{region}`, to the Region Durable Object;
//! - the room link, one per node and room: `/node/rooms/{room}?epoch=N`, to the Room Durable Object.

use serde::{Deserialize, Serialize};

use crate::client::{IceCredentials, SourceMid};
use crate::id::{Attempt, BreakoutId, Epoch, NodeId, ParticipantId, Region, RoomId};
use crate::media::Caps;
use crate::trace::Trail;

/// Version of both links. A receiver ignores messages whose `type` it does not know.
pub const VERSION: u32 = 2;

/// Since which version a node has breakout rooms. One before would let everybody see everybody.
pub const BREAKOUTS: u32 = 2;

/// Whether a node of this version and an edge of ours, or the reverse, understand each other: those of neighboring versions
/// do, so that nodes and edge can be upgraded one after the other.
pub fn is_understood(version: u32) -> bool {
    version.abs_diff(VERSION) <= 1
}

/// How long nothing has come from a client when a node calls it silent ([`NodeToRoom::Silent`]), in milliseconds: two of its
/// signs of life are missing.
pub const SILENT_AFTER_MS: u64 = 2_000;

/// A node whose busiest shard uses this share of its core takes no new session.
const MAX_CPU: f32 = 0.9;

/// The `aud` claim of a node's token.
pub const AUDIENCE: &str = "connect-edge";

/// How far ahead a token may expire, in seconds.
pub const MAX_TOKEN_SECONDS: u64 = 60;

/// What the fleet's key signs for a node: the signature, HMAC-SHA256 in base64url, is that node's own key, under which it signs its
/// tokens (HS256). The edge makes it anew from what a token says of itself; whoever has one can make no other. `until` is in
/// seconds since 1970; 0 if the key is good for as long as the fleet's is.
pub fn key_certificate(region: &Region, node: &NodeId, until: u64) -> String {
    format!("connect node key\n{region}\n{node}\n{until}")
}

/// Claims of a node's token (RFC 7519). Its header names the fleet's key that the node's own is made of (`kid`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub sub: NodeId,
    pub region: Region,
    /// [`AUDIENCE`].
    pub aud: String,
    /// Unix time in seconds, as is the next.
    pub iat: u64,
    /// At most [`MAX_TOKEN_SECONDS`] ahead.
    pub exp: u64,
    /// Until when the node's key is good, in seconds since 1970; 0 if nothing is said.
    #[serde(default)]
    pub key_until: u64,
}

/// Node → Region Durable Object.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum NodeToRegion {
    /// First message on the link.
    Register {
        version: u32,
        node: NodeId,
        region: Region,
        load: Load,
        /// `address:port`, where it answers STUN bindings of whoever measures the way to it.
        #[serde(default)]
        probes: Vec<String>,
    },
    /// Every few seconds, as told by [`RegionToNode::Registered`].
    Heartbeat { load: Load },
    /// The node takes no new sessions any more.
    Draining,
}

/// How busy a node is.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Load {
    /// Busiest shard's share of one core, 0 to 1.
    pub cpu: f32,
    pub sessions: u32,
    pub rooms: u32,
    /// How many sessions the node is willing to hold.
    pub max_sessions: u32,
    /// How many joins it takes between two heartbeats; 0 leaves it to the edge.
    #[serde(default)]
    pub max_joins_per_interval: u32,
}

impl Load {
    /// Whether the node may take one more session. The region places by it and the node tells its supervisor by it, so both
    /// have it from here.
    pub fn has_headroom(&self) -> bool {
        self.sessions < self.max_sessions && self.cpu < MAX_CPU
    }
}

/// Region Durable Object → node.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum RegionToNode {
    Registered {
        /// Seconds between heartbeats; after three silent ones the node counts as gone.
        heartbeat_seconds: u32,
    },
    /// A room was placed on this node: dial its room link.
    OpenRoom {
        room: RoomId,
        epoch: Epoch,
        /// Whose join it is for. Absent from older edges.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trail: Option<Trail>,
    },
    /// The registration was refused; the message says why.
    Refused { message: String },
}

/// Node → Room Durable Object.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum NodeToRoom {
    /// First message on the link: where other nodes reach the shard that holds this room.
    Ready {
        version: u32,
        /// `address:port` of the shard's QUIC endpoint.
        quic: String,
        /// SHA-256 of the node's QUIC certificate (DER), 64 lower-case hex digits.
        fingerprint: String,
        /// The media sessions this node still holds for the room, so that a restarted Room Durable Object learns of them.
        sessions: Vec<SessionRef>,
    },
    Answer {
        participant: ParticipantId,
        attempt: Attempt,
        sdp: String,
    },
    /// The answer to [`RoomToNode::RestartIce`].
    IceRestarted {
        participant: ParticipantId,
        attempt: Attempt,
        credentials: IceCredentials,
    },
    /// The offer cannot be answered.
    Refused {
        participant: ParticipantId,
        attempt: Attempt,
        reason: RefusalReason,
        message: String,
    },
    /// ICE and DTLS are up.
    Connected {
        participant: ParticipantId,
        attempt: Attempt,
    },
    /// The media session is gone (ICE time-out, DTLS close, fault).
    Disconnected {
        participant: ParticipantId,
        attempt: Attempt,
    },
    /// Nothing came from the client for two seconds, neither media nor a sign of life. The session goes on. Told of clients
    /// that have said once that they live, and so promised to say it again.
    Silent {
        participant: ParticipantId,
        attempt: Attempt,
    },
    /// Something comes again from a client that was silent.
    Heard {
        participant: ParticipantId,
        attempt: Attempt,
    },
    /// Of all clients that are connected, who is heard and who is silent. Said on each new link, in one message for however
    /// many, since the last word on any of them may be lost with the old link.
    Signs {
        heard: Vec<SessionRef>,
        silent: Vec<SessionRef>,
    },
}

/// Names a media session.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionRef {
    pub participant: ParticipantId,
    pub attempt: Attempt,
}

/// Why a node refused an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RefusalReason {
    /// The SDP is malformed, too large or lacks what a session needs.
    BadOffer,
    /// The node is full or drains.
    NoCapacity,
}

/// Room Durable Object → node.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum RoomToNode {
    /// The other nodes that the room is placed on now, and the breakout rooms that are open, whole each time. The node with the
    /// smaller id dials. Whoever is in a breakout room that is open no more is in the main room from then on.
    Plan {
        epoch: Epoch,
        peers: Vec<Peer>,
        #[serde(default)]
        breakouts: Vec<BreakoutId>,
    },
    /// A client's offer, what its role allows it to send, and where it is.
    Offer {
        participant: ParticipantId,
        attempt: Attempt,
        sdp: String,
        sources: Vec<SourceMid>,
        caps: Caps,
        /// Absent: in the main room.
        #[serde(default)]
        breakout: Option<BreakoutId>,
        /// By what the join is followed that this offer is of. Absent afterwards, and from older edges.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trail: Option<Trail>,
    },
    /// This participant is in a breakout room from now on, or in the main room: takes effect at once, and the session goes on.
    Breakout {
        participant: ParticipantId,
        breakout: Option<BreakoutId>,
    },
    /// What this participant may send has changed (a moderator has muted it, say); takes effect at once.
    Caps {
        participant: ParticipantId,
        caps: Caps,
    },
    /// A client's ICE restart: answer with [`NodeToRoom::IceRestarted`], or with [`NodeToRoom::Disconnected`] if there
    /// is no such session or it cannot be restarted.
    RestartIce {
        participant: ParticipantId,
        attempt: Attempt,
        sdp: String,
    },
    /// End this media session.
    Close {
        participant: ParticipantId,
        attempt: Attempt,
    },
    /// Nobody of this room is at this node any more: drop the room and close the link.
    Release,
}

/// Another node of the same room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Peer {
    pub node: NodeId,
    pub region: Region,
    /// `address:port` of its QUIC endpoint.
    pub quic: String,
    /// SHA-256 of its certificate (DER), 64 lower-case hex digits: the only one to accept.
    pub fingerprint: String,
}
