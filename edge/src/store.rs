//! The SQLite of a Durable Object as a table of JSON records, each of a kind and with a name.

use std::cell::Cell;

use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::{Result, SqlStorage, SqlStorageValue, State};

/// The records. The table is made with the first of them: an object that was merely asked for leaves nothing behind.
pub struct Store {
    sql: SqlStorage,
    ready: Cell<bool>,
}

#[derive(serde::Deserialize)]
struct Row {
    value: String,
}

impl Store {
    /// The store of this object.
    pub fn new(state: &State) -> Self {
        Self {
            sql: state.storage().sql(),
            ready: Cell::new(false),
        }
    }

    /// Stores a record in place of the one with this kind and name.
    pub fn put(&self, kind: &str, name: &str, value: &impl Serialize) -> Result<()> {
        if !self.ready.get() {
            self.sql.exec(
                "CREATE TABLE IF NOT EXISTS records (kind TEXT, name TEXT, value TEXT NOT NULL, \
                 PRIMARY KEY (kind, name)) WITHOUT ROWID, STRICT",
                None,
            )?;
            self.ready.set(true);
        }
        let values = [kind, name, &serde_json::to_string(value)?].map(SqlStorageValue::from);
        self.sql.exec(
            "INSERT OR REPLACE INTO records VALUES (?, ?, ?)",
            values.to_vec(),
        )?;
        Ok(())
    }

    /// Deletes a record, if there is one.
    pub fn delete(&self, kind: &str, name: &str) -> Result<()> {
        if self.exists()? {
            let values = [kind, name].map(SqlStorageValue::from).to_vec();
            self.sql
                .exec("DELETE FROM records WHERE kind = ? AND name = ?", values)?;
        }
        Ok(())
    }

    /// A record.
    pub fn get<T: DeserializeOwned>(&self, kind: &str, name: &str) -> Result<Option<T>> {
        let rows = self.query(
            "SELECT value FROM records WHERE kind = ? AND name = ?",
            vec![kind.into(), name.into()],
        )?;
        Ok(rows.into_iter().next())
    }

    /// All records of a kind, by name.
    pub fn all<T: DeserializeOwned>(&self, kind: &str) -> Result<Vec<T>> {
        self.query(
            "SELECT value FROM records WHERE kind = ? ORDER BY name",
            vec![kind.into()],
        )
    }

    /// All records of all kinds but one, by name.
    pub fn all_but<T: DeserializeOwned>(&self, kind: &str) -> Result<Vec<T>> {
        self.query(
            "SELECT value FROM records WHERE kind <> ? ORDER BY kind, name",
            vec![kind.into()],
        )
    }

    /// The last records of a kind, by name.
    pub fn last<T: DeserializeOwned>(&self, kind: &str, count: usize) -> Result<Vec<T>> {
        let mut rows = self.query(
            "SELECT value FROM records WHERE kind = ? ORDER BY name DESC LIMIT ?",
            vec![kind.into(), SqlStorageValue::Integer(count as i64)],
        )?;
        rows.reverse();
        Ok(rows)
    }

    /// To be told when all storage of the object was deleted.
    pub fn forgotten(&self) {
        self.ready.set(false);
    }

    fn query<T: DeserializeOwned>(
        &self,
        sql: &str,
        values: Vec<SqlStorageValue>,
    ) -> Result<Vec<T>> {
        if !self.exists()? {
            return Ok(Vec::new());
        }
        let rows: Vec<Row> = self.sql.exec(sql, values)?.to_array()?;
        rows.iter()
            .map(|row| serde_json::from_str(&row.value).map_err(worker::Error::from))
            .collect()
    }

    fn exists(&self) -> Result<bool> {
        if !self.ready.get() {
            let table =
                "SELECT name AS value FROM sqlite_master WHERE type = 'table' AND name = 'records'";
            let tables: Vec<Row> = self.sql.exec(table, None)?.to_array()?;
            self.ready.set(!tables.is_empty());
        }
        Ok(self.ready.get())
    }
}
