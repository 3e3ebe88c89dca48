//! What comes in: the client's checks and its answers to ours, feedback on our egress, and all else, which is str0m's.

use std::time::Instant;

use str0m::Input;
use str0m::ice::StunMessage;
use str0m::net::{Protocol, Receive};

use super::inner::InnerPath;
use super::way::Answered;
use super::{Connection, Happened, Session};
use crate::egress::seal::OpenError;
use crate::io::{Transport, TransportAddress};
use crate::stun::{is_media, is_stun};

/// What a datagram has shown of the address that it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    Nothing,
    /// It is a request that the client has made. Somebody else may have sent it once more.
    Credentials,
    /// The client is there.
    Client,
    /// The same: it has just read there what was sent to it, and answered.
    Answer,
}

impl Session {
    /// Takes a datagram in.
    pub fn receive(
        &mut self,
        now: Instant,
        from: TransportAddress,
        arrived: Instant,
        data: &[u8],
        happened: &mut Happened,
    ) -> Evidence {
        let shown = match is_stun(data) {
            true => self.take_stun(now, from, data, happened),
            false => self.take_in(now, from, arrived, data, happened),
        };
        if shown >= Evidence::Client {
            happened.heard_again = self.pulse.beat(now);
        }
        shown
    }

    /// Takes a check of the client's in, or its answer to one of ours.
    fn take_stun(
        &mut self,
        now: Instant,
        from: TransportAddress,
        data: &[u8],
        happened: &mut Happened,
    ) -> Evidence {
        happened.clear();
        if self.over {
            happened.closed = true;
            return Evidence::Nothing;
        }
        let way = &mut self.connection.way;
        match way.answered(now, from, data) {
            Answered::No => {}
            Answered::Yes => return Evidence::Answer,
            Answered::Settled => {
                happened.settled = true;
                return Evidence::Answer;
            }
        }
        let request = StunMessage::parse(data).ok();
        let request = request.filter(StunMessage::is_binding_request);
        let admitted = request.and_then(|request| {
            let by = way.credentials().position(|one| one.admit(&request))?;
            let reply = way.credentials().nth(by)?.reply(&request, from.address)?;
            Some((by, request.use_candidate(), reply))
        });
        let Some((by, nominates, reply)) = admitted else {
            happened.malformed += 1;
            return Evidence::Nothing;
        };
        let check = way.requested(now, from, by, nominates);
        let known = way.is_client(now, from);
        let settles = way.settles(now, from, by);
        self.tell_inner(now, from, nominates, known, happened);
        happened.settled = settles;
        // First of all the check: its answer is here before what the client does next.
        happened.transmits.extend(check);
        happened.transmits.push((from, reply));
        match known {
            true => Evidence::Client,
            false => Evidence::Credentials,
        }
    }

    /// Has str0m know that there is a path, as far as it needs to.
    fn tell_inner(
        &mut self,
        now: Instant,
        from: TransportAddress,
        nominates: bool,
        known: bool,
        happened: &mut Happened,
    ) {
        let on_the_same_way = |candidate: &&TransportAddress| {
            let is_ipv4 = candidate.address.is_ipv4();
            candidate.transport == from.transport && is_ipv4 == from.address.is_ipv4()
        };
        let connection = &mut self.connection;
        let Some(to) = connection.candidates.iter().find(on_the_same_way) else {
            return;
        };
        let path = InnerPath {
            from,
            to: to.address,
        };
        if let Some(request) = connection.inner.requested(path, nominates, known) {
            self.hand_in(now, now, &request, happened);
        }
    }

    fn take_in(
        &mut self,
        now: Instant,
        from: TransportAddress,
        arrived: Instant,
        data: &[u8],
        happened: &mut Happened,
    ) -> Evidence {
        let is_feedback = self.take_feedback(data, happened);
        if !is_feedback {
            self.hand_in(now, arrived, data, happened);
        }
        if !happened.media.is_empty() {
            happened.media_bytes = data.len();
        }
        let way = &mut self.connection.way;
        let is_opened = !happened.rtcp.is_empty() || !happened.media.is_empty();
        if is_opened || !happened.texts.is_empty() {
            happened.transmits.extend(way.heard(now, from));
            return Evidence::Client;
        }
        // Of all else nobody tells whether the client's keys opened it; only the handshake's end shows where that went.
        match happened.connected.is_some() && way.is_client(now, from) {
            true => Evidence::Client,
            false => Evidence::Nothing,
        }
    }

    /// Hands a datagram to str0m, as if it came on the one path that it knows.
    fn hand_in(&mut self, now: Instant, arrived: Instant, data: &[u8], happened: &mut Happened) {
        let path = self.connection.inner.path();
        self.mutate(now, happened, |connection, happened| {
            let receive = path.and_then(|path| {
                let protocol = protocol_of(path.from.transport);
                Receive::new(protocol, path.from.address, path.to, data).ok()
            });
            // Who sent media is told when it arrived; str0m's time itself does not run back.
            let at = if is_media(data) { arrived } else { now };
            let input = receive.map(|receive| Input::Receive(at, receive));
            let Some(input) = input.filter(|input| connection.rtc.accepts(input)) else {
                happened.malformed += 1;
                return Ok(());
            };
            let Connection {
                rtc,
                streams,
                payload_types,
                ..
            } = connection;
            streams.expect(now, rtc, payload_types, data);
            rtc.handle_input(input)
        });
    }

    /// Takes feedback on our egress in, which str0m has no use for. Returns false if this is anything else.
    fn take_feedback(&mut self, data: &[u8], happened: &mut Happened) -> bool {
        let Some(opener) = self.opener.as_mut().filter(|_| !self.over) else {
            return false;
        };
        happened.clear();
        let streams = &self.connection.streams;
        let is_received = |ssrc| streams.stream_of(ssrc).is_some();
        match opener.open(data, &mut happened.rtcp, is_received) {
            Ok(len) => happened.rtcp_lengths.push(len),
            Err(OpenError::NotFeedback) => return false,
            Err(OpenError::Forged | OpenError::Replayed) => happened.malformed += 1,
        }
        true
    }
}

fn protocol_of(transport: Transport) -> Protocol {
    match transport {
        Transport::Udp => Protocol::Udp,
        Transport::Tcp => Protocol::Tcp,
    }
}
