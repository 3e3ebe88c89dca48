//! A path too narrow for everybody's video: sound goes on, and the path is known for what it carries.

use std::time::Duration;

use protocol::media::MediaKind;
use simulation::{Bottleneck, Path, World};

#[test]
fn sound_goes_on_over_a_path_that_video_would_fill() {
    let mut world = World::new(61, 1, Path::clean(20), Path::clean(30));
    for _ in 0..4 {
        world.join(0);
    }
    world.run(Duration::from_secs(5));
    world.bottlenecks.insert(0, Bottleneck::of(500_000));
    // Until it is noticed: what was on its way fills the path's own queue, and that drops what comes, sound too.
    world.run(Duration::from_secs(5));
    let since = world.now;
    world.run(Duration::from_secs(10));
    let sound = world.clients[0]
        .received
        .iter()
        .filter(|packet| packet.kind == MediaKind::Audio && packet.at >= since);
    let mut last = [since; 4];
    let mut count = 0;
    for packet in sound {
        let speaker = usize::from(packet.stamp.client);
        let gap = packet.at - last[speaker];
        assert!(gap < Duration::from_millis(150), "{speaker}: {gap:?}");
        last[speaker] = packet.at;
        count += 1;
    }
    // Three others at 50 packets a second.
    let estimates = world.stats(0).estimates;
    assert!(count >= 1_493, "{count} of 1,500");
    assert!((200_000..600_000).contains(&estimates.min), "{estimates:?}");
}
