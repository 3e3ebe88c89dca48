//! Header extensions are those that an m-line negotiated, under its ids, in both directions.

use std::time::Duration;

use protocol::media::MediaKind;
use simulation::{Accent, Ids, Path, Videos, World};

/// The last score and the last loss on the way down that was told of a client.
fn quality(world: &World, client: usize) -> (f32, f32) {
    let quality = world.clients[client].latest_qualities()[client];
    (quality.score, quality.down.loss)
}

fn plays(audio: Ids, video: Ids) -> World {
    let accent = Accent {
        mids: "",
        rids: "",
        both_ways: false,
        audio,
        video,
    };
    let mut world = World::new(72, 1, Path::clean(10), Path::clean(40));
    for _ in 0..3 {
        world.join_as(0, Videos::SIMULCAST, Some(accent));
    }
    // The loudest is who is known to speak.
    world.clients[1].level = 10;
    let tiles = [1, 2].map(|of| (World::camera(of), (640, 360), 0));
    world.clients[0].show_tiles(&tiles);
    world.run(Duration::from_secs(21));
    let client = &world.clients[0];
    let since = world.now - Duration::from_secs(5);
    for slot in client.decoders.values() {
        let shown = slot.shown.iter().filter(|at| **at >= since).count();
        assert!(shown > 140, "{shown} pictures of 150");
    }
    assert_eq!(client.decoders.len(), 2);
    let received = client.received.iter().filter(|packet| packet.at >= since);
    let heard = received.filter(|packet| packet.kind == MediaKind::Audio);
    assert!(heard.count() > 480, "two others at 50 packets a second");
    let (_, speakers) = client.speakers.last().expect("somebody speaks");
    assert_eq!(speakers.first(), Some(&simulation::participant(1)));
    world
}

#[test]
fn sound_without_transport_wide_numbers_is_not_taken_for_lost() {
    let video = Ids {
        mid: 4,
        twcc: 3,
        rid: 10,
        repaired_rid: 11,
        ..Ids::default()
    };
    let audio = Ids {
        mid: 4,
        level: 1,
        ..Ids::default()
    };
    let world = plays(audio, video);
    let (score, loss) = quality(&world, 0);
    assert!(loss == 0.0 && score > 4.3, "{loss} {score}");
}

#[test]
fn each_kind_of_media_has_ids_of_its_own() {
    let video = Ids {
        mid: 1,
        twcc: 7,
        rid: 3,
        repaired_rid: 4,
        ..Ids::default()
    };
    let audio = Ids {
        mid: 5,
        level: 2,
        twcc: 7,
        ..Ids::default()
    };
    let world = plays(audio, video);
    let (score, loss) = quality(&world, 0);
    assert!(loss == 0.0 && score > 4.3, "{loss} {score}");
}

#[test]
fn ids_above_14_are_in_the_long_form() {
    let ids = Ids {
        mid: 15,
        level: 16,
        twcc: 14,
        rid: 2,
        repaired_rid: 3,
    };
    plays(ids, Ids { level: 0, ..ids });
}
