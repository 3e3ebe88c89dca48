//! The media engine of a shard: datagrams, room messages and relay traffic in; datagrams, messages and a time-out out.
//!
//! It owns no socket, no thread and no clock. The contract: hand in an [`Input`], then call [`Engine::poll_output`]
//! until it yields [`Output::Timeout`]; a batch of inputs may share one drain, and should.

mod active_speaker;
#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;
mod bindings;
mod budget;
mod clock;
mod demux;
mod e_model;
mod egress;
mod engine;
pub mod framing;
#[cfg(feature = "fuzz")]
#[doc(hidden)]
pub mod fuzz;
mod io;
mod key;
mod keyframe;
mod layer;
mod loss;
mod loudest;
mod packet;
mod rate;
mod reception;
mod relay;
mod rewrite;
mod room;
mod router;
mod session;
mod store;
mod stun;
mod timers;

pub use clock::NodeClock;
pub use engine::{Engine, Retelling};
pub use io::{
    Config, Drops, Estimates, Input, InvalidFingerprint, Output, PeerId, PeerPlan, SlotUse, Stats,
    Step, Transport, TransportAddress,
};
pub use relay::fragment::{Assembled, Assembly, Fragment, fragments};
pub use stun::{is_media, is_stun};
