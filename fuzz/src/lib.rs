//! One function for each thing that comes from outside: it takes any bytes, and must not panic, hang or grow.
//!
//! The fuzzer calls them from `fuzz_targets`, the tests with each file of `corpus`.

mod edge;
mod node;

pub use edge::{client, node_to_edge};
use sfu_core::framing;

pub use node::{bindings, cascade, channel, edge_to_node, estimator, rtcp, rtp, sdp, stun};

/// A target's name, which is that of its folder in the corpus, and what it calls.
pub type Target = (&'static str, fn(&[u8]));

/// All that is fuzzed.
pub const TARGETS: [Target; 12] = [
    ("rtp", rtp),
    ("rtcp", rtcp),
    ("estimator", estimator),
    ("stun", stun),
    ("bindings", bindings),
    ("sdp", sdp),
    ("framing", framing),
    ("cascade", cascade),
    ("channel", channel),
    ("client", client),
    ("edge_to_node", edge_to_node),
    ("node_to_edge", node_to_edge),
];

/// A stream of TCP in pieces, whose frames are written again as they were read (RFC 4571).
pub fn framing(data: &[u8]) {
    let mut frames = framing::Frames::default();
    for mut piece in sfu_core::fuzz::pieces(data) {
        while !piece.is_empty() {
            let space = frames.space();
            assert!(!space.is_empty(), "what is whole was taken out");
            let taken = piece.len().min(space.len());
            space[..taken].copy_from_slice(&piece[..taken]);
            frames.filled(taken);
            piece = &piece[taken..];
            loop {
                match frames.next_datagram() {
                    Ok(Some(datagram)) => {
                        assert!((1..=framing::MAX_DATAGRAM).contains(&datagram.len()));
                        let mut out = Vec::new();
                        assert!(framing::write(&mut out, datagram));
                        assert_eq!(out[2..], *datagram);
                    }
                    Ok(None) => break,
                    Err(_) => return,
                }
            }
        }
    }
}

/// The lines of an input that are JSON of this type.
fn messages<'a, T: serde::de::DeserializeOwned>(data: &'a [u8]) -> impl Iterator<Item = T> + 'a {
    let lines = data.split(|byte| *byte == b'\n');
    lines.filter_map(|line| serde_json::from_slice(line).ok())
}
