//! The Limiter Durable Object: failed sign-ins from one address.

use edge_core::limits::Bucket;
use serde_json::Value;
use worker::{Date, DurableObject, Env, Request, Response, Result, State, durable_object};

use crate::problem::Refusal;
use crate::store::Store;
use crate::{config, rpc};

#[durable_object(alarm)]
pub struct LimiterObject {
    state: State,
    env: Env,
    store: Store,
}

impl DurableObject for LimiterObject {
    fn new(state: State, env: Env) -> Self {
        Self {
            store: Store::new(&state),
            state,
            env,
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let (operation, _) = rpc::read(&mut request).await?;
        rpc::answer(self.operate(&operation, Date::now().as_millis()).await)
    }

    /// By now the bucket is full again: it need not be kept.
    async fn alarm(&self) -> Result<Response> {
        self.store.forgotten();
        self.state.storage().delete_all().await?;
        Response::empty()
    }
}

impl LimiterObject {
    async fn operate(&self, operation: &str, now: u64) -> std::result::Result<Value, Refusal> {
        let limit = config::limit(&self.env, "CONNECT_LIMIT_ADDRESS")?;
        let stored: Option<Bucket> = self.store.get("failures", "")?;
        let mut failures = stored.unwrap_or_else(|| Bucket::full(limit, now));
        match operation {
            "check" => failures.check(limit, now).map_err(Refusal::too_many)?,
            "fail" => {
                // An empty bucket stays empty: sign-ins that ran side by side are each told what they are.
                let _ = failures.take(limit, now);
                self.store.put("failures", "", &failures)?;
                self.state.storage().set_alarm(limit.window as i64).await?;
            }
            _ => return Err(rpc::unknown(operation)),
        }
        Ok(Value::Null)
    }
}
