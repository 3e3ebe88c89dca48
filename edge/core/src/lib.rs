//! The rules of the control plane: pure, (now, event) in, effects out.
//!
//! Nothing here reads a clock, draws a random number, hashes or talks to anything: the Worker (`edge/src`) hands all of
//! that in and carries the effects out. Times are Unix milliseconds.

pub mod account;
pub mod assign;
pub mod breakouts;
pub mod browser;
pub mod caller;
pub mod chat;
pub mod conduct;
pub mod developer;
pub mod device;
pub mod directory;
pub mod email;
pub mod joining;
pub mod json;
pub mod limits;
pub mod mail;
pub mod metrics;
pub mod name;
pub mod nonce;
pub mod notes;
pub mod oidc;
pub mod order;
pub mod password;
pub mod poll;
pub mod problem;
pub mod refusal;
pub mod room;
pub mod room_id;
pub mod roster;
pub mod routes;
pub mod secret;
pub mod session;
pub mod table;
pub mod token;
pub mod visits;

#[cfg(test)]
mod tests;
