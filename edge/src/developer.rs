//! The Developer Durable Object: what an account has for its programs. Its keys to the API, the answers to what they sent, and its
//! webhooks with all that is to be delivered.

mod deliver;
mod keys;
mod requests;
mod webhooks;

use std::cell::RefCell;

use edge_core::developer::idempotency::REQUESTS;
use edge_core::developer::keys::KEYS;
use edge_core::developer::webhooks::{Cuts, DELIVERIES, ENDPOINTS};
use edge_core::limits::{Bucket, RATES};
use edge_core::table::Schema;
use serde_json::{Value, json};
use worker::{Date, DurableObject, Env, Request, Response, Result, State, durable_object};

pub use keys::{Entering, Entry};
pub use requests::{Answered, Asked, Began};

use crate::problem::{Outcome, Refusal};
use crate::store::{Class, Store, unreadable};
use crate::{config, log, rate, rpc};

/// The rate of new rooms.
const ROOMS: &str = "rooms";

pub static CLASS: Class = Class {
    schema: &Schema {
        tables: &[&KEYS, &REQUESTS, &RATES, &ENDPOINTS, &DELIVERIES],
        scripts: &[],
    },
    former: |kind, name, _| Err(unreadable(kind, name)),
    essence: "",
    before: |_| Ok(()),
};

/// What one account has for developers.
#[durable_object(alarm)]
pub struct DeveloperObject {
    state: State,
    env: Env,
    store: Store,
    /// How many requests its keys may still send: in memory, since writing would cost more than what it holds off.
    requests: RefCell<Option<Bucket>>,
    /// When the logs of the endpoints are cut.
    cuts: RefCell<Cuts>,
}

impl DurableObject for DeveloperObject {
    fn new(state: State, env: Env) -> Self {
        Self {
            store: Store::new(&state, &CLASS),
            state,
            env,
            requests: RefCell::default(),
            cuts: RefCell::default(),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let (operation, body) = rpc::read(&mut request).await?;
        let now = Date::now().as_millis();
        rpc::answer(self.operate(&operation, &body, now).await)
    }

    /// Something is to be delivered.
    async fn alarm(&self) -> Result<Response> {
        if let Err(refusal) = self.deliver().await {
            let why = refusal.problem.detail;
            log::fault("webhooks were not delivered", json!({ "why": why }));
            // The platform rings again, later and later.
            return Err(worker::Error::RustError(why));
        }
        Response::empty()
    }
}

impl DeveloperObject {
    async fn operate(&self, operation: &str, body: &str, now: u64) -> Outcome<Value> {
        match operation {
            "keys" => self.keys(),
            "createKey" => self.create_key(rpc::parse(body)?, now),
            "revokeKey" => self.revoke_key(rpc::parse(body)?),
            "enter" => self.enter(&rpc::parse(body)?, now),
            "begin" => self.begin(rpc::parse(body)?, now),
            "finish" => self.finish(rpc::parse(body)?),
            "createRoom" => {
                let limit = config::limit(&self.env, "CONNECT_LIMIT_CREATE_USER")?;
                rate::take(&self.store, ROOMS, &limit, now)?;
                Ok(Value::Null)
            }
            "forget" => self.forget().await,
            "endpoints" => self.list_endpoints(),
            "createEndpoint" => self.create_endpoint(rpc::parse(body)?, now),
            "changeEndpoint" => self.change_endpoint(rpc::parse(body)?, now).await,
            "deleteEndpoint" => self.delete_endpoint(rpc::parse(body)?),
            "rotateSecret" => self.rotate_secret(rpc::parse(body)?, now),
            "testEndpoint" => self.test_endpoint(rpc::parse(body)?, now).await,
            "deliveries" => self.deliveries(rpc::parse(body)?),
            "happened" => self.happened(rpc::parse(body)?, now).await,
            _ => Err(rpc::unknown(operation)),
        }
    }

    /// The account is no more: none of its keys opens anything, and nothing is delivered.
    async fn forget(&self) -> Outcome<Value> {
        self.store.clear()?;
        self.state.storage().delete_alarm().await?;
        Ok(Value::Null)
    }

    /// Counts a request of the account's keys.
    fn count(&self, now: u64) -> Outcome<()> {
        let policy = config::limit(&self.env, "CONNECT_LIMIT_API_USER")?;
        let mut requests = self.requests.borrow_mut();
        let bucket = requests.get_or_insert_with(|| Bucket::full(policy.limit, now));
        let taken = bucket.take(policy.limit, now);
        taken.map_err(|wait| Refusal::too_many(&policy, wait))
    }
}
