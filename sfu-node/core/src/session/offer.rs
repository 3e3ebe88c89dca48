//! A client's offer as we read it, and what str0m is shown of it.
//!
//! str0m keeps 16 letters and digits of a mid, 8 of a rid, and one id of a header extension for the whole session. So it is
//! shown none of these: its mids are short ones of ours, and what a packet belongs to is found by ourselves
//! ([`super::streams`]).

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write;

use protocol::media::MediaKind;
use str0m::media::Mid;

use super::description::{Section, sections};
use super::extmap::ExtMap;
use super::formats::Formats;
use super::refusal::{MAX_MEDIA_LINES, OfferError};
use super::rids::Rids;
use crate::egress::extensions::MAX_MID;

/// What str0m is shown of the part above all m-lines, and of each m-line. All else is left out, in whatever form it may be.
const SHOWN: [&str; 14] = [
    "ice-lite",
    "ice-ufrag:",
    "ice-pwd:",
    "ice-options:",
    "fingerprint:",
    "setup:",
    "candidate:",
    "rtcp-mux",
    "rtpmap:",
    "fmtp:",
    "rtcp-fb:",
    "sctp-port:",
    "max-message-size:",
    "sctp-init:",
];

/// A client's offer.
#[derive(Debug)]
pub struct Offer<'a> {
    session: Section<'a>,
    pub lines: Vec<MediaLine<'a>>,
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
        let (session, media) = sections(sdp);
        if session.lines.first() != Some(&"v=0") {
            return Err(OfferError::Syntax);
        }
        if media.len() > MAX_MEDIA_LINES {
            return Err(OfferError::TooManyLines(media.len()));
        }
        let mut lines: Vec<MediaLine<'a>> = Vec::with_capacity(media.len());
        for section in media {
            let line = MediaLine::read(&session, section)?;
            if lines.iter().any(|known| known.mid == line.mid) {
                return Err(OfferError::DuplicateMid(line.mid.into()));
            }
            lines.push(line);
        }
        Ok(Self { session, lines })
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
        for place in bundled {
            let _ = write!(out, " {place}");
        }
        out.push_str("\r\n");
    }
}

/// The lines of a section that str0m is shown, each in its form.
fn show<'a>(section: &Section<'a>, out: &mut String, as_shown: impl Fn(&'a str) -> Cow<'a, str>) {
    for line in &section.lines {
        let attribute = line.strip_prefix("a=");
        if attribute.is_some_and(|attribute| SHOWN.iter().any(|shown| attribute.starts_with(shown)))
        {
            out.push_str(&as_shown(line));
            out.push_str("\r\n");
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
