//! Ours beside str0m's estimator (its own port of Google congestion control), which sends real RTP over the same paths.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::bwe::{Bitrate, BweKind};
use str0m::change::SdpAnswer;
use str0m::media::{Direction, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{ExtensionValues, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc};

use super::super::START_BITRATE;
use super::link::{Link, Path};
use super::world::{Moment, Source, World};
use crate::egress::seal::provider;

const TICK: Duration = Duration::from_millis(1);
const FRAME: Duration = Duration::from_micros(33_333);
const PAYLOAD: usize = 1_150;
/// What both would like to send, bit/s.
const WANTED: u64 = 4_000_000;

/// One end of a session of str0m.
struct End {
    rtc: Rtc,
    address: SocketAddr,
    due: Instant,
    /// The estimate, as its events tell it.
    estimate: u64,
}

impl End {
    fn new(now: Instant, port: u16, sends: bool) -> Self {
        let mut config = Rtc::builder()
            .set_crypto_provider(provider())
            .set_rtp_mode(true);
        if sends {
            config = config.enable_bwe(Some(Bitrate::from(START_BITRATE)));
        }
        let mut rtc = config.build(now);
        let address = SocketAddr::from(([10, 0, 0, 1], port));
        let candidate = Candidate::host(address, "udp").expect("a candidate");
        rtc.add_local_candidate(candidate);
        Self {
            rtc,
            address,
            due: now,
            estimate: START_BITRATE,
        }
    }

    /// Everything that it wants to send.
    fn drain(&mut self) -> Vec<Vec<u8>> {
        let mut sent = Vec::new();
        loop {
            match self.rtc.poll_output().expect("a session that lives") {
                Output::Timeout(at) => {
                    self.due = at;
                    return sent;
                }
                Output::Transmit(transmit) => sent.push(transmit.contents.to_vec()),
                Output::Event(Event::EgressBitrateEstimate(BweKind::Twcc { estimate, .. })) => {
                    self.estimate = estimate.as_u64();
                }
                Output::Event(_) => {}
            }
        }
    }

    fn receive(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        let receive = Receive::new(Protocol::Udp, from, self.address, datagram);
        let receive = receive.expect("a datagram of the other end");
        let input = Input::Receive(now, receive);
        self.rtc.handle_input(input).expect("a session that lives");
    }

    fn pass(&mut self, now: Instant) {
        if now >= self.due {
            let input = Input::Timeout(now);
            self.rtc.handle_input(input).expect("a session that lives");
        }
    }
}

/// A session of str0m over a path: its sender follows its own estimate.
struct Beside {
    start: Instant,
    now: Duration,
    sender: End,
    receiver: End,
    mid: Mid,
    link: Link<Vec<u8>>,
    back: Link<Vec<u8>>,
    frame_due: Duration,
    sequence: u64,
    arrived_bytes: usize,
    curve: Vec<Moment>,
}

impl Beside {
    fn new(path: Path, seed: u64) -> Self {
        let start = Instant::now();
        let mut sender = End::new(start, 1_000, true);
        let mut receiver = End::new(start, 2_000, false);
        let mut api = sender.rtc.sdp_api();
        let mid = api.add_media(MediaKind::Video, Direction::SendOnly, None, None, None);
        let (offer, pending) = api.apply().expect("an offer");
        let answer = receiver.rtc.sdp_api().accept_offer(offer);
        let answer: SdpAnswer = answer.expect("an answer");
        let accepted = sender.rtc.sdp_api().accept_answer(pending, answer);
        accepted.expect("an answer that fits");

        let back = Path {
            capacity: 10_000_000,
            loss: 0.0,
            ..path
        };
        let mut beside = Self {
            start,
            now: Duration::ZERO,
            sender,
            receiver,
            mid,
            link: Link::new(path, seed),
            back: Link::new(back, !seed),
            frame_due: Duration::ZERO,
            sequence: 1,
            arrived_bytes: 0,
            curve: Vec::new(),
        };
        beside.connect();
        beside
    }

    /// Sets the session up before the path's time begins.
    fn connect(&mut self) {
        let mut now = self.start;
        for _ in 0..2_000 {
            now += TICK;
            self.sender.pass(now);
            self.receiver.pass(now);
            for datagram in self.sender.drain() {
                self.receiver.receive(now, self.sender.address, &datagram);
            }
            for datagram in self.receiver.drain() {
                self.sender.receive(now, self.receiver.address, &datagram);
            }
            if self.sender.rtc.is_connected() && self.receiver.rtc.is_connected() {
                self.start = now;
                let mut bwe = self.sender.rtc.bwe();
                bwe.set_bitrate(Bitrate::ZERO, Bitrate::from(WANTED));
                return;
            }
        }
        panic!("the two ends do not find each other");
    }

    fn run(&mut self, seconds: f64) {
        let end = self.now + Duration::from_secs_f64(seconds);
        while self.now < end {
            self.now += TICK;
            self.tick();
        }
    }

    fn tick(&mut self) {
        let now = self.start + self.now;
        for (_, datagram) in self.link.poll(self.now) {
            self.arrived_bytes += datagram.len();
            self.receiver.receive(now, self.sender.address, &datagram);
            self.answer();
        }
        self.receiver.pass(now);
        self.answer();
        for (_, datagram) in self.back.poll(self.now) {
            self.sender.receive(now, self.receiver.address, &datagram);
            self.send();
        }
        self.produce(now);
        self.sender.pass(now);
        self.send();
        if self.now.as_millis().is_multiple_of(100) {
            self.curve.push(Moment {
                at: self.now,
                estimate: self.sender.estimate,
                arrived: std::mem::take(&mut self.arrived_bytes) as u64 * 80,
                wait: std::mem::take(&mut self.link.longest_wait),
            });
        }
    }

    fn send(&mut self) {
        for datagram in self.sender.drain() {
            self.link.send(self.now, datagram.len(), datagram);
        }
    }

    fn answer(&mut self) {
        for datagram in self.receiver.drain() {
            self.back.send(self.now, datagram.len(), datagram);
        }
    }

    fn produce(&mut self, now: Instant) {
        if self.now < self.frame_due {
            return;
        }
        self.frame_due += FRAME;
        let rate = self.sender.estimate.min(WANTED) as f64;
        let mut bytes = (rate * FRAME.as_secs_f64() / 8.0) as usize;
        let media = self.sender.rtc.media(self.mid).expect("the m-line");
        let pt = media.remote_pts()[0];
        let timestamp = (self.now.as_micros() * 9 / 100) as u32;
        while bytes > 0 {
            let payload = bytes.min(PAYLOAD);
            bytes -= payload;
            let mut direct = self.sender.rtc.direct_api();
            let stream = direct.stream_tx_by_mid(self.mid, None).expect("a stream");
            let packet = RtpWrite::new(
                pt,
                self.sequence.into(),
                timestamp,
                now,
                vec![0x10; payload],
            );
            stream.write_rtp(
                packet
                    .marker(bytes == 0)
                    .ext_vals(ExtensionValues::default()),
            );
            self.sequence += 1;
        }
    }
}

/// A path's capacity over time: from the beginning on, and from each of these seconds on.
type Plan = [(f64, u64)];

fn ours(path: Path, plan: &Plan, end: f64) -> Vec<Moment> {
    let mut world = World::new(path, Source::Follows(1.0), 20);
    world.estimator.set_wanted(WANTED);
    for (at, capacity) in plan {
        world.run(at - world.now.as_secs_f64());
        world.change(|path| path.capacity = *capacity);
    }
    world.run(end - world.now.as_secs_f64());
    world.curve
}

fn theirs(path: Path, plan: &Plan, end: f64) -> Vec<Moment> {
    let mut beside = Beside::new(path, 20);
    for (at, capacity) in plan {
        beside.run(at - beside.now.as_secs_f64());
        beside.link.path.capacity = *capacity;
    }
    beside.run(end - beside.now.as_secs_f64());
    beside.curve
}

/// Mean of what arrived, in kbit/s, and of the longest waits, in ms.
fn means(curve: &[Moment], from: f64, to: f64) -> (f64, f64) {
    let within = |m: &&Moment| (from..to).contains(&m.at.as_secs_f64());
    let moments: Vec<_> = curve.iter().filter(within).collect();
    let count = moments.len() as f64;
    let arrived = moments.iter().map(|m| m.arrived as f64).sum::<f64>() / count / 1e3;
    let wait = moments.iter().map(|m| m.wait.as_secs_f64()).sum::<f64>() / count * 1e3;
    (arrived, wait)
}

fn print(name: &str, ours: &[Moment], theirs: &[Moment]) {
    println!("{name}: s, estimate, arrived (kbit/s), wait (ms): ours | str0m's");
    for (a, b) in ours
        .iter()
        .zip(theirs)
        .filter(|(a, _)| a.at.as_millis().is_multiple_of(1_000))
    {
        println!(
            "{:5.0} {:6} {:6} {:5} | {:6} {:6} {:5}",
            a.at.as_secs_f64(),
            a.estimate / 1_000,
            a.arrived / 1_000,
            a.wait.as_millis(),
            b.estimate / 1_000,
            b.arrived / 1_000,
            b.wait.as_millis()
        );
    }
}

/// Ours carries at least `share` of what str0m's does, in each of these spans of time.
fn compare(name: &str, path: Path, plan: &Plan, spans: &[(f64, f64)], share: f64) {
    let end = spans.iter().map(|span| span.1).fold(0.0, f64::max);
    let (ours, theirs) = (ours(path, plan, end), theirs(path, plan, end));
    print(name, &ours, &theirs);
    for (from, to) in spans {
        let ((a, a_wait), (b, b_wait)) = (means(&ours, *from, *to), means(&theirs, *from, *to));
        println!(
            "{name}, {from} to {to} s: {a:.0} kbit/s waiting {a_wait:.0} ms, str0m's {b:.0} waiting {b_wait:.0}"
        );
        assert!(
            a >= share * b,
            "{name}, {from} to {to} s: {a} beside {b} kbit/s"
        );
        assert!(
            a_wait <= b_wait + 60.0,
            "{name}, {from} to {to} s: {a_wait} beside {b_wait} ms"
        );
    }
}

#[test]
fn over_a_path_that_narrows_and_widens_ours_carries_as_much() {
    let spans = [
        (0.0, 5.0),
        (5.0, 30.0),
        (32.0, 60.0),
        (60.0, 75.0),
        (75.0, 100.0),
    ];
    let plan = [(30.0, 600_000), (60.0, 2_000_000)];
    compare("changing", Path::of(2_000_000), &plan, &spans, 0.85);
}

#[test]
fn over_a_lossy_path_ours_carries_as_much() {
    for loss in [0.02, 0.05, 0.10] {
        let path = Path {
            loss,
            ..Path::of(2_000_000)
        };
        compare(&format!("{loss} lost"), path, &[], &[(10.0, 60.0)], 0.85);
    }
}
