//! Limits: token buckets for whatever may happen only so often.

use serde::{Deserialize, Serialize};

use crate::table::{Table, integer, real, text};

/// How often something may happen: at once up to `burst` times, in the long run `burst` times per `window`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    pub burst: u32,
    /// Milliseconds in which an empty bucket fills up.
    pub window: u64,
}

impl Limit {
    /// Reads `burst/seconds`, e.g. `10/900`.
    pub fn parse(text: &str) -> Option<Self> {
        let (burst, seconds) = text.split_once('/')?;
        let burst = burst.trim().parse().ok().filter(|burst| *burst > 0)?;
        let seconds: u64 = seconds.trim().parse().ok().filter(|s| *s > 0)?;
        Some(Self {
            burst,
            window: seconds.checked_mul(1000)?,
        })
    }
}

/// A limit under the name that answers call it by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    pub name: String,
    pub limit: Limit,
}

impl Policy {
    /// A limit with a name: lower-case letters and dashes.
    pub fn new(name: impl Into<String>, limit: Limit) -> Self {
        let name = name.into();
        Self { name, limit }
    }

    /// The value of the header `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-11): so many in so many seconds.
    pub fn announced(&self) -> String {
        let Limit { burst, window } = self.limit;
        format!("\"{}\";q={burst};w={}", self.name, seconds(window))
    }

    /// The value of the header `RateLimit` of whoever is refused for so many milliseconds.
    pub fn spent(&self, wait: u64) -> String {
        format!("\"{}\";r=0;t={}", self.name, seconds(wait))
    }
}

/// Whole seconds to wait, at least one.
pub fn seconds(ms: u64) -> u64 {
    ms.div_ceil(1_000).max(1)
}

/// A token bucket. It starts full.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    tokens: f64,
    at: u64,
}

impl Bucket {
    /// A full bucket.
    pub fn full(limit: Limit, now: u64) -> Self {
        Self {
            tokens: f64::from(limit.burst),
            at: now,
        }
    }

    /// Whether there is a token; if not, the milliseconds until there is.
    pub fn check(&mut self, limit: Limit, now: u64) -> Result<(), u64> {
        self.check_many(1, limit, now)
    }

    fn check_many(&mut self, count: u32, limit: Limit, now: u64) -> Result<(), u64> {
        let count = f64::from(count);
        let per_ms = f64::from(limit.burst) / limit.window as f64;
        let passed = now.saturating_sub(self.at) as f64;
        self.tokens = (self.tokens + passed * per_ms).min(f64::from(limit.burst));
        self.at = self.at.max(now);
        if self.tokens >= count {
            Ok(())
        } else {
            Err(((count - self.tokens) / per_ms).ceil() as u64)
        }
    }

    /// Takes a token; if there is none, the milliseconds until there is.
    pub fn take(&mut self, limit: Limit, now: u64) -> Result<(), u64> {
        self.take_many(1, limit, now)
    }

    /// Takes so many tokens, at most a burst, or none; then, the milliseconds until there are enough.
    pub fn take_many(&mut self, count: u32, limit: Limit, now: u64) -> Result<(), u64> {
        self.check_many(count, limit, now)?;
        self.tokens -= f64::from(count);
        Ok(())
    }

    /// Gives a token back.
    pub fn give_back(&mut self, limit: Limit, now: u64) {
        let _ = self.check(limit, now);
        self.tokens = (self.tokens + 1.0).min(f64::from(limit.burst));
    }

    /// Whether forgetting this bucket would change nothing.
    pub fn is_full(&mut self, limit: Limit, now: u64) -> bool {
        let _ = self.check(limit, now);
        self.tokens >= f64::from(limit.burst)
    }
}

/// The buckets of an object.
pub const RATES: Table = Table {
    name: "rates",
    tag: "",
    since: 1,
    columns: &[
        text("name").key(),
        text("who").key(),
        real("tokens").inside("bucket"),
        integer("at").inside("bucket"),
    ],
    indexes: &[],
};

/// How a bucket is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// What it limits.
    pub name: String,
    /// Whom, where that is one of many; else empty.
    pub who: String,
    pub bucket: Bucket,
}

/// How many buckets [`Buckets`] holds.
pub const MAX_BUCKETS: usize = 20;

/// Buckets by name. Of those that are not full, the latest [`MAX_BUCKETS`] are kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Buckets(pub Vec<(String, Bucket)>);

impl Buckets {
    /// Takes a token from the bucket of this name; if there is none, the milliseconds until there is.
    pub fn take(&mut self, name: &str, limit: Limit, now: u64) -> Result<(), u64> {
        self.with(name, limit, now, |bucket| bucket.take(limit, now))
    }

    /// Gives a token back.
    pub fn give_back(&mut self, name: &str, limit: Limit, now: u64) {
        self.with(name, limit, now, |bucket| bucket.give_back(limit, now));
    }

    fn with<T>(
        &mut self,
        name: &str,
        limit: Limit,
        now: u64,
        change: impl FnOnce(&mut Bucket) -> T,
    ) -> T {
        let at = self.0.iter().position(|(known, _)| known == name);
        let mut bucket = at.map_or(Bucket::full(limit, now), |at| self.0.remove(at).1);
        let outcome = change(&mut bucket);
        self.0.insert(0, (name.to_owned(), bucket));
        self.0.retain_mut(|(_, bucket)| !bucket.is_full(limit, now));
        self.0.truncate(MAX_BUCKETS);
        outcome
    }
}

/// A bucket in memory, with its limit. It names each whom it refuses a time of their own: who comes back then finds a token,
/// however many were refused together.
#[derive(Debug, Clone, Copy)]
pub struct Turns {
    limit: Limit,
    bucket: Bucket,
    /// The latest time that was named.
    named: u64,
}

impl Turns {
    /// A full bucket.
    pub fn full(limit: Limit, now: u64) -> Self {
        Self {
            limit,
            bucket: Bucket::full(limit, now),
            named: 0,
        }
    }

    /// Takes so many tokens, at most a burst; if there are not enough, the milliseconds after which to come back, at most
    /// a window.
    pub fn take(&mut self, count: u32, now: u64) -> Result<(), u64> {
        let Limit { burst, window } = self.limit;
        let taken = self.bucket.take_many(count, self.limit, now);
        taken.map_err(|alone| {
            let turn = u64::from(count) * window / u64::from(burst);
            self.named = (now + alone).max(self.named + turn).min(now + window);
            self.named - now
        })
    }

    /// Whether forgetting this bucket would change nothing.
    pub fn is_full(&mut self, now: u64) -> bool {
        self.bucket.is_full(self.limit, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMIT: Limit = Limit {
        burst: 3,
        window: 3000,
    };

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let mut bucket = Bucket::full(LIMIT, 0);
        for _ in 0..3 {
            assert_eq!(bucket.take(LIMIT, 0), Ok(()));
        }
        assert_eq!(bucket.take(LIMIT, 0), Err(1000));
        assert_eq!(bucket.take(LIMIT, 400), Err(600));
        assert_eq!(bucket.take(LIMIT, 1000), Ok(()));
        assert!(!bucket.is_full(LIMIT, 2000));
        assert!(bucket.is_full(LIMIT, 9000));
    }

    #[test]
    fn many_are_taken_whole_or_not_at_all() {
        let mut bucket = Bucket::full(LIMIT, 0);
        assert_eq!(bucket.take_many(2, LIMIT, 0), Ok(()));
        assert_eq!(bucket.take_many(3, LIMIT, 0), Err(2000));
        assert_eq!(bucket.take_many(1, LIMIT, 0), Ok(()));
    }

    #[test]
    fn who_comes_back_when_told_is_taken() {
        let mut turns = Turns::full(LIMIT, 0);
        let waits: Vec<u64> = (0..7).filter_map(|_| turns.take(1, 0).err()).collect();
        // Three at once, then one a second, and nobody is told more than a window.
        assert_eq!(waits, [1000, 2000, 3000, 3000]);
        for wait in &waits[..3] {
            assert_eq!(turns.take(1, *wait), Ok(()), "after {wait} ms");
        }
        assert_eq!(turns.take(1, 3000), Err(1000));
    }

    #[test]
    fn a_token_given_back_was_never_taken() {
        let mut bucket = Bucket::full(LIMIT, 0);
        for _ in 0..10 {
            assert_eq!(bucket.take(LIMIT, 0), Ok(()));
            bucket.give_back(LIMIT, 0);
        }
        assert!(bucket.is_full(LIMIT, 0));
        bucket.give_back(LIMIT, 0);
        for _ in 0..3 {
            assert_eq!(bucket.take(LIMIT, 0), Ok(()));
        }
        assert!(bucket.take(LIMIT, 0).is_err());
    }

    #[test]
    fn buckets_are_apart_and_few() {
        let mut buckets = Buckets::default();
        for _ in 0..3 {
            assert_eq!(buckets.take("a", LIMIT, 0), Ok(()));
        }
        assert_eq!(buckets.take("a", LIMIT, 0), Err(1000));
        assert_eq!(buckets.take("b", LIMIT, 0), Ok(()));
        buckets.give_back("b", LIMIT, 0);
        assert_eq!(buckets.0.len(), 1, "a full bucket need not be kept");
        for other in 0..MAX_BUCKETS - 1 {
            assert_eq!(buckets.take(&other.to_string(), LIMIT, 0), Ok(()));
        }
        assert!(buckets.take("a", LIMIT, 0).is_err());
        for other in 0..MAX_BUCKETS {
            assert_eq!(buckets.take(&format!("new {other}"), LIMIT, 0), Ok(()));
        }
        assert_eq!(buckets.0.len(), MAX_BUCKETS);
        assert_eq!(buckets.take("x", LIMIT, 9000), Ok(()));
        assert_eq!(buckets.0.len(), 1, "all others are full again");
    }

    #[test]
    fn a_limit_says_what_it_is_and_when_to_come_back() {
        let policy = Policy::new("joins", Limit::parse("30/60").unwrap());
        assert_eq!(policy.announced(), r#""joins";q=30;w=60"#);
        assert_eq!(policy.spent(2_001), r#""joins";r=0;t=3"#);
        assert_eq!(policy.spent(0), r#""joins";r=0;t=1"#);
    }

    #[test]
    fn a_limit_reads_from_configuration() {
        let parsed = Limit::parse("10/900").unwrap();
        assert_eq!((parsed.burst, parsed.window), (10, 900_000));
        for bad in ["", "10", "0/5", "5/0", "-1/5", "a/b"] {
            assert_eq!(Limit::parse(bad), None, "{bad:?} passed");
        }
    }

    proptest! {
        #[test]
        fn never_more_than_burst_plus_rate(gaps in proptest::collection::vec(0u64..700, 1..200)) {
            let mut bucket = Bucket::full(LIMIT, 0);
            let mut now = 0;
            let mut passed = 0;
            for gap in gaps {
                now += gap;
                passed += u64::from(bucket.take(LIMIT, now).is_ok());
                prop_assert!(passed <= 3 + now / 1000);
            }
        }
    }
}
