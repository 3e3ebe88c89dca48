//! A shard of the Directory Durable Object: which rooms exist, how many are in them, and which of them everybody finds.

use std::cell::Cell;

use edge_core::directory::{Entry, Place, Search, sorted_by, words};
use protocol::api::{ListedRoom, Room};
use protocol::id::RoomId;
use serde::Deserialize;
use serde_json::{Value, json};
use worker::{
    DurableObject, Env, Request, Response, Result, SqlStorageValue, State, durable_object,
};

use crate::problem::Outcome;
use crate::rpc;
use crate::store::Store;

/// The rooms, those that are listed in the order of their names (`sorted` is empty for the others), and by which words these
/// are found. What a change of a count costs depends on nothing else that is stored.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS rooms (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        owner TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        people INTEGER NOT NULL,
        listed INTEGER NOT NULL,
        locked INTEGER NOT NULL,
        password INTEGER NOT NULL,
        sorted TEXT NOT NULL
    ) WITHOUT ROWID, STRICT;
    CREATE INDEX IF NOT EXISTS listed_rooms ON rooms (sorted, id) WHERE listed = 1;
    CREATE INDEX IF NOT EXISTS live_rooms ON rooms (sorted, id) WHERE listed = 1 AND people > 0;
    CREATE TABLE IF NOT EXISTS words (word TEXT NOT NULL, room TEXT NOT NULL, PRIMARY KEY (word, room))
        WITHOUT ROWID, STRICT;
    CREATE INDEX IF NOT EXISTS words_of_rooms ON words (room)";

/// Former releases kept the rooms among the records, and listed none. What cannot be read is told anew by its room.
const FORMER: &str = "
    INSERT OR IGNORE INTO rooms
    SELECT name, json_extract(value, '$.name'), json_extract(value, '$.owner'), json_extract(value, '$.createdAt'),
           json_extract(value, '$.people'), 0, 0, 0, ''
    FROM records WHERE kind = 'room' AND CASE WHEN json_valid(value) THEN
        json_type(value, '$.name') = 'text' AND json_type(value, '$.owner') = 'text'
        AND json_type(value, '$.createdAt') = 'integer' AND json_type(value, '$.people') = 'integer' ELSE 0 END;
    DELETE FROM records WHERE kind = 'room'";

const PUT: &str = "
    INSERT INTO rooms VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
        name = excluded.name, owner = excluded.owner, people = excluded.people, listed = excluded.listed,
        locked = excluded.locked, password = excluded.password, sorted = excluded.sorted";

/// One shard.
#[durable_object(fetch)]
pub struct DirectoryObject {
    store: Store,
    ready: Cell<bool>,
}

#[derive(Deserialize)]
struct Row {
    id: RoomId,
    name: String,
    owner: protocol::id::UserId,
    created_at: u64,
    people: u32,
    locked: u8,
    password: u8,
}

impl From<Row> for Room {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            name: row.name,
            owner: row.owner,
            created_at: row.created_at,
            people: row.people,
        }
    }
}

impl From<Row> for ListedRoom {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            name: row.name,
            people: row.people,
            locked: row.locked != 0,
            password: row.password != 0,
        }
    }
}

impl DurableObject for DirectoryObject {
    fn new(state: State, _env: Env) -> Self {
        Self {
            store: Store::new(&state),
            ready: Cell::new(false),
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
                self.put(&rpc::parse(body)?)?;
                Ok(Value::Null)
            }
            "remove" => {
                self.remove(&rpc::parse(body)?)?;
                Ok(Value::Null)
            }
            "get" => Ok(json!(self.get(rpc::parse(body)?)?)),
            "search" => Ok(json!(self.search(&rpc::parse(body)?)?)),
            _ => Err(rpc::unknown(operation)),
        }
    }

    fn put(&self, entry: &Entry) -> Result<()> {
        if !self.exists()? {
            self.create()?;
        }
        let Room {
            id,
            name,
            owner,
            created_at,
            people,
        } = &entry.room;
        let sorted = if entry.listed {
            sorted_by(name)
        } else {
            String::new()
        };
        let before: Vec<Sorted> = self.store.rows(
            "SELECT sorted FROM rooms WHERE id = ?",
            vec![id.as_str().into()],
        )?;
        let values = vec![
            id.as_str().into(),
            name.as_str().into(),
            owner.as_str().into(),
            SqlStorageValue::Integer(*created_at as i64),
            SqlStorageValue::Integer((*people).into()),
            SqlStorageValue::Integer(entry.listed.into()),
            SqlStorageValue::Integer(entry.locked.into()),
            SqlStorageValue::Integer(entry.password.into()),
            sorted.as_str().into(),
        ];
        self.store.write(PUT, values)?;
        if before.first().map_or("", |row| &row.sorted) != sorted {
            self.forget_words(id)?;
            if entry.listed {
                self.add_words(id, name)?;
            }
        }
        Ok(())
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
        if !self.exists()? {
            return Ok(());
        }
        self.forget_words(id)?;
        self.store
            .write("DELETE FROM rooms WHERE id = ?", vec![id.as_str().into()])
    }

    fn get(&self, ids: Vec<RoomId>) -> Result<Vec<Room>> {
        if !self.exists()? {
            return Ok(Vec::new());
        }
        let mut rooms = Vec::new();
        for id in ids {
            let found: Vec<Row> = self
                .store
                .rows("SELECT * FROM rooms WHERE id = ?", vec![id.as_str().into()])?;
            rooms.extend(found.into_iter().map(Room::from));
        }
        Ok(rooms)
    }

    /// Listed rooms, by name. Each word narrows what is found.
    fn search(&self, search: &Search) -> Result<Vec<ListedRoom>> {
        if !self.exists()? {
            return Ok(Vec::new());
        }
        let mut sql = String::from("SELECT * FROM rooms WHERE listed = 1");
        let mut values: Vec<SqlStorageValue> = Vec::new();
        if search.live {
            sql.push_str(" AND people > 0");
        }
        if let Some(Place { name, id }) = &search.after {
            sql.push_str(" AND (sorted, id) > (?, ?)");
            values.extend([name.as_str().into(), id.as_str().into()]);
        }
        for word in &search.words {
            sql.push_str(" AND id IN (SELECT room FROM words WHERE word >= ? AND word < ?)");
            values.extend([word.as_str().into(), format!("{word}{}", char::MAX).into()]);
        }
        sql.push_str(" ORDER BY sorted, id LIMIT ?");
        values.push(SqlStorageValue::Integer(search.asked_for().into()));
        let rows: Vec<Row> = self.store.rows(&sql, values)?;
        Ok(rows.into_iter().map(ListedRoom::from).collect())
    }

    fn exists(&self) -> Result<bool> {
        if !self.ready.get() {
            self.ready.set(self.store.has_table("rooms")?);
            if !self.ready.get() && self.store.exists()? {
                self.create()?;
                self.store.write(FORMER, Vec::new())?;
            }
        }
        Ok(self.ready.get())
    }

    fn create(&self) -> Result<()> {
        self.store.write(TABLES, Vec::new())?;
        self.ready.set(true);
        Ok(())
    }
}

#[derive(Deserialize)]
struct Sorted {
    sorted: String,
}
