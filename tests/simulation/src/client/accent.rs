//! How a client writes its offer and its packets, where that is not str0m's way: other names of m-lines and layers, and header
//! extensions under ids of each kind's own.
//!
//! str0m knows the client's m-lines by its own names. What goes over the wire has the others: descriptions are translated, and
//! the elements of header extensions are written and read here.

use str0m::rtp::{Extension, ExtensionMap, ExtensionSerializer, ExtensionValues};

use protocol::client::SourceMid;

/// A client's way to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accent {
    /// What stands before each mid and each rid, however str0m calls them.
    pub mids: &'static str,
    pub rids: &'static str,
    /// What it sends it offers on m-lines that receive, too.
    pub both_ways: bool,
    /// The ids of header extensions, of sound and of video.
    pub audio: Ids,
    pub video: Ids,
}

/// The ids of header extensions of one kind of media; 0 for those that are not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ids {
    pub mid: u8,
    pub level: u8,
    pub twcc: u8,
    pub rid: u8,
    pub repaired_rid: u8,
}

const TWCC: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

impl Ids {
    fn all(self) -> [(u8, Element, &'static str); 5] {
        [
            (
                self.mid,
                Element::Mid,
                "urn:ietf:params:rtp-hdrext:sdes:mid",
            ),
            (
                self.level,
                Element::Level,
                "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            ),
            (self.twcc, Element::Twcc, TWCC),
            (
                self.rid,
                Element::Rid,
                "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
            ),
            (
                self.repaired_rid,
                Element::RepairedRid,
                "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
            ),
        ]
    }
}

impl Accent {
    /// The header extensions of the client's str0m: those of both kinds, each under a name of its own.
    pub(super) fn extension_map(self) -> ExtensionMap {
        let mut map = ExtensionMap::empty();
        for (kind, ids) in [("audio", self.audio), ("video", self.video)] {
            for (id, element, uri) in ids.all() {
                let extension = match element {
                    // str0m numbers packets itself, and reads the feedback.
                    Element::Twcc => Extension::TransportSequenceNumber,
                    _ => Extension::with_serializer(
                        &format!("{kind}:{uri}"),
                        Written {
                            kind,
                            element,
                            accent: self,
                        },
                    ),
                };
                if id > 0 {
                    map.set(id, extension);
                }
            }
        }
        map
    }

    /// What the node gets in the place of str0m's offer.
    pub(super) fn offer(self, sdp: &str) -> String {
        self.translate(sdp, |line, kind| {
            let named = line
                .strip_prefix("a=extmap:")
                .and_then(|rest| rest.split_once(' '));
            let Some((id, uri)) = named else {
                return Some(self.names(line, |name, before| format!("{before}{name}")));
            };
            let ids = if kind == "audio" {
                self.audio
            } else {
                self.video
            };
            let uri = uri.strip_prefix(&format!("{kind}:")).unwrap_or(uri);
            let is_ours = ids
                .all()
                .iter()
                .any(|(of, _, known)| of.to_string() == id && *known == uri);
            is_ours.then(|| format!("a=extmap:{id} {uri}"))
        })
    }

    /// What str0m gets in the place of the node's answer.
    pub(super) fn answer(self, sdp: &str) -> String {
        self.translate(sdp, |line, kind| {
            let named = line
                .strip_prefix("a=extmap:")
                .and_then(|rest| rest.split_once(' '));
            Some(match named {
                Some((id, TWCC)) => format!("a=extmap:{id} {TWCC}"),
                Some((id, uri)) => format!("a=extmap:{id} {kind}:{uri}"),
                None => self.names(line, |name, before| {
                    let name = name.strip_prefix(before);
                    name.expect("the answer has the offer's names").to_owned()
                }),
            })
        })
    }

    /// The client's sources as the node is told of them.
    pub(super) fn sources(self, sources: Vec<SourceMid>) -> Vec<SourceMid> {
        let named = |named: SourceMid| SourceMid {
            mid: format!("{}{}", self.mids, named.mid),
            ..named
        };
        sources.into_iter().map(named).collect()
    }

    fn translate(self, sdp: &str, each: impl Fn(&str, &str) -> Option<String>) -> String {
        let mut kind = "";
        let mut out = String::new();
        for line in sdp.lines() {
            if let Some(media) = line.strip_prefix("m=") {
                kind = media.split(' ').next().unwrap_or_default();
            }
            if let Some(line) = each(line, kind) {
                out.push_str(&line);
                out.push_str("\r\n");
            }
        }
        out
    }

    /// A line with each mid and each rid renamed.
    fn names(self, line: &str, rename: impl Fn(&str, &str) -> String) -> String {
        if let Some(mid) = line.strip_prefix("a=mid:") {
            return format!("a=mid:{}", rename(mid, self.mids));
        }
        if let Some(group) = line.strip_prefix("a=group:BUNDLE ") {
            let mids: Vec<_> = group.split(' ').map(|mid| rename(mid, self.mids)).collect();
            return format!("a=group:BUNDLE {}", mids.join(" "));
        }
        if let Some(rid) = line.strip_prefix("a=rid:") {
            return format!("a=rid:{}", rename(rid, self.rids));
        }
        let simulcast = line
            .strip_prefix("a=simulcast:")
            .and_then(|rest| rest.split_once(' '));
        if let Some((direction, rids)) = simulcast {
            let rids: Vec<_> = rids.split(';').map(|rid| rename(rid, self.rids)).collect();
            return format!("a=simulcast:{direction} {}", rids.join(";"));
        }
        line.to_owned()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Mid,
    Level,
    Twcc,
    Rid,
    RepairedRid,
}

/// One element of one kind of media.
#[derive(Debug)]
struct Written {
    kind: &'static str,
    element: Element,
    accent: Accent,
}

impl Written {
    /// The name that it writes, if it writes one.
    fn name(&self, values: &ExtensionValues) -> Option<String> {
        let (before, name) = match self.element {
            Element::Mid => (self.accent.mids, values.mid?.to_string()),
            Element::Rid => (self.accent.rids, values.rid?.to_string()),
            Element::RepairedRid => (self.accent.rids, values.rid_repair?.to_string()),
            Element::Level | Element::Twcc => return None,
        };
        Some(format!("{before}{name}"))
    }
}

impl ExtensionSerializer for Written {
    fn write_to(&self, buf: &mut [u8], values: &ExtensionValues) -> usize {
        if let (Element::Level, Some(level)) = (self.element, values.audio_level) {
            let voice = values.voice_activity.unwrap_or_default();
            buf[0] = u8::from(voice) << 7 | level.unsigned_abs();
            return 1;
        }
        let name = self.name(values).unwrap_or_default();
        buf[..name.len()].copy_from_slice(name.as_bytes());
        name.len()
    }

    fn parse_value(&self, data: &[u8], values: &mut ExtensionValues) -> bool {
        if self.element == Element::Mid {
            let name = std::str::from_utf8(data).expect("a mid is text");
            let mid = name.strip_prefix(self.accent.mids);
            values.mid = Some(mid.expect("packets have the offer's mids").into());
        }
        true
    }

    fn is_video(&self) -> bool {
        self.kind == "video"
    }

    fn is_audio(&self) -> bool {
        self.kind == "audio"
    }

    fn requires_two_byte_form(&self, values: &ExtensionValues) -> bool {
        self.name(values).is_some_and(|name| name.len() > 16)
    }
}
