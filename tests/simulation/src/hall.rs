//! A hall: one node, a few who send and many who only watch, on a network that costs nothing. What the engine does per
//! forwarded packet can be counted in it: every call of the engine goes through a [`Door`].

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use protocol::id::{Attempt, Epoch, RoomId};
use protocol::media::Caps;
use protocol::node::{NodeToRoom, RoomToNode};
use sfu_core::{Config, Engine, Input, NodeClock, Output, TransportAddress};
use str0m::crypto::dtls::DtlsVersion;

use crate::client::Client;
use crate::encoder::Videos;
use crate::names::participant;
use crate::world::World;

/// Longer than it takes everybody to connect, to be heard and to be seen.
const WARM_UP: Duration = Duration::from_secs(3);

/// Who calls the engine.
pub trait Door {
    /// Hands an input in; `media` says whether it comes from somebody who sends media.
    fn handle(&mut self, engine: &mut Engine, now: Instant, input: Input<'_>, media: bool);
    /// Asks for the next output.
    fn poll<'e>(&mut self, engine: &'e mut Engine, now: Instant) -> Output<'e>;
}

/// Nobody counts.
struct Plain;

impl Door for Plain {
    fn handle(&mut self, engine: &mut Engine, now: Instant, input: Input<'_>, _media: bool) {
        engine.handle(now, input);
    }

    fn poll<'e>(&mut self, engine: &'e mut Engine, now: Instant) -> Output<'e> {
        engine.poll_output(now)
    }
}

/// One node with everybody connected and everything flowing.
pub struct Hall {
    now: Instant,
    engine: Engine,
    address: SocketAddr,
    room: RoomId,
    next_timeout: Instant,
    publishers: usize,
    clients: Vec<Client>,
    /// From which client, and what.
    to_node: VecDeque<(usize, Vec<u8>)>,
}

impl Hall {
    /// A hall in which each of so many viewers sees and hears each of the publishers.
    pub fn open(publishers: usize, viewers: usize) -> Self {
        let now = Instant::now();
        let address = SocketAddr::from(([10, 0, 0, 1], 4_000));
        let mut hall = Self {
            now,
            engine: Engine::new(Config {
                node: "node-0".parse().expect("an id"),
                region: "here".parse().expect("a region"),
                candidates: vec![TransportAddress::udp(address)],
                max_sessions: 200,
                clock: NodeClock::new(now, Duration::ZERO),
            }),
            address,
            room: "bako-tuvi-remo-dasu".parse().expect("an id"),
            next_timeout: now,
            publishers,
            clients: Vec::new(),
            to_node: VecDeque::new(),
        };
        hall.tell(RoomToNode::Plan {
            epoch: Epoch(1),
            peers: Vec::new(),
            breakouts: Vec::new(),
        });
        (0..publishers + viewers).for_each(|number| hall.join(number));
        hall.run(WARM_UP, &mut Plain);
        hall
    }

    fn join(&mut self, number: usize) {
        let address = SocketAddr::from(([10, 1, number as u8, 2], 5_000));
        let (mut client, sdp, sources) = Client::new(
            self.now,
            number as u8,
            address,
            Videos::PLAIN,
            None,
            DtlsVersion::Dtls12,
        );
        let told = self.tell(RoomToNode::Offer {
            participant: participant(number),
            attempt: Attempt(1),
            sdp,
            sources,
            caps: Caps::default(),
            breakout: None,
            trail: None,
        });
        let answer = told.into_iter().find_map(|message| match message {
            NodeToRoom::Answer { sdp, .. } => Some(sdp),
            _ => None,
        });
        client.accept(&answer.expect("the offer is answered"));
        if number < self.publishers {
            client.publish(self.now);
        } else {
            let cameras: Vec<_> = (0..self.publishers).map(World::camera).collect();
            client.show(&cameras);
        }
        self.clients.push(client);
    }

    /// Tells the node something; returns what it tells the room.
    fn tell(&mut self, message: RoomToNode) -> Vec<NodeToRoom> {
        let room = self.room.clone();
        let input = Input::Room { room, message };
        self.engine.handle(self.now, input);
        self.drain(&mut Plain)
    }

    /// Lets so much time pass, by this door; returns how many packets were forwarded in it.
    pub fn run(&mut self, time: Duration, door: &mut impl Door) -> u64 {
        let end = self.now + time;
        let before = self.engine.stats().packets_out;
        loop {
            let clients = self.clients.iter().map(Client::next_event);
            let next = clients.chain([self.next_timeout]).min();
            let Some(next) = next.filter(|next| *next <= end) else {
                break;
            };
            self.now = self.now.max(next);
            self.step(door);
        }
        self.now = end;
        let stats = self.engine.stats();
        assert_eq!(
            stats.drops.faults, 0,
            "see what a session panicked with, above"
        );
        stats.packets_out - before
    }

    /// Does all that is due now. As in the shell, what arrives together is handed in before the engine is drained.
    fn step(&mut self, door: &mut impl Door) {
        for client in 0..self.clients.len() {
            if self.clients[client].next_event() <= self.now {
                self.poll_client(client);
            }
        }
        loop {
            if self.next_timeout <= self.now {
                door.handle(&mut self.engine, self.now, Input::Timeout, false);
            }
            while let Some((client, data)) = self.to_node.pop_front() {
                let from = TransportAddress::udp(self.clients[client].address);
                let input = Input::Datagram {
                    from,
                    arrived: self.now,
                    data: &data,
                };
                let media = client < self.publishers;
                door.handle(&mut self.engine, self.now, input, media);
            }
            self.drain(door);
            if self.to_node.is_empty() && self.next_timeout > self.now {
                return;
            }
        }
    }

    fn drain(&mut self, door: &mut impl Door) -> Vec<NodeToRoom> {
        let (mut told, mut reached) = (Vec::new(), Vec::new());
        loop {
            match door.poll(&mut self.engine, self.now) {
                Output::Timeout(at) => {
                    self.next_timeout = at;
                    break;
                }
                Output::Transmit {
                    to,
                    contents,
                    segment,
                } => {
                    let client = self
                        .clients
                        .iter()
                        .position(|client| client.address == to.address);
                    let Some(client) = client else { continue };
                    for datagram in contents.chunks(segment) {
                        self.clients[client].receive(self.now, self.address, datagram);
                    }
                    reached.push(client);
                }
                Output::Room { message, .. } => told.push(message),
                _ => {}
            }
        }
        reached.sort_unstable();
        reached.dedup();
        for client in reached {
            self.poll_client(client);
        }
        told
    }

    fn poll_client(&mut self, client: usize) {
        let sent = self.clients[client].poll(self.now);
        let to_node = sent.into_iter().map(|(_, data)| (client, data));
        self.to_node.extend(to_node);
    }
}
