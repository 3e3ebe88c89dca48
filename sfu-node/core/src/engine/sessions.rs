//! Datagrams to sessions, and what happens in a session to its room.

use std::net::SocketAddr;
use std::time::Instant;

use protocol::client::ClientMediaMessage;
use protocol::node::NodeToRoom;

use super::Engine;
use crate::demux::{SessionKey, is_stun};
use crate::io::Output;
use crate::room::{Context, Routed};
use crate::session::{Happened, Session};
use crate::timers::Timer;

impl Engine {
    pub(super) fn datagram(&mut self, now: Instant, from: SocketAddr, data: &[u8]) {
        let Some(key) = self.demux.find(from, data) else {
            self.drops().unknown += 1;
            return;
        };
        let accepted = self.with_session(now, key, |session, happened| {
            session.receive(now, from, data, happened)
        });
        if accepted == Some(true) && is_stun(data) {
            self.demux.bind(from, key);
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
        let result = self
            .seats
            .get_mut(key)
            .and_then(Option::as_mut)
            .map(|seat| {
                let result = run(&mut seat.session, &mut happened);
                self.timers
                    .set(Timer::Session(key), seat.session.next_timeout());
                result
            });
        if result.is_some() {
            self.session_happened(now, key, &mut happened);
        }
        self.happened = happened;
        result
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
        let Some(seat) = self.seats[key].as_ref() else {
            return;
        };
        let (room_key, member) = (seat.room, seat.member);
        let clock_sources = &seat.session;
        let Some(room) = self.rooms[room_key].as_mut() else {
            return;
        };
        let mut cx = Context {
            now,
            relay: &mut self.relay,
            relay_batch: &mut self.outbox.relay,
            effects: &mut self.effects,
        };
        if let Some(sealer) = happened.connected.take() {
            room.connected(&mut cx, member, sealer);
            if let Some(name) = room.name(member) {
                self.outbox.messages.push_back(Output::Room {
                    room: room.id.clone(),
                    message: NodeToRoom::Connected {
                        participant: name.participant,
                        attempt: name.attempt,
                    },
                });
            }
        }
        if happened.channel_open {
            room.channel_open(&mut cx, member);
        }
        for text in happened.texts.drain(..) {
            match serde_json::from_slice(&text) {
                Ok(ClientMediaMessage::View { tiles }) => room.set_view(&mut cx, member, tiles),
                Err(_) => self.stats.drops.malformed += 1,
            }
        }
        for (source, packet) in happened.media.drain(..) {
            self.stats.packets_in += 1;
            self.stats.bytes_in += packet.payload.len() as u64;
            if room.publish(&mut cx, member, source, packet) == Routed::NotAllowed {
                self.stats.drops.not_allowed += 1;
            }
        }
        let mut start = 0;
        for len in happened.rtcp_lengths.drain(..) {
            let compound = &happened.rtcp[start..start + len];
            start += len;
            for (ssrc, ntp, rtp) in room.feedback(&mut cx, member, compound) {
                if let Some(source) = clock_sources.source_of(ssrc) {
                    room.clock(&mut cx, member, source, ntp, rtp);
                }
            }
        }
        self.settle(room_key);
        if happened.closed {
            self.end_session(now, key, true);
        }
    }

    /// Ends a session that is over already or is to be closed; tells the room's Durable Object if it is news to it.
    pub(super) fn end_session(&mut self, now: Instant, key: SessionKey, tell: bool) {
        let Some(mut seat) = self.seats.get_mut(key).and_then(Option::take) else {
            return;
        };
        let mut farewell = Happened::default();
        seat.session.close(&mut farewell);
        self.outbox.datagrams.extend(farewell.transmits);
        self.demux.remove(key);
        self.timers.clear(Timer::Session(key));
        let gone = self.with_room(now, seat.room, |room, cx| {
            let member = room.leave(cx, seat.member)?;
            Some((room.id.clone(), member))
        });
        if let Some(Some((room, member))) = gone
            && tell
        {
            self.outbox.messages.push_back(Output::Room {
                room,
                message: NodeToRoom::Disconnected {
                    participant: member.participant,
                    attempt: member.attempt,
                },
            });
        }
    }
}
