//! How a bot fared, from its join to the end of the run.

use std::time::Duration;

use protocol::client::Quality;

use crate::tally::Received;

/// When a join reached what, since its start.
#[derive(Debug, Clone, Copy, Default)]
pub struct Times {
    /// The API's answer.
    pub asked: Option<Duration>,
    /// The WebSocket.
    pub opened: Option<Duration>,
    /// The node's answer to the offer.
    pub answered: Option<Duration>,
    /// ICE and DTLS.
    pub connected: Option<Duration>,
    /// The first packet of somebody's audio, and of somebody's video.
    pub audio: Option<Duration>,
    pub video: Option<Duration>,
}

/// How a bot fared.
#[derive(Debug, Default)]
pub struct Outcome {
    pub times: Times,
    /// Why it could not join, or could not stay.
    pub failure: Option<String>,
    pub received: Received,
    /// Whose video it wanted at the end.
    pub wanted: usize,
    /// Keyframes of its camera, sent and asked for.
    pub keyframes_sent: u64,
    pub keyframes_asked: u64,
    /// Camera layers that it encoded at the end, of those it has.
    pub layers_encoded: usize,
    pub layers: usize,
    /// Slots that the node had paused at the end, because the path could not carry them.
    pub paused: usize,
    /// The latest word of the node on how its media travels.
    pub quality: Option<Quality>,
    /// How often its media session had to be made anew.
    pub renegotiations: u64,
    /// Whether the way to the room was lost.
    pub link_lost: bool,
    /// Packets that its own machine would not send.
    pub unsent: u64,
}
