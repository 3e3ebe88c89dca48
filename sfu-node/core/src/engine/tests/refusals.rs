//! What an offer is refused with: our own words, whatever a library says, and a count.

use std::time::Instant;

use protocol::id::Attempt;
use protocol::media::Caps;
use protocol::node::{NodeToRoom, RoomToNode};

use super::OFFER;
use crate::engine::call::Call;
use crate::io::Output;

/// Longer than any of them.
const MAX_MESSAGE: usize = 160;
/// What parsers say of themselves and of the process that they run in.
const FOREIGN: [&str; 6] = ["0x", "arse", "Unexpected", "Error", "::", "PointerOffset"];

/// What comes back for an offer: what it is refused with, or nothing when it is answered.
fn refusal(call: &mut Call, sdp: &str) -> Option<String> {
    let offer = RoomToNode::Offer {
        participant: "ada".parse().unwrap(),
        attempt: Attempt(1),
        sdp: sdp.into(),
        sources: Vec::new(),
        caps: Caps::default(),
        breakout: None,
        trail: None,
    };
    call.engine.room_message(call.now, call.id.clone(), offer);
    let mut refused = None;
    loop {
        match call.engine.poll_output(call.now) {
            Output::Timeout(_) => return refused,
            Output::Room {
                message: NodeToRoom::Refused { message, .. },
                ..
            } => refused = Some(message),
            _ => {}
        }
    }
}

#[test]
fn whatever_is_wrong_with_an_offer_the_refusal_is_in_our_own_words() {
    let lines: Vec<&str> = OFFER.split_inclusive("\r\n").collect();
    let without = |place: usize| {
        let kept = lines.iter().enumerate().filter(|(at, _)| *at != place);
        kept.map(|(_, line)| *line).collect::<String>()
    };
    let broken = |place: usize, by: &str| {
        let (line, mut lines) = (lines[place], lines.clone());
        let changed = line.replacen([' ', ':', '='], by, 1);
        lines[place] = &changed;
        lines.concat()
    };
    let mut offers = vec![String::new(), "nonsense".into(), OFFER.repeat(2)];
    for place in 0..lines.len() {
        offers.push(without(place));
        offers.extend(["", "=x=", "\u{0}", "999999999999999999999 "].map(|by| broken(place, by)));
        offers.push(lines[..place].concat());
    }
    let mut call = Call::new(Instant::now());
    let mut refused = 0;
    for offer in offers {
        let Some(message) = refusal(&mut call, &offer) else {
            continue;
        };
        refused += 1;
        assert!(message.len() <= MAX_MESSAGE, "{message}");
        let foreign = FOREIGN.iter().find(|words| message.contains(**words));
        assert_eq!(foreign, None, "{message}");
        assert_eq!(call.engine.stats().refused_offers, refused);
    }
    assert!(refused > 20, "{refused} were refused");
}

#[test]
fn a_refusal_names_what_is_lacking() {
    let mut call = Call::new(Instant::now());
    for (line, name) in [
        ("a=ice-ufrag:theirs\r\n", "a=ice-ufrag"),
        ("a=ice-pwd:a-password-of-22-letters\r\n", "a=ice-pwd"),
    ] {
        let message = refusal(&mut call, &OFFER.replace(line, "")).expect("it is refused");
        assert!(message.contains(name), "{message}");
    }
    assert_eq!(refusal(&mut call, OFFER), None);
}
