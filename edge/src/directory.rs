//! A shard of the Directory Durable Object: which rooms exist, how many are in them, and which of them everybody finds.

use std::cell::Cell;

use edge_core::directory::{Cursor, Entry, Search, sorted_by, words};
use edge_core::table::{Key, Schema, Table, flag, integer, text};
use protocol::api::{ListedRoom, Room};
use protocol::id::{RoomId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use worker::{
    Date, DurableObject, Env, Request, Response, Result, SqlStorageValue, State, durable_object,
};

use crate::problem::Outcome;
use crate::rpc;
use crate::store::{Class, Store, row};

/// The rooms, those that are listed in the order of their names (`sorted` is empty for the others). What a change of a count
/// costs depends on nothing else that is stored.
const ROOMS: Table = Table {
    name: "rooms",
    tag: "",
    since: 1,
    columns: &[
        text("id").inside("room").key(),
        text("name").inside("room"),
        text("owner").inside("room"),
        integer("created_at").inside("room").field("createdAt"),
        integer("people").inside("room"),
        flag("listed"),
        flag("locked"),
        flag("password"),
        text("sorted"),
    ],
    indexes: &[
        (1, "(sorted, id) WHERE listed = 1"),
        (1, "(sorted, id) WHERE listed = 1 AND people > 0"),
        (2, "(owner, id)"),
    ],
};

/// By which words listed rooms are found.
const WORDS: &str = "
    CREATE TABLE IF NOT EXISTS words (word TEXT NOT NULL, room TEXT NOT NULL, PRIMARY KEY (word, room))
        WITHOUT ROWID, STRICT;
    CREATE INDEX IF NOT EXISTS words_of_rooms ON words (room);
";

/// How long a count of the living is good, in milliseconds.
const COUNTED_EACH: u64 = 60_000;

pub(crate) static CLASS: Class = Class {
    schema: &Schema {
        tables: &[&ROOMS],
        scripts: &[(1, WORDS)],
    },
    former: |_, _, value| {
        let room = serde_json::from_str::<Room>(value)?;
        Ok(vec![row(&ROOMS, &Stored::unlisted(room))?])
    },
    essence: "",
    before: |_| Ok(()),
};

/// A room as it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    room: Room,
    listed: bool,
    locked: bool,
    password: bool,
    sorted: String,
}

impl Stored {
    /// A room of the first releases, which listed none.
    fn unlisted(room: Room) -> Self {
        Self {
            room,
            listed: false,
            locked: false,
            password: false,
            sorted: String::new(),
        }
    }
}

impl From<Entry> for Stored {
    fn from(entry: Entry) -> Self {
        let sorted = match entry.listed {
            true => sorted_by(&entry.room.name),
            false => String::new(),
        };
        Self {
            room: entry.room,
            listed: entry.listed,
            locked: entry.locked,
            password: entry.password,
            sorted,
        }
    }
}

impl From<Stored> for ListedRoom {
    fn from(stored: Stored) -> Self {
        Self {
            id: stored.room.id,
            name: stored.room.name,
            people: stored.room.people,
            locked: stored.locked,
            password: stored.password,
        }
    }
}

/// One shard.
#[durable_object(fetch)]
pub struct DirectoryObject {
    store: Store,
    /// How many rooms have somebody in them and how many people there are, and when that was counted.
    living: Cell<Option<(u64, [u64; 2])>>,
}

impl DurableObject for DirectoryObject {
    fn new(state: State, _env: Env) -> Self {
        Self {
            store: Store::new(&state, &CLASS),
            living: Cell::default(),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let (operation, body) = rpc::read(&mut request).await?;
        let before = self.store.touched();
        let response = rpc::answer(self.operate(&operation, &body))?;
        // For whoever measures what an operation costs.
        let rows = self.store.touched() - before;
        response.headers().set("x-rows", &rows.to_string())?;
        Ok(response)
    }
}

impl DirectoryObject {
    fn operate(&self, operation: &str, body: &str) -> Outcome<Value> {
        match operation {
            "put" => {
                self.put(rpc::parse::<Entry>(body)?.into())?;
                Ok(Value::Null)
            }
            "remove" => {
                self.remove(&rpc::parse(body)?)?;
                Ok(Value::Null)
            }
            "get" => Ok(json!(self.get(rpc::parse(body)?)?)),
            "living" => Ok(json!(self.living(Date::now().as_millis())?)),
            "owned" => Ok(json!(self.owned(&rpc::parse(body)?)?)),
            "ownedAfter" => Ok(json!(self.owned_after(rpc::parse(body)?)?)),
            "search" => Ok(json!(self.search(&rpc::parse(body)?)?)),
            _ => Err(rpc::unknown(operation)),
        }
    }

    fn put(&self, now: Stored) -> Result<()> {
        let Room { id, name, .. } = &now.room;
        let before: Option<Stored> = self.store.get_readable(key(id))?;
        self.store.put(&ROOMS, &now)?;
        if before.map_or(String::new(), |before| before.sorted) != now.sorted {
            self.forget_words(id)?;
            if now.listed {
                self.add_words(id, name)?;
            }
        }
        Ok(())
    }

    /// How many rooms have somebody in them, and how many people there are: for those who run it, who may ask often. Each
    /// room is a row that is read.
    fn living(&self, now: u64) -> Result<[u64; 2]> {
        if let Some((at, living)) = self.living.get()
            && now < at + COUNTED_EACH
        {
            return Ok(living);
        }
        if !self.store.exists()? {
            return Ok([0, 0]);
        }
        #[derive(Deserialize)]
        struct Living {
            rooms: u64,
            people: u64,
        }
        let sql = "SELECT count(*) AS rooms, ifnull(sum(people), 0) AS people FROM rooms WHERE people > 0";
        let counted: Vec<Living> = self.store.rows(sql, Vec::new())?;
        let living = counted.first().map_or([0, 0], |it| [it.rooms, it.people]);
        self.living.set(Some((now, living)));
        Ok(living)
    }

    fn add_words(&self, id: &RoomId, name: &str) -> Result<()> {
        for word in words(name) {
            let values = vec![word.into(), id.as_str().into()];
            self.store
                .write("INSERT OR IGNORE INTO words VALUES (?, ?)", values)?;
        }
        Ok(())
    }

    fn forget_words(&self, id: &RoomId) -> Result<()> {
        let values = vec![id.as_str().into()];
        self.store.write("DELETE FROM words WHERE room = ?", values)
    }

    fn remove(&self, id: &RoomId) -> Result<()> {
        if self.store.exists()? {
            self.forget_words(id)?;
            self.store.delete(key(id))?;
        }
        Ok(())
    }

    fn get(&self, ids: Vec<RoomId>) -> Result<Vec<Room>> {
        let mut rooms = Vec::new();
        for id in ids {
            let found: Option<Stored> = self.store.get_readable(key(&id))?;
            rooms.extend(found.map(|stored| stored.room));
        }
        Ok(rooms)
    }

    /// The rooms of an account.
    fn owned(&self, owner: &UserId) -> Result<Vec<Room>> {
        let which = "WHERE owner = ? ORDER BY id";
        let rows: Vec<Stored> = self
            .store
            .some(&ROOMS, which, vec![owner.as_str().into()])?;
        Ok(rows.into_iter().map(|stored| stored.room).collect())
    }

    /// Rooms of an account, by id: so many after this one.
    fn owned_after(
        &self,
        (owner, after, limit): (UserId, Option<RoomId>, u32),
    ) -> Result<Vec<Room>> {
        let after = after.as_ref().map_or("", RoomId::as_str);
        let values = vec![
            owner.as_str().into(),
            after.into(),
            SqlStorageValue::Integer(limit.into()),
        ];
        let which = "WHERE owner = ? AND id > ? ORDER BY id LIMIT ?";
        let rows: Vec<Stored> = self.store.some(&ROOMS, which, values)?;
        Ok(rows.into_iter().map(|stored| stored.room).collect())
    }

    /// Listed rooms, by name. Each word narrows what is found.
    fn search(&self, search: &Search) -> Result<Vec<ListedRoom>> {
        let mut sql = String::from("WHERE listed = 1");
        let mut values: Vec<SqlStorageValue> = Vec::new();
        if search.live {
            sql.push_str(" AND people > 0");
        }
        if let Some(Cursor { name, id }) = &search.after {
            sql.push_str(" AND (sorted, id) > (?, ?)");
            values.extend([name.as_str().into(), id.as_str().into()]);
        }
        for word in &search.words {
            sql.push_str(" AND id IN (SELECT room FROM words WHERE word >= ? AND word < ?)");
            values.extend([word.as_str().into(), format!("{word}{}", char::MAX).into()]);
        }
        sql.push_str(" ORDER BY sorted, id LIMIT ?");
        values.push(SqlStorageValue::Integer(search.asked_for().into()));
        let rows: Vec<Stored> = self.store.some(&ROOMS, &sql, values)?;
        Ok(rows.into_iter().map(ListedRoom::from).collect())
    }
}

fn key(id: &RoomId) -> Key {
    ROOMS.key([id.as_str().into()])
}
