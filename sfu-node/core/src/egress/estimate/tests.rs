//! The estimator on simulated paths: virtual time, seeded chance, one behavior a file.

mod application_limited;
mod beside_str0m;
mod cost;
mod cross_traffic;
mod falling_capacity;
mod link;
mod random_loss;
mod rising_capacity;
mod shallow_buffer;
mod silence;
mod start;
mod wire;
mod world;
