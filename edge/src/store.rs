//! The SQLite of a Durable Object: tables that are migrated by number, records as their rows, and what former releases kept
//! otherwise. A write that fails ends the object, whose memory would be ahead of what is stored.

use std::cell;

use edge_core::table::{Cell, Key, Schema, Table};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use worker::js_sys::{Function, Reflect, global};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::worker_sys::DurableObjectState;
use worker::{Error, Result, SqlCursor, SqlStorage, SqlStorageValue, State};

use crate::log;

/// What is left of a record of the first releases that moved into a table: they are to take it for unreadable, not for absent.
const MOVED: &str = "\"moved to a table\"";

/// A row, and its table.
pub type Row = (&'static Table, Vec<Cell>);

/// What an object of a class stores.
pub struct Class {
    pub schema: &'static Schema,
    /// What the first releases had of this kind, name and value, as rows of today; none if it cannot be read.
    pub former: fn(kind: &str, name: &str, value: &str) -> Result<Vec<Row>>,
    /// The kind of theirs without which there is no object.
    pub essence: &'static str,
    /// Takes over what goes another way, before the rest.
    pub before: fn(&Store) -> Result<()>,
}

/// What an object has stored. The tables are made with the first row: an object that was merely asked for leaves nothing behind.
pub struct Store {
    state: State,
    sql: SqlStorage,
    class: &'static Class,
    ready: cell::Cell<bool>,
    touched: cell::Cell<usize>,
}

/// A record of the first releases, which kept all kinds in one table.
#[derive(Deserialize)]
struct Former {
    kind: String,
    name: String,
    value: String,
}

/// What all records of an object are read into.
pub struct Everything<T> {
    pub records: Vec<T>,
    /// Table and key of those that cannot be read.
    pub unreadable: Vec<(String, String)>,
}

impl Store {
    /// The store of this object.
    pub fn new(state: &State, class: &'static Class) -> Self {
        Self {
            sql: state.storage().sql(),
            state: another(state),
            class,
            ready: cell::Cell::new(false),
            touched: cell::Cell::new(0),
        }
    }

    /// Stores a record in place of the one with its key.
    pub fn put(&self, table: &'static Table, record: &impl Serialize) -> Result<()> {
        let row = row(table, record).inspect_err(|error| reset(&self.state, error))?;
        self.put_row(row)
    }

    fn put_row(&self, (table, cells): Row) -> Result<()> {
        self.prepare()?;
        self.write(&table.put(), values(cells))
    }

    /// Deletes a record, if there is one.
    pub fn delete(&self, key: Key) -> Result<()> {
        match self.exists()? {
            true => {
                let Key { table, cells } = key;
                let delete = format!("DELETE FROM \"{}\" {}", table.name, table.with_key());
                self.write(&delete, values(cells))
            }
            false => Ok(()),
        }
    }

    /// A record. That it cannot be read is an error: it is not the same as that there is none.
    pub fn get<T: DeserializeOwned>(&self, key: Key) -> Result<Option<T>> {
        let Key { table, cells } = key;
        let mut found = self.find(table, &table.with_key(), values(cells))?;
        found.pop().transpose()
    }

    /// A record that may as well be lost: one that cannot be read counts as none.
    pub fn get_readable<T: DeserializeOwned>(&self, key: Key) -> Result<Option<T>> {
        let Key { table, cells } = key;
        let found = self.find(table, &table.with_key(), values(cells))?;
        Ok(found.into_iter().find_map(Result::ok))
    }

    /// All records of a table that can be read, by key.
    pub fn all<T: DeserializeOwned>(&self, table: &'static Table) -> Result<Vec<T>> {
        self.some(table, &table.in_order(), Vec::new())
    }

    /// Records of a table that can be read: those that this part of a query finds.
    pub fn some<T: DeserializeOwned>(
        &self,
        table: &'static Table,
        rest: &str,
        values: Vec<SqlStorageValue>,
    ) -> Result<Vec<T>> {
        let found = self.find(table, rest, values)?;
        Ok(found.into_iter().filter_map(Result::ok).collect())
    }

    /// All records of all tables, by table and key.
    pub fn everything<T: DeserializeOwned>(&self) -> Result<Everything<T>> {
        let (mut records, mut unreadable) = (Vec::new(), Vec::new());
        if !self.exists()? {
            return Ok(Everything {
                records,
                unreadable,
            });
        }
        for table in self.class.schema.tables {
            for cells in self.cells(&table.find(&table.in_order()), Vec::new())? {
                match read(table, &cells) {
                    Ok(record) => records.push(record),
                    Err(_) => {
                        unreadable.push((table.name.to_owned(), table.key_of(&cells).name()));
                    }
                }
            }
        }
        for Former { kind, name, .. } in self.former()? {
            let table = self.class.schema.tables.iter();
            let mut table = table.filter(|table| table.tag.eq_ignore_ascii_case(&kind));
            let table = table.next().map_or(kind, |table| table.name.to_owned());
            unreadable.push((table, name));
        }
        Ok(Everything {
            records,
            unreadable,
        })
    }

    /// Forgets everything, also what a later release stored.
    pub fn clear(&self) -> Result<()> {
        #[derive(Deserialize)]
        struct Found {
            name: String,
        }
        self.ready.set(false);
        let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\' \
                      AND name NOT LIKE 'sqlite%'";
        for Found { name } in self.rows(tables, Vec::new())? {
            self.write(&format!("DROP TABLE \"{name}\""), Vec::new())?;
        }
        Ok(())
    }

    /// To be told when all storage of the object was deleted.
    pub fn forgotten(&self) {
        self.ready.set(false);
    }

    /// Changes what is stored, in tables that exist.
    pub fn write(&self, sql: &str, values: Vec<SqlStorageValue>) -> Result<()> {
        match self.sql.exec(sql, values) {
            Ok(cursor) => {
                self.touch(&cursor);
                Ok(())
            }
            Err(error) => {
                reset(&self.state, &error);
                Err(error)
            }
        }
    }

    /// The rows that a query finds in tables that exist.
    pub fn rows<T: DeserializeOwned>(
        &self,
        sql: &str,
        values: Vec<SqlStorageValue>,
    ) -> Result<Vec<T>> {
        let cursor = self.sql.exec(sql, values)?;
        let rows = cursor.to_array();
        self.touch(&cursor);
        rows
    }

    /// How many rows were read and written so far.
    pub fn touched(&self) -> usize {
        self.touched.get()
    }

    fn touch(&self, cursor: &SqlCursor) {
        let rows = cursor.rows_read() + cursor.rows_written();
        self.touched.set(self.touched.get() + rows);
    }

    /// Whether anything was stored. If it was by a former release, it is as this one wants it from now on.
    pub fn exists(&self) -> Result<bool> {
        self.open(false)
            .inspect_err(|error| reset(&self.state, error))
    }

    /// Sees to it that there are tables to write to.
    pub fn prepare(&self) -> Result<()> {
        self.open(true)
            .inspect_err(|error| reset(&self.state, error))
            .map(|_| ())
    }

    /// Brings the tables to this release's number. All of it happens in one turn: if something fails, nothing has.
    fn open(&self, to_write: bool) -> Result<bool> {
        #[derive(Deserialize)]
        struct Latest {
            latest: u32,
        }
        if self.ready.get() {
            return Ok(true);
        }
        let (migrated, former) = (self.has("migrations")?, self.has("records")?);
        if !migrated && !former && !to_write {
            return Ok(false);
        }
        if !migrated {
            let create =
                "CREATE TABLE migrations (number INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT";
            self.write(create, Vec::new())?;
        }
        let latest = "SELECT coalesce(max(number), 0) AS latest FROM migrations";
        let latest = self.rows::<Latest>(latest, Vec::new())?;
        let latest = latest.first().map_or(0, |row| row.latest);
        for number in latest + 1..=self.class.schema.latest() {
            self.write(&self.class.schema.migration(number), Vec::new())?;
            let done = format!("INSERT INTO migrations VALUES ({number}, unixepoch())");
            self.write(&done, Vec::new())?;
        }
        self.ready.set(true);
        if former {
            self.take_over().inspect_err(|_| self.ready.set(false))?;
        }
        if !migrated && !self.class.essence.is_empty() {
            self.warn_former()?;
        }
        Ok(true)
    }

    /// Lets the first releases know that there is something, should one of them be back: for what they know nothing of, they
    /// would make another.
    fn warn_former(&self) -> Result<()> {
        let create = "CREATE TABLE IF NOT EXISTS records (kind TEXT, name TEXT, value TEXT NOT NULL, \
                      PRIMARY KEY (kind, name)) WITHOUT ROWID, STRICT";
        self.write(create, Vec::new())?;
        let there = "INSERT OR IGNORE INTO records VALUES (?, '', ?)";
        self.write(there, vec![self.class.essence.into(), MOVED.into()])
    }

    /// Takes over what the first releases kept as JSON, in one table for all kinds; what cannot be read stays where it is. It may
    /// be there again, when one of them was back for a while.
    fn take_over(&self) -> Result<()> {
        (self.class.before)(self)?;
        for Former { kind, name, value } in self.former()? {
            let Ok(rows) = (self.class.former)(&kind, &name, &value) else {
                unreadable(&kind, &name);
                continue;
            };
            for row in rows {
                self.put_row(row)?;
            }
            let gone = match kind == self.class.essence {
                true => format!("UPDATE records SET value = '{MOVED}'"),
                false => "DELETE FROM records".to_owned(),
            };
            let names = vec![kind.into(), name.into()];
            self.write(&format!("{gone} WHERE kind = ? AND name = ?"), names)?;
        }
        Ok(())
    }

    fn former(&self) -> Result<Vec<Former>> {
        if !self.has("records")? {
            return Ok(Vec::new());
        }
        let left = "SELECT kind, name, value FROM records WHERE value <> ?";
        self.rows(left, vec![MOVED.into()])
    }

    fn has(&self, table: &str) -> Result<bool> {
        #[derive(Deserialize)]
        struct Found {}
        let found: Vec<Found> = self.rows(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?",
            vec![table.into()],
        )?;
        Ok(!found.is_empty())
    }

    fn find<T: DeserializeOwned>(
        &self,
        table: &'static Table,
        rest: &str,
        values: Vec<SqlStorageValue>,
    ) -> Result<Vec<Result<T>>> {
        if !self.exists()? {
            return Ok(Vec::new());
        }
        let rows = self.cells(&table.find(rest), values)?;
        Ok(rows.iter().map(|row| read(table, row)).collect())
    }

    fn cells(&self, sql: &str, values: Vec<SqlStorageValue>) -> Result<Vec<Vec<Cell>>> {
        let cursor = self.sql.exec(sql, values)?;
        let rows = cursor
            .raw()
            .map(|row| Ok(row?.into_iter().map(cell).collect()))
            .collect();
        self.touch(&cursor);
        rows
    }
}

/// The row of a record.
pub fn row(table: &'static Table, record: &impl Serialize) -> Result<Row> {
    let row = table.row(record);
    row.map(|cells| (table, cells))
        .map_err(|unfit| Error::RustError(unfit.to_string()))
}

/// The record of a row. The log says what cannot be read, and nothing of what stands in it.
fn read<T: DeserializeOwned>(table: &'static Table, row: &[Cell]) -> Result<T> {
    table
        .record(row)
        .map_err(|_| unreadable(table.name, &table.key_of(row).name()))
}

/// What a column of JSON holds, if it can be read.
pub fn parse<T: DeserializeOwned>(table: &str, number: u64, value: &str) -> Option<T> {
    let value = serde_json::from_str(value);
    value
        .map_err(|_| unreadable(table, &number.to_string()))
        .ok()
}

/// Tells the log of a record that cannot be read: of another release or broken, it is left as it is.
pub fn unreadable(kind: &str, name: &str) -> Error {
    log::fault(
        "a record cannot be read",
        json!({ "kind": kind, "name": name }),
    );
    Error::RustError(format!("the record {kind} {name} cannot be read"))
}

fn values(cells: Vec<Cell>) -> Vec<SqlStorageValue> {
    let value = |cell| match cell {
        Cell::Null => SqlStorageValue::Null,
        Cell::Integer(number) => SqlStorageValue::Integer(number),
        Cell::Real(number) => SqlStorageValue::Float(number),
        Cell::Text(text) => SqlStorageValue::String(text),
    };
    cells.into_iter().map(value).collect()
}

/// What SQLite has in a column, of which none of ours is a blob.
fn cell(value: SqlStorageValue) -> Cell {
    match value {
        SqlStorageValue::Null | SqlStorageValue::Blob(_) => Cell::Null,
        SqlStorageValue::Boolean(is) => Cell::Integer(is.into()),
        SqlStorageValue::Integer(number) => Cell::Integer(number),
        SqlStorageValue::Float(number) => Cell::Real(number),
        SqlStorageValue::String(text) => Cell::Text(text),
    }
}

/// The same state once more.
fn another(state: &State) -> State {
    let raw: &JsValue = state.as_raw().as_ref();
    State::from(raw.clone().unchecked_into::<DurableObjectState>())
}

/// Ends this object, because something could not be stored or read: nothing that was written in this turn is kept, and whatever it is
/// asked next, it answers from what is.
pub fn reset(state: &State, error: &Error) {
    log::fault(
        "not stored or not read, so the object starts anew",
        json!({ "why": error.to_string() }),
    );
    if abort_soon(state).is_err() {
        log::fault("the object cannot be ended", json!({}));
    }
}

/// Lets the runtime end the object as soon as our code returns, which would be cut off in the middle otherwise, and before
/// anything is committed. workers-rs has no binding for `abort`.
fn abort_soon(state: &State) -> std::result::Result<(), JsValue> {
    let raw: &JsValue = state.as_raw().as_ref();
    let abort: Function = Reflect::get(raw, &"abort".into())?.dyn_into()?;
    let soon: Function = Reflect::get(&global(), &"queueMicrotask".into())?.dyn_into()?;
    soon.call1(&JsValue::NULL, &abort.bind0(raw))?;
    Ok(())
}

#[cfg(test)]
mod tests;
