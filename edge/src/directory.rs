//! A shard of the Directory Durable Object: which rooms exist, and how many are in them.

use protocol::api::Room;
use protocol::id::RoomId;
use serde_json::{Value, json};
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

use crate::problem::Outcome;
use crate::rpc;
use crate::store::Store;

/// One shard.
#[durable_object(fetch)]
pub struct DirectoryObject {
    store: Store,
}

impl DurableObject for DirectoryObject {
    fn new(state: State, _env: Env) -> Self {
        Self {
            store: Store::new(&state),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let (operation, body) = rpc::read(&mut request).await?;
        rpc::answer(self.operate(&operation, &body))
    }
}

impl DirectoryObject {
    fn operate(&self, operation: &str, body: &str) -> Outcome<Value> {
        match operation {
            "put" => {
                let room: Room = rpc::parse(body)?;
                self.store.put("room", room.id.as_str(), &room)?;
                Ok(Value::Null)
            }
            "remove" => {
                let id: RoomId = rpc::parse(body)?;
                self.store.delete("room", id.as_str())?;
                Ok(Value::Null)
            }
            "get" => {
                let ids: Vec<RoomId> = rpc::parse(body)?;
                let mut rooms = Vec::new();
                for id in ids {
                    rooms.extend(self.store.get_readable::<Room>("room", id.as_str())?);
                }
                Ok(json!(rooms))
            }
            _ => Err(rpc::unknown(operation)),
        }
    }
}
