//! The header extensions of an m-line as its client offers them (RFC 8285, 5 and 6), and what of them is answered.
//!
//! Each m-line has ids of its own: foreign stacks number each kind of media anew.

use std::fmt::Write;

use super::description::Section;
use crate::egress::extensions::Extensions;
use crate::packet::rtp::RtpPacket;

const MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
const RID: &str = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
const REPAIRED_RID: &str = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id";
const LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
const TWCC: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

/// The largest id of a transport-wide number: str0m, which answers them, looks at none above.
pub const MAX_TWCC_ID: u8 = 16;

/// An extension of an m-line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mapped {
    id: u8,
    uri: &'static str,
    /// Whether the client sends it, and whether it wants it from us.
    sent: bool,
    wanted: bool,
}

/// The extensions of an m-line that are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExtMap(Vec<Mapped>);

impl ExtMap {
    /// Reads those of an m-line. What stands above all m-lines counts for each (RFC 8285, 5).
    pub fn read(session: &Section<'_>, media: &Section<'_>) -> Self {
        let mut map = Vec::<Mapped>::new();
        let offered = [media, session].map(|section| section.values("extmap"));
        for mapped in offered.into_iter().flatten().filter_map(read) {
            if map
                .iter()
                .all(|known| known.id != mapped.id && known.uri != mapped.uri)
            {
                map.push(mapped);
            }
        }
        let mut feedback = media.values("rtcp-fb");
        let has_feedback = feedback.any(|feedback| feedback.ends_with(" transport-cc"));
        map.retain(|mapped| mapped.uri != TWCC || has_feedback && mapped.id <= MAX_TWCC_ID);
        Self(map)
    }

    fn sent(&self, uri: &str) -> Option<u8> {
        let mut sent = self.0.iter().filter(|mapped| mapped.sent);
        sent.find(|mapped| mapped.uri == uri)
            .map(|mapped| mapped.id)
    }

    fn wanted(&self, uri: &str) -> Option<u8> {
        let mut wanted = self.0.iter().filter(|mapped| mapped.wanted);
        wanted
            .find(|mapped| mapped.uri == uri)
            .map(|mapped| mapped.id)
    }

    /// What our packets on this m-line carry.
    pub fn outgoing(&self) -> Extensions {
        Extensions {
            mid: self.wanted(MID),
            twcc: self.wanted(TWCC),
            level: self.wanted(LEVEL),
        }
    }

    /// Where the client's packets on this m-line say what.
    pub fn incoming(&self) -> Incoming {
        Incoming {
            mid: self.sent(MID),
            rid: self.sent(RID),
            repaired_rid: self.sent(REPAIRED_RID),
            level: self.sent(LEVEL),
            twcc: self.sent(TWCC),
        }
    }

    /// Whether transport-wide numbers are used in any direction.
    pub fn is_numbered(&self) -> bool {
        self.0.iter().any(|mapped| mapped.uri == TWCC)
    }

    /// Its lines in the answer: the same ids, and the other side of each direction (RFC 8285, 6).
    pub fn answer(&self, out: &mut String) {
        for Mapped {
            id,
            uri,
            sent,
            wanted,
        } in &self.0
        {
            let direction = match (sent, wanted) {
                (true, false) => "/recvonly",
                (false, true) => "/sendonly",
                _ => "",
            };
            // Writing into a string cannot fail.
            let _ = write!(out, "a=extmap:{id}{direction} {uri}\r\n");
        }
    }
}

/// One `extmap` attribute: `<id>["/"<direction>] <URI> [<attributes>]`. `None` for what is not known here, or cannot be in a
/// packet (RFC 8285, 4.3: ids are 1 to 255).
fn read(value: &str) -> Option<Mapped> {
    let mut words = value.split_ascii_whitespace();
    let (id, direction) = match words.next()?.split_once('/') {
        None => (value.split_ascii_whitespace().next()?, "sendrecv"),
        Some(parts) => parts,
    };
    let named = words.next()?;
    let known = [MID, RID, REPAIRED_RID, LEVEL, TWCC];
    let uri = known.into_iter().find(|uri| *uri == named)?;
    let id = id.parse().ok().filter(|id| *id > 0)?;
    let (sent, wanted) = match direction {
        "sendrecv" => (true, true),
        "sendonly" => (true, false),
        "recvonly" => (false, true),
        _ => return None,
    };
    Some(Mapped {
        id,
        uri,
        sent,
        wanted,
    })
}

/// The ids of the elements that a client's packets of one m-line carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Incoming {
    pub mid: Option<u8>,
    pub rid: Option<u8>,
    pub repaired_rid: Option<u8>,
    pub level: Option<u8>,
    pub twcc: Option<u8>,
}

/// The text of an element.
pub fn text<'a>(packet: &RtpPacket<'a>, id: Option<u8>) -> Option<&'a str> {
    std::str::from_utf8(packet.element(id?)?).ok()
}
