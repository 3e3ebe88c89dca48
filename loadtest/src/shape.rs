//! The shapes of traffic that a node is measured in: who sends how much to whom.

use std::net::IpAddr;
use std::time::Instant;

use protocol::id::{InvalidId, ParticipantId};

use crate::camera::Camera;
use crate::plan::{Plan, Sends, Slots, Tiles, Watch};

/// A shape of traffic: so many send to so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub name: &'static str,
    pub publishers: usize,
    /// Who only watch; without them the publishers watch each other.
    pub viewers: usize,
    /// So many of the viewers, the last ones, are on another node than all others.
    pub away: usize,
    pub camera: Camera,
    pub slots: Slots,
    /// How large the first camera and the others are shown, which is what decides about layers.
    pub tiles: Tiles,
}

/// The shapes that are measured.
pub const SHAPES: [Shape; 11] = [
    shape("1-20", 1, 20),
    shape("1-50", 1, 50),
    shape("5-25", 5, 25),
    shape("10-10", 10, 0),
    shape("10-50", 10, 50),
    Shape {
        slots: Slots { audio: 3, video: 9 },
        ..shape("50-in-9", 50, 0)
    },
    Shape {
        camera: Camera::HEAVY,
        ..shape("5-50-heavy", 5, 50)
    },
    // Simulcast: one large picture, the others small.
    Shape {
        camera: Camera::SIMULCAST,
        tiles: Tiles::SPEAKER,
        ..shape("10-10-layers", 10, 0)
    },
    // Over two nodes: as many packets a second pass from one to the other as make both of them busy.
    Shape {
        away: 4,
        camera: Camera::HEAVY,
        slots: Slots { audio: 3, video: 5 },
        ..shape("10-8-hop", 10, 8)
    },
    // Growth: about as many packets a second to 10 people as to 500.
    Shape {
        camera: Camera::HEAVY,
        ..shape("10-growth", 10, 0)
    },
    Shape {
        slots: Slots { audio: 1, video: 1 },
        ..shape(GROWN, 5, 495)
    },
];

/// The shape of a room that has grown, whose price per packet says how growth is paid for …
pub const GROWN: &str = "500-growth";
/// … beside those of ten people: who see each other, and who receive as many packets a second in all.
pub const SMALL: [&str; 2] = ["10-10", "10-growth"];

const fn shape(name: &'static str, publishers: usize, viewers: usize) -> Shape {
    Shape {
        name,
        publishers,
        viewers,
        away: 0,
        camera: Camera::PLAIN,
        // As many as there is to receive.
        slots: Slots {
            audio: publishers,
            video: publishers,
        },
        tiles: Tiles::GRID,
    }
}

impl Shape {
    /// Whether another server can be measured in it: one layer, one node, and no more people than such are made for.
    pub fn is_for_others(&self) -> bool {
        self.camera.layers.len() == 1 && self.away == 0 && self.people() <= 100
    }

    /// How many there are.
    pub fn people(&self) -> usize {
        self.publishers + self.viewers
    }

    /// Whether this one, counted from the first publisher, is on the other node.
    pub fn is_away(&self, number: usize) -> bool {
        number + self.away >= self.people()
    }

    /// The bots of this shape, publishers first, at this local address.
    ///
    /// # Errors
    /// There are more than there can be names.
    pub fn plans(&self, ip: IpAddr) -> Result<Vec<(ParticipantId, Plan)>, InvalidId> {
        let epoch = Instant::now();
        let name = |number: usize| format!("p{number}").parse::<ParticipantId>();
        let mut bots = Vec::new();
        for number in 0..self.people() {
            let publishes = number < self.publishers;
            // Around the circle of publishers, so that all are watched equally often: a publisher sees those after itself, a
            // viewer those after whom the viewer before it sees.
            let first = match number.checked_sub(self.publishers) {
                None => number + 1,
                Some(viewer) => viewer * self.slots.video,
            };
            let watched = (first..first + self.publishers)
                .map(|place| place % self.publishers)
                .filter(|other| *other != number)
                .take(if publishes && self.viewers > 0 {
                    0
                } else {
                    self.slots.video
                });
            let watched = watched.map(name).collect::<Result<Vec<_>, _>>()?;
            let plan = Plan {
                number: number as u32,
                sends: if publishes {
                    Sends::AudioAndVideo(self.camera)
                } else {
                    Sends::Nothing
                },
                slots: if publishes && self.viewers > 0 {
                    // These only send.
                    Slots { audio: 0, video: 0 }
                } else {
                    self.slots
                },
                watch: Watch::These(watched),
                tiles: self.tiles,
                ip,
                epoch,
            };
            bots.push((name(number)?, plan));
        }
        Ok(bots)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_away_sees_every_publisher_on_the_other_node() {
        let shape = SHAPES.iter().find(|shape| shape.away > 0).unwrap();
        let plans = shape.plans(std::net::Ipv4Addr::LOCALHOST.into()).unwrap();
        let seen: std::collections::BTreeSet<_> = plans
            .iter()
            .enumerate()
            .filter(|(number, _)| shape.is_away(*number))
            .flat_map(|(_, (_, plan))| match &plan.watch {
                Watch::These(these) => these.clone(),
                Watch::Everybody => unreachable!("a bench names them"),
            })
            .collect();
        assert_eq!(seen.len(), shape.publishers);
        assert!(!shape.is_away(shape.publishers));
    }

    #[test]
    fn a_shape_has_its_people_and_its_streams() {
        let streams = |name: &str| {
            let shape = SHAPES.iter().find(|shape| shape.name == name).unwrap();
            let plans = shape.plans(std::net::Ipv4Addr::LOCALHOST.into()).unwrap();
            let watched = |plan: &Plan| match &plan.watch {
                Watch::These(these) => these.len(),
                Watch::Everybody => unreachable!("a bench names them"),
            };
            (
                plans.len(),
                plans.iter().map(|(_, plan)| watched(plan)).sum::<usize>(),
            )
        };
        assert_eq!(streams("1-20"), (21, 20));
        assert_eq!(streams("5-25"), (30, 125));
        assert_eq!(streams("10-10"), (10, 90));
        assert_eq!(streams("10-50"), (60, 500));
        assert_eq!(streams("50-in-9"), (50, 450));
        assert_eq!(streams("5-50-heavy"), (55, 250));
        assert_eq!(streams("10-8-hop"), (18, 40));
        assert_eq!(streams("10-growth"), (10, 90));
        assert_eq!(streams("500-growth"), (500, 495));
    }
}
