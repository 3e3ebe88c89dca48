//! How often something is done from one address, or to one room. What is counted to the last is counted by a Durable Object;
//! requests of any kind, by the platform's own limiter where there is one.

use std::cell::{Cell, RefCell};

use edge_core::limits::{Bucket, Policy, RATES, Rate};
use edge_core::table::Schema;
use protocol::id::RoomId;
use serde_json::Value;
use worker::js_sys::Reflect;
use worker::wasm_bindgen::JsCast;
use worker::{
    Date, DurableObject, Env, RateLimiter, Request, Response, Result, State, Stub, durable_object,
};

use crate::problem::{Outcome, Refusal};
use crate::store::{Class, Store};
use crate::{config, http, rate, rpc};

/// What is limited by address: the name of the variable that says how often.
#[derive(Clone, Copy)]
pub enum Deed {
    /// Any request at all.
    Request,
    /// A failed sign-in.
    SignIn,
    Register,
    /// A mail that is asked for.
    Mail,
    CreateRoom,
    Join,
    /// A look into the directory.
    Search,
    /// A wrong password of a room.
    RoomPassword,
}

impl Deed {
    fn variable(self) -> &'static str {
        match self {
            Deed::Request => "CONNECT_LIMIT_REQUESTS",
            Deed::SignIn => "CONNECT_LIMIT_ADDRESS",
            Deed::Register => "CONNECT_LIMIT_REGISTER",
            Deed::Mail => "CONNECT_LIMIT_MAIL_ADDRESS",
            Deed::CreateRoom => "CONNECT_LIMIT_CREATE_ADDRESS",
            Deed::Join => "CONNECT_LIMIT_JOIN_ADDRESS",
            Deed::Search => "CONNECT_LIMIT_SEARCH_ADDRESS",
            Deed::RoomPassword => "CONNECT_LIMIT_ROOM_PASSWORD_ADDRESS",
        }
    }
}

/// Counts a request, before anything is done for it. Who only floods is held off here, and costs the objects of others nothing.
pub async fn admit(request: &Request, env: &Env) -> Outcome<()> {
    let Some(platform) = platform(env) else {
        let limiter = Limiter::of(request, env, Deed::Request)?;
        return limiter.call("pass").await;
    };
    if platform.limit(http::address(request)?).await?.success {
        return Ok(());
    }
    let policy = config::limit(env, Deed::Request.variable())?;
    // It does not say when: at the latest when its window is over.
    let wait = policy.limit.window;
    Err(Refusal::too_many(&policy, wait))
}

/// The platform's limiter. A plain workerd has none, and neither have accounts that did not bind one.
fn platform(env: &Env) -> Option<RateLimiter> {
    let bound = Reflect::get(env, &"REQUESTS".into()).ok()?;
    bound.is_object().then(|| bound.unchecked_into())
}

/// The limiter of one deed from one address, as the Worker sees it.
pub struct Limiter {
    object: Stub,
    /// What is limited: the name of the variable that says how often.
    variable: &'static str,
    policy: Policy,
}

impl Limiter {
    /// The limiter for whoever sends the request.
    pub fn of(request: &Request, env: &Env, deed: Deed) -> Result<Self> {
        Self::named(env, deed.variable(), &http::address(request)?)
    }

    /// The limiter of wrong passwords for a room, whoever tries them.
    pub fn of_room(env: &Env, room: &RoomId) -> Result<Self> {
        Self::named(env, "CONNECT_LIMIT_ROOM_PASSWORD", room.as_str())
    }

    /// One object counts all that is limited of somebody: each has a file of its own, and a new file costs a plain workerd more than all
    /// else that is done for a request.
    fn named(env: &Env, variable: &'static str, who: &str) -> Result<Self> {
        Ok(Self {
            object: config::limiter(env, who)?,
            variable,
            policy: config::limit(env, variable)?,
        })
    }

    /// Takes a token, or refuses.
    pub async fn take(&self) -> Outcome<()> {
        self.call("take").await
    }

    /// Gives a token back: what it was taken for does not count.
    pub async fn give_back(&self) -> Outcome<()> {
        self.call("giveBack").await
    }

    async fn call(&self, operation: &str) -> Outcome<()> {
        rpc::call(&self.object, operation, &(self.variable, &self.policy)).await
    }
}

pub(crate) static CLASS: Class = Class {
    schema: &Schema {
        tables: &[&RATES],
        scripts: &[],
    },
    former: |_, name, value| rate::former(name, value),
    essence: "",
    before: |_| Ok(()),
};

/// Holds the buckets of one address, or of one room, until they are full again.
#[durable_object(alarm)]
pub struct LimiterObject {
    state: State,
    env: Env,
    store: Store,
    /// When it is to look whether they are. It is not set anew for each token, as each time is written.
    alarm: Cell<u64>,
    /// Of requests of any kind: in memory only, since writing would cost more than what it holds off.
    requests: RefCell<Option<Bucket>>,
}

impl DurableObject for LimiterObject {
    fn new(state: State, env: Env) -> Self {
        Self {
            store: Store::new(&state, &CLASS),
            state,
            env,
            alarm: Cell::new(0),
            requests: RefCell::default(),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let (operation, body) = rpc::read(&mut request).await?;
        let now = Date::now().as_millis();
        rpc::answer(self.operate(&operation, &body, now).await)
    }

    /// Buckets that are full again need not be kept.
    async fn alarm(&self) -> Result<Response> {
        let now = Date::now().as_millis();
        self.alarm.set(0);
        let rates: Vec<Rate> = self.store.all(&RATES)?;
        // What has no limit any more is full.
        let limits = rates.into_iter().filter_map(|mut rate| {
            let Policy { limit, .. } = config::limit(&self.env, &rate.name).ok()?;
            (!rate.bucket.is_full(limit, now)).then_some(limit.window)
        });
        match limits.max() {
            Some(window) => self.look_after(window, now).await?,
            None => {
                self.store.forgotten();
                self.state.storage().delete_all().await?;
            }
        }
        Response::empty()
    }
}

impl LimiterObject {
    async fn operate(&self, operation: &str, body: &str, now: u64) -> Outcome<Value> {
        let (variable, policy): (String, Policy) = rpc::parse(body)?;
        match operation {
            "pass" => self.pass(&policy, now)?,
            "take" => {
                rate::take(&self.store, &variable, &policy, now)?;
                self.look_after(policy.limit.window, now).await?;
            }
            "giveBack" => rate::give_back(&self.store, &variable, policy.limit, now)?,
            _ => return Err(rpc::unknown(operation)),
        }
        Ok(Value::Null)
    }

    /// Looks after so many milliseconds, or before.
    async fn look_after(&self, wait: u64, now: u64) -> Result<()> {
        if self.alarm.get() > now {
            return Ok(());
        }
        self.alarm.set(now + wait);
        self.state.storage().set_alarm(wait as i64).await
    }

    fn pass(&self, policy: &Policy, now: u64) -> Outcome<()> {
        let mut requests = self.requests.borrow_mut();
        let bucket = requests.get_or_insert_with(|| Bucket::full(policy.limit, now));
        let taken = bucket.take(policy.limit, now);
        taken.map_err(|wait| Refusal::too_many(policy, wait))
    }
}
