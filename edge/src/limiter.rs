//! The Limiter Durable Object: how often one thing is done, from one address or to one room.

use edge_core::limits::Limit;
use protocol::id::RoomId;
use serde_json::Value;
use worker::{Date, DurableObject, Env, Request, Response, Result, State, Stub, durable_object};

use crate::problem::Outcome;
use crate::store::Store;
use crate::{config, http, rate, rpc};

/// What is limited by address: the name of the variable that says how often.
#[derive(Clone, Copy)]
pub enum Deed {
    /// A failed sign-in.
    SignIn,
    Register,
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
            Deed::SignIn => "CONNECT_LIMIT_ADDRESS",
            Deed::Register => "CONNECT_LIMIT_REGISTER",
            Deed::CreateRoom => "CONNECT_LIMIT_CREATE_ADDRESS",
            Deed::Join => "CONNECT_LIMIT_JOIN_ADDRESS",
            Deed::Search => "CONNECT_LIMIT_SEARCH_ADDRESS",
            Deed::RoomPassword => "CONNECT_LIMIT_ROOM_PASSWORD_ADDRESS",
        }
    }
}

/// The limiter of one deed from one address, as the Worker sees it.
pub struct Limiter {
    object: Stub,
    limit: Limit,
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

    fn named(env: &Env, variable: &str, who: &str) -> Result<Self> {
        Ok(Self {
            object: config::limiter(env, &format!("{variable} {who}"))?,
            limit: config::limit(env, variable)?,
        })
    }

    /// Takes a token, or refuses.
    pub async fn take(&self) -> Outcome<()> {
        rpc::call(&self.object, "take", &self.limit).await
    }

    /// Gives a token back: what it was taken for does not count.
    pub async fn give_back(&self) -> Outcome<()> {
        rpc::call(&self.object, "giveBack", &self.limit).await
    }
}

/// Holds the bucket until it is full again.
#[durable_object(alarm)]
pub struct LimiterObject {
    state: State,
    store: Store,
}

impl DurableObject for LimiterObject {
    fn new(state: State, _env: Env) -> Self {
        Self {
            store: Store::new(&state),
            state,
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let (operation, body) = rpc::read(&mut request).await?;
        let now = Date::now().as_millis();
        rpc::answer(self.operate(&operation, &body, now).await)
    }

    /// By now the bucket is full again: it need not be kept.
    async fn alarm(&self) -> Result<Response> {
        self.store.forgotten();
        self.state.storage().delete_all().await?;
        Response::empty()
    }
}

impl LimiterObject {
    async fn operate(&self, operation: &str, body: &str, now: u64) -> Outcome<Value> {
        let limit: Limit = rpc::parse(body)?;
        match operation {
            "take" => {
                rate::take(&self.store, "", limit, now)?;
                self.state.storage().set_alarm(limit.window as i64).await?;
            }
            "giveBack" => rate::give_back(&self.store, "", limit, now)?,
            _ => return Err(rpc::unknown(operation)),
        }
        Ok(Value::Null)
    }
}
