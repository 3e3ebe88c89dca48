//! One room on this shard: its members, their tracks, and who hears and sees whom.
//!
//! The work is divided by subject: [`slots`] decides what each receive slot carries, [`budget`] in which quality,
//! [`media`] moves packets, [`recovery`] gets what is missing of them, [`demand`] asks for what is wanted, [`cascade`] speaks with
//! the other nodes of the room, and [`deadlines`] knows what is due when.

mod budget;
mod caps;
mod captions;
mod cascade;
mod catalog;
mod deadlines;
mod demand;
mod going;
mod intake;
mod media;
mod pairing;
mod peers;
mod qualities;
mod quality;
mod recovery;
mod shedding;
mod shown;
mod silence;
mod slots;
mod speech;
mod tell;
mod upkeep;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use protocol::cascade::CascadeMessage;
use protocol::client::{SlotAssignment, Tile};
use protocol::id::{Attempt, Epoch, ParticipantId, RoomId};
use protocol::media::{Caps, Layer, Source, TrackId};
use protocol::node::{NodeToRoom, SessionRef};
use slotmap::SlotMap;

use crate::active_speaker::Talk;
use crate::budget::Budget;
use crate::clock::NodeClock;
use crate::egress::seal::Sealer;
use crate::egress::subscriber::Subscriber;
use crate::io::PeerId;
use crate::key::{MemberKey, RoomKey, SessionKey};
use crate::loudest::Loudest;
use crate::relay::{Relay, RelayBatch};
use crate::router::{Forward, LayerKey, Origin, Router, TrackKey};
use crate::session::{MAX_LAYERS, Published};
use crate::timers::Timers;

pub use cascade::Announcement;
use catalog::Catalog;
use deadlines::Deadline;
use demand::Told;
use intake::Intake;
use peers::Peers;
pub use peers::Ring;
use qualities::Elsewhere;

/// How many audio streams a room selects, and so the most that anybody is sent, however many slots for sound there are.
const SPEAKERS: usize = 5;
/// Shortest time between two decisions on what slots carry, for the whole room and for each view: people who join
/// together, tracks that are announced together, and a client that scrolls are served by one.
const ASSIGN_INTERVAL: Duration = Duration::from_millis(20);

/// What a room wants done outside of itself.
#[derive(Debug)]
pub enum Effect {
    /// Ask a publisher's encoder for a keyframe.
    Keyframe {
        session: SessionKey,
        source: Source,
        layer: Layer,
    },
    /// Send a text over a session's data channel.
    Text { session: SessionKey, text: String },
    /// ICE and DTLS are up, where sessions are followed.
    Connected { session: SessionKey },
    /// Send a message over the room's link.
    Room { room: RoomId, message: NodeToRoom },
    /// Send a control message to a peer.
    Peer {
        peer: PeerId,
        message: CascadeMessage,
    },
}

/// What a room works with besides itself.
pub struct Context<'a> {
    pub now: Instant,
    pub relay: &'a mut Relay,
    pub relay_batch: &'a mut RelayBatch,
    pub effects: &'a mut VecDeque<Effect>,
}

/// A participant whose session is here.
pub struct Member {
    pub participant: ParticipantId,
    pub attempt: Attempt,
    pub session: SessionKey,
    caps: Caps,
    /// How much sound it sends, by [`source_index`].
    sound: [caps::Sound; 4],
    /// What is let in of it, by [`source_index`] and layer.
    intakes: [[Intake; MAX_LAYERS]; 4],
    /// What it has sent of late, if its bit rate is limited.
    allowance: Option<Box<caps::Allowance>>,
    published: Vec<Published>,
    /// Its published tracks, by [`source_index`]; set once it is connected.
    tracks: [Option<TrackKey>; 4],
    /// What the client shows; `None` until it has said so, and then everybody's camera is shown as far as slots go.
    view: Option<Vec<Tile>>,
    /// A view that came too soon after the last, and waits for its time.
    next_view: Option<Vec<Tile>>,
    view_at: Option<Instant>,
    channel_open: bool,
    told: Vec<SlotAssignment>,
    /// What it was told of the demand for what it publishes.
    demand: Told,
    budget: Budget<TrackKey>,
    decided: Option<budget::Decided>,
    pub subscriber: Subscriber,
    quality: quality::Measured,
    captioning: captions::Captioning,
    /// Nothing comes of its client.
    silent: bool,
    /// Stands in [`Room::pending`].
    pending: bool,
}

/// A room on this shard.
pub struct Room {
    /// What peers call it: a breakout room has a name of its own.
    pub id: RoomId,
    /// The room on whose link it speaks.
    pub link: RoomId,
    key: RoomKey,
    epoch: Epoch,
    /// What its members are told of the time.
    clock: NodeClock,
    members: SlotMap<MemberKey, Member>,
    router: Router,
    loudest: Loudest<TrackKey>,
    talk: Talk<TrackKey>,
    /// All videos: screens, then by who spoke last.
    by_recency: Vec<TrackKey>,
    /// Audio levels have come in since the speakers were last chosen.
    heard: bool,
    peers: Peers,
    catalog: Catalog,
    elsewhere: Elsewhere,
    passing: captions::Passing,
    /// When the slots of all members were decided on last.
    assigned: Option<Instant>,
    deadlines: Timers<Deadline>,
    /// Publishers to be told of the demand for their layers; each is named once.
    demand_due: Vec<MemberKey>,
    /// Members with something to send.
    pending: Vec<MemberKey>,
    /// Layers that a slot has left with the packet that is being routed; empty between packets.
    left: Vec<(Forward, LayerKey)>,
}

impl Room {
    /// An empty room.
    pub fn new(id: RoomId, link: RoomId, key: RoomKey, clock: NodeClock) -> Self {
        Self {
            id,
            link,
            key,
            epoch: Epoch::default(),
            clock,
            members: SlotMap::default(),
            router: Router::default(),
            loudest: Loudest::new(SPEAKERS),
            talk: Talk::default(),
            by_recency: Vec::new(),
            heard: false,
            peers: Peers::default(),
            catalog: Catalog::default(),
            elsewhere: Elsewhere::default(),
            passing: captions::Passing::default(),
            assigned: None,
            deadlines: Timers::default(),
            demand_due: Vec::new(),
            pending: Vec::new(),
            left: Vec::new(),
        }
    }

    /// The member at this place.
    pub fn member(&self, key: MemberKey) -> Option<&Member> {
        self.members.get(key)
    }

    fn member_mut(&mut self, key: MemberKey) -> Option<&mut Member> {
        self.members.get_mut(key)
    }

    /// The places of all members.
    pub fn member_keys(&self) -> Vec<MemberKey> {
        self.members.iter().map(|(key, _)| key).collect()
    }

    /// The sessions of all members.
    pub fn sessions(&self) -> impl Iterator<Item = (SessionKey, SessionRef)> {
        self.members
            .iter()
            .filter_map(|(key, member)| Some((member.session, self.name(key)?)))
    }

    /// Who the member at this place is.
    pub fn name(&self, key: MemberKey) -> Option<SessionRef> {
        let member = self.member(key)?;
        Some(SessionRef {
            participant: member.participant.clone(),
            attempt: member.attempt,
        })
    }

    /// The member of this participant.
    pub fn find(&self, participant: &ParticipantId) -> Option<(MemberKey, &Member)> {
        self.members
            .iter()
            .find(|(_, member)| member.participant == *participant)
    }

    /// Adds a member. One of the same participant must have left before.
    pub fn join(
        &mut self,
        name: SessionRef,
        session: SessionKey,
        published: Vec<Published>,
        caps: Caps,
        subscriber: Subscriber,
    ) -> MemberKey {
        let member = Member {
            participant: name.participant,
            attempt: name.attempt,
            session,
            caps,
            sound: Default::default(),
            intakes: Default::default(),
            allowance: None,
            published,
            tracks: [None; 4],
            view: None,
            next_view: None,
            view_at: None,
            channel_open: false,
            told: Vec::new(),
            demand: Told::default(),
            budget: Budget::default(),
            decided: None,
            subscriber,
            quality: quality::Measured::default(),
            captioning: captions::Captioning::default(),
            silent: false,
            pending: false,
        };
        self.members.insert(member)
    }

    /// A member's media is up: it can be sent to, and its tracks are there for everybody.
    pub fn connected(&mut self, cx: &mut Context<'_>, key: MemberKey, sealer: Sealer) {
        if let Some(member) = self.member_mut(key) {
            member.subscriber.connected(cx.now, sealer);
            self.begin(cx, key);
        }
    }

    /// A member that is connected is there from now on.
    fn begin(&mut self, cx: &mut Context<'_>, key: MemberKey) {
        let Some(member) = self.member_mut(key) else {
            return;
        };
        let participant = member.participant.clone();
        for published in member.published.clone() {
            let source = published.source;
            let id = TrackId {
                participant: participant.clone(),
                source,
            };
            // The same participant's track of a former session, here or at a node that it has left.
            if let Some(former) = self.router.find(&id) {
                self.remove_track(cx, former);
            }
            let track = self
                .router
                .add(id, published.codec, Origin::Local(key), published.layers);
            if let Some(member) = self.member_mut(key) {
                member.tracks[source_index(source)] = Some(track);
            }
            self.announce_to_all(cx, track);
        }
        self.start_quality(cx, key);
        self.limit_layers(cx, key);
        self.report_later(cx.now, key);
        self.sweep_later(cx.now);
        self.assign_all(cx);
        self.start_slots(cx, key);
    }

    /// Takes a track out: its slots become free, its flows end.
    fn remove_track(&mut self, cx: &mut Context<'_>, key: TrackKey) {
        self.loudest.remove(&key);
        let Some(track) = self.router.remove(key) else {
            return;
        };
        for layer in &track.layers {
            for forward in &layer.forwards {
                if let Some(member) = self.member_mut(forward.member) {
                    member.subscriber.free(forward.slot);
                }
            }
        }
        self.end_flows(cx, &track);
    }

    /// Members that have something to send; each is named once.
    pub fn take_pending(&mut self) -> Option<MemberKey> {
        let key = self.pending.pop()?;
        if let Some(member) = self.member_mut(key) {
            member.pending = false;
        }
        Some(key)
    }

    /// Whether anybody has something to send.
    pub fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// A member's pacing lets more leave now.
    pub fn wake(&mut self, key: MemberKey) {
        self.mark_pending(key);
    }

    fn mark_pending(&mut self, key: MemberKey) {
        if let Some(member) = self.member_mut(key)
            && !member.pending
        {
            member.pending = true;
            self.pending.push(key);
        }
    }

    /// The sending sides of those who can be sent to.
    pub fn subscribers(&self) -> impl Iterator<Item = &Subscriber> {
        let all = self.members.iter().map(|(_, member)| &member.subscriber);
        all.filter(|subscriber| subscriber.is_connected())
    }

    /// The member's sending side together with the tracks that it sends from.
    pub fn subscriber(&mut self, key: MemberKey) -> Option<(&mut Subscriber, &Router)> {
        let member = self.members.get_mut(key)?;
        Some((&mut member.subscriber, &self.router))
    }
}

fn source_index(source: Source) -> usize {
    match source {
        Source::Microphone => 0,
        Source::Camera => 1,
        Source::Screen => 2,
        Source::ScreenAudio => 3,
    }
}
