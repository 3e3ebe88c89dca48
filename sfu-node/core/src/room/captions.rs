//! Captions: who may feeds them, they go at once to whom they are shown, and from node to node along the way of the announcements.
//! Nobody keeps them, and the room's Durable Object hears nothing of them.

use std::time::{Duration, Instant};

use protocol::cascade::CascadeMessage;
use protocol::client::{Caption, CaptionLine, CaptionRefusal, NodeMediaMessage};

use super::catalog::MAX_HOPS;
use super::peers::Ring;
use super::{Context, Room};
use crate::io::PeerId;
use crate::key::MemberKey;

/// How many captions a member may feed: so many at once, and one in each such time in the long run.
const OF_A_MEMBER: Limit = Limit {
    burst: 20,
    each: Duration::from_millis(125),
};
/// The same for a whole room: where many speak at once, nobody reads them all.
const OF_A_ROOM: Limit = Limit {
    burst: 100,
    each: Duration::from_millis(20),
};

/// How often a member is told that what it fed goes no further.
const OF_REFUSALS: Limit = Limit {
    burst: 1,
    each: Duration::from_secs(1),
};

#[derive(Debug, Clone, Copy)]
struct Limit {
    burst: u32,
    each: Duration,
}

/// What is left of a limit.
#[derive(Debug, Default)]
struct Left {
    /// When all that was taken has come back.
    full_at: Option<Instant>,
}

impl Left {
    fn take(&mut self, limit: Limit, now: Instant) -> bool {
        let full_at = self.full_at.map_or(now, |at| at.max(now)) + limit.each;
        let is_there = full_at.saturating_duration_since(now) <= limit.each * limit.burst;
        if is_there {
            self.full_at = Some(full_at);
        }
        is_there
    }
}

/// What a member has to do with captions.
#[derive(Debug, Default)]
pub(super) struct Captioning {
    /// Whether they are shown to it.
    shown: bool,
    left: Left,
    told: Left,
}

/// What a room may still pass on.
#[derive(Debug, Default)]
pub(super) struct Passing(Left);

impl Room {
    /// A client wants to be told captions from now on, or no more.
    pub(crate) fn show_captions(&mut self, key: MemberKey, shown: bool) {
        if let Some(member) = self.member_mut(key) {
            member.captioning.shown = shown;
        }
    }

    /// A member feeds a caption. Returns whether it goes further; if not, the member is told why.
    pub(crate) fn feed_caption(
        &mut self,
        cx: &mut Context<'_>,
        key: MemberKey,
        line: CaptionLine,
    ) -> bool {
        let Some(member) = self.member_mut(key) else {
            return false;
        };
        let (by, session, now) = (member.participant.clone(), member.session, cx.now);
        let judged = if !member.caps.captions {
            Err(CaptionRefusal::NotAllowed)
        } else if !line.is_sound() {
            Err(CaptionRefusal::Malformed)
        } else if member.captioning.left.take(OF_A_MEMBER, now)
            && self.passing.0.take(OF_A_ROOM, now)
        {
            Ok(())
        } else {
            Err(CaptionRefusal::TooMuch)
        };
        let Err(reason) = judged else {
            self.pass_caption(cx, Caption { by, line }, None, 0);
            return true;
        };
        if let Some(member) = self.member_mut(key)
            && member.captioning.told.take(OF_REFUSALS, now)
        {
            cx.tell(
                session,
                &NodeMediaMessage::CaptionRefused {
                    id: line.id,
                    reason,
                },
            );
        }
        false
    }

    /// Another node or shard passes a caption on.
    pub fn heard_caption(
        &mut self,
        cx: &mut Context<'_>,
        peer: PeerId,
        caption: Caption,
        hops: u8,
    ) {
        let Some(ring) = self.peers.ring(peer) else {
            return;
        };
        let hops = hops.saturating_add(1);
        let fits = hops <= MAX_HOPS && caption.line.is_sound();
        if fits && self.passing.0.take(OF_A_ROOM, cx.now) {
            self.pass_caption(cx, caption, Some(ring), hops);
        }
    }

    /// Tells the clients here to whom captions are shown, and the peers that it has not come from.
    fn pass_caption(&self, cx: &mut Context<'_>, caption: Caption, from: Option<Ring>, hops: u8) {
        let members = self.members.iter().map(|(_, member)| member);
        let shown = members.filter(|member| {
            let feeds = member.participant == caption.by;
            member.channel_open && member.captioning.shown && !feeds
        });
        let sessions: Vec<_> = shown.map(|member| member.session).collect();
        for (peer, ring) in self.peers.iter() {
            if from != Some(ring) && cx.relay.shares(peer, &self.id) {
                let message = CascadeMessage::Caption {
                    room: self.id.clone(),
                    caption: caption.clone(),
                    hops,
                };
                cx.tell_peer(peer, message);
            }
        }
        cx.tell_all(sessions, &NodeMediaMessage::Caption(caption));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_goes_and_then_one_each_time() {
        let start = Instant::now();
        let mut left = Left::default();
        let taken = (0..100).filter(|_| left.take(OF_A_MEMBER, start)).count();
        assert_eq!(taken, 20);
        let later = start + OF_A_MEMBER.each;
        assert!(left.take(OF_A_MEMBER, later));
        assert!(!left.take(OF_A_MEMBER, later));
        let rested = start + Duration::from_secs(60);
        let taken = (0..100).filter(|_| left.take(OF_A_MEMBER, rested)).count();
        assert_eq!(taken, 20);
    }
}
