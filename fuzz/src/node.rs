//! What a media node is sent: by clients, by other nodes, and by the edge.

use std::cell::Cell;
use std::time::Instant;

use sfu_core::fuzz::{Handshake, Offers, Peered, pieces};
use sfu_core::{Assembled, Assembly};

/// What a browser offers, in short: a microphone, a camera in three layers, a slot of each kind, the data channel.
const OFFER: &str = include_str!("offer.sdp");

/// How many inputs meet the same call or handshake. To make one takes forty times as long as an input does: its DTLS tries all its
/// ciphers first. What needs several inputs to fail is still found, though the last one alone may not show it again.
const SHARED: u32 = 32;

thread_local! {
    /// Its certificate is made once.
    static OFFERS: Offers = Offers::default();
    static HANDSHAKE: Shared<Handshake> = Shared::default();
    static CALL: Shared<Peered> = Shared::default();
}

/// What serves several inputs, and how many it has served.
struct Shared<T>(Cell<Option<(T, u32)>>);

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(Cell::new(None))
    }
}

impl<T> Shared<T> {
    /// Lets an input meet it. After a panic there is none, so that the next input finds a new one.
    fn meet(&self, make: impl FnOnce() -> T, input: impl FnOnce(&mut T)) {
        let kept = self.0.take().filter(|(_, served)| *served < SHARED);
        let (mut it, served) = kept.unwrap_or_else(|| (make(), 0));
        input(&mut it);
        self.0.set(Some((it, served + 1)));
    }
}

/// RTP: headers, header extensions, the payload descriptors of each codec, and what slots make of them.
pub fn rtp(data: &[u8]) {
    sfu_core::fuzz::rtp(Instant::now(), data);
}

/// RTCP, in the clear.
pub fn rtcp(data: &[u8]) {
    sfu_core::fuzz::rtcp(Instant::now(), data);
}

/// Transport-wide feedback, and what the estimator makes of it over time.
pub fn estimator(data: &[u8]) {
    sfu_core::fuzz::estimator(Instant::now(), data);
}

/// STUN with the right password and without, and other datagrams of a client whose handshake is not over.
pub fn stun(data: &[u8]) {
    let make = || OFFERS.with(|offers| Handshake::new(Instant::now(), offers, OFFER));
    HANDSHAKE.with(|shared| {
        shared.meet(make, |handshake| {
            pieces(data).for_each(|piece| handshake.receive(piece));
        });
    });
}

/// STUN bindings of strangers: the first two bytes of a piece say after how long, and who.
pub fn bindings(data: &[u8]) {
    sfu_core::fuzz::bindings(Instant::now(), data);
}

/// SDP: an offer, and one that restarts ICE.
pub fn sdp(data: &[u8]) {
    OFFERS.with(|offers| offers.offer(Instant::now(), data));
}

/// What other nodes say over QUIC, messages and datagrams: the first byte of a piece says which, and who.
pub fn cascade(data: &[u8]) {
    let make = || Peered::new(Instant::now(), OFFER);
    CALL.with(|shared| shared.meet(make, |call| peers_say(call, data)));
}

fn peers_say(call: &mut Peered, data: &[u8]) {
    let mut peers = [Assembly::default(), Assembly::default()];
    for line in data.split(|byte| *byte == b'\n') {
        let Some((&how, rest)) = line.split_first() else {
            call.media();
            continue;
        };
        match how & 2 {
            0 => match peers[usize::from(how & 1)].take(rest) {
                Assembled::Whole => call.peer_sends(how, rest),
                Assembled::Completed(whole) => call.peer_sends(how, &whole),
                Assembled::Kept | Assembled::Malformed => {}
            },
            _ => {
                if let Ok(message) = serde_json::from_slice(rest) {
                    call.peer_says(how, message);
                }
            }
        }
    }
}

/// What a client says on its data channel, a line each.
pub fn channel(data: &[u8]) {
    let mut call = Peered::new(Instant::now(), OFFER);
    for line in data.split(|byte| *byte == b'\n') {
        call.client_says(line);
        call.media();
    }
}

/// What the edge tells a node about a room, a line each.
pub fn edge_to_node(data: &[u8]) {
    let mut call = Peered::new(Instant::now(), OFFER);
    for message in crate::messages(data) {
        call.told(message);
        call.media();
    }
    for _ in crate::messages::<protocol::node::RegionToNode>(data) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_in_the_call_gets_to_its_clients_sealed() {
        let mut call = Peered::new(Instant::now(), OFFER);
        for _ in 0..10 {
            call.media();
        }
        assert!(call.seen() > 0);
    }
}
