//! What clients and other nodes are told: everything that leaves a room by word goes through here.

use std::time::{Duration, Instant};

use protocol::cascade::CascadeMessage;
use protocol::client::NodeMediaMessage;

use super::deadlines::Deadline;
use super::{Context, Effect, Room};
use crate::io::PeerId;
use crate::key::{MemberKey, SessionKey};

/// A client whose data channel had no room is told again after this time.
const RETELL_INTERVAL: Duration = Duration::from_millis(200);

impl Context<'_> {
    /// Tells another node, or shard.
    pub fn tell_peer(&mut self, peer: PeerId, message: CascadeMessage) {
        self.effects.push_back(Effect::Peer { peer, message });
    }

    /// Tells a client over its data channel.
    pub(super) fn tell(&mut self, session: SessionKey, message: &NodeMediaMessage) {
        self.tell_all([session], message);
    }

    /// Tells several clients the same.
    pub(super) fn tell_all(
        &mut self,
        sessions: impl IntoIterator<Item = SessionKey>,
        message: &NodeMediaMessage,
    ) {
        if let Ok(text) = serde_json::to_string(message) {
            let texts = sessions.into_iter().map(|session| Effect::Text {
                session,
                text: text.clone(),
            });
            self.effects.extend(texts);
        }
    }
}

impl Room {
    /// The client's data channel is open.
    pub fn channel_open(&mut self, cx: &mut Context<'_>, key: MemberKey) {
        if let Some(member) = self.member_mut(key) {
            member.channel_open = true;
            self.demand_changed(key);
            self.tell_slots(cx, key);
            // It takes it that nobody speaks.
            if !self.talk.speakers().is_empty() {
                self.tell_speakers_to(cx, key);
            }
        }
    }

    /// Something did not get through to the client: its data channel is full. What it was to be told is how things are, so
    /// what they are a moment later will do.
    pub fn was_not_told(&mut self, now: Instant, key: MemberKey) {
        self.deadlines
            .lower(Deadline::Retell(key), now + RETELL_INTERVAL);
    }

    /// Tells a client how things are, whatever it was told before.
    pub(super) fn tell_everything(&mut self, cx: &mut Context<'_>, key: MemberKey) {
        let Some(member) = self.member_mut(key) else {
            return;
        };
        member.told.clear();
        member.demand.forget();
        self.demand_changed(key);
        self.tell_slots(cx, key);
        self.tell_speakers_to(cx, key);
    }
}

#[cfg(test)]
pub mod tests {
    use std::collections::VecDeque;

    use protocol::id::{Attempt, RoomId};
    use protocol::media::{Caps, MediaKind};
    use protocol::node::SessionRef;

    use super::*;
    use crate::clock::NodeClock;
    use crate::egress::extensions::Extensions;
    use crate::egress::stream::NegotiatedSlot;
    use crate::egress::subscriber::Subscriber;
    use crate::key::RoomKey;
    use crate::relay::{Relay, RelayBatch};

    /// Runs something on a room; returns the texts that came of it.
    pub fn texts(
        room: &mut Room,
        now: Instant,
        run: impl FnOnce(&mut Room, &mut Context<'_>),
    ) -> Vec<String> {
        let mut effects = VecDeque::new();
        let mut cx = Context {
            now,
            relay: &mut Relay::default(),
            relay_batch: &mut RelayBatch::default(),
            effects: &mut effects,
        };
        run(room, &mut cx);
        let texts = effects.into_iter().filter_map(|effect| match effect {
            Effect::Text { text, .. } => Some(text),
            _ => None,
        });
        texts.collect()
    }

    /// A room with one member, who is not connected yet.
    pub fn room_with_member(now: Instant) -> (Room, MemberKey) {
        let id: RoomId = "bako-tuvi-remo-dasu".parse().unwrap();
        let mut room = Room::new(
            id.clone(),
            id,
            RoomKey::default(),
            NodeClock::new(now, Duration::ZERO),
        );
        let slot = NegotiatedSlot {
            mid: "0".into(),
            kind: MediaKind::Audio,
            codecs: Vec::new(),
            ssrc: 1,
            rtx_ssrc: None,
            cname: "c".into(),
            extensions: Extensions::default(),
        };
        let subscriber = Subscriber::new(now, vec![slot]);
        let name = SessionRef {
            participant: "p1".parse().unwrap(),
            attempt: Attempt(1),
        };
        let member = room.join(
            name,
            SessionKey::default(),
            Vec::new(),
            Caps::default(),
            subscriber,
        );
        (room, member)
    }

    #[test]
    fn what_a_client_could_not_be_told_it_is_told_a_moment_later() {
        let start = Instant::now();
        let (mut room, member) = room_with_member(start);
        let first = texts(&mut room, start, |room, cx| room.channel_open(cx, member));
        assert_eq!(first.len(), 1, "its slots");
        let again = texts(&mut room, start, |room, cx| room.tell_slots(cx, member));
        assert!(again.is_empty(), "no news");

        room.was_not_told(start, member);
        assert_eq!(room.next_deadline(), Some(start + RETELL_INTERVAL));
        let later = start + RETELL_INTERVAL;
        let retold = texts(&mut room, later, |room, cx| room.handle_timeout(cx));
        assert_eq!(retold[..1], first);
        assert!(
            retold[1].contains("\"speakers\":[]"),
            "that nobody speaks, too"
        );
        assert_eq!(room.next_deadline(), None);
    }

    #[test]
    fn who_takes_a_member_s_place_is_not_told_for_it() {
        let start = Instant::now();
        let (mut room, member) = room_with_member(start);
        texts(&mut room, start, |room, cx| room.channel_open(cx, member));
        room.was_not_told(start, member);
        texts(&mut room, start, |room, cx| room.leave(cx, member));
        assert_eq!(room.next_deadline(), None);
    }
}
