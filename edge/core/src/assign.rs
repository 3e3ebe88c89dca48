//! Assignment: which region a client's media should be in, and which node of a region takes it.

use std::collections::BTreeMap;

use protocol::id::{NodeId, Region};
use protocol::node::Load;

/// A node with less than this share of its busiest core free takes no new session.
const MAX_CPU: f32 = 0.9;

/// A region that the fleet covers.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    pub region: Region,
    /// Latitude and longitude in degrees.
    pub place: Option<(f64, f64)>,
}

/// Reads a list of regions, each a name or `name@latitude:longitude`: `eu-west@53.3:-6.3,us-east`. What is not a region
/// is left out.
pub fn parse_sites(text: &str) -> Vec<Site> {
    text.split(',')
        .filter_map(|entry| {
            let (name, place) = match entry.trim().split_once('@') {
                Some((name, place)) => (name, Some(place)),
                None => (entry.trim(), None),
            };
            let place = place.and_then(|place| {
                let (latitude, longitude) = place.split_once(':')?;
                Some((latitude.parse().ok()?, longitude.parse().ok()?))
            });
            Some(Site {
                region: name.parse().ok()?,
                place,
            })
        })
        .collect()
}

/// What is known about where a client is.
#[derive(Debug, Clone, Default)]
pub struct Hints<'a> {
    /// The region it asks for.
    pub region: Option<&'a Region>,
    /// Round-trip times in milliseconds that it measured.
    pub round_trips: Option<&'a BTreeMap<Region, f64>>,
    /// Latitude and longitude of its address, in degrees.
    pub place: Option<(f64, f64)>,
}

/// All regions, the one to try first first: the wished one, then by measured round trip, then by distance, then as
/// configured.
pub fn rank(sites: &[Site], hints: &Hints<'_>) -> Vec<Region> {
    let key = |site: &Site| {
        let wished = hints.region == Some(&site.region);
        let measured = hints
            .round_trips
            .and_then(|times| times.get(&site.region))
            .copied()
            .filter(|time| time.is_finite() && *time >= 0.0);
        let distance = match (site.place, hints.place) {
            (Some(there), Some(here)) => distance(there, here),
            _ => f64::INFINITY,
        };
        (!wished, measured.unwrap_or(f64::INFINITY), distance)
    };
    let mut ranked: Vec<&Site> = sites.iter().collect();
    ranked.sort_by(|a, b| {
        let (a, b) = (key(a), key(b));
        a.0.cmp(&b.0)
            .then(a.1.total_cmp(&b.1))
            .then(a.2.total_cmp(&b.2))
    });
    ranked.into_iter().map(|site| site.region.clone()).collect()
}

/// Great-circle distance as an angle in radians (haversine).
fn distance(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (a_lat, b_lat) = (a.0.to_radians(), b.0.to_radians());
    let half = |x: f64| (x / 2.0).sin().powi(2);
    let h = half(b_lat - a_lat) + a_lat.cos() * b_lat.cos() * half((b.1 - a.1).to_radians());
    2.0 * h.sqrt().min(1.0).asin()
}

/// A node that could take a session.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    pub node: NodeId,
    pub load: Load,
    /// Whether it hosts the room already.
    pub hosts: bool,
    /// Whether something just went wrong there: only if there is no other.
    pub avoid: bool,
}

impl Candidate {
    fn has_headroom(&self) -> bool {
        self.load.sessions < self.load.max_sessions && self.load.cpu < MAX_CPU
    }

    /// Its busier side: processor or sessions.
    fn burden(&self) -> f32 {
        let sessions = self.load.sessions as f32 / self.load.max_sessions.max(1) as f32;
        self.load.cpu.max(sessions)
    }
}

/// The node for a session: one that hosts the room if it has headroom, else the better of two random ones (which spreads
/// almost as well as the best of all and does not stampede). `random` are two uniform numbers.
pub fn choose(candidates: &[Candidate], random: [u32; 2]) -> Option<&NodeId> {
    let fit = |avoid: bool| -> Vec<&Candidate> {
        candidates
            .iter()
            .filter(|c| c.has_headroom() && c.avoid == avoid)
            .collect()
    };
    let mut pool = fit(false);
    if pool.is_empty() {
        pool = fit(true);
    }
    let lightest = |a: &&Candidate, b: &&Candidate| a.burden().total_cmp(&b.burden());
    if let Some(host) = pool.iter().copied().filter(|c| c.hosts).min_by(lightest) {
        return Some(&host.node);
    }
    if pool.is_empty() {
        return None;
    }
    let first = pool.swap_remove(random[0] as usize % pool.len());
    let second = pool.get(random[1] as usize % pool.len().max(1)).copied();
    [Some(first), second]
        .into_iter()
        .flatten()
        .min_by(lightest)
        .map(|best| &best.node)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SITES: &str = "eu-west@53.3:-6.3, us-east@39.0:-77.5,ap-south@19.1:72.9,lab";

    fn order(hints: &Hints<'_>) -> Vec<String> {
        rank(&parse_sites(SITES), hints)
            .into_iter()
            .map(String::from)
            .collect()
    }

    fn candidate(name: &str, cpu: f32, sessions: u32) -> Candidate {
        Candidate {
            node: name.parse().unwrap(),
            load: Load {
                cpu,
                sessions,
                rooms: 0,
                max_sessions: 10,
            },
            hosts: false,
            avoid: false,
        }
    }

    #[test]
    fn a_wish_beats_a_measurement_beats_geography() {
        assert_eq!(
            order(&Hints::default()),
            ["eu-west", "us-east", "ap-south", "lab"]
        );
        let berlin = Some((52.5, 13.4));
        let tokyo = Some((35.7, 139.7));
        assert_eq!(
            order(&Hints {
                place: berlin,
                ..Hints::default()
            })[0],
            "eu-west"
        );
        assert_eq!(
            order(&Hints {
                place: tokyo,
                ..Hints::default()
            })[0],
            "ap-south"
        );
        let times = BTreeMap::from([
            ("us-east".parse().unwrap(), 12.0),
            ("eu-west".parse().unwrap(), f64::NAN),
        ]);
        let hints = Hints {
            round_trips: Some(&times),
            place: tokyo,
            ..Hints::default()
        };
        assert_eq!(order(&hints), ["us-east", "ap-south", "eu-west", "lab"]);
        let lab = "lab".parse().unwrap();
        assert_eq!(
            order(&Hints {
                region: Some(&lab),
                ..hints
            })[0],
            "lab"
        );
    }

    #[test]
    fn an_unknown_wish_changes_nothing() {
        let nowhere = "nowhere".parse().unwrap();
        assert_eq!(
            order(&Hints {
                region: Some(&nowhere),
                ..Hints::default()
            })[0],
            "eu-west"
        );
    }

    #[test]
    fn the_room_stays_together_while_there_is_headroom() {
        let mut all = [candidate("a", 0.1, 0), candidate("b", 0.8, 9)];
        all[1].hosts = true;
        assert_eq!(choose(&all, [0, 0]).unwrap().as_str(), "b");
        all[1].load.sessions = 10;
        assert_eq!(choose(&all, [1, 1]).unwrap().as_str(), "a");
    }

    #[test]
    fn an_avoided_node_is_the_last_resort() {
        let mut all = [candidate("a", 0.1, 0), candidate("b", 0.8, 9)];
        all[0].avoid = true;
        assert_eq!(choose(&all, [0, 0]).unwrap().as_str(), "b");
        assert_eq!(choose(&all[..1], [0, 0]).unwrap().as_str(), "a");
        assert_eq!(choose(&[], [0, 0]), None);
    }

    proptest! {
        #[test]
        fn the_worst_of_three_is_never_taken(random: [u32; 2]) {
            let all = [candidate("a", 0.1, 0), candidate("b", 0.2, 0), candidate("c", 0.3, 0)];
            prop_assert_ne!(choose(&all, random).unwrap().as_str(), "c");
        }
    }
}
