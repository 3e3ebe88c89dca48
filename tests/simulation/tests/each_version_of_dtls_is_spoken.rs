//! A client gets the newest version of DTLS that its hello offers, and with each there are keys: for media, and for the reports by
//! which it asks for what it misses.

use std::time::Duration;

use protocol::media::MediaKind;
use simulation::{Path, World};
use str0m::crypto::dtls::{DtlsVersion, ProtocolVersion};

/// What the clients offer, and what they get.
const OFFERED: [(DtlsVersion, ProtocolVersion); 4] = [
    (DtlsVersion::Dtls13, ProtocolVersion::DTLS1_3),
    (DtlsVersion::Dtls12, ProtocolVersion::DTLS1_2),
    (DtlsVersion::Auto, ProtocolVersion::DTLS1_3),
    (DtlsVersion::Dtls13, ProtocolVersion::DTLS1_3),
];

#[test]
fn all_hear_and_see_each_other() {
    let mut world = World::new(77, 2, Path::clean(15), Path::clean(5));
    for (client, (version, _)) in OFFERED.into_iter().enumerate() {
        world.dtls = version;
        world.join(client % 2);
        let others = (0..OFFERED.len()).filter(|other| *other != client);
        world.clients[client].show(&others.map(World::camera).collect::<Vec<_>>());
    }
    world.run(Duration::from_secs(4));
    for (client, (version, spoken)) in OFFERED.into_iter().enumerate() {
        let spoken_here = world.clients[client].speaks_dtls();
        assert_eq!(spoken_here, Some(spoken), "who offers {version}");
        for other in (0..OFFERED.len()).filter(|other| *other != client) {
            for kind in [MediaKind::Audio, MediaKind::Video] {
                let mut received = world.clients[client].received.iter();
                let comes = received
                    .any(|packet| packet.kind == kind && packet.stamp.client == other as u8);
                assert!(comes, "{client} receives {kind:?} of {other}");
            }
        }
    }
}

#[test]
fn each_gets_again_what_it_misses() {
    for (version, spoken) in OFFERED {
        let access = Path::clean(15);
        let mut world = World::new(78, 1, access, Path::clean(5));
        world.join(0);
        world.dtls = version;
        world.join(0);
        world.clients[1].show(&[World::camera(0)]);
        world.run(Duration::from_secs(4));
        world.access_of.insert(1, access.lossy(0.03));
        world.run(Duration::from_secs(10));
        world.access_of.insert(1, access);
        world.run(Duration::from_secs(2));
        let again = world.stats(0).retransmissions;
        assert!(again > 20, "{spoken:?}: {again} were sent again");
    }
}
