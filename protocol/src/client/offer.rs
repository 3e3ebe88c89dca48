//! The offer of a media session: what travels with it, and what a restart of its ICE changes.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::Attempt;
use crate::media::Source;

/// What [`super::ClientMessage::Offer`] says, where it travels with a join ([`crate::api::JoinRequest`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Offer {
    pub attempt: Attempt,
    pub sdp: String,
    /// Which sending m-line is which source; all other m-lines are receive slots.
    pub sources: Vec<SourceMid>,
}

/// The source whose media an m-line of the offer sends. Where it offers simulcast (`a=simulcast:send`, RFC 8853), the
/// rids stand in the order of rising quality: the first is layer 0. A camera's layers differ in size, each twice as
/// wide and high as the one below; a screen's have its full size and differ in frame rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SourceMid {
    pub mid: String,
    pub source: Source,
}

/// What one side of an ICE session is known by (RFC 8839, 5.4).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct IceCredentials {
    pub ufrag: String,
    pub pwd: String,
}

impl fmt::Debug for IceCredentials {
    /// Without the password: it must not get into a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceCredentials")
            .field("ufrag", &self.ufrag)
            .finish_non_exhaustive()
    }
}
