//! Payload types of m-lines that number one format differently (RFC 8829, 5.2.1 has browsers number it alike): str0m knows each
//! format of a session under one number.
//!
//! It is shown the numbers that the client sends under, since they are in its packets; what it receives under is ours to write.

use std::borrow::Cow;
use std::fmt::Write;

use super::OfferError;
use super::description::{BEFORE_FORMATS, Section};

/// A format, whatever its number: what the offer says of it.
type Format = String;

/// The payload types of an offer that str0m knows under another number, by the place of their m-line.
#[derive(Debug, Default)]
pub struct Formats(Vec<Moved>);

#[derive(Debug, Clone, Copy)]
struct Moved {
    place: usize,
    offered: u8,
    shown: u8,
}

impl Formats {
    /// Finds one number for each format. `is_source` says of an m-line's place whether the client sends there.
    pub fn read(
        media: &[&Section<'_>],
        is_source: impl Fn(usize) -> bool,
    ) -> Result<Self, OfferError> {
        let mut moved = Self::default();
        let mut known: Vec<(Format, u8)> = Vec::new();
        let (sources, others): (Vec<usize>, Vec<usize>) =
            (0..media.len()).partition(|place| is_source(*place));
        for place in sources.into_iter().chain(others) {
            let section = media[place];
            let mut here: Vec<u8> = Vec::new();
            for offered in numbers(section) {
                let format = format(section, offered, |of| moved.shown(place, of));
                let before = format.as_ref().and_then(|format| {
                    let mut known = known.iter();
                    known.find_map(|(of, number)| (of == format).then_some(*number))
                });
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
                    moved.0.push(Moved {
                        place,
                        offered,
                        shown,
                    });
                }
                if let Some(format) = format.filter(|_| before.is_none()) {
                    known.push((format, shown));
                }
            }
        }
        Ok(moved)
    }

    /// The number that str0m knows of an m-line's payload type.
    fn shown(&self, place: usize, offered: u8) -> u8 {
        let mut moved = self.0.iter();
        moved
            .find(|moved| moved.place == place && moved.offered == offered)
            .map_or(offered, |moved| moved.shown)
    }

    /// The number that the offer has on an m-line for what str0m knows under this one.
    pub fn offered(&self, place: usize, shown: u8) -> u8 {
        let mut moved = self.0.iter();
        moved
            .find(|moved| moved.place == place && moved.shown == shown)
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
        let is_moved = self.0.iter().any(|moved| moved.place == place);
        let translated = is_moved.then(|| renumber(line, number)).flatten();
        translated.map_or(Cow::Borrowed(line), Cow::Owned)
    }
}

/// The payload types of an m-line, those that repair others last.
fn numbers(section: &Section<'_>) -> Vec<u8> {
    let words = section.words().skip(BEFORE_FORMATS);
    let mut numbers: Vec<u8> = words.filter_map(|word| word.parse().ok()).collect();
    numbers.sort_by_key(|number| {
        let mut parameters = section.values("fmtp");
        parameters.any(|value| of_number(value, *number).is_some_and(|of| of.contains("apt=")))
    });
    numbers
}

/// What the offer says of a payload type; `None` if nothing. `shown` is what another of the m-line is shown as.
fn format(section: &Section<'_>, number: u8, shown: impl Fn(u8) -> u8) -> Option<Format> {
    let mut mapped = section.values("rtpmap");
    let mut format = mapped
        .find_map(|value| of_number(value, number))?
        .to_ascii_lowercase();
    let parameters = section.values("fmtp");
    for parameters in parameters.filter_map(|value| of_number(value, number)) {
        // Writing into a string cannot fail.
        let _ = write!(format, " {}", repairing(parameters, &shown));
    }
    Some(format)
}

/// The rest of a value that begins with this payload type.
fn of_number(value: &str, number: u8) -> Option<&str> {
    let (first, rest) = value.split_once(' ')?;
    (first.parse() == Ok(number)).then_some(rest)
}

/// A line that names payload types, with others; `None` for any other line.
fn renumber(line: &str, number: impl Fn(u8) -> u8) -> Option<String> {
    if line.starts_with("m=") {
        let words = line.split(' ').enumerate().map(|(at, word)| {
            match word.parse().ok().filter(|_| at >= BEFORE_FORMATS) {
                Some(of) => number(of).to_string(),
                None => word.to_owned(),
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
        assert!(read(twice, &[0]).unwrap().0.is_empty());
    }
}
