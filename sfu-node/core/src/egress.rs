//! The sending side of a session: packets built, sealed, repaired and reported by ourselves.

#[cfg(debug_assertions)]
pub mod audit;
pub mod batch;
pub mod carrying;
pub mod counters;
pub mod delivery;
pub mod estimate;
pub mod extensions;
pub mod feedback;
pub mod kept;
pub mod overrun;
pub mod pace;
pub mod path;
pub mod repair;
pub mod report;
pub mod seal;
pub mod slot;
pub mod stream;
pub mod subscriber;
