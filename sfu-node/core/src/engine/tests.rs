//! A fault of our own in what is done for one session ends that session, and the others' media goes on.

mod refusals;

use std::time::{Duration, Instant};

use protocol::client::SourceMid;
use protocol::id::{Attempt, RoomId};
use protocol::media::{Caps, Codec, Layer, Source};
use protocol::node::{NodeToRoom, RoomToNode, SessionRef};

use super::Engine;
use crate::egress::seal::Sealer;
use crate::io::{Config, Input, Output, TransportAddress};
use crate::key::{MemberKey, RoomKey, SessionKey};
use crate::packet::Packet;
use crate::session::{HandshakeError, Happened, Session};

const FRAME: Duration = Duration::from_millis(33);
const ROOM: &str = "bako-tuvi-remo-dasu";
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
struct Call {
    now: Instant,
    engine: Engine,
    room: RoomKey,
    people: Vec<(SessionKey, MemberKey)>,
    frames: u64,
}

impl Call {
    fn new() -> Self {
        let now = Instant::now();
        let mut engine = Engine::new(Config {
            node: "node-1".parse().unwrap(),
            region: "eu-west".parse().unwrap(),
            candidates: Vec::new(),
            max_sessions: 3,
        });
        let room = engine.room_key(&room_id());
        let mut call = Self {
            now,
            engine,
            room,
            people: Vec::new(),
            frames: 0,
        };
        for name in ["ada", "bob", "cid"] {
            call.join(name);
        }
        for _ in 0..10 {
            call.frame();
        }
        assert!(call.seen_by(1) > 0 && call.seen_by(2) > 0);
        call
    }

    fn join(&mut self, name: &str) {
        let name = SessionRef {
            participant: name.parse().unwrap(),
            attempt: Attempt(1),
        };
        let offer = RoomToNode::Offer {
            participant: name.participant.clone(),
            attempt: name.attempt,
            sdp: OFFER.into(),
            sources: vec![SourceMid {
                source: Source::Camera,
                mid: "0".into(),
            }],
            caps: Caps::default(),
        };
        self.engine.room_message(self.now, room_id(), offer);
        let session = self.engine.session_of(&room_id(), &name).expect("answered");
        let seat = &mut self.engine.seats[session];
        let at = ([10, 1, 0, self.people.len() as u8], 5_000).into();
        seat.session.reach(TransportAddress::udp(at));
        let member = seat.member;
        self.engine.with_room(self.now, self.room, |room, cx| {
            room.connected(cx, member, Sealer::of_test_keys());
        });
        self.people.push((session, member));
    }

    /// The first of them sends a frame, each of which is a keyframe; returns what the room is told meanwhile.
    fn frame(&mut self) -> Vec<NodeToRoom> {
        self.frame_of(1_000)
    }

    /// The same, of so many bytes.
    fn frame_of(&mut self, bytes: usize) -> Vec<NodeToRoom> {
        self.now += FRAME;
        self.frames += 1;
        let (sequence, timestamp) = (self.frames, self.frames as u32 * 3_000);
        let mut payload = vec![0x90, 0xE0, 0x80, 0, 0, 0, 0, 0, 0, 0x9D, 0x01, 0x2A];
        payload.extend([0x80, 0x02, 0x68, 0x01]);
        payload.resize(bytes, 0);
        let packet = Packet::new(sequence, timestamp, true, Codec::Vp8, None, payload.into());
        let (_, publisher) = self.people[0];
        self.engine.with_room(self.now, self.room, |room, cx| {
            let stream = (Source::Camera, Layer(0));
            room.publish(cx, publisher, stream, cx.now, packet)
        });
        self.engine.handle(self.now, Input::Timeout);
        let mut told = Vec::new();
        loop {
            match self.engine.poll_output(self.now) {
                Output::Timeout(_) => return told,
                Output::Room { message, .. } => told.push(message),
                _ => {}
            }
        }
    }

    /// Bytes that were sent to somebody.
    fn seen_by(&mut self, person: usize) -> u64 {
        let (_, member) = self.people[person];
        let room = self.engine.rooms.get_mut(self.room).expect("it is there");
        let subscriber = room.subscriber(member);
        subscriber.map_or(0, |(subscriber, _)| subscriber.sent_bytes())
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

fn room_id() -> RoomId {
    ROOM.parse().unwrap()
}

#[test]
fn a_session_whose_handshake_fails_is_refused_by_name() {
    let mut call = Call::new();
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
    let mut call = Call::new();
    let (session, _) = call.people[2];
    let outcome: Option<()> = call
        .engine
        .with_session(call.now, session, |_, _| panic!("on purpose"));
    assert_eq!(outcome, None);
    call.assert_only_the_last_is_gone();
}

#[test]
fn a_panic_within_a_session_ends_that_session_only() {
    let mut call = Call::new();
    let (session, _) = call.people[2];
    let now = call.now;
    call.engine.with_session(now, session, |session, happened| {
        session.panic(now, happened);
    });
    call.assert_only_the_last_is_gone();
}

#[test]
fn a_panic_while_a_member_is_sent_something_ends_that_session_only() {
    let mut call = Call::new();
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
    let mut call = Call::new();
    let (seen, counted) = (call.seen_by(1), call.engine.stats().oversized);
    assert_eq!(counted, 0);
    call.frame_of(4_000);
    assert!(call.seen_by(1) > seen);
    assert_eq!(call.engine.stats().oversized, 2, "one for each viewer");
}
