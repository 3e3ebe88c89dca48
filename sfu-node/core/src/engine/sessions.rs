//! Datagrams to sessions, and what happens in a session to its room.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use protocol::client::ClientMediaMessage;
use protocol::id::RoomId;
use protocol::node::{NodeToRoom, RefusalReason, SessionRef};

use super::{Engine, Timer};
use crate::demux::Standing;
use crate::io::{Output, Transport, TransportAddress};
use crate::key::SessionKey;
use crate::room::{Context, Effect};
use crate::session::{Evidence, HandshakeError, Happened, Session};

/// Shortest time between two time-outs of a session.
const TICK: Duration = Duration::from_millis(1);

impl Engine {
    pub(super) fn datagram(
        &mut self,
        now: Instant,
        from: TransportAddress,
        arrived: Instant,
        data: &[u8],
    ) {
        let Some((key, standing)) = self.demux.find(now, from, data) else {
            return self.stranger(now, from, data);
        };
        let shown = self.with_session(now, key, |session, happened| {
            session.receive(now, from, arrived, data, happened)
        });
        let is_new = match shown {
            Some(Evidence::Answer) => self.demux.hand_over(now, from, key),
            Some(Evidence::Client) if standing != Some(Standing::Proven) => {
                self.demux.bind(now, from, key, Standing::Proven)
            }
            Some(Evidence::Credentials) => {
                self.demux.bind(now, from, key, Standing::Named);
                false
            }
            _ => false,
        };
        if is_new && from.transport == Transport::Tcp {
            let reached = Output::Reached { client: from };
            self.outbox.messages.push_back(reached);
        }
    }

    /// A datagram of no session: somebody may measure the way here.
    fn stranger(&mut self, now: Instant, from: TransportAddress, data: &[u8]) {
        let is_udp = from.transport == Transport::Udp;
        let answer = is_udp.then(|| self.bindings.answer(now, from.address, data));
        match answer.flatten() {
            Some(answer) => {
                self.stats.bindings += 1;
                self.outbox.datagrams.push_back((from, answer));
            }
            None => self.drops().unknown += 1,
        }
    }

    /// Runs something on a session, and then does what has happened in it.
    pub(super) fn with_session<R>(
        &mut self,
        now: Instant,
        key: SessionKey,
        run: impl FnOnce(&mut Session, &mut Happened) -> R,
    ) -> Option<R> {
        let mut happened = std::mem::take(&mut self.happened);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let seat = self.seats.get_mut(key)?;
            let result = run(&mut seat.session, &mut happened);
            // Never at once again: a time-out that does not move must not hold the shard.
            let at = seat.session.next_timeout().max(now + TICK);
            self.timers.set(Timer::Session(key), at);
            self.session_happened(now, key, &mut happened);
            Some(result)
        }));
        self.happened = happened;
        outcome.unwrap_or_else(|_| {
            self.happened = Happened::default();
            self.session_faulted(now, key);
            None
        })
    }

    /// Sends a text over a session's data channel; one that has no room for it gets everything anew in a moment.
    pub(super) fn send_text(&mut self, now: Instant, key: SessionKey, text: &str) {
        let sent = self.with_session(now, key, |session, happened| {
            session.send_text(now, text, happened)
        });
        if sent == Some(false)
            && let Some(seat) = self.seats.get(key)
        {
            let (room, member) = (seat.room, seat.member);
            self.with_room(now, room, |room, cx| room.was_not_told(cx.now, member));
        }
    }

    /// What a session brought about has panicked: the session ends, and nothing else.
    pub(super) fn session_faulted(&mut self, now: Instant, key: SessionKey) {
        tracing::error!("a session ended by a panic of its room");
        self.drops().faults += 1;
        self.session_ended(now, key, None);
    }

    pub(super) fn session_happened(
        &mut self,
        now: Instant,
        key: SessionKey,
        happened: &mut Happened,
    ) {
        self.drops().malformed += u64::from(happened.malformed);
        self.drops().faults += u64::from(happened.panicked);
        self.outbox.datagrams.extend(happened.transmits.drain(..));
        let Some(seat) = self.seats.get_mut(key) else {
            return;
        };
        let (room_key, member) = (seat.room, seat.member);
        let clock_sources = &seat.session;
        let Some(room) = self.rooms.get_mut(room_key) else {
            return;
        };
        let mut cx = Context {
            now,
            relay: &mut self.relay,
            relay_batch: &mut self.outbox.relay,
            effects: &mut self.effects,
        };
        if let Some(sealer) = happened.connected.take() {
            if !self.followed.is_empty() {
                let connected = Effect::Connected { session: key };
                cx.effects.push_back(connected);
            }
            seat.answer = None;
            room.connected(&mut cx, member, *sealer);
            if let Some(name) = room.name(member) {
                self.outbox.messages.push_back(Output::Room {
                    room: room.link.clone(),
                    message: NodeToRoom::Connected {
                        participant: name.participant,
                        attempt: name.attempt,
                    },
                });
            }
        }
        if happened.settled {
            self.demux.expect(key, seat.session.ufrags());
        }
        if happened.heard_again {
            room.heard_again(&mut cx, member);
        }
        if happened.channel_open {
            room.channel_open(&mut cx, member);
        }
        let mut lives = happened.heard_again;
        for text in happened.texts.drain(..) {
            match serde_json::from_slice(&text) {
                Ok(ClientMediaMessage::View { tiles }) => room.set_view(&mut cx, member, tiles),
                Ok(ClientMediaMessage::Alive) => lives = true,
                Ok(ClientMediaMessage::ShowCaptions { on }) => room.show_captions(member, on),
                Ok(ClientMediaMessage::FeedCaption(line)) => {
                    if !room.feed_caption(&mut cx, member, line) {
                        self.stats.drops.not_allowed += 1;
                    }
                }
                Ok(ClientMediaMessage::Playback { frozen }) => {
                    if !room.played(member, frozen) {
                        self.stats.drops.malformed += 1;
                    }
                }
                Err(_) => self.stats.drops.malformed += 1,
            }
        }
        self.stats.bytes_in += happened.media_bytes as u64;
        for media in happened.media.drain(..) {
            self.stats.packets_in += 1;
            let (stream, arrived) = ((media.source, media.layer), media.arrived);
            if !room.publish(&mut cx, member, stream, arrived, media.packet) {
                self.stats.drops.not_allowed += 1;
            }
        }
        let mut start = 0;
        for len in happened.rtcp_lengths.drain(..) {
            let compound = &happened.rtcp[start..start + len];
            start += len;
            for (ssrc, ntp, rtp) in room.feedback(&mut cx, member, compound) {
                if let Some(stream) = clock_sources.stream_of(ssrc) {
                    room.clock(&mut cx, member, stream, ntp, rtp);
                }
            }
        }
        room.tell_demand(&mut cx);
        self.settle(room_key);
        if lives {
            self.watch(key);
        }
        if happened.closed {
            self.session_ended(now, key, happened.failed);
        }
    }

    /// A session is over by itself: the room's Durable Object is told. If its handshake failed, the next one would: that is
    /// a refusal of what was offered.
    fn session_ended(&mut self, now: Instant, key: SessionKey, failed: Option<HandshakeError>) {
        let Some((room, name)) = self.end_session(now, key) else {
            return;
        };
        let SessionRef {
            participant,
            attempt,
        } = name;
        let message = match failed {
            Some(error) => {
                tracing::info!(%room, %error, "a client's handshake failed");
                self.stats.failed_handshakes += 1;
                NodeToRoom::Refused {
                    participant,
                    attempt,
                    reason: RefusalReason::BadOffer,
                    message: error.to_string(),
                }
            }
            None => NodeToRoom::Disconnected {
                participant,
                attempt,
            },
        };
        self.outbox
            .messages
            .push_back(Output::Room { room, message });
    }

    /// Ends a session, and says whose it was.
    pub(super) fn end_session(
        &mut self,
        now: Instant,
        key: SessionKey,
    ) -> Option<(RoomId, SessionRef)> {
        let mut seat = self.seats.remove(key)?;
        let mut farewell = Happened::default();
        seat.session.close(now, &mut farewell);
        self.outbox.datagrams.extend(farewell.transmits);
        self.demux.remove(key);
        self.unfollow(key);
        self.timers.clear(Timer::Session(key));
        self.timers.clear(Timer::Silence(key));
        self.with_room(now, seat.room, |room, cx| {
            let name = room.name(seat.member)?;
            room.leave(cx, seat.member);
            Some((room.link.clone(), name))
        })?
    }
}
