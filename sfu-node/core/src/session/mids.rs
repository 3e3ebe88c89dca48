//! str0m's answer in the words of the offer: its mids (RFC 8829, 5.3.1), its ids of header extensions, and its rids.

use std::fmt::Write;

use super::OfferError;
use super::description::{Section, sections};
use super::offer::{MediaLine, Offer};

/// The answer that the client gets.
pub fn restore(offer: &Offer<'_>, answer: &str) -> Result<String, OfferError> {
    let (session, media) = sections(answer);
    if media.len() != offer.lines.len() {
        return Err(OfferError::Contradictory);
    }
    let mut out = String::with_capacity(2 * answer.len());
    for line in &session.lines {
        match line.strip_prefix("a=group:BUNDLE") {
            Some(places) => bundle(offer, places, &mut out),
            None => push(&mut out, line),
        }
    }
    for (line, section) in offer.lines.iter().zip(&media) {
        media_line(line, section, &mut out);
    }
    Ok(out)
}

fn bundle(offer: &Offer<'_>, places: &str, out: &mut String) {
    out.push_str("a=group:BUNDLE");
    let places = places.split_ascii_whitespace();
    for place in places.filter_map(|place| place.parse::<usize>().ok()) {
        let mid = offer.lines.get(place).map_or("", |line| line.mid);
        // Writing into a string cannot fail.
        let _ = write!(out, " {mid}");
    }
    out.push_str("\r\n");
}

fn media_line(offered: &MediaLine<'_>, section: &Section<'_>, out: &mut String) {
    let is_numbered = offered.extensions.is_numbered();
    for line in &section.lines {
        if line.starts_with("a=mid:") {
            let _ = write!(out, "a=mid:{}\r\n", offered.mid);
            if offered.kind.is_some() {
                offered.extensions.answer(out);
            }
        } else if is_numbered || !is_transport_feedback(line) {
            push(out, line);
        }
    }
    if offered.sends {
        offered.rids.answer(out);
    }
}

/// Feedback on transport-wide numbers goes with them.
fn is_transport_feedback(line: &str) -> bool {
    line.starts_with("a=rtcp-fb:") && line.ends_with(" transport-cc")
}

fn push(out: &mut String, line: &str) {
    out.push_str(line);
    out.push_str("\r\n");
}
