//! What a client says and hears over its data channel.

use std::time::Instant;

use protocol::client::{ClientMediaMessage, NodeMediaMessage, Tile};
use protocol::media::TrackId;

use super::Client;

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
        let channel = self.channel.and_then(|id| self.rtc.channel(id));
        if let (Some(mut channel), Some(tiles)) = (channel, self.view.clone()) {
            let text = serde_json::to_string(&ClientMediaMessage::View { tiles });
            let text = text.expect("a view can be written");
            channel.write(false, text.as_bytes()).expect("it is open");
        }
    }

    /// Says, over the data channel, which share of the time its pictures have stood still.
    pub fn report_playback(&mut self, frozen: f32) {
        if let Some(mut channel) = self.channel.and_then(|id| self.rtc.channel(id)) {
            let text = serde_json::to_string(&ClientMediaMessage::Playback { frozen });
            let text = text.expect("a report can be written");
            channel.write(false, text.as_bytes()).expect("it is open");
        }
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
        }
    }
}
