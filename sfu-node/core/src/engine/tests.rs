//! A fault of our own in what is done for one session ends that session, and the others' media goes on.

mod departures;
mod refusals;

use std::time::{Duration, Instant};

use protocol::media::{Codec, Layer, Source};
use protocol::node::NodeToRoom;

use super::call::{Call, KEYFRAME};
use crate::io::{Input, Output};
use crate::packet::Packet;
use crate::session::{HandshakeError, Happened, Session};

const FRAME: Duration = Duration::from_millis(33);
/// What a client offers that sends a camera and shows another.
const OFFER: &str = "v=0\r
o=- 1 2 IN IP4 127.0.0.1\r
s=-\r
t=0 0\r
a=group:BUNDLE 0 1\r
m=video 9 UDP/TLS/RTP/SAVPF 96\r
c=IN IP4 0.0.0.0\r
a=ice-ufrag:theirs\r
a=ice-pwd:a-password-of-22-letters\r
a=fingerprint:sha-256 \
00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r
a=setup:actpass\r
a=mid:0\r
a=sendonly\r
a=rtcp-mux\r
a=rtpmap:96 VP8/90000\r
a=ssrc:1 cname:theirs\r
m=video 9 UDP/TLS/RTP/SAVPF 96\r
c=IN IP4 0.0.0.0\r
a=mid:1\r
a=recvonly\r
a=rtcp-mux\r
a=rtpmap:96 VP8/90000\r
";

/// Somebody who sends a camera, and two who see it.
fn viewed() -> Call {
    let mut call = Call::new(Instant::now());
    for name in ["ada", "bob", "cid"] {
        call.join(name, OFFER, &[(Source::Camera, "0")]);
    }
    for _ in 0..10 {
        call.frame();
    }
    assert!(call.seen_by(1) > 0 && call.seen_by(2) > 0);
    call
}

impl Call {
    /// The first of them sends a frame, each of which is a keyframe; returns what the room is told meanwhile.
    fn frame(&mut self) -> Vec<NodeToRoom> {
        self.frame_of(1_000)
    }

    /// The same, of so many bytes.
    fn frame_of(&mut self, bytes: usize) -> Vec<NodeToRoom> {
        self.publish(bytes);
        let mut told = Vec::new();
        loop {
            match self.engine.poll_output(self.now) {
                Output::Timeout(_) => return told,
                Output::Room { message, .. } => told.push(message),
                _ => {}
            }
        }
    }

    /// The first of them sends a frame of so many bytes; what comes of it is still to be had.
    fn publish(&mut self, bytes: usize) {
        self.now += FRAME;
        self.sent += 1;
        let (sequence, timestamp) = (self.sent, self.sent as u32 * 3_000);
        let mut payload = KEYFRAME.to_vec();
        payload.resize(bytes, 0);
        let packet = Packet::new(sequence, timestamp, true, Codec::Vp8, None, payload.into());
        let (_, publisher) = self.people[0];
        self.engine.with_room(self.now, self.room, |room, cx| {
            let stream = (Source::Camera, Layer(0));
            room.publish(cx, publisher, stream, cx.now, packet)
        });
        self.engine.handle(self.now, Input::Timeout);
    }

    /// The last of them has had a fault: the room is told of that session alone, and the others see what is sent.
    fn assert_only_the_last_is_gone(&mut self) {
        let before = self.seen_by(1);
        let told = self.frame();
        let gone = |message: &NodeToRoom| match message {
            NodeToRoom::Disconnected { participant, .. } => Some(participant.to_string()),
            _ => None,
        };
        let gone: Vec<String> = told.iter().filter_map(gone).collect();
        assert_eq!(gone, ["cid"]);
        for _ in 0..10 {
            self.frame();
        }
        assert!(self.seen_by(1) >= before + 10_000);
        let stats = self.engine.stats();
        assert_eq!((stats.sessions, stats.drops.faults), (2, 1));
    }
}

#[test]
fn a_session_whose_handshake_fails_is_refused_by_name() {
    let mut call = viewed();
    let (session, _) = call.people[2];
    let failed = |_: &mut Session, happened: &mut Happened| {
        happened.closed = true;
        happened.failed = Some(HandshakeError::Certificate);
    };
    call.engine.with_session(call.now, session, failed);
    let told = call.frame();
    let refused = told.iter().find_map(|message| match message {
        NodeToRoom::Refused { message, .. } => Some(message),
        _ => None,
    });
    assert!(
        refused.is_some_and(|message| message.contains("ECDSA")),
        "{told:?}"
    );
    let stats = call.engine.stats();
    assert_eq!((stats.sessions, stats.failed_handshakes), (2, 1));
}

#[test]
fn a_panic_in_a_session_s_work_ends_that_session_only() {
    let mut call = viewed();
    let (session, _) = call.people[2];
    let outcome: Option<()> = call
        .engine
        .with_session(call.now, session, |_, _| panic!("on purpose"));
    assert_eq!(outcome, None);
    call.assert_only_the_last_is_gone();
}

#[test]
fn a_panic_within_a_session_ends_that_session_only() {
    let mut call = viewed();
    let (session, _) = call.people[2];
    let now = call.now;
    call.engine.with_session(now, session, |session, happened| {
        session.panic(now, happened);
    });
    call.assert_only_the_last_is_gone();
}

#[test]
fn a_panic_while_a_member_is_sent_something_ends_that_session_only() {
    let mut call = viewed();
    let (_, member) = call.people[2];
    let flushed = call
        .engine
        .flush(call.now, (call.room, member), |_, _, batch| {
            batch.bytes.extend([0; 100]);
            panic!("on purpose")
        });
    assert!(!flushed && call.engine.outbox.batch.is_empty());
    call.assert_only_the_last_is_gone();
}

#[test]
fn a_packet_that_few_paths_carry_is_sent_and_counted() {
    let mut call = viewed();
    let (seen, counted) = (call.seen_by(1), call.engine.stats().oversized);
    assert_eq!(counted, 0);
    call.frame_of(4_000);
    assert!(call.seen_by(1) > seen);
    assert_eq!(call.engine.stats().oversized, 2, "one for each viewer");
}
