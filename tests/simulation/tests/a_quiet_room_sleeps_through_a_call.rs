//! A room's object sleeps while nobody acts, also during a call: of ten minutes with five people it hears of who joins, what is
//! done and who leaves, and is not woken by anything else. Room and node are the real ones, and tell each other what they have to say.

use std::time::{Duration, Instant};

use edge_core::room::{Admission, Client, Effect, Event, NodeLink, Pass, Ping, Room, Secret};
use protocol::client::{RoomEvent, ServerMessage, SettingsChange};
use protocol::id::{Epoch, NodeId, ParticipantId, Region};
use protocol::node::{NodeToRoom, VERSION};
use simulation::{Path, Videos, World, participant};

const STEP: Duration = Duration::from_millis(100);
const QUIET: Duration = Duration::from_secs(600);

/// The room beside a world whose node it speaks with.
struct Office {
    world: World,
    room: Room,
    start: Instant,
    clients: Vec<Client>,
    link: Option<NodeLink>,
    /// How much of what the node has told was heard.
    heard: usize,
    /// What has woken the room, and how many messages it has sent to clients and nodes.
    woken: Vec<String>,
    sent: usize,
    events: Vec<RoomEvent>,
}

impl Office {
    fn new() -> Self {
        let world = World::new(17, 1, Path::clean(20), Path::clean(0));
        let id = |text: &str| text.parse().expect("an id");
        let owner = "ada".parse().expect("an id");
        let (room, _) = Room::create(
            id("room"),
            "Room".into(),
            owner,
            SettingsChange::default(),
            0,
        );
        let start = world.now;
        Self {
            world,
            room,
            start,
            clients: Vec::new(),
            link: None,
            heard: 0,
            woken: Vec::new(),
            sent: 0,
            events: Vec::new(),
        }
    }

    fn now(&self) -> u64 {
        (self.world.now - self.start).as_millis() as u64
    }

    /// The room is woken by this.
    fn wake(&mut self, why: &str, event: Event) {
        self.woken
            .push(format!("{why} at {} s", self.now() / 1_000));
        let now = self.now();
        for effect in self.room.handle(now, event) {
            match effect {
                Effect::Seek {
                    participant, epoch, ..
                } => self.found(participant, epoch),
                Effect::Report(report) => {
                    let taken = Some(report);
                    self.wake("a report was taken", Event::Reported { taken });
                }
                Effect::Broadcast { message, .. } => {
                    self.sent += self.clients.len();
                    if let ServerMessage::Event { event, .. } = message {
                        self.events.push(event);
                    }
                }
                Effect::Send { .. } | Effect::Tell { .. } => self.sent += 1,
                _ => {}
            }
        }
    }

    /// The one node is found, and opens its link if it has none.
    fn found(&mut self, participant: ParticipantId, epoch: Epoch) {
        let node: NodeId = "n0".parse().expect("an id");
        let region: Region = "here".parse().expect("a region");
        let found = Event::Found {
            participant,
            epoch,
            node: Some((node.clone(), region.clone())),
        };
        self.wake("a node was found", found);
        if self.link.is_some() {
            return;
        }
        let link = self
            .room
            .expect_node(&node, epoch)
            .expect("it is placed there");
        self.link = Some(link.clone());
        self.wake("a node dialed", Event::NodeOpened { link, region });
        self.node_says(&NodeToRoom::Ready {
            version: VERSION,
            quic: "192.0.2.1:7000".into(),
            fingerprint: "00".repeat(32),
            sessions: Vec::new(),
        });
    }

    fn node_says(&mut self, message: &NodeToRoom) {
        let link = self.link.clone().expect("there is a link");
        let text = serde_json::to_string(message).expect("a message");
        self.wake("the node", Event::NodeSaid { link, text });
    }

    fn joins(&mut self) {
        let number = self.clients.len();
        let ticket = format!("ticket {number}");
        let user = if number == 0 {
            "ada".to_owned()
        } else {
            format!("u{number}")
        };
        let admission = Admission {
            participant: participant(number),
            user: user.parse().expect("an id"),
            name: user,
            guest: false,
            granted: None,
            ticket: ticket.clone(),
            regions: vec!["here".parse().expect("a region")],
            offer: None,
            decodes: Vec::new(),
            move_here: false,
            trail: None,
        };
        self.wake("a join", Event::Admitted(admission));
        let pass = Pass::Ticket(ticket);
        let client = self
            .room
            .admit(&pass, self.now())
            .expect("the ticket is good");
        self.clients.push(client.clone());
        let resume = Secret {
            text: format!("resume {number}"),
            hash: format!("hash {number}"),
        };
        let opened = Event::ClientOpened {
            client,
            pass,
            since: None,
            resume,
        };
        self.wake("a WebSocket", opened);
        self.says(
            number,
            r#"{"type":"offer","attempt":1,"sdp":"v=0","sources":[]}"#,
        );
        // The world hands the real offer to the node; what that answers is heard.
        assert_eq!(self.world.join_with(0, Videos::PLAIN), number);
        let now = self.world.now;
        self.world.clients[number].live(now);
        self.listens();
        let publishing = r#"{"microphone":true,"camera":true,"screen":false,"codec":"vp8"}"#;
        self.says(
            number,
            &format!(r#"{{"type":"publishing","publishing":{publishing}}}"#),
        );
    }

    fn says(&mut self, number: usize, text: &str) {
        let client = self.clients[number].clone();
        let text = text.to_owned();
        self.wake("a client", Event::ClientSaid { client, text });
    }

    /// The room hears what the node has told since.
    fn listens(&mut self) {
        while let Some((_, message)) = self.world.told.get(self.heard) {
            let message = message.clone();
            self.heard += 1;
            self.node_says(&message);
        }
    }

    /// Time passes. Clients ping; the platform answers them, and wakes nobody.
    fn passes(&mut self, time: Duration) {
        let end = self.world.now + time;
        while self.world.now < end {
            self.world.run(STEP);
            self.listens();
            while self.room.deadline().is_some_and(|due| due <= self.now()) {
                let at = self.now();
                let ping = |client: &Client| Ping {
                    client: client.clone(),
                    at,
                };
                let pings = self.clients.iter().map(ping).collect();
                self.wake("an alarm", Event::Alarm { pings });
            }
        }
    }

    /// What has woken the room since it was asked last, and how much it has sent.
    fn account(&mut self) -> (Vec<String>, usize) {
        (
            std::mem::take(&mut self.woken),
            std::mem::take(&mut self.sent),
        )
    }
}

#[test]
fn ten_minutes_of_a_call_of_five_are_joins_deeds_and_leaves_and_nothing_else() {
    let mut office = Office::new();
    for _ in 0..5 {
        office.joins();
        office.passes(Duration::from_secs(1));
    }
    office.passes(Duration::from_secs(10));
    let (woken, sent) = office.account();
    println!(
        "five join: {} events in, {sent} messages out\n{woken:#?}",
        woken.len()
    );

    office.passes(QUIET / 2);
    assert_eq!(office.account(), (Vec::new(), 0), "nobody acts");
    let is_call = |viewer: usize| {
        let mut others = (0..5).filter(|other| *other != viewer);
        others.any(|other| office.world.sees(viewer, other, Duration::from_secs(1)))
    };
    assert!((0..5).all(is_call), "everybody sees somebody");
    office.says(1, r#"{"type":"raiseHand"}"#);
    let (woken, sent) = office.account();
    assert_eq!(
        (woken.len(), sent),
        (1, 5),
        "a deed is one event, and is told to each"
    );
    office.passes(QUIET / 2);
    assert_eq!(office.account(), (Vec::new(), 0), "nobody acts");

    office.events.clear();
    office.says(4, r#"{"type":"leave"}"#);
    office.clients.pop();
    office.passes(QUIET / 10);
    let (woken, sent) = office.account();
    println!(
        "one leaves: {} events in, {sent} messages out\n{woken:#?}",
        woken.len()
    );
    assert!(
        matches!(office.events[..], [RoomEvent::Left { .. }]),
        "{:?}",
        office.events
    );
    let why = |reason: &str| woken.iter().filter(|woke| woke.starts_with(reason)).count();
    assert_eq!(why("an alarm"), 0, "{woken:?}");
}
