//! What comes from a bot's node: media, and what the node says of it.

use std::sync::atomic::Ordering;
use std::time::Instant;

use protocol::client::{ClientMessage, NodeMediaMessage, SlotAssignment, SourceDemand};
use protocol::media::{MediaKind, Source};

use super::{Bot, BotError};
use crate::peer::{Happened, Media};
use crate::plan::{Plan, Sends};
use crate::publisher::Publisher;

impl Bot {
    pub(super) fn understand(&mut self, now: Instant) -> Result<(), BotError> {
        let mut happened = std::mem::take(&mut self.happened);
        for one in happened.drain(..) {
            match one {
                Happened::Transmit(to, datagram) => {
                    self.outcome.unsent += u64::from(!self.socket.send(to, &datagram));
                }
                Happened::Connected => self.on_connected(now),
                Happened::ChannelOpen => {
                    // What was said before went nowhere.
                    self.view.forget();
                    self.show()?;
                }
                Happened::KeyframeAsked(layer) => {
                    self.outcome.keyframes_asked += 1;
                    if let Some(publisher) = &mut self.publisher {
                        publisher.request_keyframe(layer);
                    }
                }
                Happened::Told(message) => self.on_told(message),
                Happened::Media(media) => self.on_media(now, &media),
                Happened::Closed => self.tell(ClientMessage::MediaFailed {
                    attempt: self.attempt,
                }),
            }
        }
        self.happened = happened;
        Ok(())
    }

    fn on_media(&mut self, now: Instant, media: &Media) {
        let times = &mut self.outcome.times;
        let first = match media.kind {
            MediaKind::Audio => &mut times.audio,
            MediaKind::Video => &mut times.video,
        };
        first.get_or_insert(now.saturating_duration_since(self.started));
        if self.tally.note(now, self.plan.epoch, media) {
            self.peer.ask_keyframe(media.slot);
            self.next_timeout = now;
        }
    }

    fn on_told(&mut self, message: NodeMediaMessage) {
        match message {
            NodeMediaMessage::Slots { slots } => self.on_slots(&slots),
            NodeMediaMessage::Demand { demand } => self.on_demand(demand),
            NodeMediaMessage::Quality { quality } => self.outcome.quality = Some(quality),
            NodeMediaMessage::Qualities { .. }
            | NodeMediaMessage::Speakers { .. }
            | NodeMediaMessage::Caption(_)
            | NodeMediaMessage::CaptionRefused { .. } => {}
        }
    }

    fn on_slots(&mut self, slots: &[SlotAssignment]) {
        self.outcome.paused = slots.iter().filter(|slot| slot.paused).count();
        for slot in slots {
            if let Some(number) = self.peer.slot(&slot.mid) {
                let resting = slot.paused || slot.track.is_none();
                self.tally.rest(number, resting);
            }
        }
    }

    fn on_demand(&mut self, demand: Vec<SourceDemand>) {
        let own = demand
            .into_iter()
            .find(|demand| demand.source == Source::Camera);
        self.demand = own.map(|demand| demand.layers);
        self.obey();
    }

    /// Encodes what is watched.
    fn obey(&mut self) {
        if let (Some(publisher), Some(layers)) = (&mut self.publisher, &self.demand) {
            publisher.want(layers);
        }
    }

    fn on_connected(&mut self, now: Instant) {
        let times = &mut self.outcome.times;
        if times.connected.is_none() {
            times.connected = Some(now.saturating_duration_since(self.started));
            self.connected.fetch_add(1, Ordering::Relaxed);
        }
        let Plan {
            sends,
            epoch,
            number,
            ..
        } = self.plan;
        if sends != Sends::Nothing {
            self.publisher = Some(Publisher::new(now, epoch, number, sends.camera()));
            self.obey();
        }
    }
}
