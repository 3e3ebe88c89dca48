//! What the estimator costs per packet; prints it, since no test asserts a time.

use std::time::{Duration, Instant};

use super::super::{Estimator, Kind};
use super::wire::Receiver;

/// `cargo test -p sfu-core cost -- --ignored --nocapture`
#[test]
#[ignore = "prints a figure and asserts nothing"]
fn per_packet() {
    const PACKETS: u64 = 1_000_000;
    for per_second in [100, 500, 2_000] {
        let step = Duration::from_secs(1) / per_second;
        let mut receiver = Receiver::default();
        let mut feedbacks = Vec::new();
        for sequence in 0..PACKETS {
            let at = step * sequence as u32;
            let jitter = Duration::from_micros(sequence * 7_919 % 2_000);
            receiver.received(at + Duration::from_millis(20) + jitter, sequence);
            feedbacks.push(receiver.feedback(at));
        }
        let start = Instant::now();
        let mut estimator = Estimator::new(start);
        let began = Instant::now();
        for sequence in 0..PACKETS {
            let now = start + step * sequence as u32;
            estimator.on_sent(now, sequence as u16, 1_150, Kind::Media);
            if let Some(feedback) = &feedbacks[sequence as usize] {
                estimator.on_feedback(now, feedback);
                estimator.next_probe(now);
            }
        }
        let nanos = began.elapsed().as_nanos() as u64 / PACKETS;
        println!(
            "{per_second} packets/s: {nanos} ns a packet, estimate {}",
            estimator.estimate()
        );
    }
}
