//! Bots over real ICE, DTLS and SRTP: load tests of a running Connect, and measurements of one media node alone.
//!
//! A [`bot`] enters a room by a [`signaling::Door`]: that of the [`edge`], as any client, or that of a [`stand_in`]
//! for it, in a [`bench`]. A [`crew`] of them is measured together and summed up in a [`report`].

pub mod accounts;
pub mod bench;
pub mod bot;
pub mod camera;
pub mod cores;
pub mod crew;
pub mod edge;
pub mod janus;
pub mod media;
pub mod node;
pub mod outcome;
pub mod peer;
pub mod plan;
pub mod playback;
pub mod proc;
pub mod publisher;
pub mod report;
pub mod scenario;
pub mod sealing;
pub mod shape;
pub mod signaling;
pub mod socket;
pub mod stand_in;
pub mod tally;
pub mod view;
