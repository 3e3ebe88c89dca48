//! The rules at the size of the world, in virtual time: people come and go, nodes report once a second what they had a moment ago,
//! and some start anew. `cargo test -p edge-core at_size -- --nocapture` prints the figures.

use std::collections::BTreeMap;

use protocol::id::Region;

use super::*;
use crate::assign::{Hints, Site, rank};

const SESSIONS: u32 = 1_000;
/// Whoever takes part in a call comes within so many seconds.
const WITHIN: usize = 60;
/// The sizes of rooms, and how many of 10,000 have it.
const ROOMS: [(usize, u64); 6] = [
    (2, 4_500),
    (4, 3_000),
    (8, 2_000),
    (20, 430),
    (50, 68),
    (500, 2),
];

/// Numbers that are as good as random, and the same in every run (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) as usize) % limit
    }

    fn pair(&mut self) -> [u32; 2] {
        [
            self.below(u32::MAX as usize) as u32,
            self.below(u32::MAX as usize) as u32,
        ]
    }
}

struct Call {
    home: usize,
    /// The nodes that have it, of each region.
    placed: BTreeMap<usize, Vec<NodeId>>,
}

struct Person {
    region: usize,
    node: usize,
}

struct World {
    random: Random,
    now: u64,
    sites: Vec<Site>,
    fleets: Vec<Fleet>,
    /// The sessions that each node has, of each region, and had when it last looked.
    nodes: Vec<Vec<u32>>,
    people: Vec<Person>,
    calls: Vec<Call>,
    /// To which call somebody comes, in each of the next seconds.
    coming: VecDeque<VecDeque<usize>>,
    came: usize,
    far: usize,
    refused: usize,
    worst: f64,
    worst_region: f64,
}

fn name(region: usize, node: usize) -> NodeId {
    format!("r{region}-{node}").parse().unwrap()
}

fn place(node: &NodeId) -> usize {
    node.as_str().rsplit('-').next().unwrap().parse().unwrap()
}

fn p99(mut nodes: Vec<u32>) -> f64 {
    nodes.sort_unstable();
    let mean = f64::from(nodes.iter().sum::<u32>()) / nodes.len() as f64;
    f64::from(nodes[(nodes.len() * 99).div_ceil(100) - 1]) / mean
}

impl World {
    fn new(regions: usize, nodes: usize, seed: u64) -> Self {
        let region = |number| format!("r{number}").parse::<Region>().unwrap();
        let site = |number| Site {
            region: region(number),
            location: None,
        };
        let mut world = Self {
            random: Random(seed),
            now: 0,
            sites: (0..regions).map(site).collect(),
            fleets: (0..regions).map(|_| Fleet::default()).collect(),
            nodes: vec![vec![0; nodes]; regions],
            people: Vec::new(),
            calls: Vec::new(),
            coming: (0..WITHIN).map(|_| VecDeque::new()).collect(),
            came: 0,
            far: 0,
            refused: 0,
            worst: 0.0,
            worst_region: 0.0,
        };
        for region in 0..regions {
            for node in 0..nodes {
                let member = Member::new(world.load(0), 0);
                world.fleets[region].register(name(region, node), member);
            }
        }
        world
    }

    fn load(&mut self, sessions: u32) -> Load {
        // What others send and watch differs: so does the processor, for the same number of sessions.
        let each = 6.0 + self.random.below(200) as f32 / 100.0;
        Load {
            cpu: sessions as f32 * each / 10_000.0,
            sessions,
            max_sessions: SESSIONS,
            max_joins_per_interval: 100,
            ..Load::default()
        }
    }

    /// A second passes: from so many people on, somebody goes for each who comes.
    fn second(&mut self, most: usize) {
        let coming = self.coming.pop_front().unwrap_or_default();
        self.coming.push_back(VecDeque::new());
        for _ in 0..(self.people.len() + coming.len()).saturating_sub(most) {
            let who = self.random.below(self.people.len());
            let person = self.people.swap_remove(who);
            self.nodes[person.region][person.node] -= 1;
        }
        // The reports are of the second before: who joins in this one is in none of them.
        self.now += 1_000;
        for region in 0..self.fleets.len() {
            for node in 0..self.nodes[region].len() {
                let load = self.load(self.nodes[region][node]);
                self.fleets[region].report(&name(region, node), load, self.now);
            }
        }
        for call in coming {
            self.join(call);
        }
    }

    fn join(&mut self, number: usize) {
        self.came += 1;
        let call = &self.calls[number];
        // Four of five are near the one who called.
        let from = match self.random.below(5) {
            0 => self.random.below(self.fleets.len()),
            _ => call.home,
        };
        let measured = |(number, site): (usize, &Site)| {
            let far = (number + self.sites.len() - from) % self.sites.len();
            (site.region.clone(), 10.0 + 20.0 * far as f64)
        };
        let times: BTreeMap<Region, f64> = self.sites.iter().enumerate().map(measured).collect();
        let hints = Hints {
            round_trips: Some(&times),
            ..Hints::default()
        };
        let regions = rank(&self.sites, &hints);
        for (tried, region) in regions.iter().enumerate() {
            let region: usize = region.as_str()[1..].parse().unwrap();
            let placed = self.calls[number].placed.get(&region);
            let request = Request {
                placed: placed.cloned().unwrap_or_default(),
                avoid: vec![],
                given_up: vec![],
            };
            let random = self.random.pair();
            let choice = self.fleets[region].assign(&request, self.now, random);
            if let Choice::Node(node) = choice {
                let at = place(&node);
                self.nodes[region][at] += 1;
                self.people.push(Person { region, node: at });
                if placed.is_none_or(|placed| !placed.contains(&node)) {
                    let placed = self.calls[number].placed.entry(region);
                    placed.or_default().push(node);
                }
                self.far += usize::from(tried > 0);
                return;
            }
        }
        self.refused += 1;
    }

    /// So many calls begin; whoever takes part comes within so many seconds.
    fn begin(&mut self, calls: usize, within: usize) {
        for _ in 0..calls {
            let mut share = self.random.below(10_000) as u64;
            let size = ROOMS.iter().find(|(_, many)| {
                let is_it = share < *many;
                share = share.saturating_sub(*many);
                is_it
            });
            let call = self.calls.len();
            let home = self.random.below(self.fleets.len());
            self.calls.push(Call {
                home,
                placed: BTreeMap::new(),
            });
            for _ in 0..size.map_or(2, |(size, _)| *size) {
                let second = self.random.below(within);
                self.coming[second].push_back(call);
            }
        }
    }

    /// How much the node has that has more than 99 of 100 others, beside the mean: of all, and of a region by itself, where two
    /// calls of 500 are the hundredth already.
    fn look(&mut self) {
        let all: Vec<u32> = self.nodes.iter().flatten().copied().collect();
        self.worst = self.worst.max(p99(all));
        let regions = self.nodes.iter().map(|nodes| p99(nodes.clone()));
        self.worst_region = regions.fold(self.worst_region, f64::max);
    }

    fn looks(&self) -> f64 {
        let looks: u64 = self.fleets.iter().map(|fleet| fleet.looks.get()).sum();
        looks as f64 / self.came as f64
    }
}

/// A world that fills up, and in which then people come and go till so many have come.
fn run(regions: usize, nodes: usize, people: usize) -> World {
    let mut world = World::new(regions, nodes, 0x5EED);
    let most = regions * nodes * 200;
    let each_second = most / 130 / 5;
    let mut full_for = 0;
    while world.came < people {
        // On the hour many calls begin at once, and everybody comes within three seconds.
        match full_for {
            30 => world.begin(20 * each_second, 3),
            _ => world.begin(each_second, WITHIN),
        }
        world.second(most);
        full_for += usize::from(world.people.len() + 10 * each_second >= most);
        if full_for > 1 {
            world.look();
        }
        // One node of each region dies with all it has, and starts anew.
        if full_for == 60 {
            world.people.retain(|person| person.node != 0);
            for region in 0..regions {
                world.nodes[region][0] = 0;
                world.fleets[region].remove(&name(region, 0));
                let member = Member::new(world.load(0), world.now);
                world.fleets[region].register(name(region, 0), member);
            }
        }
    }
    println!(
        "{regions} regions of {nodes} nodes, {} people came, {} at once: p99 / mean {:.3}, of the worst region {:.3}, {} far, {} refused, {:.2} nodes looked at for \
         each join",
        world.came,
        world.people.len(),
        world.worst,
        world.worst_region,
        world.far,
        world.refused,
        world.looks(),
    );
    world
}

#[test]
fn a_million_people_who_come_and_go_are_spread_evenly_over_two_thousand_nodes() {
    let world = run(10, 200, 1_000_000);
    assert!(
        world.worst <= 1.3,
        "p99 is {:.3} times the mean",
        world.worst
    );
    assert_eq!((world.refused, world.far), (0, 0));
}

#[test]
fn a_join_looks_at_as_many_of_two_hundred_nodes_as_of_two_thousand() {
    let [few, many] = [200, 2_000].map(|nodes| run(1, nodes, 300 * nodes).looks());
    assert!(
        few < 8.0 && (many / few - 1.0).abs() < 0.1,
        "{few} and {many}"
    );
}
