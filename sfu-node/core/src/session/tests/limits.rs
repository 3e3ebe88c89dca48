//! How much an offer may be, and that much of one kind is no more work than it is text.

use super::super::offer::Offer;
use super::super::refusal::{MAX_BYTES, MAX_LINES};
use super::*;

fn refusal(sdp: &str) -> Option<OfferError> {
    Offer::read(sdp).err()
}

#[test]
fn an_offer_that_is_longer_than_any_client_s_is_refused_by_name() {
    let room = MAX_BYTES - LIBDATACHANNEL.len() - "a=\n".len();
    let full = format!("{LIBDATACHANNEL}a={}\n", "x".repeat(room));
    assert_eq!(refusal(&full), None);
    let error = refusal(&(full + "\n"));
    assert_eq!(error, Some(OfferError::TooLong(MAX_BYTES + 1)));
}

#[test]
fn an_offer_of_more_lines_than_any_client_s_is_refused_by_name() {
    let room = MAX_LINES - LIBDATACHANNEL.lines().count();
    let full = LIBDATACHANNEL.to_owned() + &"a=\n".repeat(room);
    assert_eq!(refusal(&full), None);
    assert_eq!(refusal(&(full + "a=\n")), Some(OfferError::TooManyLines));
}

#[test]
fn a_payload_type_is_mapped_once() {
    let line = "a=rtpmap:96 H264/90000\n";
    assert!(LIBDATACHANNEL.contains(line));
    let again = LIBDATACHANNEL.replace(line, &line.repeat(500));
    let negotiated = accept(&again, "audio-main", "video-main").expect("it is answered");
    assert_eq!(negotiated.sdp.matches("a=rtpmap:96 ").count(), 1);
}
