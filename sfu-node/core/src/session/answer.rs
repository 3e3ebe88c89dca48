//! The answer that a client gets: str0m's in the words of the offer, which are its mids (RFC 8829, 5.3.1), payload types, ids of
//! header extensions and rids. What str0m says unasked is taken out, and what it leaves out is put in.

use std::borrow::Cow;
use std::fmt::Write;

use super::OfferError;
use super::description::{BEFORE_FORMATS, Section, sections};
use super::formats::Formats;
use super::offer::{MediaLine, Offer};

/// An answer as the client gets it.
pub fn complete(offer: &Offer<'_>, formats: &Formats, answer: &str) -> Result<String, OfferError> {
    let (session, media) = sections(answer);
    if media.len() != offer.lines.len() {
        return Err(OfferError::Contradictory);
    }
    let mut out = String::with_capacity(2 * answer.len());
    for line in &session.lines {
        match line.strip_prefix("a=group:BUNDLE") {
            Some(places) => push(&mut out, &bundle(offer, places)),
            None if *line == "a=extmap-allow-mixed" && !offer.mixes_forms => {}
            None => push(&mut out, line),
        }
    }
    let lines = media.iter().flat_map(|section| &section.lines);
    let candidates: Vec<&str> = lines
        .filter(|line| line.starts_with("a=candidate:"))
        .copied()
        .collect();
    let mut names = Names::default();
    for (place, (offered, section)) in offer.lines.iter().zip(&media).enumerate() {
        let line = Answered {
            offered,
            section,
            candidates: &candidates,
            name: names.of(section),
            is_reduced: offer.takes_reduced && offered.has("rtcp-rsize"),
        };
        line.complete(|line| formats.restore(place, line), &mut out);
    }
    Ok(out)
}

/// The CNAME that an answer gives to an SSRC.
pub fn cname_of(answer: &str, ssrc: u32) -> Option<&str> {
    let start = format!("a=ssrc:{ssrc} cname:");
    let mut lines = answer.lines();
    lines.find_map(|line| Some(line.strip_prefix(start.as_str())?.trim_end()))
}

fn bundle(offer: &Offer<'_>, places: &str) -> String {
    let places = places.split_ascii_whitespace();
    let lines = places.filter_map(|place| offer.lines.get(place.parse::<usize>().ok()?));
    lines.fold(String::from("a=group:BUNDLE"), |group, line| {
        group + " " + line.mid
    })
}

/// An m-line and the answer to it.
struct Answered<'a> {
    offered: &'a MediaLine<'a>,
    section: &'a Section<'a>,
    candidates: &'a [&'a str],
    /// The CNAME of what is sent there.
    name: Option<String>,
    is_reduced: bool,
}

impl<'a> Answered<'a> {
    fn complete(&self, restore: impl Fn(&'a str) -> Cow<'a, str>, out: &mut String) {
        let goes = |way| self.section.has(way) || self.section.has("sendrecv");
        let is_rejected = self.section.words().nth(1) == Some("0");
        for line in &self.section.lines {
            let line = restore(line);
            match line.split_once(':') {
                Some(("a=mid", _)) => self.name_line(out),
                Some(("a=rtcp-fb", feedback)) if !self.offered.offers_feedback(feedback) => {}
                // Whoever sends nothing has no stream to name (RFC 8829, 5.3.1).
                Some(("a=msid", _)) if !goes("sendonly") => {}
                Some(("a=candidate", _)) => {}
                _ => push(out, &self.words_of_offer(&line)),
            }
            // Some stacks look for them on the last m-line alone, though one is enough (RFC 9143, 7.1.3).
            if line.starts_with("c=") && !is_rejected {
                self.candidates.iter().for_each(|line| push(out, line));
            }
            // Reduced RTCP is understood, and sent (RFC 5506, 5).
            if line == "a=rtcp-mux" && self.is_reduced {
                push(out, "a=rtcp-rsize");
            }
        }
        if goes("recvonly") && !is_rejected {
            self.offered.rids.answer(out);
        }
    }

    fn name_line(&self, out: &mut String) {
        // Writing into a string cannot fail.
        let _ = write!(out, "a=mid:{}\r\n", self.offered.mid);
        if self.offered.kind.is_some() {
            self.offered.extensions.answer(out);
        }
    }

    fn words_of_offer<'l>(&self, line: &'l str) -> Cow<'l, str> {
        let own = match line.starts_with("m=") {
            true => Some(in_order(self.offered, line)),
            false => self.name.as_deref().and_then(|name| of_pair(line, name)),
        };
        own.map_or(Cow::Borrowed(line), Cow::Owned)
    }
}

/// An `m=` line with its formats in the order in which the offer has them: a sender uses the first that its answer names (RFC 8829,
/// 5.3.1 leaves the order to the answerer), and a client that prefers a codec knows why.
fn in_order(offered: &MediaLine<'_>, line: &str) -> String {
    let mut words: Vec<&str> = line.split(' ').collect();
    if let Some(formats) = words.get_mut(BEFORE_FORMATS..) {
        formats.sort_by_cached_key(|format| offered.preference(format).unwrap_or(usize::MAX));
    }
    words.join(" ")
}

/// A line that names the source or the stream (`a=msid`, RFC 8830) of a slot, with the name of its pair.
fn of_pair(line: &str, name: &str) -> Option<String> {
    let stream = |ids: &str| Some(format!("{name} {}", ids.split_once(' ')?.1));
    if let Some(ids) = line.strip_prefix("a=msid:") {
        return Some(format!("a=msid:{}", stream(ids)?));
    }
    let (ssrc, said) = line.strip_prefix("a=ssrc:")?.split_once(' ')?;
    let said = match said.split_once(':')? {
        ("cname", _) => format!("cname:{name}"),
        ("msid", ids) => format!("msid:{}", stream(ids)?),
        _ => return None,
    };
    Some(format!("a=ssrc:{ssrc} {said}"))
}

/// The CNAMEs of the slots, by which their streams are named too. What is of one CNAME (RFC 3550, 6.5.1), or to browsers of one
/// stream, is played in step, and two slots of one kind may carry people whose clocks have nothing to do with each other: so
/// each pair of a slot for sound and one for a picture has its own.
#[derive(Debug, Default)]
struct Names {
    pairs: Vec<String>,
    /// How many slots for sound, and for pictures, there were.
    seen: [usize; 2],
}

impl Names {
    /// The CNAME of the streams of an m-line; `None` for one without.
    fn of(&mut self, section: &Section<'_>) -> Option<String> {
        let mut sources = section.values("ssrc");
        let own = sources.find_map(|said| Some(said.split_once(" cname:")?.1))?;
        let seen = &mut self.seen[usize::from(section.words().next() == Some("video"))];
        if *seen == self.pairs.len() {
            self.pairs.push(own.to_owned());
        }
        *seen += 1;
        self.pairs.get(*seen - 1).cloned()
    }
}

fn push(out: &mut String, line: &str) {
    out.push_str(line);
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::session::{Session, Shared};

    const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2 3\r\n\
        a=ice-ufrag:theirs\r\na=ice-pwd:a-password-of-22-letters\r\na=setup:actpass\r\na=fingerprint:sha-256 \
        00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:96 VP8/90000\r\na=mid:0\r\na=sendonly\r\n\
        a=rtcp-fb:96 nack\r\na=rtcp-mux\r\na=rtcp-rsize\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:111 opus/48000/2\r\na=mid:1\r\na=recvonly\r\n\
        a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n\
        a=rtcp-fb:* transport-cc\r\na=rtcp-mux\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:96 VP8/90000\r\na=mid:2\r\na=recvonly\r\n\
        a=rtcp-fb:96 nack pli\r\na=rtcp-mux\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:96 VP8/90000\r\na=mid:3\r\na=recvonly\r\n\
        a=rtcp-mux\r\n";

    const ANSWER: &str = "v=0\r\na=group:BUNDLE 0 1 2\r\na=extmap-allow-mixed\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=candidate:1 1 udp 2 192.0.2.1 3 typ host\r\na=mid:0\r\n\
        a=recvonly\r\na=msid:s t\r\na=rtcp-mux\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\na=rtcp-fb:96 ccm fir\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=sendonly\r\na=msid:u v\r\na=rtcp-mux\r\n\
        a=rtcp-fb:111 transport-cc\r\na=ssrc:7 cname:first\r\na=ssrc:7 msid:u v\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\na=sendonly\r\na=msid:w x\r\na=rtcp-mux\r\n\
        a=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\na=ssrc:8 cname:second\r\na=ssrc:9 cname:second\r\n\
        m=video 0 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:3\r\na=recvonly\r\na=rtcp-mux\r\na=ssrc:10 cname:third\r\n";

    fn completed(offer: &str) -> String {
        let offer = Offer::read(offer).expect("an offer");
        complete(&offer, &Formats::default(), ANSWER).expect("of as many m-lines")
    }

    /// For each m-line whether it has this attribute.
    fn having(answer: &str, name: &str) -> Vec<bool> {
        let (_, media) = sections(answer);
        media.iter().map(|section| section.has(name)).collect()
    }

    #[test]
    fn what_was_not_offered_is_not_answered() {
        let answer = completed(OFFER);
        assert!(!answer.contains("extmap-allow-mixed"));
        let mixing = OFFER.replace("v=0\r\n", "v=0\r\na=extmap-allow-mixed\r\n");
        assert!(completed(&mixing).contains("a=extmap-allow-mixed\r\n"));
        let (_, media) = sections(&answer);
        let feedback = media
            .iter()
            .map(|section| section.values("rtcp-fb").collect());
        assert_eq!(
            feedback.collect::<Vec<Vec<_>>>(),
            [
                vec!["96 nack"],
                vec!["111 transport-cc"],
                vec!["96 nack pli"],
                vec![],
            ]
        );
        let named = media.iter().map(|section| section.value("msid").is_some());
        assert_eq!(named.collect::<Vec<_>>(), [false, true, true, false]);
    }

    #[test]
    fn reduced_packets_are_agreed_on_for_the_whole_bundle_or_not_at_all() {
        let (first, alone) = ("a=rtcp-mux\r\na=rtcp-rsize\r\n", "a=rtcp-mux\r\n");
        assert_eq!(having(&completed(OFFER), "rtcp-rsize"), [false; 4]);
        let all = OFFER.replace(first, alone).replace(alone, first);
        assert_eq!(having(&completed(&all), "rtcp-rsize"), [true; 4]);
        // What the others leave to the first.
        let shared = OFFER.replace(alone, "").replace("a=rtcp-rsize\r\n", first);
        let answered = having(&completed(&shared), "rtcp-rsize");
        assert_eq!(answered, [true, false, false, false]);
    }

    #[test]
    fn layers_are_answered_where_they_are_received() {
        let rids = "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\na=rid:q send\r\na=simulcast:send q\r\n";
        let layered = ["sendonly", "recvonly"]
            .map(|way| format!("a={way}\r\n"))
            .iter()
            .fold(OFFER.to_owned(), |offer, way| {
                offer.replace(way.as_str(), &format!("a=sendrecv\r\n{rids}"))
            });
        let answer = completed(&layered);
        let (_, media) = sections(&answer);
        for name in ["rid", "simulcast"] {
            let answered = media.iter().map(|section| section.value(name).is_some());
            assert_eq!(
                answered.collect::<Vec<_>>(),
                [true, false, false, false],
                "{name}"
            );
        }
    }

    #[test]
    fn formats_are_in_the_order_of_the_offer() {
        let offer = OFFER.replace("SAVPF 96\r\n", "SAVPF 98 96 97\r\n");
        let offer = Offer::read(&offer).expect("an offer");
        let ordered = in_order(&offer.lines[0], "m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99");
        assert_eq!(ordered, "m=video 9 UDP/TLS/RTP/SAVPF 98 96 97 99");
    }

    #[test]
    fn each_m_line_that_is_taken_has_all_candidates() {
        let answer = completed(OFFER);
        let (_, media) = sections(&answer);
        let candidates = media
            .iter()
            .map(|section| section.values("candidate").count());
        assert_eq!(candidates.collect::<Vec<_>>(), [1, 1, 1, 0]);
    }

    #[test]
    fn a_slot_for_sound_and_one_for_a_picture_share_a_name_with_nobody_else() {
        let answer = completed(OFFER);
        let names = [7, 8, 9, 10].map(|ssrc| cname_of(&answer, ssrc));
        assert_eq!(names[..3], [Some("first"); 3]);
        assert_eq!(names[3], Some("third"));
        assert_eq!(cname_of(&answer, 11), None);
        for line in ["a=msid:first v", "a=ssrc:7 msid:first v", "a=msid:first x"] {
            assert!(answer.contains(&format!("{line}\r\n")), "{line}");
        }
    }

    #[test]
    fn a_slot_reports_by_the_cname_that_its_answer_gives_it() {
        let shared = Shared::new(Vec::new());
        let accepted = Session::accept(Instant::now(), &shared, OFFER, &[]);
        let (_, negotiated) = accepted.expect("it is answered");
        let names: Vec<&str> = negotiated.slots.iter().map(|slot| &*slot.cname).collect();
        let answered = negotiated.slots.iter().map(|slot| slot.ssrc);
        let answered = answered.filter_map(|ssrc| cname_of(&negotiated.sdp, ssrc));
        assert_eq!(answered.collect::<Vec<_>>(), names);
        assert_eq!(names.len(), 3);
        assert!(names[0] == names[1] && names[1] != names[2], "{names:?}");
        assert!(names.iter().all(|name| name.len() >= 16), "{names:?}");
    }

    #[test]
    fn an_answer_to_other_m_lines_is_none() {
        let offer = Offer::read(OFFER).expect("an offer");
        let answered = complete(&offer, &Formats::default(), "v=0\r\n");
        assert_eq!(answered, Err(OfferError::Contradictory));
    }
}
