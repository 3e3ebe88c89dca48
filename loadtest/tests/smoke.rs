//! Three bots and a real node: what one sends, the others receive.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use loadtest::bench::Bench;
use loadtest::report::Report;
use loadtest::shape::{SHAPES, Shape};

/// The node's program, built beside this test (when all tests are built, it is there already).
fn node() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(|deps| deps.parent()).unwrap();
    let program = profile.join("sfu-node");
    if !program.exists() {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--package", "sfu-node", "--target-dir"])
            .arg(profile.parent().unwrap())
            .status()
            .unwrap();
        assert!(built.success(), "the node does not build");
    }
    program
}

async fn measure(shape: &Shape) -> Report {
    let bench = Bench {
        shape,
        ip: Ipv4Addr::LOCALHOST.into(),
        measured: Duration::from_secs(1),
    };
    let report = bench.run(&node(), std::future::pending(), |_| {}).await;
    report.unwrap()
}

#[tokio::test]
async fn three_bots_receive_each_other_through_a_node() {
    let shape = Shape {
        name: "smoke",
        publishers: 3,
        viewers: 0,
        ..SHAPES[0]
    };
    let slots = loadtest::plan::Slots { audio: 2, video: 2 };
    let shape = Shape { slots, ..shape };
    let report = measure(&shape).await;
    assert!(report.all_joined(), "{report}");
    assert_eq!(
        (report.cameras_wanted, report.cameras_seen),
        (6, 6),
        "{report}"
    );
    // Six streams of each kind, for a second; how many packets exactly depends on the machine.
    assert!(report.video.counts.received > 6 * 32, "{report}");
    assert!(report.audio.counts.received > 6 * 25, "{report}");
    assert!(report.nodes[0].packets_out > 0, "{report}");
}
