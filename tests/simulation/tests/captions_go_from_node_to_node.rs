//! Captions reach whoever shows them, here and at other nodes and shards, under the name of who feeds them; nobody feeds too much,
//! nor who may not, and the room hears nothing of it.

use std::time::Duration;

use protocol::client::{Caption, CaptionLine, CaptionRefusal, MAX_CAPTION_BYTES};
use protocol::media::Caps;
use simulation::{Path, World};

fn line(id: u32, text: &str, is_final: bool) -> CaptionLine {
    CaptionLine {
        id,
        speaker: None,
        language: "en".into(),
        text: text.into(),
        is_final,
    }
}

/// What a client was told, and by whom.
fn texts(world: &World, client: usize) -> Vec<(String, String)> {
    let told = world.clients[client].captions.iter();
    told.map(|Caption { by, line }| (by.to_string(), line.text.clone()))
        .collect()
}

/// Two at the first node, one at each of two others; captions are shown to all but the second.
fn world(seed: u64) -> World {
    let mut world = World::new(seed, 3, Path::clean(20), Path::clean(30));
    for node in [0, 0, 1, 2] {
        world.join(node);
    }
    world.run(Duration::from_secs(3));
    for client in [0, 2, 3] {
        world.clients[client].show_captions(true);
    }
    world.run(Duration::from_secs(1));
    world
}

#[test]
fn they_come_once_and_in_order_to_whom_they_are_shown() {
    let mut world = world(61);
    for (id, text, is_final) in [
        (1, "good", false),
        (1, "good morning", true),
        (2, "all", false),
    ] {
        world.clients[1].feed_caption(line(id, text, is_final));
        world.run(Duration::from_millis(100));
    }
    world.run(Duration::from_secs(1));
    let by = simulation::participant(1).to_string();
    let told = ["good", "good morning", "all"].map(|text| (by.clone(), text.to_owned()));
    for client in [0, 2, 3] {
        assert_eq!(texts(&world, client), told, "client {client}");
    }
    assert_eq!(texts(&world, 1), []);
    assert!(world.clients[3].captions[1].line.is_final);

    world.clients[3].show_captions(false);
    world.clients[0].feed_caption(line(1, "who feeds is not told", true));
    world.run(Duration::from_secs(1));
    let counts = [0, 1, 2, 3].map(|client| world.clients[client].captions.len());
    assert_eq!(counts, [3, 0, 4, 3]);
}

#[test]
fn nobody_feeds_too_much_or_what_is_none_or_when_they_may_not() {
    let mut world = world(62);
    world.clients[1].feed_caption(line(1, &"x".repeat(MAX_CAPTION_BYTES + 1), true));
    world.clients[1].feed_caption(CaptionLine {
        language: "no language".into(),
        ..line(1, "x", true)
    });
    world.run(Duration::from_secs(10));
    assert_eq!(texts(&world, 2), []);
    // One is told so once a second.
    let refused = |world: &World| world.clients[1].refused_captions.clone();
    assert_eq!(refused(&world), [(1, CaptionRefusal::Malformed)]);
    for id in 0..100 {
        world.clients[1].feed_caption(line(id, "much", true));
    }
    world.run(Duration::from_secs(1));
    let told = world.clients[2].captions.len();
    assert!((20..=30).contains(&told), "{told}");
    let [_, (id, CaptionRefusal::TooMuch)] = refused(&world)[..] else {
        panic!("{:?}", refused(&world));
    };
    assert!((20..=30).contains(&id), "{id}");

    world.set_caps(
        1,
        Caps {
            captions: false,
            ..Caps::default()
        },
    );
    world.run(Duration::from_secs(10));
    world.clients[1].feed_caption(line(200, "forbidden", true));
    world.run(Duration::from_secs(1));
    assert_eq!(world.clients[2].captions.len(), told);
    assert_eq!(
        refused(&world).last(),
        Some(&(200, CaptionRefusal::NotAllowed))
    );
    world.clients[0].feed_caption(line(1, "allowed", true));
    world.run(Duration::from_secs(1));
    assert_eq!(world.clients[2].captions.len(), told + 1);
}
