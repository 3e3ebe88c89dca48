//! Who is in a breakout room is told the captions of those in it and how their media travels, and nothing of anybody else.

use std::collections::BTreeSet;
use std::time::Duration;

use protocol::client::CaptionLine;
use protocol::id::ParticipantId;
use simulation::{Path, World, participant};

/// Two nodes, one of them of two shards, with two of six people on each shard; captions are shown to all.
fn call() -> World {
    let nodes = [("eu", 2), ("us", 1)];
    let mut world = World::laid_out(7, &nodes, Path::clean(10), Path::clean(40));
    for client in 0..6 {
        world.join(client / 2);
    }
    world.run(Duration::from_secs(4));
    for client in &mut world.clients {
        client.show_captions(true);
    }
    world.run(Duration::from_secs(1));
    world
}

/// Everybody feeds a caption; of whom each is told one.
fn captions_of(world: &mut World, id: u32) -> Vec<BTreeSet<ParticipantId>> {
    for client in &mut world.clients {
        client.captions.clear();
        client.feed_caption(CaptionLine {
            id,
            speaker: None,
            language: "en".into(),
            text: "hello".into(),
            is_final: true,
        });
    }
    world.run(Duration::from_secs(1));
    let told = world.clients.iter().map(|client| &client.captions);
    told.map(|captions| captions.iter().map(|caption| caption.by.clone()).collect())
        .collect()
}

/// Of whose media each is told in the next seconds.
fn qualities_of(world: &mut World) -> Vec<BTreeSet<ParticipantId>> {
    let since = world.now;
    world.run(Duration::from_secs(6));
    let clients = world.clients.iter();
    let told = clients.map(|client| client.qualities.iter().filter(|(at, _)| *at > since));
    told.map(|reports| {
        let told = reports.flat_map(|(_, told)| told);
        told.map(|one| one.participant.clone()).collect()
    })
    .collect()
}

#[test]
fn captions_and_qualities_stay_where_they_are_of() {
    let mut world = call();
    let groups: [&[usize]; 3] = [&[0, 3], &[1, 4, 5], &[2]];
    let together = captions_of(&mut world, 1);
    assert!(together.iter().all(|told| told.len() == 5), "{together:?}");
    world.run(Duration::from_secs(16));
    assert!(qualities_of(&mut world).iter().all(|told| told.len() == 6));

    world.open_breakouts(&[7, 8]);
    for (group, breakout) in groups.into_iter().zip([Some(7), Some(8), None]) {
        for client in group {
            world.go_to(*client, breakout);
        }
    }
    // What was measured before is told a little longer.
    world.run(Duration::from_secs(20));
    let (captions, qualities) = (captions_of(&mut world, 2), qualities_of(&mut world));
    for group in groups {
        let all: BTreeSet<_> = group.iter().map(|client| participant(*client)).collect();
        for client in group {
            let mut others = all.clone();
            others.remove(&participant(*client));
            assert_eq!(captions[*client], others, "captions at {client}");
            // Of who is alone, nothing is measured.
            let told = &qualities[*client];
            assert!(told.is_subset(&all), "qualities at {client}: {told:?}");
            assert!(
                told.len() == group.len() || group.len() == 1,
                "{client}: {told:?}"
            );
        }
    }

    world.open_breakouts(&[]);
    world.run(Duration::from_secs(16));
    let back = captions_of(&mut world, 3);
    assert!(back.iter().all(|told| told.len() == 5), "{back:?}");
    assert!(qualities_of(&mut world).iter().all(|told| told.len() == 6));
}
