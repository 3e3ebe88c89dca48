//! What a client calls its m-lines and its layers is what the node calls them: in its answer, and in each packet.

use std::time::Duration;

use protocol::media::{Layer, MediaKind};
use simulation::{Accent, Ids, Path, Videos, World};

/// The ids that browsers use.
const USUAL: Ids = Ids {
    mid: 4,
    level: 1,
    twcc: 3,
    rid: 10,
    repaired_rid: 11,
};

fn plays_in_both_directions(accent: Accent) {
    let mut world = World::new(71, 1, Path::clean(10).lossy(0.02), Path::clean(40));
    let foreign = world.join_as(0, Videos::SIMULCAST, Some(accent));
    let other = world.join_with(0, Videos::SIMULCAST);
    for (client, of) in [(foreign, other), (other, foreign)] {
        let tile = (World::camera(of), (1_280, 720), 0);
        world.clients[client].show_tiles(&[tile]);
    }
    world.run(Duration::from_secs(12));
    for (client, of) in [(foreign, other), (other, foreign)] {
        let client = &world.clients[client];
        let (of, since) = (of as u8, world.now - Duration::from_secs(2));
        let lately = client.received.iter().filter(|packet| packet.at >= since);
        let of_kind = |kind| move |packet: &&simulation::Received| packet.kind == kind;
        let heard = lately.clone().filter(of_kind(MediaKind::Audio)).count();
        assert!(heard > 80, "{} heard {heard} packets", client.number);
        let top = Layer(2).0;
        let seen = lately.filter(of_kind(MediaKind::Video));
        let seen = seen.filter(|packet| (packet.stamp.client, packet.stamp.layer) == (of, top));
        assert!(seen.count() > 300, "{} sees the top layer", client.number);
        let decoder = client.decoders.values().next().expect("a picture");
        let shown = decoder.shown.iter().filter(|at| **at >= since).count();
        assert!(shown > 40, "{} saw {shown} pictures", client.number);
    }
}

#[test]
fn names_with_other_characters_than_letters_and_digits_are_kept() {
    plays_in_both_directions(Accent {
        mids: "m-",
        rids: "hi-",
        both_ways: false,
        audio: USUAL,
        video: USUAL,
    });
}

#[test]
fn names_that_need_the_long_form_of_header_extensions_are_kept() {
    plays_in_both_directions(Accent {
        mids: "5e0a5c7e-1f6d-4a34-9bf0-",
        rids: "layer-of-a-long-name-",
        both_ways: false,
        audio: USUAL,
        video: USUAL,
    });
}
