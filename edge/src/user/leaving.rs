//! The end of an account: what is stored of it goes at once, and the rooms that it was in are told until they know.

use edge_core::account::{GENERATIONS, Generations};
use edge_core::directory::SHARDS;
use edge_core::mail::pause;
use edge_core::session::Bearer;
use edge_core::table::{Table, integer, text};
use protocol::api::Room;
use protocol::id::{RoomId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use worker::{Result, console_error};

use super::UserObject;
use crate::problem::{Outcome, Refusal};
use crate::{config, crypto, rpc};

/// How many rooms are told at once.
const AT_ONCE: usize = 20;
/// How often a room is told that does not answer: for more than a day.
const MAX_ATTEMPTS: u32 = 30;

/// Rooms that have still to know.
pub(super) const LEAVING: Table = Table {
    name: "leaving",
    tag: "",
    since: 2,
    columns: &[
        text("room").key(),
        text("user").key(),
        text("stand_in"),
        integer("due"),
        integer("attempts"),
    ],
    indexes: &[],
};

/// A room that has still to know that an account is no more.
#[derive(Serialize, Deserialize)]
struct Leaving {
    room: RoomId,
    user: UserId,
    /// Whose what is left of it there is from now on: nobody's, and never anybody's.
    stand_in: UserId,
    due: u64,
    attempts: u32,
}

/// That an account is to be deleted.
#[derive(Serialize, Deserialize)]
pub struct Deletion {
    pub bearer: Bearer,
    /// Prepared ([`edge_core::password`]).
    pub password: String,
}

impl UserObject {
    pub(super) async fn is_deleted(&self, deletion: Deletion, now: u64) -> Outcome<Value> {
        let Deletion { bearer, password } = deletion;
        let user = self.confirm(&bearer, &password, now).await?.user.id;
        let mut rooms: Vec<RoomId> = self.rooms_of(&user).await?;
        // Before the account goes: if this fails, it is there to be deleted again.
        let () = rpc::call(&config::developer(&self.env, &user)?, "forget", &()).await?;
        // The session, or the account, may have been ended meanwhile.
        self.of_bearer(&bearer)?;
        rooms.extend(self.visits()?.into_iter().map(|visit| visit.room));
        let stand_in = crypto::hex(&crypto::random::<16>()?);
        let stand_in: UserId = stand_in.parse().map_err(|_| Refusal::internal())?;
        let Generations { deleted } = self.generations()?;
        self.store.clear()?;
        self.forget_password();
        let deleted = deleted + 1;
        self.store.put(&GENERATIONS, &Generations { deleted })?;
        for room in rooms {
            let leaving = Leaving {
                room,
                user: user.clone(),
                stand_in: stand_in.clone(),
                due: now,
                attempts: 0,
            };
            self.store.put(&LEAVING, &leaving)?;
        }
        self.wake_when_due(now).await?;
        Ok(Value::Null)
    }

    /// The rooms that are its own, from all of the directory.
    async fn rooms_of(&self, user: &UserId) -> Outcome<Vec<RoomId>> {
        let mut rooms = Vec::new();
        for shard in 0..SHARDS {
            let object = config::shard(&self.env, shard)?;
            let owned: Vec<Room> = rpc::call(&object, "owned", user).await?;
            rooms.extend(owned.into_iter().map(|room| room.id));
        }
        Ok(rooms)
    }

    /// Tells rooms.
    pub(super) async fn leave_rooms(&self, now: u64) -> Result<()> {
        let mut due: Vec<Leaving> = self.store.all(&LEAVING)?;
        due.retain(|leaving| leaving.due <= now);
        for mut leaving in due.into_iter().take(AT_ONCE) {
            let key = LEAVING.key([leaving.room.as_str().into(), leaving.user.as_str().into()]);
            let room = config::room(&self.env, &leaving.room, None)?;
            let gone = (&leaving.user, &leaving.stand_in);
            let told: Outcome<()> = rpc::call(&room, "accountGone", &gone).await;
            leaving.attempts += 1;
            leaving.due = now + pause(leaving.attempts);
            let Err(refusal) = told else {
                self.store.delete(key)?;
                continue;
            };
            console_error!(
                "{}",
                json!({ "fault": "a room was not told that an account is gone", "room": leaving.room, "why": refusal.kind() })
            );
            if leaving.attempts < MAX_ATTEMPTS {
                self.store.put(&LEAVING, &leaving)?;
            } else {
                self.store.delete(key)?;
            }
        }
        Ok(())
    }

    /// When the next room is to be told.
    pub(super) fn next_leaving(&self) -> Result<Option<u64>> {
        let leaving: Vec<Leaving> = self.store.all(&LEAVING)?;
        Ok(leaving.into_iter().map(|leaving| leaving.due).min())
    }
}
