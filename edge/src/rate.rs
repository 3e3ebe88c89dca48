//! Rates: token buckets in the store of a Durable Object, by name.

use edge_core::limits::{Bucket, Buckets, Limit, Policy, RATES, Rate};
use edge_core::table::Key;

use crate::problem::{Outcome, Refusal};
use crate::store::{Row, Store, row};

/// Takes a token. A refusal says how long to wait for the next one.
pub fn take(store: &Store, name: &str, policy: &Policy, now: u64) -> Outcome<()> {
    let mut bucket = bucket(store, name, policy.limit, now)?;
    let taken = bucket.take(policy.limit, now);
    taken.map_err(|wait| Refusal::too_many(policy, wait))?;
    put(store, name, "", bucket)
}

/// Gives a token back: what it was taken for does not count after all.
pub fn give_back(store: &Store, name: &str, limit: Limit, now: u64) -> Outcome<()> {
    let mut bucket = bucket(store, name, limit, now)?;
    bucket.give_back(limit, now);
    put(store, name, "", bucket)
}

/// Takes a token from the bucket of one of many, of whom the latest are kept under one name.
pub fn take_of(store: &Store, name: &str, who: &str, policy: &Policy, now: u64) -> Outcome<()> {
    let known = buckets(store, name)?;
    let mut buckets = known.clone();
    let taken = buckets.take(who, policy.limit, now);
    taken.map_err(|wait| Refusal::too_many(policy, wait))?;
    change(store, name, &known, buckets)
}

/// Gives a token back to one of many.
pub fn give_back_to(store: &Store, name: &str, who: &str, limit: Limit, now: u64) -> Outcome<()> {
    let known = buckets(store, name)?;
    let mut buckets = known.clone();
    buckets.give_back(who, limit, now);
    change(store, name, &known, buckets)
}

/// Forgets what was counted.
pub fn forget(store: &Store, name: &str) -> Outcome<()> {
    Ok(store.delete(key(name, ""))?)
}

/// The rows of what the first releases kept under a name.
pub fn former(name: &str, value: &str) -> worker::Result<Vec<Row>> {
    let one = serde_json::from_str(value).map(|bucket| vec![(String::new(), bucket)]);
    let buckets = one.or_else(|_| serde_json::from_str(value).map(|Buckets(many)| many))?;
    let rates = buckets.into_iter().map(|(who, bucket)| Rate {
        name: name.to_owned(),
        who,
        bucket,
    });
    rates.map(|rate| row(&RATES, &rate)).collect()
}

fn bucket(store: &Store, name: &str, limit: Limit, now: u64) -> worker::Result<Bucket> {
    let stored: Option<Rate> = store.get_readable(key(name, ""))?;
    Ok(stored.map_or_else(|| Bucket::full(limit, now), |rate| rate.bucket))
}

/// The buckets of many, the latest first.
fn buckets(store: &Store, name: &str) -> worker::Result<Buckets> {
    let rates: Vec<Rate> =
        store.some(&RATES, "WHERE name = ? ORDER BY at DESC", vec![name.into()])?;
    let buckets = rates.into_iter().map(|rate| (rate.who, rate.bucket));
    Ok(Buckets(buckets.collect()))
}

fn change(store: &Store, name: &str, known: &Buckets, now: Buckets) -> Outcome<()> {
    for (who, _) in &known.0 {
        if !now.0.iter().any(|(kept, _)| kept == who) {
            store.delete(key(name, who))?;
        }
    }
    for (who, bucket) in now.0 {
        if !known.0.contains(&(who.clone(), bucket)) {
            put(store, name, &who, bucket)?;
        }
    }
    Ok(())
}

fn put(store: &Store, name: &str, who: &str, bucket: Bucket) -> Outcome<()> {
    let (name, who) = (name.to_owned(), who.to_owned());
    Ok(store.put(&RATES, &Rate { name, who, bucket })?)
}

fn key(name: &str, who: &str) -> Key {
    RATES.key([name.into(), who.into()])
}
