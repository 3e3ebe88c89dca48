//! A client's offer as we read it, and what str0m is shown of it.
//!
//! str0m keeps 16 letters and digits of a mid, 8 of a rid, and one id of a header extension for the whole session. So it is
//! shown none of these: its mids are short ones of ours, and what a packet belongs to is found by ourselves
//! ([`super::streams`]).

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write;

use protocol::client::IceCredentials;
use protocol::media::MediaKind;
use str0m::media::Mid;

use super::description::{BEFORE_FORMATS, Section, sections};
use super::extmap::ExtMap;
use super::formats::Formats;
use super::refusal::{MAX_BYTES, MAX_LINES, MAX_MEDIA_LINES, OfferError};
use super::rids::Rids;
use crate::egress::extensions::MAX_MID;

/// What str0m is shown of the part above all m-lines, and of each m-line, and how often at most: of what begins with a payload
/// type for each of those, of all else in all. What else there is, in whatever form, is left out: so are candidates, since str0m
/// compares each with all before it, and a node learns where a client is from its checks (RFC 8445, 7.3.1.3).
const SHOWN: [(&str, usize); 13] = [
    ("ice-lite", 1),
    ("ice-ufrag", 1),
    ("ice-pwd", 1),
    ("ice-options", 1),
    ("fingerprint", 4),
    ("setup", 1),
    ("rtcp-mux", 1),
    ("rtpmap", 1),
    ("fmtp", 4),
    ("rtcp-fb", 16),
    ("sctp-port", 1),
    ("max-message-size", 1),
    ("sctp-init", 1),
];
/// Those that begin with a payload type.
const OF_PAYLOAD_TYPES: [&str; 3] = ["rtpmap", "fmtp", "rtcp-fb"];

/// A client's offer: all that is ever asked of it.
#[derive(Debug)]
pub struct Offer<'a> {
    session: Section<'a>,
    pub lines: Vec<MediaLine<'a>>,
    pub endpoint: Endpoint<'a>,
    /// The hello of the DTLS handshake is not the client's.
    pub awaits_hello: bool,
    /// Whether packets may have both forms of header extensions (RFC 8285, 6).
    pub mixes_forms: bool,
    pub takes_reduced: bool,
    /// Some format pauses in silence (RFC 7587, 6.1).
    pub pauses: bool,
}

/// The client's end of the connection, which an ICE restart describes anew.
#[derive(Debug)]
pub struct Endpoint<'a> {
    ufrag: &'a str,
    pwd: &'a str,
    /// The certificate, by its hash.
    pub fingerprint: &'a str,
}

/// One m-line of an offer.
#[derive(Debug)]
pub struct MediaLine<'a> {
    section: Section<'a>,
    pub mid: &'a str,
    /// `None` for the data channel.
    pub kind: Option<MediaKind>,
    /// Whether the client sends on it what it names as a source, and whether it receives.
    pub sends: bool,
    pub receives: bool,
    pub extensions: ExtMap,
    pub rids: Rids<'a>,
    /// The stream that it is announced to send, and that which repairs it.
    pub announced: Option<(u32, Option<u32>)>,
}

/// The mid under which str0m knows an m-line, by its place.
pub fn short_mid(place: usize) -> Mid {
    Mid::from(place.to_string().as_str())
}

impl<'a> Offer<'a> {
    /// Reads an offer. Only the lines that we need are looked at.
    pub fn read(sdp: &'a str) -> Result<Self, OfferError> {
        if sdp.len() > MAX_BYTES {
            return Err(OfferError::TooLong(sdp.len()));
        }
        if sdp.lines().nth(MAX_LINES).is_some() {
            return Err(OfferError::TooManyLines);
        }
        let (session, media) = sections(sdp);
        let endpoint = Endpoint::read(&session, &media)?;
        if session.lines.first() != Some(&"v=0") {
            return Err(OfferError::Syntax);
        }
        if media.len() > MAX_MEDIA_LINES {
            return Err(OfferError::TooManyMedia(media.len()));
        }
        let mut lines: Vec<MediaLine<'a>> = Vec::with_capacity(media.len());
        for section in media {
            let line = MediaLine::read(&session, section)?;
            if lines.iter().any(|known| known.mid == line.mid) {
                return Err(OfferError::DuplicateMid(line.mid.into()));
            }
            lines.push(line);
        }
        let all = || std::iter::once(&session).chain(lines.iter().map(|line| &line.section));
        let pauses = |section: &Section<'_>| {
            let mut formats = section.values("fmtp");
            formats.any(|format| format.contains("usedtx=1"))
        };
        Ok(Self {
            endpoint,
            awaits_hello: all().any(|section| section.value("setup") == Some("passive")),
            mixes_forms: session.has("extmap-allow-mixed"),
            takes_reduced: takes_reduced(&lines),
            pauses: all().any(pauses),
            session,
            lines,
        })
    }

    /// The place of the m-line of this mid.
    pub fn find(&self, mid: &str) -> Option<usize> {
        self.lines.iter().position(|line| line.mid == mid)
    }

    /// The payload types by which str0m knows what is offered: `is_source` says of an m-line's place whether what is sent there
    /// is wanted.
    pub fn formats(&self, is_source: impl Fn(usize) -> bool) -> Result<Formats, OfferError> {
        let media: Vec<&Section<'_>> = self.lines.iter().map(|line| &line.section).collect();
        Formats::read(&media, is_source)
    }

    /// What str0m is to answer.
    pub fn plain(&self, formats: &Formats, is_source: impl Fn(usize) -> bool) -> String {
        let mut out = String::from("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n");
        self.group(&mut out);
        show(&self.session, &mut out, Cow::from);
        for (place, line) in self.lines.iter().enumerate() {
            let first = line.section.lines.first().copied().unwrap_or_default();
            // Writing into a string cannot fail.
            let _ = write!(out, "{}\r\na=mid:{place}\r\n", formats.show(place, first));
            if line.kind.is_some() {
                let direction = match (line.sends && is_source(place), line.receives) {
                    (true, true) => "sendrecv",
                    (true, false) => "sendonly",
                    (false, true) => "recvonly",
                    (false, false) => "inactive",
                };
                let _ = write!(out, "a={direction}\r\n");
            }
            show(&line.section, &mut out, |line| formats.show(place, line));
        }
        out
    }

    /// The bundle (RFC 9143), in the order of the m-lines: the offer's may be any.
    fn group(&self, out: &mut String) {
        let mut groups = self.session.values("group");
        let Some(bundle) = groups.find_map(|group| group.strip_prefix("BUNDLE ")) else {
            return;
        };
        out.push_str("a=group:BUNDLE");
        let places: HashMap<&str, usize> = (self.lines.iter().enumerate())
            .map(|(place, line)| (line.mid, place))
            .collect();
        let mut bundled: Vec<usize> = bundle
            .split_ascii_whitespace()
            .filter_map(|mid| places.get(mid).copied())
            .collect();
        bundled.sort_unstable();
        bundled.dedup();
        for place in bundled {
            let _ = write!(out, " {place}");
        }
        out.push_str("\r\n");
    }
}

/// The lines of a section that str0m is shown, each in its form.
fn show<'a>(section: &Section<'a>, out: &mut String, as_shown: impl Fn(&'a str) -> Cow<'a, str>) {
    let mut times: HashMap<(&str, &str), usize> = HashMap::new();
    for line in &section.lines {
        let Some(attribute) = line.strip_prefix("a=") else {
            continue;
        };
        let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
        let Some((_, most)) = SHOWN.iter().find(|(shown, _)| *shown == name) else {
            continue;
        };
        let of = match OF_PAYLOAD_TYPES.contains(&name) {
            true => value.split_ascii_whitespace().next().unwrap_or_default(),
            false => "",
        };
        let times = times.entry((name, of)).or_default();
        *times += 1;
        if *times <= *most {
            out.push_str(&as_shown(line));
            out.push_str("\r\n");
        }
    }
}

impl<'a> Endpoint<'a> {
    /// What no session can do without, wherever it stands in an offer.
    fn read(session: &Section<'a>, media: &[Section<'a>]) -> Result<Self, OfferError> {
        if media.is_empty() {
            return Err(OfferError::Lacks("m"));
        }
        let first = |name| {
            let mut all = std::iter::once(session).chain(media);
            all.find_map(|section| section.value(name))
        };
        Ok(Self {
            ufrag: first("ice-ufrag").ok_or(OfferError::Lacks("a=ice-ufrag"))?,
            pwd: first("ice-pwd").ok_or(OfferError::Lacks("a=ice-pwd"))?,
            fingerprint: first("fingerprint").ok_or(OfferError::Lacks("a=fingerprint"))?,
        })
    }

    /// By what the client knows a STUN message that is for it.
    pub fn credentials(&self) -> IceCredentials {
        IceCredentials {
            ufrag: self.ufrag.to_owned(),
            pwd: self.pwd.to_owned(),
        }
    }
}

impl<'a> MediaLine<'a> {
    fn read(session: &Section<'a>, section: Section<'a>) -> Result<Self, OfferError> {
        let mid = section.value("mid").unwrap_or_default();
        if mid.is_empty() || mid.len() > MAX_MID || !mid.bytes().all(is_token) {
            return Err(OfferError::BadMid);
        }
        let kind = match section.words().next() {
            Some("audio") => Some(MediaKind::Audio),
            Some("video") => Some(MediaKind::Video),
            _ => None,
        };
        let (sends, receives) = direction(&section)
            .or_else(|| direction(session))
            // Unless it is told (RFC 8866, 6.7).
            .unwrap_or((true, true));
        let extensions = ExtMap::read(session, &section);
        let incoming = extensions.incoming();
        // A layer that cannot be told from another is none.
        let rids = match incoming.rid {
            Some(_) => Rids::read(&section),
            None => Rids::default(),
        };
        Ok(Self {
            mid,
            kind,
            sends,
            receives,
            extensions,
            rids,
            announced: announced(&section),
            section,
        })
    }

    /// Whether it has an attribute without a value.
    pub fn has(&self, name: &str) -> bool {
        self.section.has(name)
    }

    /// The place of a payload type among its own, as the client prefers them.
    pub fn preference(&self, payload_type: &str) -> Option<usize> {
        let mut formats = self.section.words().skip(BEFORE_FORMATS);
        formats.position(|format| format == payload_type)
    }

    /// Whether it offers this feedback: for its payload type, or for all of them (RFC 4585, 4.2), and that on transport-wide
    /// numbers with those.
    pub fn offers_feedback(&self, feedback: &str) -> bool {
        let Some((payload_type, kind)) = feedback.split_once(' ') else {
            return false;
        };
        let mut offered = self
            .section
            .values("rtcp-fb")
            .map(|said| said.split_once(' '));
        let is_told = offered.any(|said| {
            said.is_some_and(|(of, said)| (of == payload_type || of == "*") && said == kind)
        });
        is_told && (kind != "transport-cc" || self.extensions.is_numbered())
    }
}

/// Whether the client takes reduced RTCP (RFC 5506, 5). That is the whole bundle's, as RTCP on one port is (RFC 8859, 5.3 and 5.10): an
/// m-line that has the attributes of its bundle has both, and one that leaves them to another (RFC 9143, 7.1.3) neither.
fn takes_reduced(lines: &[MediaLine<'_>]) -> bool {
    let mut telling = lines.iter().filter(|line| line.has("rtcp-mux")).peekable();
    telling.peek().is_some() && telling.all(|line| line.has("rtcp-rsize"))
}

/// Whether a section's client sends and receives, if it tells.
fn direction(section: &Section<'_>) -> Option<(bool, bool)> {
    let known = [
        ("sendrecv", (true, true)),
        ("sendonly", (true, false)),
        ("recvonly", (false, true)),
        ("inactive", (false, false)),
    ];
    let told = known.into_iter().find(|(name, _)| section.has(name));
    told.map(|(_, direction)| direction)
}

/// The first stream that an m-line announces, and that of its repair (RFC 5576, 4; RFC 4588, 8.3). Packets name their others.
fn announced(section: &Section<'_>) -> Option<(u32, Option<u32>)> {
    let number = |text: &str| text.split_ascii_whitespace().next()?.parse().ok();
    let main: u32 = section.values("ssrc").find_map(number)?;
    let mut groups = section.values("ssrc-group");
    let repair = groups.find_map(|group| {
        let mut words = group.split_ascii_whitespace();
        let is_of_main = words.next() == Some("FID") && words.next()?.parse() == Ok(main);
        is_of_main.then(|| words.next()?.parse().ok()).flatten()
    });
    Some((main, repair))
}

/// A mid is a token (RFC 8866, 9): it goes into the answer as it is.
fn is_token(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x27 | 0x2A..=0x2B | 0x2D..=0x2E | 0x30..=0x39 | 0x41..=0x5A | 0x5E..=0x7E)
}
