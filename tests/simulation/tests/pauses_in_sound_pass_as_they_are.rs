//! Sound goes through two nodes as its encoder made it: in a pause (DTX) nothing is sent, and what comes after it has the next
//! number and the later time.

use std::time::Duration;

use protocol::media::MediaKind;
use simulation::{Path, Received, World};

const PAUSE: Duration = Duration::from_millis(400);
/// Ticks of Opus' clock in a packet of 20 ms.
const PACKET: u32 = 960;

#[test]
fn numbers_count_on_over_a_pause_and_time_does_not_stand_still() {
    let mut world = World::new(6, 2, Path::clean(10), Path::clean(40));
    world.join(0);
    world.join(1);
    world.run(Duration::from_secs(3));
    for _ in 0..5 {
        world.clients[0].rest(PAUSE);
        world.run(Duration::from_secs(1));
    }
    let received = world.clients[1].received.iter();
    let sound: Vec<&Received> = received
        .filter(|packet| packet.kind == MediaKind::Audio)
        .collect();
    let mut pauses = 0;
    for pair in sound.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        assert_eq!(b.sequence, a.sequence + 1);
        assert_eq!(b.stamp.number, a.stamp.number + 1, "each packet once");
        let step = b.timestamp.wrapping_sub(a.timestamp);
        if step != PACKET {
            assert_eq!(step, PACKET + 48 * PAUSE.as_millis() as u32);
            assert!(b.at - a.at >= PAUSE);
            pauses += 1;
        }
    }
    assert_eq!(pauses, 5);
}
