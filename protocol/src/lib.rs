//! The wire types of Connect, written once: HTTP bodies, signaling, data channel, node links and cascade.
//!
//! Nothing but types and their validation lives here. The TypeScript in `web/sdk/src/generated` is made from these
//! (`typescript.rs`), and a test fails when it is stale. Unknown fields are ignored everywhere, so that releases of
//! different age understand each other; a changed meaning needs a new field or a new version number.

pub mod api;
pub mod cascade;
pub mod client;
pub mod developer;
pub mod id;
pub mod joining;
pub mod media;
pub mod node;
pub mod otlp;
pub mod query;
pub mod trace;

#[cfg(test)]
mod typescript;
