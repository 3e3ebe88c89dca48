//! The media engine of a shard: datagrams, room messages and relay traffic in; datagrams, messages and a time-out out.
//!
//! It owns no socket, no thread and no clock. The contract: hand in an [`Input`], then call [`Engine::poll_output`]
//! until it yields [`Output::Timeout`]; a batch of inputs may share one drain, and should.

mod demux;
pub mod egress;
mod engine;
pub mod io;
pub mod keyframe;
pub mod packet;
mod relay;
pub mod rewrite;
mod room;
mod router;
mod session;
pub mod speaker;
mod timers;

pub use engine::Engine;
pub use io::{Config, Drops, Input, Output, PeerId, PeerPlan, Stats};
