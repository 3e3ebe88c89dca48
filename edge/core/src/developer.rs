//! What an account has for developers: keys to the API, answers that are remembered, and webhooks.

pub mod idempotency;
pub mod keys;
pub mod target;
pub mod webhooks;
