//! The last touches to an answer: what str0m says unasked is taken out, and what it leaves out is put in.

/// An answer as the client gets it.
pub fn complete(offer: &str, answer: &str) -> String {
    let (above, offered) = sections(offer);
    let (session, media) = sections(answer);
    let mixed = |line: &&str| line.trim_end() == "a=extmap-allow-mixed";
    let mixes = above.lines().any(|line| mixed(&line));
    let mut out: String = session
        .split_inclusive('\n')
        .filter(|line| mixes || !mixed(line))
        .collect();
    let candidates: Vec<&str> = media
        .iter()
        .flat_map(|section| section.split_inclusive('\n'))
        .filter(|line| line.starts_with("a=candidate:"))
        .collect();
    let mut names = Names::default();
    for (place, section) in media.iter().enumerate() {
        let offered = offered.get(place).copied().unwrap_or_default();
        complete_section(offered, section, &candidates, &mut names, &mut out);
    }
    out
}

/// The CNAME that an answer gives to an SSRC.
pub fn cname_of(answer: &str, ssrc: u32) -> Option<&str> {
    let start = format!("a=ssrc:{ssrc} cname:");
    let mut lines = answer.lines();
    lines.find_map(|line| Some(line.strip_prefix(start.as_str())?.trim_end()))
}

fn complete_section(
    offered: &str,
    section: &str,
    candidates: &[&str],
    names: &mut Names,
    out: &mut String,
) {
    let offers = |wanted: &str| offered.lines().any(|line| line.trim_end() == wanted);
    let has = |wanted: &str| section.lines().any(|line| line.trim_end() == wanted);
    let sends = has("a=sendonly") || has("a=sendrecv");
    let is_rejected = section.split(' ').nth(1) == Some("0");
    let name = names.of(section);
    for line in section.split_inclusive('\n') {
        let text = line.trim_end();
        match text
            .strip_prefix("a=")
            .and_then(|text| text.split_once(':'))
        {
            Some(("rtcp-fb", feedback)) if !is_offered(offered, feedback) => {}
            // Whoever sends nothing has no stream to name (RFC 8829, 5.3.1).
            Some(("msid", _)) if !sends => {}
            Some(("candidate", _)) => {}
            _ => match name.as_deref().and_then(|name| of_pair(text, name)) {
                Some(named) => out.push_str(&named),
                None => out.push_str(line),
            },
        }
        // Some stacks look for them on the last m-line alone, though one is enough (RFC 9143, 7.1.3).
        if text.starts_with("c=") && !is_rejected {
            out.extend(candidates.iter().copied());
        }
        // Reduced RTCP is understood, and sent (RFC 5506, 5).
        if text == "a=rtcp-mux" && offers("a=rtcp-rsize") && !has("a=rtcp-rsize") {
            out.push_str("a=rtcp-rsize\r\n");
        }
    }
}

/// A line that names the source or the stream (`a=msid`, RFC 8830) of a slot, with the name of its pair.
fn of_pair(line: &str, name: &str) -> Option<String> {
    let stream = |ids: &str| Some(format!("{name} {}", ids.split_once(' ')?.1));
    if let Some(ids) = line.strip_prefix("a=msid:") {
        return Some(format!("a=msid:{}\r\n", stream(ids)?));
    }
    let (ssrc, said) = line.strip_prefix("a=ssrc:")?.split_once(' ')?;
    let said = match said.split_once(':')? {
        ("cname", _) => format!("cname:{name}"),
        ("msid", ids) => format!("msid:{}", stream(ids)?),
        _ => return None,
    };
    Some(format!("a=ssrc:{ssrc} {said}\r\n"))
}

/// Whether an m-line of the offer has this feedback for its payload type, or for all of them (RFC 4585, 4.2).
fn is_offered(offered: &str, feedback: &str) -> bool {
    let Some((payload_type, kind)) = feedback.split_once(' ') else {
        return false;
    };
    let mut lines = offered.lines();
    lines.any(|line| {
        let said = line.trim_end().strip_prefix("a=rtcp-fb:");
        said.and_then(|said| said.split_once(' '))
            .is_some_and(|(of, said)| (of == payload_type || of == "*") && said == kind)
    })
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
    fn of(&mut self, section: &str) -> Option<String> {
        let own = section.lines().find_map(|line| {
            let (_, name) = line.strip_prefix("a=ssrc:")?.split_once(" cname:")?;
            Some(name.trim_end())
        })?;
        let seen = &mut self.seen[usize::from(section.starts_with("m=video"))];
        if *seen == self.pairs.len() {
            self.pairs.push(own.to_owned());
        }
        *seen += 1;
        self.pairs.get(*seen - 1).cloned()
    }
}

/// What stands above all m-lines, and each m-line with all that belongs to it.
fn sections(sdp: &str) -> (&str, Vec<&str>) {
    let mut starts: Vec<usize> = sdp.match_indices("\nm=").map(|(at, _)| at + 1).collect();
    starts.push(sdp.len());
    let media = starts.windows(2).map(|pair| &sdp[pair[0]..pair[1]]);
    (&sdp[..starts[0]], media.collect())
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
        m=video 0 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:3\r\na=sendonly\r\na=rtcp-mux\r\na=ssrc:10 cname:third\r\n";

    fn lines<'a>(section: &'a str, start: &str) -> Vec<&'a str> {
        let lines = section.lines().filter(|line| line.starts_with(start));
        lines.collect()
    }

    #[test]
    fn what_was_not_offered_is_not_answered() {
        let answer = complete(OFFER, ANSWER);
        assert!(!answer.contains("extmap-allow-mixed"));
        let mixing = OFFER.replace("v=0\r\n", "v=0\r\na=extmap-allow-mixed\r\n");
        assert!(complete(&mixing, ANSWER).contains("a=extmap-allow-mixed\r\n"));
        let (_, media) = sections(&answer);
        let feedback = media.iter().map(|section| lines(section, "a=rtcp-fb"));
        assert_eq!(
            feedback.collect::<Vec<_>>(),
            [
                vec!["a=rtcp-fb:96 nack"],
                vec!["a=rtcp-fb:111 transport-cc"],
                vec!["a=rtcp-fb:96 nack pli"],
                vec![],
            ]
        );
        let reduced = media.iter().map(|section| section.contains("a=rtcp-rsize"));
        assert_eq!(reduced.collect::<Vec<_>>(), [true, false, false, false]);
        let named = media.iter().map(|section| section.contains("a=msid:"));
        assert_eq!(named.collect::<Vec<_>>(), [false, true, true, false]);
    }

    #[test]
    fn each_m_line_that_is_taken_has_all_candidates() {
        let answer = complete(OFFER, ANSWER);
        let (_, media) = sections(&answer);
        let candidates = media
            .iter()
            .map(|section| lines(section, "a=candidate").len());
        assert_eq!(candidates.collect::<Vec<_>>(), [1, 1, 1, 0]);
    }

    #[test]
    fn a_slot_for_sound_and_one_for_a_picture_share_a_name_with_nobody_else() {
        let answer = complete(OFFER, ANSWER);
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
    fn whatever_the_offer_is_nothing_else_changes() {
        for offer in ["", "m=", "v=0\nm=video\nm=audio 9"] {
            let answer = complete(offer, ANSWER);
            assert_eq!(lines(&answer, "m="), lines(ANSWER, "m="));
            assert_eq!(lines(&answer, "a=mid"), lines(ANSWER, "a=mid"));
        }
        assert_eq!(complete(OFFER, "v=0\r\n"), "v=0\r\n");
    }
}
