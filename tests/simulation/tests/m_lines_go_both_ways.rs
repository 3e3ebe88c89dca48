//! An m-line that sends and receives, as addTrack makes them, publishes what it sends and is a slot for what others send.

use std::collections::HashSet;
use std::time::Duration;

use protocol::media::MediaKind;
use simulation::{Accent, Ids, Path, Videos, World};

#[test]
fn who_offers_to_send_and_receive_on_one_m_line_does_both() {
    let usual = Ids {
        mid: 4,
        level: 1,
        twcc: 3,
        ..Ids::default()
    };
    let accent = Accent {
        mids: "",
        rids: "",
        both_ways: true,
        audio: usual,
        video: usual,
    };
    let mut world = World::new(73, 1, Path::clean(10), Path::clean(40));
    for _ in 0..3 {
        world.join_as(0, Videos::PLAIN, Some(accent));
    }
    world.run(Duration::from_secs(8));
    for client in &world.clients {
        let since = world.now - Duration::from_secs(3);
        let lately = client.received.iter().filter(|packet| packet.at >= since);
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let of_kind = lately.clone().filter(|packet| packet.kind == kind);
            let others: HashSet<u8> = of_kind.map(|packet| packet.stamp.client).collect();
            assert_eq!(others.len(), 2, "{kind:?} of everybody else");
            assert!(!others.contains(&client.number), "and not one's own");
        }
        let slots: HashSet<usize> = lately.map(|packet| packet.slot).collect();
        assert!(slots.contains(&0), "the microphone's m-line is a slot");
        assert!(slots.contains(&9), "the camera's m-line is a slot");
        assert_eq!(client.assignments.len(), 18);
    }
}
