//! Rates: token buckets in the store of a Durable Object, by name.

use edge_core::limits::{Bucket, Buckets, Limit, Policy};

use crate::problem::{Outcome, Refusal};
use crate::store::Store;

/// The kind of the records.
const KIND: &str = "rate";

/// Takes a token. A refusal says how long to wait for the next one.
pub fn take(store: &Store, name: &str, policy: &Policy, now: u64) -> Outcome<()> {
    let mut bucket = bucket(store, name, policy.limit, now)?;
    let taken = bucket.take(policy.limit, now);
    taken.map_err(|wait| Refusal::too_many(policy, wait))?;
    Ok(store.put(KIND, name, &bucket)?)
}

/// Gives a token back: what it was taken for does not count after all.
pub fn give_back(store: &Store, name: &str, limit: Limit, now: u64) -> Outcome<()> {
    let mut bucket = bucket(store, name, limit, now)?;
    bucket.give_back(limit, now);
    Ok(store.put(KIND, name, &bucket)?)
}

/// Takes a token from the bucket of one of many, of whom the latest are kept under one name.
pub fn take_of(store: &Store, name: &str, who: &str, policy: &Policy, now: u64) -> Outcome<()> {
    let mut buckets: Buckets = store.get_readable(KIND, name)?.unwrap_or_default();
    let taken = buckets.take(who, policy.limit, now);
    taken.map_err(|wait| Refusal::too_many(policy, wait))?;
    Ok(store.put(KIND, name, &buckets)?)
}

/// Gives a token back to one of many.
pub fn give_back_to(store: &Store, name: &str, who: &str, limit: Limit, now: u64) -> Outcome<()> {
    let mut buckets: Buckets = store.get_readable(KIND, name)?.unwrap_or_default();
    buckets.give_back(who, limit, now);
    Ok(store.put(KIND, name, &buckets)?)
}

fn bucket(store: &Store, name: &str, limit: Limit, now: u64) -> worker::Result<Bucket> {
    let stored = store.get_readable(KIND, name)?;
    Ok(stored.unwrap_or_else(|| Bucket::full(limit, now)))
}
