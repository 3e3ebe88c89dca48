//! Worlds of nodes, clients and bad networks on virtual time: the engine as it ships, with WebRTC clients around it.
//!
//! Nothing here waits: the world jumps from event to event. The network is seeded, and so are SSRCs and the numbers that
//! streams begin with. What no seed reaches is DTLS (keys, and when it tries again) and in which order str0m looks at its streams:
//! with loss, runs of one seed are alike and not equal, so what is asserted about them leaves room, or is the mean of several.

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
mod without_rtx;
mod world;

pub use client::accent::{Accent, Ids};
pub use client::{Client, Received};
pub use decoder::{Decoder, Part};
pub use dialect::Dialect;
pub use encoder::Videos;
pub use hall::{Door, Hall};
pub use media::Stamp;
pub use names::participant;
pub use network::{Bottleneck, Path};
pub use without_rtx::without_rtx;
pub use world::World;
