//! What is asked for upstream: of other nodes by flows, of publishers here by word, so that they encode nothing that nobody
//! watches (dynacast).

use std::time::{Duration, Instant};

use protocol::cascade::CascadeMessage;
use protocol::client::{NodeMediaMessage, SourceDemand};
use protocol::media::{MediaKind, Source};

use super::deadlines::Deadline;
use super::{Context, Room, source_index};
use crate::key::MemberKey;
use crate::router::{Inbound, LayerKey, Origin};

/// How long a layer is still encoded after the last one has left it: people come back, and a start costs a keyframe.
const LINGER: Duration = Duration::from_secs(1);

/// What a publisher was told of the demand for its video.
#[derive(Debug, Default)]
pub struct Told {
    demand: Option<Vec<SourceDemand>>,
    /// Stands in [`Room::demand_due`].
    due: bool,
}

impl Told {
    /// Whatever it was told counts no more.
    pub(super) fn forget(&mut self) {
        self.demand = None;
    }
}

impl Room {
    /// A layer's forwards or flows have changed. Asks its home node for it, or no longer, or has its publisher told. Audio
    /// is asked for always: its home node sends only what is loud enough, and here it takes part in the choice of speakers.
    pub(super) fn demand(&mut self, cx: &mut Context<'_>, key: LayerKey) {
        let Some(track) = self.router.get_mut(key.0) else {
            return;
        };
        let origin = track.origin;
        let id = track.id.clone();
        let codec = track.codec;
        let Some(layer) = track.layers.get_mut(usize::from(key.1.0)) else {
            return;
        };
        // One that is paused is kept while it is paused: to let go of it would be to forget that it cannot be had.
        let wanted = layer.is_wanted() || codec.kind() == MediaKind::Audio || layer.is_paused();
        let peer = match origin {
            Origin::Remote(peer) => peer,
            Origin::Local(member) => {
                if layer.note_demand(cx.now) {
                    self.demand_changed(member);
                }
                return;
            }
        };
        match (&layer.inbound, wanted) {
            (None, true) => {
                // Nothing of an earlier flow counts: the publisher may have sent any number of packets since.
                layer.store.clear();
                let flow = cx.relay.open_inbound(peer, (self.key, key));
                layer.inbound = Some(Inbound::new(flow));
                let message = CascadeMessage::Want {
                    flow,
                    room: self.id.clone(),
                    track: id,
                    layer: key.1,
                };
                cx.tell_peer(peer, message);
            }
            (Some(inbound), false) => {
                let flow = inbound.flow;
                layer.inbound = None;
                cx.relay.close_inbound(peer, flow);
                let message = CascadeMessage::Unwant { flow };
                cx.tell_peer(peer, message);
            }
            _ => {}
        }
    }

    /// A publisher is to be told, once everything else of this moment is done.
    pub(super) fn demand_changed(&mut self, key: MemberKey) {
        let Some(member) = self.member_mut(key) else {
            return;
        };
        if !std::mem::replace(&mut member.demand.due, true) {
            self.demand_due.push(key);
        }
    }

    /// Tells the publishers that are due, and those whose layers have lingered for long enough.
    pub fn tell_demand(&mut self, cx: &mut Context<'_>) {
        let mut due = std::mem::take(&mut self.demand_due);
        for key in due.drain(..) {
            if let Some(member) = self.member_mut(key) {
                member.demand.due = false;
                self.tell_publisher(cx, key);
            }
        }
        due.append(&mut self.demand_due);
        self.demand_due = due;
    }

    fn tell_publisher(&mut self, cx: &mut Context<'_>, key: MemberKey) {
        let Some(member) = self.member(key).filter(|member| member.channel_open) else {
            return;
        };
        let mut next: Option<Instant> = None;
        let mut demand = Vec::new();
        for source in [Source::Camera, Source::Screen] {
            let track = member.tracks[source_index(source)].and_then(|key| self.router.get(key));
            let Some(track) = track else {
                continue;
            };
            let layers = track.layers.iter().map(|layer| {
                let until = layer.left_at.map(|at| at + LINGER);
                next = next
                    .into_iter()
                    .chain(until.filter(|at| *at > cx.now))
                    .min();
                layer.is_wanted() || until.is_some_and(|until| until > cx.now)
            });
            demand.push(SourceDemand {
                source,
                layers: layers.collect(),
            });
        }
        let session = member.session;
        let news = !demand.is_empty() && member.demand.demand.as_ref() != Some(&demand);
        if news && let Some(member) = self.member_mut(key) {
            member.demand.demand = Some(demand.clone());
            let message = NodeMediaMessage::Demand { demand };
            cx.tell(session, &message);
        }
        if let Some(at) = next {
            self.deadlines.set(Deadline::Linger(key), at);
        }
    }
}
