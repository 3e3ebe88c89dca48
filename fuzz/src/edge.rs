//! What the edge is sent: by clients over HTTP and over WebSockets, and by nodes.

use std::str::FromStr;

use edge_core::room::{Admission, Client, Effect, Event, NodeLink, Pass, Room, Secret};
use protocol::api;
use protocol::client::SettingsChange;
use protocol::id::Epoch;
use protocol::node::{NodeToRegion, NodeToRoom, VERSION};

/// Between two messages, in milliseconds.
const STEP: u64 = 300;

/// A room with two people in it, one of them its owner, and a node.
struct World {
    room: Room,
    now: u64,
    people: Vec<Client>,
    link: Option<NodeLink>,
}

impl World {
    fn new() -> Self {
        let now = 1_800_000_000_000;
        let (room, _) = Room::create(
            id("bako-tuvi-remo-dasu"),
            "Room".into(),
            id("ada"),
            SettingsChange::default(),
            now,
        );
        let mut world = Self {
            room,
            now,
            people: Vec::new(),
            link: None,
        };
        for name in ["ada", "bob"] {
            world.enter(name);
        }
        let ready = NodeToRoom::Ready {
            version: VERSION,
            quic: "192.0.2.1:7000".into(),
            fingerprint: "00".repeat(32),
            sessions: Vec::new(),
        };
        world.node_says(&serde_json::to_string(&ready).expect("a message"));
        world
    }

    fn enter(&mut self, name: &str) {
        self.handle(Event::Admitted(Admission {
            participant: id(name),
            user: id(name),
            name: name.into(),
            guest: false,
            granted: None,
            ticket: name.into(),
            regions: vec![id("eu")],
            offer: None,
            decodes: Vec::new(),
            move_here: false,
            trail: None,
        }));
        let client = self.room.admit(&Pass::Ticket(name.into()), self.now);
        let client = client.expect("the ticket is good");
        let hash = format!("resume {name}");
        self.handle(Event::ClientOpened {
            client: client.clone(),
            pass: Pass::Ticket(name.into()),
            since: None,
            resume: Secret {
                text: hash.clone(),
                hash,
            },
        });
        self.people.push(client);
    }

    fn handle(&mut self, event: Event) {
        for effect in self.room.handle(self.now, event) {
            match effect {
                Effect::Seek {
                    participant, epoch, ..
                } => {
                    let node = Some((id("node-1"), id("eu")));
                    self.handle(Event::Found {
                        participant,
                        epoch,
                        node,
                    });
                    self.link(epoch);
                }
                // It comes back.
                Effect::SendNodeAway { link } => self.link(link.epoch),
                Effect::Recall { client, deed, .. } => {
                    self.handle(Event::Recalled {
                        client,
                        deed,
                        line: None,
                        known: None,
                    });
                }
                Effect::Report(report) => self.handle(Event::Reported {
                    taken: Some(report),
                }),
                _ => {}
            }
        }
    }

    fn link(&mut self, epoch: Epoch) {
        if let Ok(link) = self.room.expect_node(&id("node-1"), epoch) {
            self.link = Some(link.clone());
            self.handle(Event::NodeOpened {
                link,
                region: id("eu"),
            });
        }
    }

    fn says(&mut self, who: usize, text: &str) {
        if let Some(client) = self.people.get(who).cloned() {
            let text = text.to_owned();
            self.handle(Event::ClientSaid { client, text });
        }
        self.pass();
    }

    fn node_says(&mut self, text: &str) {
        if let Some(link) = self.link.clone() {
            let text = text.to_owned();
            self.handle(Event::NodeSaid { link, text });
        }
        self.pass();
    }

    fn pass(&mut self) {
        self.now += STEP;
        if self.room.deadline().is_some_and(|at| at <= self.now) {
            self.handle(Event::Alarm { pings: Vec::new() });
        }
    }
}

fn id<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("a good id")
}

/// What clients say to the edge, a line each: to the room by turns, and as bodies of requests.
pub fn client(data: &[u8]) {
    let mut world = World::new();
    for (number, line) in data.split(|byte| *byte == b'\n').enumerate() {
        if let Ok(text) = str::from_utf8(line) {
            world.says(number % 2, text);
        }
    }
    for request in crate::messages::<api::JoinRequest>(data) {
        if let Some(offer) = request.offer {
            assert!(offer.sdp.len() <= data.len());
        }
    }
    for _ in crate::messages::<api::CreateRoomRequest>(data) {}
}

/// What nodes say to the edge, a line each.
pub fn node_to_edge(data: &[u8]) {
    let mut world = World::new();
    for line in data.split(|byte| *byte == b'\n') {
        if let Ok(text) = str::from_utf8(line) {
            world.node_says(text);
        }
    }
    for _ in crate::messages::<NodeToRegion>(data) {}
}
