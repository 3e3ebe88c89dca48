//! Worlds of nodes, clients and bad networks on virtual time: the engine as it ships, with WebRTC clients around it.
//!
//! Nothing here waits: the world jumps from event to event. The network is seeded, so a failure repeats (the keys of
//! DTLS are random, but nothing depends on their value).

mod client;
mod decoder;
mod dialect;
mod encoder;
mod h264;
mod hall;
mod layout;
mod media;
mod names;
mod narrow;
mod network;
mod node;
mod sessions;
mod wire;
mod world;

pub use client::{Client, Received};
pub use decoder::{Decoder, Part};
pub use dialect::Dialect;
pub use encoder::Videos;
pub use hall::{Door, Hall};
pub use media::Stamp;
pub use names::participant;
pub use network::{Bottleneck, Path};
pub use world::World;
