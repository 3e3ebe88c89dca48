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

/// Lines that an offer may repeat, each time with another number; after a payload type or a name of their own.
const REPEATED: [&str; 24] = [
    "candidate:{n} 1 udp {n} 192.0.2.1 {n} typ host",
    "candidate:{n} 1 tcp {n} 192.0.2.1 9 typ host tcptype active",
    "end-of-candidates",
    "ssrc:{n} cname:theirs",
    "ssrc-group:FID {n} 7",
    "rtpmap:96 H264/{n}",
    "fmtp:96 x={n}",
    "rtcp-fb:96 nack x{n}",
    "rtcp-fb:* nack x{n}",
    "extmap:3 urn:x:{n}",
    "rid:r{n} send",
    "simulcast:send r{n}",
    "msid:s{n} t",
    "fingerprint:sha-{n} 00",
    "ice-ufrag:u{n}",
    "ice-pwd:a-password-of-22-letters-{n}",
    "ice-options:o{n}",
    "setup:actpass",
    "group:LS {n}",
    "rtcp-mux",
    "rtcp:{n}",
    "sctp-port:{n}",
    "sctpmap:{n} webrtc-datachannel 1024",
    "max-message-size:{n}",
];

#[test]
fn what_is_repeated_is_shown_to_nobody_more_often_than_it_counts() {
    let shown = |sdp: &str| {
        let offer = Offer::read(sdp).expect("an offer");
        let formats = offer.formats(|_| false).expect("one number for each");
        offer.plain(&formats, |_| false).lines().count()
    };
    let usual = shown(LIBDATACHANNEL);
    for line in REPEATED {
        let lines = (0..3_000).map(|n| format!("a={}\n", line.replace("{n}", &n.to_string())));
        let repeated: String = lines.collect();
        // At the end of the first m-line, and above all.
        let places = [
            LIBDATACHANNEL.find("m=video").expect("a second m-line"),
            LIBDATACHANNEL.find("m=audio").expect("a first m-line"),
        ];
        for at in places {
            let (before, after) = LIBDATACHANNEL.split_at(at);
            let more = shown(&format!("{before}{repeated}{after}"));
            assert!(
                more <= usual + 16,
                "{line}: {more} lines instead of {usual}"
            );
        }
    }
}
