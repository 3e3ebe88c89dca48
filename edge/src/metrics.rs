//! What is counted here, and the objects that keep the sums. An isolate keeps what it has counted for a moment, and tells all of
//! it at once: counting costs no request and no row, and who counts nothing tells nothing.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::time::Duration;

use edge_core::metrics::{Counts, SHARDS};
use serde_json::{Value, json};
use worker::{Delay, DurableObject, Env, Request, Response, Result, State, durable_object};

use crate::problem::Outcome;
use crate::{config, crypto, rpc};

/// How long an isolate keeps what it has counted. Less than the time after which the platform lets an object sleep that has
/// nothing to do, so that this keeps none awake, and than it leaves a Worker after its answer.
const KEPT: Duration = Duration::from_secs(3);

thread_local! {
    static COUNTED: RefCell<Counts> = RefCell::default();
    /// Somebody is about to tell.
    static PENDING: Cell<bool> = const { Cell::new(false) };
}

/// Counts one more.
pub fn count(name: &str, labels: &[(&str, &str)]) {
    count_many(name, labels, 1);
}

/// Counts so many more.
pub fn count_many(name: &str, labels: &[(&str, &str)], by: u64) {
    COUNTED.with_borrow_mut(|counted| counted.add(name, labels, by));
}

/// Takes a time into account, in milliseconds.
pub fn observe(name: &str, labels: &[(&str, &str)], ms: u64) {
    COUNTED.with_borrow_mut(|counted| counted.observe(name, labels, ms));
}

/// Tells what was counted, in a moment, unless somebody in this isolate is about to. What comes back is to go on meanwhile.
pub fn tell_soon(env: &Env) -> Option<impl Future<Output = ()> + use<>> {
    if PENDING.get() || COUNTED.with_borrow(Counts::is_empty) {
        return None;
    }
    if !config::is_counted(env) {
        COUNTED.take();
        return None;
    }
    PENDING.set(true);
    let env = env.clone();
    Some(async move {
        Delay::from(KEPT).await;
        PENDING.set(false);
        let counts = COUNTED.take();
        if tell(&env, &counts).await.is_err() {
            // It is told with what comes next.
            COUNTED.with_borrow_mut(|counted| counted.merge(&counts));
        }
    })
}

async fn tell(env: &Env, counts: &Counts) -> Outcome<()> {
    let [random, _] = crypto::random_pair()?;
    let shard = config::metrics(env, random % SHARDS)?;
    rpc::call(&shard, "tell", counts).await
}

/// A shard of the sums. They are in memory alone: whoever reads them takes it that a counter may start anew.
#[durable_object(fetch)]
pub struct MetricsObject {
    sums: RefCell<Counts>,
}

impl DurableObject for MetricsObject {
    fn new(_state: State, _env: Env) -> Self {
        Self {
            sums: RefCell::default(),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let (operation, body) = rpc::read(&mut request).await?;
        rpc::answer(self.operate(&operation, &body))
    }
}

impl MetricsObject {
    fn operate(&self, operation: &str, body: &str) -> Outcome<Value> {
        match operation {
            "tell" => {
                self.sums.borrow_mut().merge(&rpc::parse(body)?);
                Ok(Value::Null)
            }
            "sums" => Ok(json!(*self.sums.borrow())),
            _ => Err(rpc::unknown(operation)),
        }
    }
}
