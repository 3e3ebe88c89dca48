//! Two regions with two nodes each: of what is wanted, one copy crosses between the regions, and one goes to each node.

use std::time::Duration;

use protocol::media::MediaKind;
use simulation::{Path, World};

/// The first node of each region is its gateway.
const GATEWAY_EU: usize = 0;
const EU: usize = 1;
const GATEWAY_US: usize = 2;
const US: usize = 3;

fn world(seed: u64, loss: f64) -> World {
    let nodes = [("eu", 1), ("eu", 1), ("us", 1), ("us", 1)];
    let backbone = Path::clean(40).jittery(3).lossy(loss);
    World::laid_out(seed, &nodes, Path::clean(5), backbone)
}

#[test]
fn one_copy_crosses_and_is_fanned_out_behind_the_gateway() {
    let mut world = world(1, 0.0);
    let publisher = world.join(EU);
    let viewers: Vec<usize> = [US, US, US, GATEWAY_US, EU]
        .into_iter()
        .map(|node| world.join(node))
        .collect();
    for viewer in &viewers {
        world.clients[*viewer].silence();
    }
    world.run(Duration::from_secs(8));
    for viewer in &viewers {
        assert!(world.sees(*viewer, publisher, Duration::from_millis(200)));
    }
    let sent = [MediaKind::Video, MediaKind::Audio].map(|kind| world.clients[publisher].sent(kind));
    let sent = u64::from(sent[0] + sent[1]);
    for (from, to) in [(EU, GATEWAY_EU), (GATEWAY_EU, GATEWAY_US), (GATEWAY_US, US)] {
        let crossed = world.crossed(from, to);
        assert!(
            crossed <= sent && crossed * 10 >= sent * 9,
            "{crossed} of {sent} went from {from} to {to}"
        );
    }
    for (from, to) in [(EU, US), (EU, GATEWAY_US), (GATEWAY_EU, US), (US, EU)] {
        assert_eq!(world.crossed(from, to), 0, "from {from} to {to}");
    }
}

#[test]
fn everybody_sees_and_hears_everybody_over_lossy_hops() {
    let mut world = world(2, 0.02);
    let clients: Vec<usize> = (0..4).map(|node| world.join(node)).collect();
    world.run(Duration::from_secs(10));
    for client in &clients {
        for other in clients.iter().filter(|other| *other != client) {
            let lately = Duration::from_millis(500);
            assert!(world.sees(*client, *other, lately), "{client} sees {other}");
        }
        let heard = world.clients[*client].received.iter().rev();
        let heard = heard.take_while(|packet| packet.at > world.now - Duration::from_secs(1));
        let heard = heard.filter(|packet| packet.kind == MediaKind::Audio);
        assert!(heard.count() > 120, "{client} hears three others");
    }
}

#[test]
fn a_gateway_asks_for_nothing_that_nobody_behind_it_wants() {
    let mut world = world(3, 0.0);
    let publisher = world.join(GATEWAY_EU);
    world.clients[publisher].mute();
    let viewer = world.join(US);
    world.clients[viewer].silence();
    world.run(Duration::from_secs(3));
    assert!(world.sees(viewer, publisher, Duration::from_millis(200)));
    world.clients[viewer].show(&[]);
    world.run(Duration::from_secs(1));
    let before = world.crossed(GATEWAY_EU, GATEWAY_US);
    world.run(Duration::from_secs(2));
    assert_eq!(world.crossed(GATEWAY_EU, GATEWAY_US), before);

    world.clients[viewer].show(&[World::camera(publisher)]);
    let shown = Duration::from_millis(400);
    assert!(world.run_until(shown, |world| {
        world.sees(viewer, publisher, Duration::from_millis(1))
    }));
}
