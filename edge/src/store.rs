//! The SQLite of a Durable Object as a table of JSON records, each of a kind and with a name; and what other tables beside
//! it have in common: a write that fails ends the object, whose memory would be ahead of what is stored.

use std::cell::Cell;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use worker::js_sys::{Function, Reflect, global};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::worker_sys::DurableObjectState;
use worker::{Error, Result, SqlCursor, SqlStorage, SqlStorageValue, State, console_error};

/// The records. The table is made with the first of them: an object that was merely asked for leaves nothing behind.
pub struct Store {
    state: State,
    sql: SqlStorage,
    ready: Cell<bool>,
    touched: Cell<usize>,
}

#[derive(Deserialize)]
struct Row {
    kind: String,
    name: String,
    value: String,
}

impl Row {
    /// The record. One that cannot be read, of another release or broken, is left as it is, and the log says which.
    fn read<T: DeserializeOwned>(&self) -> Result<T> {
        read(&self.kind, &self.name, &self.value)
    }
}

/// What all records of an object are read into.
pub struct Everything<T> {
    pub records: Vec<T>,
    /// Kind and name of those that cannot be read.
    pub unreadable: Vec<(String, String)>,
}

impl Store {
    /// The store of this object.
    pub fn new(state: &State) -> Self {
        Self {
            sql: state.storage().sql(),
            state: another(state),
            ready: Cell::new(false),
            touched: Cell::new(0),
        }
    }

    /// Stores a record in place of the one with this kind and name.
    pub fn put(&self, kind: &str, name: &str, value: &impl Serialize) -> Result<()> {
        if !self.ready.get() {
            self.write(
                "CREATE TABLE IF NOT EXISTS records (kind TEXT, name TEXT, value TEXT NOT NULL, \
                 PRIMARY KEY (kind, name)) WITHOUT ROWID, STRICT",
                Vec::new(),
            )?;
            self.ready.set(true);
        }
        let values = [kind, name, &serde_json::to_string(value)?].map(SqlStorageValue::from);
        self.write(
            "INSERT OR REPLACE INTO records VALUES (?, ?, ?)",
            values.to_vec(),
        )
    }

    /// Deletes a record, if there is one.
    pub fn delete(&self, kind: &str, name: &str) -> Result<()> {
        if self.exists()? {
            let values = [kind, name].map(SqlStorageValue::from).to_vec();
            self.write("DELETE FROM records WHERE kind = ? AND name = ?", values)?;
        }
        Ok(())
    }

    /// A record. That it cannot be read is an error: it is not the same as that there is none.
    pub fn get<T: DeserializeOwned>(&self, kind: &str, name: &str) -> Result<Option<T>> {
        let rows = self.records(
            "WHERE kind = ? AND name = ?",
            vec![kind.into(), name.into()],
        )?;
        rows.first().map(Row::read).transpose()
    }

    /// A record that may as well be lost: one that cannot be read counts as none.
    pub fn get_readable<T: DeserializeOwned>(&self, kind: &str, name: &str) -> Result<Option<T>> {
        let rows = self.records(
            "WHERE kind = ? AND name = ?",
            vec![kind.into(), name.into()],
        )?;
        Ok(rows.first().and_then(|row| row.read().ok()))
    }

    /// All records of a kind that can be read, by name.
    pub fn all<T: DeserializeOwned>(&self, kind: &str) -> Result<Vec<T>> {
        let rows = self.records("WHERE kind = ? ORDER BY name", vec![kind.into()])?;
        Ok(rows.iter().filter_map(|row| row.read().ok()).collect())
    }

    /// All records of all kinds, by kind and name.
    pub fn everything<T: DeserializeOwned>(&self) -> Result<Everything<T>> {
        let (mut records, mut unreadable) = (Vec::new(), Vec::new());
        for row in self.records("ORDER BY kind, name", Vec::new())? {
            match row.read() {
                Ok(record) => records.push(record),
                Err(_) => unreadable.push((row.kind, row.name)),
            }
        }
        Ok(Everything {
            records,
            unreadable,
        })
    }

    /// Forgets all records.
    pub fn clear(&self) -> Result<()> {
        self.ready.set(false);
        self.write("DROP TABLE IF EXISTS records", Vec::new())
    }

    /// To be told when all storage of the object was deleted.
    pub fn forgotten(&self) {
        self.ready.set(false);
    }

    /// Changes what is stored.
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

    /// The rows that a query finds.
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

    /// Whether there is a table of this name.
    pub fn has_table(&self, name: &str) -> Result<bool> {
        #[derive(Deserialize)]
        struct Table {}
        let tables: Vec<Table> = self.rows(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?",
            vec![name.into()],
        )?;
        Ok(!tables.is_empty())
    }

    /// Whether there are records at all.
    pub fn exists(&self) -> Result<bool> {
        if !self.ready.get() {
            self.ready.set(self.has_table("records")?);
        }
        Ok(self.ready.get())
    }

    fn records(&self, which: &str, values: Vec<SqlStorageValue>) -> Result<Vec<Row>> {
        if !self.exists()? {
            return Ok(Vec::new());
        }
        self.rows(
            &format!("SELECT kind, name, value FROM records {which}"),
            values,
        )
    }
}

/// The same state once more.
fn another(state: &State) -> State {
    let raw: &JsValue = state.as_raw().as_ref();
    State::from(raw.clone().unchecked_into::<DurableObjectState>())
}

/// Reads what is stored under this kind and name. The log says what cannot be read, and nothing of what stands in it.
pub fn read<T: DeserializeOwned>(kind: &str, name: &str, value: &str) -> Result<T> {
    serde_json::from_str(value).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        console_error!(
            "{}",
            json!({ "fault": "a record cannot be read", "kind": kind, "name": name, "line": line, "column": column })
        );
        Error::RustError(format!("the record {kind} {name} cannot be read"))
    })
}

/// Ends this object, because something could not be stored or read: nothing that was written in this turn is kept, and whatever it is
/// asked next, it answers from what is.
pub fn reset(state: &State, error: &Error) {
    console_error!(
        "{}",
        json!({ "fault": "not stored or not read, so the object starts anew", "why": error.to_string() })
    );
    if abort_soon(state).is_err() {
        console_error!("{}", json!({ "fault": "the object cannot be ended" }));
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
