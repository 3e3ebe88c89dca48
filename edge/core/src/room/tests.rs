//! The room as a whole: what its people and nodes are sent.

use protocol::client::{ErrorCode, Offer, RoomEvent, ServerMessage, SettingsChange};
use protocol::developer::EventKind;
use protocol::id::{Attempt, Epoch};
use protocol::node::{NodeToRoom, RoomToNode, SessionRef, VERSION};

use super::record::{Record, Stored};
use super::{
    Admission, Client, Effect, Event, Excess, Identity, NodeLink, NotAdmitted, Pass, Room, Secret,
    Sought,
};
use crate::chat::Line;
use crate::table::Key;

mod audit;
mod breakout_places;
mod breakout_time;
mod breakouts;
mod chat;
mod chat_lines;
mod commands;
mod connection;
mod connection_replay;
mod door;
mod doubt;
mod early;
mod farewell;
mod gateways;
mod guests;
mod hands;
mod ice_restart;
mod limits;
mod lobby;
mod moderation;
mod moving;
mod notes;
mod offers;
mod passes;
mod placement;
mod polls;
mod reactions;
mod reading;
mod reload;
mod reports;
mod restore;
mod retirement;
mod roles;
mod settings;
mod spotlight;
mod stage;
mod webhooks;

/// The key of a record, which its row gives back as it was.
fn key(record: &Record) -> Key {
    let table = record.table();
    let row = table.row(record).expect("it fits into its table");
    let back: Record = table.record(&row).expect("a row is a record");
    assert_eq!(back, *record);
    table.key_of(&row)
}

/// A room with what it stored, as the shell has it.
struct World {
    room: Room,
    stored: Stored,
    now: u64,
    /// Whether the directory takes no report.
    directory_is_away: bool,
    /// Whether passwords are hashed when the test says so.
    hasher_is_slow: bool,
    /// What the owner wants to be told, if their object for developers answers.
    wanted: Option<Vec<EventKind>>,
}

impl World {
    fn new() -> Self {
        let (room, effects) = Room::create(
            id("room"),
            "Room".into(),
            id("ada"),
            SettingsChange::default(),
            0,
        );
        let mut world = Self {
            room,
            stored: Stored::default(),
            now: 0,
            directory_is_away: false,
            hasher_is_slow: false,
            wanted: Some(Vec::new()),
        };
        world.store(&effects);
        world.settle(effects);
        world
    }

    fn store(&mut self, effects: &[Effect]) {
        for effect in effects {
            let key = match effect {
                Effect::Save(record) => key(record),
                Effect::Erase(key) => key.clone(),
                Effect::SaveLine(line) => {
                    self.stored.latest_line = self.stored.latest_line.max(line.number);
                    let lines = &mut self.stored.lines;
                    match lines.iter_mut().find(|known| known.number == line.number) {
                        Some(known) => known.clone_from(line),
                        None => lines.push(line.clone()),
                    }
                    continue;
                }
                Effect::Inherit { from, to } => {
                    let lines = self.stored.lines.iter_mut();
                    lines
                        .map(|line| &mut line.message.user)
                        .filter(|user| user.as_ref() == Some(from))
                        .for_each(|user| *user = Some(to.clone()));
                    continue;
                }
                Effect::Rename { user, name } => {
                    let lines = self.stored.lines.iter_mut().map(|line| &mut line.message);
                    lines
                        .filter(|message| message.user.as_ref() == Some(user))
                        .for_each(|message| message.name.clone_from(name));
                    continue;
                }
                Effect::ForgetLines(keep) => {
                    self.stored.lines.retain(|line| keep.keeps(line));
                    continue;
                }
                Effect::Forget | Effect::Vanish => {
                    self.stored = Stored::default();
                    continue;
                }
                _ => continue,
            };
            let is_it = |record: &Record| match record {
                // There are many of them, and this is done often.
                Record::Event(event) => key.cells == [event.seq.into()],
                Record::Person(person) => key.cells == [person.id.as_str().into()],
                record => self::key(record) == key,
            };
            let records = &mut self.stored.records;
            records.retain(|record| record.table() != key.table || !is_it(record));
            if let Effect::Save(record) = effect {
                records.push(record.clone());
            }
        }
    }

    fn handle(&mut self, event: Event) -> Vec<Effect> {
        let effects = self.room.handle(self.now, event);
        self.store(&effects);
        self.settle(effects)
    }

    /// Answers what the shell answers without being asked for by a test: whether a line is stored, and that the directory
    /// has a report.
    fn settle(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let mut left = Vec::new();
        for effect in effects {
            let answer = match effect {
                Effect::Recall { client, user, deed } => {
                    let is_sought = |line: &&Line| match deed.sought() {
                        Sought::Number(number) => line.number == number,
                        Sought::Nonce(nonce) => {
                            line.message.nonce == nonce && line.message.user.as_ref() == Some(&user)
                        }
                    };
                    let line = self.stored.lines.iter().find(is_sought).cloned();
                    Event::Recalled {
                        client,
                        deed,
                        known: line.as_ref().map(|line| line.number),
                        line: line.map(Box::new),
                    }
                }
                Effect::Verify { client, token } => {
                    let name = token.strip_prefix("token of ");
                    let account = name.map(|name| Identity {
                        user: id(name),
                        name: name.into(),
                    });
                    Event::Verified { client, account }
                }
                Effect::LetIn { client } => {
                    let hash = format!("let in {}", client.participant);
                    let text = hash.clone();
                    let resume = Secret { text, hash };
                    Event::LetIn { client, resume }
                }
                Effect::HashPassword {
                    client,
                    turn,
                    password,
                } if !self.hasher_is_slow => Event::Hashed {
                    client,
                    turn,
                    hash: Ok(format!("hash of {password}")),
                },
                Effect::Report(report) if !self.directory_is_away => {
                    left.push(Effect::Report(report.clone()));
                    Event::Reported {
                        taken: Some(report),
                    }
                }
                Effect::TellDeveloper { owner, happened } => {
                    left.push(Effect::TellDeveloper { owner, happened });
                    Event::ToldDeveloper {
                        wanted: self.wanted.clone(),
                    }
                }
                effect => {
                    left.push(effect);
                    continue;
                }
            };
            left.extend(self.handle(answer));
        }
        left
    }

    /// Somebody joins; the search for a node has begun.
    fn admit(&mut self, name: &str) -> Vec<Effect> {
        self.admit_with(name, name, None)
    }

    fn admit_with(&mut self, name: &str, user: &str, offer: Option<Offer>) -> Vec<Effect> {
        self.handle(Event::Admitted(Admission {
            offer,
            ..admission(name, user)
        }))
    }

    fn open(
        &mut self,
        pass: Pass,
        since: Option<u64>,
    ) -> Result<(Client, Vec<Effect>), NotAdmitted> {
        let client = self.room.admit(&pass, self.now)?;
        let hash = format!("resume {} {}", client.participant, client.connection);
        let resume = Secret {
            text: hash.clone(),
            hash,
        };
        let effects = self.handle(Event::ClientOpened {
            client: client.clone(),
            pass,
            since,
            resume,
        });
        Ok((client, effects))
    }

    fn enter(&mut self, name: &str) -> Client {
        self.admit(name);
        self.open(ticket(name), None).expect("the ticket is good").0
    }

    fn say(&mut self, client: &Client, text: &str) -> Vec<Effect> {
        self.handle(Event::ClientSaid {
            client: client.clone(),
            text: text.into(),
        })
    }

    /// The node is found for whoever is sought for, and its link is ready.
    fn place(&mut self, name: &str, node: &str) -> NodeLink {
        let epoch = self.room.info.epoch;
        self.find(name, node);
        self.link(node, epoch)
    }

    /// This node is found for whoever is sought for.
    fn find(&mut self, name: &str, node: &str) {
        let epoch = self.room.info.epoch;
        self.handle(Event::Found {
            participant: id(name),
            epoch,
            node: Some((id(node), id("eu"))),
        });
    }

    fn link(&mut self, node: &str, epoch: Epoch) -> NodeLink {
        self.link_holding(node, epoch, Vec::new())
    }

    /// The same of a node that has these sessions already.
    fn link_holding(&mut self, node: &str, epoch: Epoch, sessions: Vec<SessionRef>) -> NodeLink {
        let link = self
            .room
            .expect_node(&id(node), epoch)
            .expect("it is placed there");
        self.handle(Event::NodeOpened {
            link: link.clone(),
            region: id("eu"),
        });
        self.node_says(
            &link,
            NodeToRoom::Ready {
                version: VERSION,
                quic: "192.0.2.1:7000".into(),
                fingerprint: "00".repeat(32),
                sessions,
            },
        );
        link
    }

    fn node_says(&mut self, link: &NodeLink, message: NodeToRoom) -> Vec<Effect> {
        self.handle(Event::NodeSaid {
            link: link.clone(),
            text: serde_json::to_string(&message).expect("a message"),
        })
    }

    /// Time passes to the next deadline.
    fn wait(&mut self) -> Vec<Effect> {
        let due = self.room.deadline().expect("something is due");
        self.now = self.now.max(due);
        self.handle(Event::Alarm { pings: Vec::new() })
    }
}

fn admission(name: &str, user: &str) -> Admission {
    Admission {
        participant: id(name),
        user: id(user),
        name: name.into(),
        guest: name.starts_with("guest"),
        granted: None,
        ticket: format!("ticket of {name}"),
        regions: vec![id("eu")],
        offer: None,
        decodes: Vec::new(),
        move_here: false,
        trail: None,
    }
}

/// What everybody is told of.
fn happened(effects: &[Effect]) -> Vec<RoomEvent> {
    let event = |effect: &Effect| match effect {
        Effect::Broadcast {
            message: ServerMessage::Event { event, .. },
            ..
        } => Some(event.clone()),
        _ => None,
    };
    effects.iter().filter_map(event).collect()
}

/// Why a client is refused.
fn error(effects: &[Effect]) -> Option<ErrorCode> {
    effects.iter().find_map(|effect| match effect {
        Effect::Send {
            message: ServerMessage::Error { code, .. },
            ..
        } => Some(*code),
        _ => None,
    })
}

fn ticket(name: &str) -> Pass {
    Pass::Ticket(format!("ticket of {name}"))
}

/// The token of this participant's welcome on the WebSocket with this number.
fn token(name: &str, connection: u32) -> Pass {
    Pass::Resume(format!("resume {name} {connection}"))
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("a good id")
}

const OFFER: &str = r#"{"type":"offer","attempt":1,"sdp":"v=0","sources":[]}"#;

fn offers(effects: &[Effect]) -> usize {
    let offer = |effect: &&Effect| {
        matches!(
            effect,
            Effect::Tell {
                message: RoomToNode::Offer { .. },
                ..
            }
        )
    };
    effects.iter().filter(offer).count()
}

fn renegotiations(effects: &[Effect]) -> usize {
    let renegotiate = |effect: &&Effect| {
        matches!(
            effect,
            Effect::Send {
                message: ServerMessage::Renegotiate { .. },
                ..
            }
        )
    };
    effects.iter().filter(renegotiate).count()
}

#[test]
fn an_offer_waits_for_the_node_and_a_lost_one_is_asked_for_again() {
    let mut world = World::new();
    let ada = world.enter("ada");
    assert_eq!(offers(&world.say(&ada, OFFER)), 0);
    let link = world.place("ada", "n1");
    let answered = world.node_says(
        &link,
        NodeToRoom::Answer {
            participant: id("ada"),
            attempt: Attempt(1),
            sdp: "v=0".into(),
        },
    );
    assert!(answered.iter().any(|effect| matches!(
        effect,
        Effect::Send {
            message: ServerMessage::Answer { .. },
            ..
        }
    )));
    // An offer of the same attempt is no news; a session of another attempt is none of ours.
    assert_eq!(offers(&world.say(&ada, OFFER)), 0);
    let other = NodeToRoom::Disconnected {
        participant: id("ada"),
        attempt: Attempt(7),
    };
    assert_eq!(renegotiations(&world.node_says(&link, other)), 0);
    let lost = NodeToRoom::Disconnected {
        participant: id("ada"),
        attempt: Attempt(1),
    };
    assert_eq!(renegotiations(&world.node_says(&link, lost.clone())), 1);
    assert_eq!(renegotiations(&world.node_says(&link, lost)), 0);
}

#[test]
fn a_dead_node_is_left_under_a_new_epoch_and_refused_under_the_old() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let old = world.place("ada", "n1");
    world.say(&ada, OFFER);
    world.node_says(
        &old,
        NodeToRoom::Answer {
            participant: id("ada"),
            attempt: Attempt(1),
            sdp: String::new(),
        },
    );
    world.handle(Event::NodeClosed { link: old.clone() });
    let effects = world.wait();
    assert_eq!(renegotiations(&effects), 1);
    let sought = effects.iter().find_map(|effect| match effect {
        Effect::Seek { epoch, avoid, .. } => Some((*epoch, avoid.clone())),
        _ => None,
    });
    let (epoch, avoid) = sought.expect("another node is sought");
    assert!(epoch > old.epoch);
    assert_eq!(avoid, std::slice::from_ref(&old.node));
    assert_eq!(
        world.room.expect_node(&old.node, old.epoch),
        Err(NotAdmitted::StaleEpoch)
    );
    let late = NodeToRoom::Connected {
        participant: id("ada"),
        attempt: Attempt(1),
    };
    assert!(
        world
            .node_says(&old, late)
            .iter()
            .any(|effect| matches!(effect, Effect::HangUpNode { .. }))
    );
}

#[test]
fn a_node_without_people_is_released() {
    let mut world = World::new();
    let ada = world.enter("ada");
    world.place("ada", "n1");
    world.say(&ada, r#"{"type":"leave"}"#);
    let effects = world.wait();
    assert!(effects.iter().any(|effect| matches!(
        effect,
        Effect::Tell {
            message: RoomToNode::Release,
            ..
        }
    )));
    assert_eq!(world.room.deadline(), None);
}
