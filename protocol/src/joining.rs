//! What a client tells of its join, once, when that has come to something: `POST /api/rooms/{id}/joins`.

use serde::{Deserialize, Serialize};

/// A join as the client saw it. Times are in milliseconds since the click.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct JoinReport {
    /// The one that was sent with the join (W3C Trace Context): the span is that of the whole join.
    pub traceparent: String,
    pub outcome: JoinOutcome,
    /// How long ago the click was when this was sent.
    pub age: f64,
    /// When it had come to what it came to.
    pub took: f64,
    #[serde(default)]
    pub steps: JoinSteps,
}

/// What a join has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum JoinOutcome {
    /// Media flows, and where somebody sends pictures the first is there.
    Joined,
    /// It was refused, or found no way.
    Failed,
    /// Somebody did not want it any more.
    GivenUp,
}

/// When each step of a join was done; absent if it was not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct JoinSteps {
    /// The offer was ready.
    pub offer: Option<f64>,
    /// The API has answered.
    pub ticket: Option<f64>,
    /// The WebSocket was open.
    pub open: Option<f64>,
    pub welcome: Option<f64>,
    /// The node's answer was here.
    pub answer: Option<f64>,
    /// ICE has found a way.
    pub ice: Option<f64>,
    /// DTLS was done.
    pub connected: Option<f64>,
    /// The data channel was open.
    pub ready: Option<f64>,
    /// The node has said what it sends.
    pub slots: Option<f64>,
    /// The first frame of a picture was decoded.
    #[serde(rename = "first-frame")]
    pub frame: Option<f64>,
}
