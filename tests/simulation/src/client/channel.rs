//! What a client says and hears over its data channel.

use std::time::{Duration, Instant};

use protocol::client::{CaptionLine, ClientMediaMessage, NodeMediaMessage, Quality, Tile};
use protocol::media::TrackId;

use super::Client;

/// How often a client says that it lives, if it does.
const SIGNS_OF_LIFE: Duration = Duration::from_secs(1);

impl Client {
    /// Says what it shows, each in a tile of 640 × 360; kept until the data channel is open.
    pub fn show(&mut self, tracks: &[TrackId]) {
        let tile = |track: &TrackId| (track.clone(), (640, 360), 0);
        self.show_tiles(&tracks.iter().map(tile).collect::<Vec<_>>());
    }

    /// Says what it shows: track, size and priority of each tile.
    pub fn show_tiles(&mut self, tiles: &[(TrackId, (u16, u16), u8)]) {
        let tiles = tiles.iter().map(|(track, size, priority)| Tile {
            track: track.clone(),
            width: size.0,
            height: size.1,
            priority: *priority,
        });
        self.view = Some(tiles.collect());
        self.send_view();
    }

    pub(super) fn send_view(&mut self) {
        if let Some(tiles) = self.view.clone() {
            self.say(&ClientMediaMessage::View { tiles });
        }
    }

    /// Says each second from now on that it lives, as browsers do.
    pub fn live(&mut self, now: Instant) {
        self.lives = Some(now);
    }

    /// Says that it lives, if it is time to; returns whether it was.
    pub(super) fn say_alive(&mut self, now: Instant) -> bool {
        let due = self.lives.filter(|at| *at <= now).is_some();
        if due {
            self.lives = Some(now + SIGNS_OF_LIFE);
            self.say(&ClientMediaMessage::Alive);
        }
        due
    }

    /// Says, over the data channel, which share of the time its pictures have stood still.
    pub fn report_playback(&mut self, frozen: f32) {
        self.say(&ClientMediaMessage::Playback { frozen });
    }

    /// Has captions told from now on, or no more.
    pub fn show_captions(&mut self, on: bool) {
        self.say(&ClientMediaMessage::ShowCaptions { on });
    }

    /// Says what somebody says.
    pub fn feed_caption(&mut self, line: CaptionLine) {
        self.say(&ClientMediaMessage::FeedCaption(line));
    }

    /// Says something, if the data channel is open.
    fn say(&mut self, message: &ClientMediaMessage) {
        if let Some(mut channel) = self.channel.and_then(|id| self.rtc.channel(id)) {
            let text = serde_json::to_string(message).expect("a message can be written");
            channel.write(false, text.as_bytes()).expect("it is open");
        }
    }

    /// What it was told last of everybody's media, in the order of the clients.
    pub fn latest_qualities(&self) -> Vec<Quality> {
        let (_, latest) = self.qualities.last().expect("it was told");
        let mut latest = latest.clone();
        latest.sort_by(|a, b| a.participant.cmp(&b.participant));
        latest.iter().map(|entry| entry.quality).collect()
    }

    pub(super) fn told(&mut self, now: Instant, message: NodeMediaMessage) {
        match message {
            NodeMediaMessage::Slots { slots } => self.assignments = slots,
            NodeMediaMessage::Speakers { speakers } => self.speakers.push((now, speakers)),
            NodeMediaMessage::Demand { demand } => {
                for encoder in self.videos.iter_mut().filter(|_| self.obeys_demand) {
                    let source = demand
                        .iter()
                        .find(|demand| demand.source == encoder.format.source);
                    let layer = usize::from(encoder.format.layer.0);
                    if let Some(wanted) = source.and_then(|source| source.layers.get(layer)) {
                        encoder.set_active(now, *wanted);
                    }
                }
                self.demands.push((now, demand));
            }
            NodeMediaMessage::Quality { .. } => {}
            NodeMediaMessage::Caption(caption) => self.captions.push(caption),
            NodeMediaMessage::CaptionRefused { id, reason } => {
                self.refused_captions.push((id, reason));
            }
            NodeMediaMessage::Qualities { participants } => {
                self.qualities.push((now, participants));
            }
        }
    }
}
