//! A picture in a codec that the viewer's browser lacks takes none of its slots, and nobody is asked for keyframes for it.

use std::time::Duration;

use protocol::media::MediaKind;
use simulation::{Path, Videos, World, participant};

#[test]
fn a_codec_that_the_viewer_lacks_holds_no_slot_and_costs_no_keyframes() {
    let mut world = World::new(4, 1, Path::clean(10), Path::clean(0));
    world.join_with(0, Videos::PLAIN_H264);
    world.join_with(0, Videos::WITHOUT_H264);
    world.join(0);
    world.clients[2].show(&[]);
    world.clients[0].show(&[World::camera(1)]);
    world.clients[1].show(&[World::camera(0), World::camera(2)]);
    // Before it has said what it shows, the third is shown everybody.
    world.run(Duration::from_secs(3));
    let asked = world.clients[0].keyframes_asked();
    world.run(Duration::from_secs(10));
    let lately = Duration::from_secs(1);
    assert!(world.sees(0, 1, lately) && world.sees(1, 2, lately));
    assert_eq!(world.clients[0].keyframes_asked(), asked);
    let shown = world.clients[1].assignments.iter();
    let shown: Vec<_> = shown
        .filter_map(|slot| slot.track.clone())
        .filter(|track| track.source.kind() == MediaKind::Video)
        .map(|track| track.participant)
        .collect();
    assert_eq!(shown, [participant(2)]);
    // Whoever has the codec sees it.
    world.clients[2].show(&[World::camera(0)]);
    world.run(Duration::from_secs(2));
    assert!(world.sees(2, 0, lately));
}
