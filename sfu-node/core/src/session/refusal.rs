//! Why an offer is refused, in words for whoever has sent it.

use protocol::client::MAX_MESSAGE_BYTES;

use crate::egress::extensions::MAX_MID;

/// Most m-lines of an offer: 4 sources, 49 tiles, a few audio slots and the data channel fit.
pub const MAX_MEDIA_LINES: usize = 64;
/// Longest offer in bytes, and most lines of any kind: it is read in one go, while everybody else waits. Chromium's for 49 tiles, with all
/// its codecs on each, has 248 kB and 8,267 lines.
pub const MAX_BYTES: usize = MAX_MESSAGE_BYTES;
pub const MAX_LINES: usize = 10_000;

/// Why an offer cannot be answered. It goes to the client, so all of it is in our own words: a library's would tell of this
/// process.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    #[error("the offer is no session description that can be read (RFC 8866)")]
    Syntax,
    #[error("the offer has no {0} line")]
    Lacks(&'static str),
    #[error("the offer has {0} bytes; at most {MAX_BYTES} are allowed")]
    TooLong(usize),
    #[error("the offer has more than {MAX_LINES} lines")]
    TooManyLines,
    #[error("the offer has {0} m-lines; at most {MAX_MEDIA_LINES} are allowed")]
    TooManyMedia(usize),
    #[error("each m-line needs an a=mid that is a token of at most {MAX_MID} characters")]
    BadMid,
    #[error("the mid {0:?} is that of two m-lines")]
    DuplicateMid(String),
    #[error("the m-line {0:?}, or what it sends, is named twice")]
    NamedTwice(String),
    #[error("the offer names no m-line with the mid {0:?} that sends")]
    UnknownMid(String),
    #[error("the m-line {0:?} is of another kind than its source")]
    WrongKind(String),
    #[error(
        "the m-line {0:?} shares no codec with this node: Opus, VP8, H.264, VP9 or AV1 is needed"
    )]
    NoCodec(String),
    #[error(
        "the m-line {0:?} sends a codec under another payload type than another m-line that sends it: one is needed"
    )]
    OtherPayloadType(String),
    #[error("the offer contradicts itself, or what was negotiated before")]
    Contradictory,
    #[error("this node could not answer the offer; the fault is its own")]
    Fault,
}
