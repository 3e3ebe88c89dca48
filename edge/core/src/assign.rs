//! Assignment: which region a client's media should be in.

use std::collections::BTreeMap;

use protocol::id::Region;

use crate::order::Ordered;

/// A region that the fleet covers.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    pub region: Region,
    /// Latitude and longitude in degrees.
    pub location: Option<(f64, f64)>,
}

/// Reads a list of regions, each a name or `name@latitude:longitude`: `eu-west@53.3:-6.3,us-east`. What is not a region
/// is left out.
pub fn parse_sites(text: &str) -> Vec<Site> {
    text.split(',')
        .filter_map(|entry| {
            let (name, location) = match entry.trim().split_once('@') {
                Some((name, location)) => (name, Some(location)),
                None => (entry.trim(), None),
            };
            let location = location.and_then(|location| {
                let (latitude, longitude) = location.split_once(':')?;
                Some((degrees(latitude)?, degrees(longitude)?))
            });
            Some(Site {
                region: name.parse().ok()?,
                location,
            })
        })
        .collect()
}

/// Reads a number of degrees. By the reader of JSON, since the one of the standard library brings 15 kB of tables along.
pub fn degrees(text: &str) -> Option<f64> {
    serde_json::from_str(text.trim()).ok()
}

/// What is known about where a client is.
#[derive(Debug, Clone, Default)]
pub struct Hints<'a> {
    /// The region it asks for.
    pub region: Option<&'a Region>,
    /// Round-trip times in milliseconds that it measured.
    pub round_trips: Option<&'a BTreeMap<Region, f64>>,
    /// Latitude and longitude of its address, in degrees.
    pub location: Option<(f64, f64)>,
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
        let distance = match (site.location, hints.location) {
            (Some(there), Some(here)) => distance(there, here),
            _ => f64::INFINITY,
        };
        (!wished, measured.unwrap_or(f64::INFINITY), distance)
    };
    let mut ranked: Vec<&Site> = sites.iter().collect();
    ranked.order_by(|a, b| {
        let (a, b) = (key(a), key(b));
        a.0.cmp(&b.0)
            .then(a.1.total_cmp(&b.1))
            .then(a.2.total_cmp(&b.2))
    });
    ranked.into_iter().map(|site| site.region.clone()).collect()
}

/// Where the platform puts what is stored, by its names, and about where that is.
const LOCALITIES: [(&str, (f64, f64)); 9] = [
    ("wnam", (37.0, -120.0)),
    ("enam", (40.0, -77.0)),
    ("sam", (-15.0, -55.0)),
    ("weur", (50.0, 2.0)),
    ("eeur", (50.0, 22.0)),
    ("apac", (20.0, 110.0)),
    ("oc", (-30.0, 150.0)),
    ("afr", (0.0, 22.0)),
    ("me", (25.0, 50.0)),
];

/// The platform's name for what is nearest.
pub fn locality(location: (f64, f64)) -> &'static str {
    let far = |there: &(&str, (f64, f64))| distance(there.1, location);
    let nearest = LOCALITIES.iter().min_by(|a, b| far(a).total_cmp(&far(b)));
    nearest.map_or("weur", |(name, _)| name)
}

/// Great-circle distance as an angle in radians (haversine).
fn distance(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (a_lat, b_lat) = (a.0.to_radians(), b.0.to_radians());
    let half = |x: f64| (x / 2.0).sin().powi(2);
    let h = half(b_lat - a_lat) + a_lat.cos() * b_lat.cos() * half((b.1 - a.1).to_radians());
    2.0 * h.sqrt().min(1.0).asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITES: &str = "eu-west@53.3:-6.3, us-east@39.0:-77.5,ap-south@19.1:72.9,lab";

    fn order(hints: &Hints<'_>) -> Vec<String> {
        rank(&parse_sites(SITES), hints)
            .into_iter()
            .map(String::from)
            .collect()
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
                location: berlin,
                ..Hints::default()
            })[0],
            "eu-west"
        );
        assert_eq!(
            order(&Hints {
                location: tokyo,
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
            location: tokyo,
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
    fn what_is_stored_of_a_region_is_near_it() {
        let cases = [
            ((53.3, -6.3), "weur"),
            ((52.2, 21.0), "eeur"),
            ((39.0, -77.5), "enam"),
            ((37.4, -122.0), "wnam"),
            ((19.1, 72.9), "me"),
            ((1.3, 103.8), "apac"),
            ((-33.9, 151.2), "oc"),
            ((-23.5, -46.6), "sam"),
            ((-33.9, 18.4), "afr"),
        ];
        for (location, name) in cases {
            assert_eq!(locality(location), name, "{location:?}");
        }
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
}
