//! Queries of the HTTP API: what stands behind the `?` of an address.

use serde::{Deserialize, Serialize};

use crate::id::{Epoch, RoomId};

/// The largest whole number that JSON carries everywhere (RFC 8259, 6).
pub const MAX_WHOLE: u64 = (1 << 53) - 1;

/// A whole number, at most [`MAX_WHOLE`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(try_from = "u64", into = "u64")]
pub struct Whole(u64);

impl TryFrom<u64> for Whole {
    type Error = &'static str;

    fn try_from(number: u64) -> Result<Self, &'static str> {
        let fits = number <= MAX_WHOLE;
        fits.then_some(Self(number))
            .ok_or("the number is too large")
    }
}

impl From<Whole> for u64 {
    fn from(number: Whole) -> u64 {
        number.0
    }
}

/// `GET /api/directory`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct DirectoryQuery {
    /// Words, of which at most eight count: each is to be the beginning of a word of the name.
    pub q: String,
    /// Only rooms that somebody is in.
    pub live: bool,
    /// The `next` of the page before.
    #[cfg_attr(
        feature = "openapi",
        schemars(regex(pattern = "^[A-Za-z0-9_-]{1,40} "))
    )]
    pub after: Option<String>,
    /// How many rooms a page has at most; 30 where nothing is said, and 100 where more is.
    pub limit: Option<u32>,
}

/// `GET /api/ice-servers`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct IceServersQuery {
    /// The room that they are for: one that is bound to regions has only servers and nodes in these.
    pub room: Option<RoomId>,
}

/// `GET /api/rooms/{id}/audit`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct AuditQuery {
    /// `before` of the page that this one follows; the latest deeds without it.
    pub before: Option<Whole>,
}

/// `GET /api/rooms/{id}/chat/export`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ChatExportQuery {
    /// The id of the last line that one has.
    pub after: Whole,
}

/// `GET /api/rooms/{id}/ws`: a ticket, or what to go on with after a loss.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ConnectQuery {
    /// The ticket of a join.
    pub ticket: Option<String>,
    /// The token of the last welcome.
    pub resume: Option<String>,
    /// The number of the last event that arrived.
    pub since: Option<Whole>,
    /// Which trace the connection belongs to (W3C Trace Context); it stands in the address that a join was answered with.
    pub traceparent: Option<String>,
}

/// `GET /api/v1/rooms`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct OwnRoomsQuery {
    /// The `next` of the page before.
    pub after: Option<RoomId>,
    /// How many rooms a page has at most; 50 where nothing is said, and 100 where more is.
    pub limit: Option<u32>,
}

/// `GET /node/rooms/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct RoomLinkQuery {
    /// The placement that the node was told.
    pub epoch: Epoch,
}

/// `GET /api/auth/sso/{provider}/start`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct SignOnQuery {
    /// A path of this site, to be at afterwards; the first page where nothing is said.
    #[serde(rename = "return")]
    #[cfg_attr(
        feature = "openapi",
        schemars(
            length(max = 512),
            regex(pattern = r"^/([^/\\\x00-\x1f\x7f-\x9f][^\\\x00-\x1f\x7f-\x9f]*)?$")
        )
    )]
    pub back: Option<String>,
}

/// `GET /api/auth/sso/{provider}/callback`, as the provider sends the browser back (RFC 6749, 4.1.2; RFC 9207).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct SignedOnQuery {
    pub code: Option<String>,
    pub state: Option<String>,
    pub error: Option<String>,
    /// The provider that answers.
    pub iss: Option<String>,
}
