//! Scenarios against a running Connect: who sends, who watches, and where.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::time::Instant;

use protocol::id::{Region, RoomId};
use tokio::task::JoinSet;

use crate::camera::Video;
use crate::edge::{Edge, EdgeDoor};
use crate::plan::{Plan, Sends, Slots, Tiles, Watch};
use crate::signaling::EnterError;

/// How many accounts are being made at a time: each is a password's hash, half a core's second for ten.
const REGISTRATIONS: usize = 4;
/// Receive slots of the web app's layout.
const SLOTS: Slots = Slots { audio: 3, video: 9 };
/// Where there are at most that many to be heard and seen.
const LISTENER: Slots = Slots { audio: 3, video: 0 };
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
            Self::Regions => "regions",
        }
    }

    fn slots(self) -> Slots {
        match self {
            Self::Audio => LISTENER,
            Self::Livestream => VIEWER,
            Self::Meeting | Self::Regions => SLOTS,
        }
    }

    fn tiles(self) -> Tiles {
        match self {
            Self::Audio | Self::Livestream => Tiles::all(Tiles::SPEAKER.first),
            Self::Meeting | Self::Regions => Tiles::SPEAKER,
        }
    }

    fn sends(self, number: usize) -> Sends {
        match self {
            Self::Audio if number < 10 => Sends::Audio,
            Self::Livestream if number > 0 => Sends::Nothing,
            Self::Audio => Sends::Nothing,
            _ => Sends::AudioAndVideo(Video::SIMULCAST),
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

/// Makes the accounts of all bots; `show` is told how many there are.
///
/// # Errors
/// The edge is out of reach, or refuses.
pub async fn register(
    edge: &Arc<Edge>,
    people: usize,
    mut show: impl FnMut(usize),
) -> Result<Vec<String>, EnterError> {
    let mut tokens = vec![String::new(); people];
    let mut next = 0..people;
    let mut running = JoinSet::new();
    let start = |running: &mut JoinSet<_>, number: usize| {
        let edge = edge.clone();
        running.spawn(async move { (number, edge.register(number as u32).await) });
    };
    next.by_ref()
        .take(REGISTRATIONS)
        .for_each(|number| start(&mut running, number));
    let mut made = 0;
    // A task that panicked has made no account, and its token stays empty: the join says so.
    while let Some(done) = running.join_next().await {
        if let Ok((number, token)) = done {
            tokens[number] = token?;
        }
        made += 1;
        show(made);
        if let Some(number) = next.next() {
            start(&mut running, number);
        }
    }
    Ok(tokens)
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

/// The local address by which an edge is reached: media goes out the same way.
pub fn local_ip(edge: &str) -> IpAddr {
    let authority = edge.split("://").nth(1).unwrap_or(edge);
    let host = authority.split('/').next().unwrap_or_default();
    let with_port = if host.contains(':') {
        host.to_owned()
    } else {
        format!("{host}:443")
    };
    let find = || -> std::io::Result<IpAddr> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        // Sends nothing: it only chooses the way.
        let mut addresses = std::net::ToSocketAddrs::to_socket_addrs(&with_port)?;
        let v4 = addresses
            .find(std::net::SocketAddr::is_ipv4)
            .ok_or(std::io::ErrorKind::AddrNotAvailable)?;
        socket.connect(v4)?;
        Ok(socket.local_addr()?.ip())
    };
    find().unwrap_or(Ipv4Addr::LOCALHOST.into())
}

#[cfg(test)]
mod tests {
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
        assert_eq!(local_ip("http://127.0.0.1:8787"), Ipv4Addr::LOCALHOST);
    }
}
