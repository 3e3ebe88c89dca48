//! Probing: short bursts above the estimate that show whether more would pass.

use super::trend::Usage;
use super::{DEFAULT_WANTED, MAX_BITRATE, Micros};

/// The first two clusters, in shares of the first estimate: soon after the start the estimate fits the path, or is far
/// enough for the next ones to reach it.
const FIRST: [f64; 2] = [3.0, 6.0];
/// A cluster must last as long as this to tell a rate …
const MIN_TIME_US: u64 = 20_000;
/// … and be of so many packets.
const MIN_PACKETS: u32 = 5;
/// Share of a cluster that must arrive for it to count.
const MIN_SHARE: f64 = 0.8;
/// A cluster received at this share of the rate it was sent at, or less, has filled the link: its rate is the link's.
const SATURATED: f64 = 0.9;
/// The share of the link's rate that is taken then: nothing is gained by a queue.
const OF_LINK: f64 = 0.95;
/// A cluster that arrives so much faster than it was sent was held back on its way, and tells nothing.
const MAX_SPEED_UP: f64 = 2.0;
/// Longest time that a cluster's packets may take to leave, and their feedback to come, beside the round trip.
const MAX_AGE: Micros = 500_000;
/// A cluster of which too much was lost is sent again, so many times in a row: it is small, and chance may have taken it.
const MAX_REPEATED: u32 = 3;
/// A cluster that shows this share of its rate calls for another one at …
const GOOD: f64 = 0.7;
/// … this multiple of what it has shown.
const FURTHER: f64 = 2.0;
/// Time between two clusters while more is wanted than the estimate; after a failed one it doubles, up to the longest,
/// so that a path that recovers is found within seconds.
const INTERVAL: Micros = 2_000_000;
const MAX_INTERVAL: Micros = 6_000_000;
/// Time from a queue's end to the next cluster.
const SETTLE: Micros = 500_000;
/// More is wanted when it is by this factor more than the estimate; the budget wants some headroom beyond what it sends.
const SHORT: f64 = 1.02;
const HEADROOM: f64 = 1.2;
/// A fall of the estimate below this share calls for a cluster when it is over …
const FALL: f64 = 0.66;
/// … at this share of the estimate before it, within this time.
const RECOVERY: f64 = 0.85;
const RECOVERY_TIME: Micros = 5_000_000;

/// A burst to send: media first, then padding or repair, at `bitrate` until both minimums are reached. Its packets are
/// told to the estimator as of this cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// Never 0.
    pub cluster: u8,
    /// Bits per second.
    pub bitrate: u64,
    pub min_bytes: u64,
    pub min_packets: u32,
}

/// What is known of a cluster's packets on one side.
#[derive(Debug, Clone, Copy)]
struct Side {
    first: Micros,
    last: Micros,
    /// Bytes of the packets that came first and last.
    first_bytes: u64,
    last_bytes: u64,
}

impl Side {
    fn add(side: &mut Option<Self>, at: Micros, bytes: u64) {
        let side = side.get_or_insert(Self {
            first: at,
            last: at,
            first_bytes: bytes,
            last_bytes: bytes,
        });
        if at < side.first {
            (side.first, side.first_bytes) = (at, bytes);
        }
        if at >= side.last {
            (side.last, side.last_bytes) = (at, bytes);
        }
    }

    fn time(&self) -> f64 {
        (self.last - self.first).max(1_000) as f64 / 1e6
    }
}

/// A cluster that is being sent or whose feedback is awaited.
#[derive(Debug)]
struct Cluster {
    probe: Probe,
    began: Micros,
    /// Of the packets that have arrived: by the sender's clock and by the receiver's.
    sent: Option<Side>,
    arrived: Option<Side>,
    bytes: u64,
    packets: u32,
}

impl Cluster {
    fn is_whole(&self) -> bool {
        f64::from(self.packets) >= MIN_SHARE * f64::from(self.probe.min_packets)
            && self.bytes as f64 >= MIN_SHARE * self.probe.min_bytes as f64
    }

    /// The rate that the cluster shows, in bits per second.
    fn rate(&self) -> Option<f64> {
        let (sent, arrived) = (self.sent?, self.arrived?);
        // The last packet's bytes left after the last send time, the first one's came before the first arrival.
        let sent_rate = (self.bytes - sent.last_bytes) as f64 * 8.0 / sent.time();
        let arrived_rate = (self.bytes - arrived.first_bytes) as f64 * 8.0 / arrived.time();
        if arrived_rate > MAX_SPEED_UP * sent_rate {
            return None;
        }
        if arrived_rate < SATURATED * sent_rate {
            return Some(OF_LINK * arrived_rate);
        }
        Some(arrived_rate.min(sent_rate))
    }
}

/// What the decision to probe depends on.
#[derive(Debug, Clone, Copy)]
pub struct Situation {
    pub estimate: u64,
    /// What the sender would like to send; `None` if it has not said.
    pub wanted: Option<u64>,
    pub usage: Usage,
    pub round_trip: Micros,
}

impl Situation {
    /// The highest rate that is of use to know.
    fn goal(&self) -> f64 {
        let wanted = self
            .wanted
            .map_or(DEFAULT_WANTED as f64, |wanted| HEADROOM * wanted as f64);
        wanted.min(MAX_BITRATE as f64)
    }

    fn is_short(&self) -> bool {
        self.goal() > SHORT * self.estimate as f64
    }
}

/// Decides on clusters, and reads them.
#[derive(Debug)]
pub struct Prober {
    /// The first estimate, and how many of the first clusters were sent.
    start: u64,
    begun: usize,
    cluster: Option<Cluster>,
    /// Before the present one: its feedback may still come.
    former: Option<Cluster>,
    last_id: u8,
    /// A rate to go on with, after a cluster that showed what it asked.
    further: Option<f64>,
    repeated: u32,
    /// The estimate before a fall, and when that was.
    fallen: Option<(u64, Micros)>,
    interval: Micros,
    due: Option<Micros>,
    /// Clusters sent.
    pub sent: u64,
}

impl Prober {
    /// A prober of a path whose estimate starts with this bitrate.
    pub fn new(start: u64) -> Self {
        Self {
            start,
            begun: 0,
            cluster: None,
            former: None,
            last_id: 0,
            further: None,
            repeated: 0,
            fallen: None,
            interval: INTERVAL,
            due: None,
            sent: 0,
        }
    }

    /// The next cluster to send, if it is time for one. Asked when the one before has left.
    pub fn next(&mut self, now: Micros, situation: &Situation) -> Option<Probe> {
        self.expire(now, situation.round_trip);
        let beginning = self.begun < FIRST.len();
        if self.former.is_some() || self.cluster.is_some() && !beginning {
            return None;
        }
        if situation.usage != Usage::Normal {
            self.due = Some(self.due.map_or(0, |due| due).max(now + SETTLE));
            return None;
        }
        let target = if beginning {
            self.begun += 1;
            FIRST[self.begun - 1] * self.start as f64
        } else {
            self.target(now, situation)?
        };
        let bitrate = target.min(situation.goal());
        if bitrate <= SHORT * situation.estimate as f64 {
            return None;
        }
        Some(self.start(now, bitrate as u64))
    }

    fn target(&mut self, now: Micros, situation: &Situation) -> Option<f64> {
        if let Some(further) = self.further.take() {
            return Some(further);
        }
        if now < *self.due.get_or_insert(now + self.interval) {
            return None;
        }
        if let Some((before, at)) = self.fallen.take()
            && now - at < RECOVERY_TIME
        {
            self.due = Some(now + self.interval);
            return Some(RECOVERY * before as f64);
        }
        if !situation.is_short() {
            return None;
        }
        self.due = Some(now + self.interval);
        self.interval = (2 * self.interval).min(MAX_INTERVAL);
        Some(FURTHER * situation.estimate as f64)
    }

    fn start(&mut self, now: Micros, bitrate: u64) -> Probe {
        self.last_id = self.last_id.wrapping_add(1).max(1);
        let probe = Probe {
            cluster: self.last_id,
            bitrate,
            min_bytes: bitrate * MIN_TIME_US / 8_000_000,
            min_packets: MIN_PACKETS,
        };
        self.sent += 1;
        self.former = self.cluster.replace(Cluster {
            probe,
            began: now,
            sent: None,
            arrived: None,
            bytes: 0,
            packets: 0,
        });
        probe
    }

    fn expire(&mut self, now: Micros, round_trip: Micros) {
        let old = |cluster: &Cluster| now - cluster.began > MAX_AGE + round_trip;
        if self.former.as_ref().is_some_and(old) {
            self.former = None;
        }
        if let Some(lost) = self.cluster.take_if(|cluster| old(cluster))
            && self.repeated < MAX_REPEATED
        {
            self.repeated += 1;
            self.further = Some(lost.probe.bitrate as f64);
        }
    }

    /// A packet of a cluster has arrived.
    pub fn received(&mut self, id: u8, sent: Micros, arrival: Micros, bytes: u64) {
        let clusters = [&mut self.former, &mut self.cluster];
        let cluster = clusters
            .into_iter()
            .flatten()
            .find(|cluster| cluster.probe.cluster == id);
        if let Some(cluster) = cluster {
            Side::add(&mut cluster.sent, sent, bytes);
            Side::add(&mut cluster.arrived, arrival, bytes);
            cluster.bytes += bytes;
            cluster.packets += 1;
        }
    }

    /// The rate that the clusters have shown whose packets have come, if any; asked after each feedback.
    pub fn result(&mut self, situation: &Situation) -> Option<u64> {
        let whole = |cluster: &mut Cluster| cluster.is_whole();
        let former = self.former.take_if(whole);
        let cluster = self.cluster.take_if(whole);
        let rates = [former, cluster]
            .into_iter()
            .flatten()
            .filter_map(|cluster| {
                let rate = cluster.rate()?;
                Some((rate, cluster.probe.bitrate as f64))
            });
        // The later one starts from a fuller queue, the earlier one asked for less: the higher rate has passed.
        let (rate, asked) = rates.max_by(|a, b| a.0.total_cmp(&b.0))?;
        self.repeated = 0;
        if rate >= GOOD * asked {
            self.interval = INTERVAL;
            if situation.goal() > SHORT * rate {
                self.further = Some(FURTHER * rate);
            }
        }
        Some(rate as u64)
    }

    /// The estimate has fallen.
    pub fn fell(&mut self, now: Micros, before: u64, after: u64) {
        self.further = None;
        let due = now + SETTLE;
        if (after as f64) < FALL * before as f64 {
            let highest = self.fallen.map_or(0, |(highest, _)| highest);
            self.fallen = Some((before.max(highest), now));
            self.due = Some(due.max(now + 2 * SETTLE));
        } else {
            self.due = Some(self.due.map_or(due, |before| before.max(due)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Micros = 1_000;

    fn situation(estimate: u64, wanted: u64) -> Situation {
        Situation {
            estimate,
            wanted: Some(wanted),
            usage: Usage::Normal,
            round_trip: 50 * MS,
        }
    }

    /// Sends a cluster over a link of this capacity.
    fn send(prober: &mut Prober, now: Micros, probe: Probe, capacity: u64) {
        let (mut sent, mut free) = (now, now);
        let mut bytes = 0;
        let mut packets = 0;
        while bytes < probe.min_bytes || packets < probe.min_packets {
            free = free.max(sent) + (1_200 * 8_000_000 / capacity) as i64;
            prober.received(probe.cluster, sent, free + 7_777 * MS, 1_200);
            sent += (1_200 * 8_000_000 / probe.bitrate) as i64;
            bytes += 1_200;
            packets += 1;
        }
    }

    #[test]
    fn it_starts_with_two_clusters_and_goes_on_as_long_as_they_pass() {
        let mut prober = Prober::new(300_000);
        let now = situation(300_000, 5_000_000);
        let first = prober.next(0, &now).unwrap();
        let second = prober.next(30 * MS, &now).unwrap();
        assert_eq!((first.bitrate, second.bitrate), (900_000, 1_800_000));
        assert_eq!(prober.next(60 * MS, &now), None);
        send(&mut prober, 0, first, 3_000_000);
        send(&mut prober, 30 * MS, second, 3_000_000);
        let shown = prober.result(&now).unwrap();
        assert!((1_700_000..=1_801_000).contains(&shown), "{shown}");
        let now = situation(shown, 5_000_000);
        let third = prober.next(200 * MS, &now).unwrap();
        assert_eq!(third.bitrate / 10, 2 * shown / 10);
        send(&mut prober, 200 * MS, third, 3_000_000);
        let shown = prober.result(&now).unwrap();
        assert!(
            (2_700_000..=2_900_000).contains(&shown),
            "the link's: {shown}"
        );
    }

    #[test]
    fn nothing_is_probed_beyond_what_is_wanted() {
        let mut prober = Prober::new(300_000);
        assert_eq!(prober.next(0, &situation(300_000, 100_000)), None);
        assert_eq!(prober.next(0, &situation(300_000, 100_000)), None);
        for n in 0..1_000 {
            assert_eq!(
                prober.next(n * 100 * MS, &situation(1_000_000, 800_000)),
                None
            );
        }
        let wanted = situation(1_000_000, 1_500_000);
        assert_eq!(
            prober.next(100_000 * MS, &wanted).map(|p| p.bitrate),
            Some(1_800_000)
        );
    }

    #[test]
    fn a_short_path_is_probed_again_and_again_ever_more_rarely() {
        let mut prober = Prober::new(300_000);
        let now = situation(1_000_000, 3_000_000);
        let times: Vec<i64> = (0..1_200)
            .filter(|n| {
                let probe = prober.next(n * 100 * MS, &now);
                if let Some(probe) = probe {
                    send(&mut prober, n * 100 * MS, probe, 1_000_000);
                    prober.result(&now);
                }
                probe.is_some()
            })
            .collect();
        assert!((19..=24).contains(&times.len()), "{times:?}");
        assert!(
            times.windows(2).all(|pair| pair[1] - pair[0] <= 61),
            "{times:?}"
        );
    }

    #[test]
    fn a_fall_is_followed_by_a_look_at_what_was_before() {
        let mut prober = Prober::new(300_000);
        prober.begun = 2;
        prober.fell(0, 2_000_000, 500_000);
        let after = situation(500_000, 400_000);
        assert_eq!(prober.next(900 * MS, &after), None);
        let wanted = situation(500_000, 2_000_000);
        assert_eq!(
            prober.next(1_100 * MS, &wanted).map(|p| p.bitrate),
            Some(1_700_000)
        );
    }

    #[test]
    fn lost_clusters_are_forgotten() {
        let mut prober = Prober::new(300_000);
        let now = situation(300_000, 5_000_000);
        assert!(prober.next(0, &now).is_some());
        assert!(prober.next(0, &now).is_some());
        assert_eq!(prober.result(&now), None);
        let again = (1..100).find_map(|n| prober.next(n * 100 * MS, &now).map(|_| n));
        assert!(again.is_some_and(|n| n < 60), "{again:?}");
    }
}
