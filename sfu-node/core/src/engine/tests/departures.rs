//! Departures: of each batch its own time, though all of them come of one input.

use std::time::{Duration, Instant};

use protocol::media::Source;

use super::OFFER;
use crate::engine::call::Call;
use crate::io::Output;

const MS: Duration = Duration::from_millis(1);
/// What it takes to build a batch and to send it.
const BATCH: Duration = Duration::from_millis(4);
/// What follows a video format: its m-line's packets have transport-wide numbers, of which feedback tells.
const FORMAT: &str = "a=rtpmap:96 VP8/90000\r\n";
const NUMBERED: &str = "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 transport-cc\r\n\
    a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n";

/// The transport-wide number of an RTP packet, whose only long header extension it is.
fn number_of(packet: &[u8]) -> [u8; 2] {
    let mut elements = packet[16..].windows(3);
    let element = elements.find(|element| element[0] == 0x31);
    let element = element.expect("packets are numbered");
    [element[1], element[2]]
}

/// A transport-wide feedback: the packet of this number has come.
fn feedback(number: [u8; 2]) -> Vec<u8> {
    let mut compound = vec![0x8F, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2];
    compound.extend(number);
    // One packet, the reference time, the feedback's own number; a run of one small delta.
    compound.extend([0, 1, 0, 0, 1, 0, 0x20, 0x01, 4, 0]);
    compound
}

#[test]
fn what_is_late_in_a_turn_has_left_later() {
    let mut call = Call::new(Instant::now());
    let offer = OFFER.replace(FORMAT, NUMBERED);
    for name in ["ada", "bob", "cid", "dan"] {
        call.join(name, &offer, &[(Source::Camera, "0")]);
    }
    call.publish(1_000);
    let began = call.now;
    let mut departures = Vec::new();
    loop {
        match call.engine.poll_output(call.now) {
            Output::Transmit { contents, .. } => departures.push((call.now, number_of(contents))),
            Output::Timeout(_) => break,
            _ => continue,
        }
        call.now += BATCH;
    }
    assert_eq!(departures.len(), 3, "one for each viewer");

    call.now = began + 100 * MS;
    let mut trips = Vec::new();
    for (_, viewer) in &call.people[1..] {
        call.engine.with_room(call.now, call.room, |room, cx| {
            // Nobody has sent more than one packet: all of them have the same number.
            room.feedback(cx, *viewer, &feedback(departures[0].1));
            let (subscriber, _) = room.subscriber(*viewer).expect("it is there");
            trips.extend(subscriber.take_journey().round_trip);
        });
    }
    trips.sort();
    let left = departures.iter().rev();
    let expected: Vec<_> = left.map(|(left, _)| call.now - *left).collect();
    assert_eq!(trips, expected);
}
