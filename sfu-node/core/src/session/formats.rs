//! Payload types of m-lines that number one format differently (RFC 8829, 5.2.1 has browsers number it alike): str0m knows each
//! format of a session under one number.
//!
//! It is shown the numbers that the client sends under, since they are in its packets; what it receives under is ours to write.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use super::OfferError;
use super::description::{BEFORE_FORMATS, Section};

/// A format, whatever its number: what the offer says of it.
type Format = String;

/// The payload types of an offer that str0m knows under another number, for each m-line by its place.
#[derive(Debug, Default)]
pub struct Formats(Vec<Vec<Moved>>);

#[derive(Debug, Clone, Copy)]
struct Moved {
    offered: u8,
    shown: u8,
}

impl Formats {
    /// Finds one number for each format. `is_source` says of an m-line's place whether the client sends there.
    pub fn read(
        media: &[&Section<'_>],
        is_source: impl Fn(usize) -> bool,
    ) -> Result<Self, OfferError> {
        let mut moved = Self(vec![Vec::new(); media.len()]);
        let mut known: HashMap<Format, u8> = HashMap::new();
        let (sources, others): (Vec<usize>, Vec<usize>) =
            (0..media.len()).partition(|place| is_source(*place));
        for place in sources.into_iter().chain(others) {
            let section = media[place];
            let said = Said::read(section);
            let mut here: Vec<u8> = Vec::new();
            for offered in said.numbers(section) {
                let format = said.format(offered, |of| moved.shown(place, of));
                let before = format
                    .as_ref()
                    .and_then(|format| known.get(format).copied());
                let shown = before.unwrap_or(offered);
                // One format twice on an m-line keeps both its numbers.
                if here.contains(&shown) {
                    continue;
                }
                here.push(shown);
                if shown != offered && is_source(place) {
                    let mid = section.value("mid").unwrap_or_default();
                    return Err(OfferError::OtherPayloadType(mid.into()));
                }
                if shown != offered {
                    moved.0[place].push(Moved { offered, shown });
                }
                if let Some(format) = format.filter(|_| before.is_none()) {
                    known.insert(format, shown);
                }
            }
        }
        Ok(moved)
    }

    fn at(&self, place: usize) -> &[Moved] {
        self.0.get(place).map_or(&[], Vec::as_slice)
    }

    /// The number that str0m knows of an m-line's payload type.
    fn shown(&self, place: usize, offered: u8) -> u8 {
        let mut moved = self.at(place).iter();
        moved
            .find(|moved| moved.offered == offered)
            .map_or(offered, |moved| moved.shown)
    }

    /// The number that the offer has on an m-line for what str0m knows under this one.
    pub fn offered(&self, place: usize, shown: u8) -> u8 {
        let mut moved = self.at(place).iter();
        moved
            .find(|moved| moved.shown == shown)
            .map_or(shown, |moved| moved.offered)
    }

    /// A line of an m-line as str0m is shown it.
    pub fn show<'a>(&self, place: usize, line: &'a str) -> Cow<'a, str> {
        self.translate(place, line, |number| self.shown(place, number))
    }

    /// A line of str0m's answer with the offer's numbers.
    pub fn restore<'a>(&self, place: usize, line: &'a str) -> Cow<'a, str> {
        self.translate(place, line, |number| self.offered(place, number))
    }

    fn translate<'a>(
        &self,
        place: usize,
        line: &'a str,
        number: impl Fn(u8) -> u8,
    ) -> Cow<'a, str> {
        let is_other = line.starts_with("m=") || !self.at(place).is_empty();
        let translated = is_other.then(|| renumber(line, number)).flatten();
        translated.map_or(Cow::Borrowed(line), Cow::Owned)
    }
}

/// What an m-line says of its payload types, collected once: it may say much of many.
#[derive(Default)]
struct Said<'a> {
    mapped: HashMap<u8, &'a str>,
    parameters: HashMap<u8, Vec<&'a str>>,
}

impl<'a> Said<'a> {
    fn read(section: &Section<'a>) -> Self {
        let mut said = Self::default();
        for (number, format) in section.values("rtpmap").filter_map(numbered) {
            said.mapped.entry(number).or_insert(format);
        }
        for (number, parameters) in section.values("fmtp").filter_map(numbered) {
            said.parameters.entry(number).or_default().push(parameters);
        }
        said
    }

    fn parameters(&self, number: u8) -> &[&'a str] {
        self.parameters.get(&number).map_or(&[], Vec::as_slice)
    }

    /// The payload types of its m-line, each once, those that repair others last.
    fn numbers(&self, section: &Section<'_>) -> Vec<u8> {
        let words = section.words().skip(BEFORE_FORMATS);
        let mut met = HashSet::new();
        let mut numbers: Vec<u8> = words
            .filter_map(|word| word.parse().ok())
            .filter(|number| met.insert(*number))
            .collect();
        numbers.sort_by_cached_key(|number| {
            let mut parameters = self.parameters(*number).iter();
            parameters.any(|parameters| parameters.contains("apt="))
        });
        numbers
    }

    /// What is said of a payload type; `None` if nothing. `shown` is what another of the m-line is shown as.
    fn format(&self, number: u8, shown: impl Fn(u8) -> u8) -> Option<Format> {
        let mut format = self.mapped.get(&number)?.to_ascii_lowercase();
        for parameters in self.parameters(number) {
            // Writing into a string cannot fail.
            let _ = write!(format, " {}", repairing(parameters, &shown));
        }
        Some(format)
    }
}

/// The payload type that a value begins with, and the rest.
fn numbered(value: &str) -> Option<(u8, &str)> {
    let (first, rest) = value.split_once(' ')?;
    Some((first.parse().ok()?, rest))
}

/// A line that names payload types, with others, and each once; `None` for any other line.
fn renumber(line: &str, number: impl Fn(u8) -> u8) -> Option<String> {
    if line.starts_with("m=") {
        let mut met = HashSet::new();
        let words = line.split(' ').enumerate().filter_map(|(at, word)| {
            match word.parse().ok().filter(|_| at >= BEFORE_FORMATS) {
                Some(of) => met.insert(of).then(|| number(of).to_string()),
                None => Some(word.to_owned()),
            }
        });
        return Some(words.collect::<Vec<_>>().join(" "));
    }
    let (name, value) = line.split_once(':')?;
    let (first, rest) = value.split_once(' ')?;
    let first = number(first.parse().ok()?);
    match name {
        "a=rtpmap" | "a=rtcp-fb" => Some(format!("{name}:{first} {rest}")),
        "a=fmtp" => Some(format!("{name}:{first} {}", repairing(rest, number))),
        _ => None,
    }
}

/// The parameters of a format, with another number for what it repairs (RFC 4588, 8.1).
fn repairing(parameters: &str, number: impl Fn(u8) -> u8) -> String {
    let parameters = parameters.split(';').map(|parameter| {
        let repaired = parameter.trim().strip_prefix("apt=");
        match repaired.and_then(|of| of.parse().ok()) {
            Some(of) => format!("apt={}", number(of)),
            None => parameter.to_owned(),
        }
    });
    parameters.collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests {
    use super::super::description::sections;
    use super::*;

    const OFFER: &str = "v=0\r\n\
        m=video 9 X 100 101 102\r\na=mid:slot\r\na=rtpmap:100 VP8/90000\r\na=rtpmap:101 rtx/90000\r\n\
        a=fmtp:101 apt=100\r\na=rtcp-fb:100 nack\r\na=rtpmap:102 VP9/90000\r\na=fmtp:102 profile-id=0\r\n\
        m=video 9 X 97 96\r\na=mid:camera\r\na=rtpmap:96 vp8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n\
        m=application 9 X webrtc-datachannel\r\na=mid:channel\r\n";

    fn read(sdp: &str, sources: &[usize]) -> Result<Formats, OfferError> {
        let (_, media) = sections(sdp);
        let media: Vec<&Section<'_>> = media.iter().collect();
        Formats::read(&media, |place| sources.contains(&place))
    }

    /// A description with each line of an m-line as it is translated.
    fn translated<'a>(sdp: &'a str, each: impl Fn(usize, &'a str) -> Cow<'a, str>) -> String {
        let (session, media) = sections(sdp);
        let mut out = session.lines.join("\r\n") + "\r\n";
        for (place, section) in media.iter().enumerate() {
            for line in &section.lines {
                out += &each(place, line);
                out += "\r\n";
            }
        }
        out
    }

    #[test]
    fn what_is_received_gets_the_numbers_of_what_is_sent_and_back() {
        let formats = read(OFFER, &[1]).unwrap();
        let shown = translated(OFFER, |place, line| formats.show(place, line));
        let slot = "m=video 9 X 96 97 102\r\na=mid:slot\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\n\
            a=fmtp:97 apt=96\r\na=rtcp-fb:96 nack\r\na=rtpmap:102 VP9/90000\r\na=fmtp:102 profile-id=0\r\n";
        assert!(shown.contains(slot), "{shown}");
        assert!(shown.ends_with(&OFFER[OFFER.find("m=video 9 X 97").unwrap()..]));
        let restored = translated(&shown, |place, line| formats.restore(place, line));
        assert_eq!(restored, OFFER);
        assert_eq!((formats.offered(0, 96), formats.offered(1, 96)), (100, 96));
    }

    #[test]
    fn two_sources_that_number_one_format_differently_are_refused() {
        let error = read(OFFER, &[0, 1]).unwrap_err();
        assert_eq!(error, OfferError::OtherPayloadType("camera".into()));
    }

    #[test]
    fn one_format_twice_on_an_m_line_stays_as_it_is() {
        let twice = "v=0\r\nm=video 9 X 96 100\r\na=mid:0\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:100 VP8/90000\r\n";
        assert!(read(twice, &[0]).unwrap().at(0).is_empty());
    }

    #[test]
    fn a_payload_type_that_is_named_again_and_again_counts_once() {
        let sdp = format!(
            "v=0\r\nm=video 9 X 101{}\r\na=fmtp:101 apt=100\r\n",
            " 100 101".repeat(9)
        );
        let (_, media) = sections(&sdp);
        assert_eq!(Said::read(&media[0]).numbers(&media[0]), [100, 101]);
        let shown = translated(&sdp, |place, line| Formats::default().show(place, line));
        assert!(shown.contains("m=video 9 X 101 100\r\n"), "{shown}");
    }
}
