//! Scenarios against a running Connect: who sends, who watches, and where.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use protocol::client::RoomKind;
use protocol::id::{Region, RoomId};

use crate::camera::Camera;
use crate::edge::{Edge, EdgeDoor};
use crate::plan::{Plan, Sends, Slots, Tiles, Watch};

/// Receive slots of the web app's layout.
const SLOTS: Slots = Slots { audio: 9, video: 9 };
/// Where there are at most that many to be heard and seen.
const LISTENER: Slots = Slots { audio: 5, video: 0 };
const VIEWER: Slots = Slots { audio: 1, video: 1 };

/// What people do in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// Ten speak, all others listen.
    Audio,
    /// Everybody sends, everybody watches nine.
    Meeting,
    /// One sends, all others watch.
    Livestream,
    /// As a live stream, in a webinar: whose viewers may send nothing.
    Webinar,
    /// As a meeting, spread over regions.
    Regions,
}

impl Scenario {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Meeting => "meeting",
            Self::Livestream => "livestream",
            Self::Webinar => "webinar",
            Self::Regions => "regions",
        }
    }

    /// The kind of room that it takes place in.
    pub fn kind(self) -> RoomKind {
        match self {
            Self::Webinar => RoomKind::Webinar,
            Self::Audio | Self::Meeting | Self::Livestream | Self::Regions => RoomKind::Meeting,
        }
    }

    fn slots(self) -> Slots {
        match self {
            Self::Audio => LISTENER,
            Self::Livestream | Self::Webinar => VIEWER,
            Self::Meeting | Self::Regions => SLOTS,
        }
    }

    fn tiles(self) -> Tiles {
        match self {
            Self::Audio | Self::Livestream | Self::Webinar => Tiles::all(Tiles::SPEAKER.first),
            Self::Meeting | Self::Regions => Tiles::SPEAKER,
        }
    }

    fn sends(self, number: usize) -> Sends {
        match self {
            Self::Audio if number < 10 => Sends::Audio,
            Self::Livestream | Self::Webinar if number > 0 => Sends::Nothing,
            Self::Audio => Sends::Nothing,
            _ => Sends::AudioAndVideo(Camera::SIMULCAST),
        }
    }
}

/// The plans of all bots, and the regions they ask for, in turn. `tile` is the size of what they watch, where it is not
/// the scenario's own.
pub fn plans(
    scenario: Scenario,
    people: usize,
    regions: &[Region],
    ip: IpAddr,
    tile: Option<(u16, u16)>,
) -> Vec<(Plan, Option<Region>)> {
    let epoch = Instant::now();
    let plan = |number: usize| {
        let plan = Plan {
            number: number as u32,
            sends: scenario.sends(number),
            slots: scenario.slots(),
            watch: Watch::Everybody,
            tiles: tile.map_or(scenario.tiles(), Tiles::all),
            ip,
            epoch,
        };
        let region = regions.get(number % regions.len().max(1)).cloned();
        (plan, region)
    };
    (0..people).map(plan).collect()
}

/// The doors of all bots into one room.
pub fn doors(
    edge: &Arc<Edge>,
    room: &RoomId,
    tokens: Vec<String>,
    plans: Vec<(Plan, Option<Region>)>,
) -> Vec<(Plan, EdgeDoor)> {
    let door = |((plan, region), token)| {
        let door = EdgeDoor {
            edge: edge.clone(),
            token,
            room: room.clone(),
            region,
        };
        (plan, door)
    };
    plans.into_iter().zip(tokens).map(door).collect()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn count(scenario: Scenario, people: usize) -> (usize, usize) {
        let ip = Ipv4Addr::LOCALHOST.into();
        let all = plans(scenario, people, &[], ip, None);
        let sending = |(plan, _): &&(Plan, _)| plan.sends != Sends::Nothing;
        let filming = |(plan, _): &&(Plan, _)| matches!(plan.sends, Sends::AudioAndVideo(_));
        (
            all.iter().filter(sending).count(),
            all.iter().filter(filming).count(),
        )
    }

    #[test]
    fn each_scenario_has_its_senders() {
        assert_eq!(count(Scenario::Audio, 50), (10, 0));
        assert_eq!(count(Scenario::Meeting, 7), (7, 7));
        assert_eq!(count(Scenario::Livestream, 50), (1, 1));
        assert_eq!(count(Scenario::Webinar, 50), (1, 1));
        assert_eq!(count(Scenario::Regions, 6), (6, 6));
    }

    #[test]
    fn regions_are_taken_in_turn() {
        let regions: Vec<Region> = ["eu-west", "us-east"]
            .map(|name| name.parse().unwrap())
            .into();
        let ip = Ipv4Addr::LOCALHOST.into();
        let all = plans(Scenario::Regions, 3, &regions, ip, Some((320, 180)));
        assert_eq!(all[0].0.tiles.first, (320, 180));
        let asked: Vec<_> = all.iter().map(|(_, region)| region.clone()).collect();
        assert_eq!(asked[0], asked[2]);
        assert_eq!(asked[1].as_ref(), Some(&regions[1]));
    }
}
