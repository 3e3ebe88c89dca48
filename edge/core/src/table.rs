//! Tables: in which columns a kind of record is stored, since which migration, and how a record becomes a row and a row a
//! record. `docs/decisions/0030-typed-tables.md` says why it is so.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

/// The largest whole number that passes through JavaScript unchanged.
const MAX_INTEGER: i64 = (1 << 53) - 1;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Text,
    Integer,
    Real,
    /// Whether something is so: 0 or 1.
    Flag,
    /// What is never looked for by what is in it: JSON.
    Json,
}

/// A column. It has the name of the record's field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    name: &'static str,
    of: Type,
    /// The field's name in the record, where that is another.
    field: &'static str,
    /// The field of the record in which the field is; empty if it is in the record itself.
    inside: &'static str,
    is_key: bool,
    is_optional: bool,
    /// The migration that added it to its table, and what it has in the rows that were there; 0 if it came with the table.
    since: u32,
    default: &'static str,
}

const fn column(name: &'static str, of: Type) -> Column {
    Column {
        name,
        of,
        field: name,
        inside: "",
        is_key: false,
        is_optional: false,
        since: 0,
        default: "",
    }
}

pub const fn text(name: &'static str) -> Column {
    column(name, Type::Text)
}

pub const fn integer(name: &'static str) -> Column {
    column(name, Type::Integer)
}

pub const fn real(name: &'static str) -> Column {
    column(name, Type::Real)
}

pub const fn flag(name: &'static str) -> Column {
    column(name, Type::Flag)
}

pub const fn json(name: &'static str) -> Column {
    column(name, Type::Json)
}

impl Column {
    /// It names the record.
    pub const fn key(self) -> Self {
        Self {
            is_key: true,
            ..self
        }
    }

    /// It may be absent from the record, and is NULL then.
    pub const fn optional(self) -> Self {
        Self {
            is_optional: true,
            ..self
        }
    }

    /// The record calls it so.
    pub const fn field(self, field: &'static str) -> Self {
        Self { field, ..self }
    }

    /// It is in this field of the record. Such columns stand beside each other.
    pub const fn inside(self, inside: &'static str) -> Self {
        Self { inside, ..self }
    }

    /// It came later than its table. Rows that were there have this, in SQL.
    pub const fn since(self, migration: u32, default: &'static str) -> Self {
        Self {
            since: migration,
            default,
            ..self
        }
    }

    /// How it is declared.
    fn declared(&self, sql: &mut String) {
        let of = match self.of {
            Type::Text | Type::Json => "TEXT",
            Type::Integer | Type::Flag => "INTEGER",
            Type::Real => "REAL",
        };
        let _ = write!(sql, "\"{}\" {of}", self.name);
        if !self.is_optional {
            sql.push_str(" NOT NULL");
        }
        if self.since > 0 {
            let _ = write!(sql, " DEFAULT {}", self.default);
        }
    }

    /// What it holds of a value.
    fn cell(&self, value: &RawValue) -> Option<Cell> {
        let value = value.get();
        match self.of {
            _ if value == "null" => self.is_optional.then_some(Cell::Null),
            Type::Json => Some(Cell::Text(value.to_owned())),
            Type::Text => serde_json::from_str(value).ok().map(Cell::Text),
            Type::Real => serde_json::from_str(value).ok().map(Cell::Real),
            Type::Flag => value.parse().ok().map(|is: bool| Cell::Integer(is.into())),
            Type::Integer => {
                let number = value.parse().ok()?;
                (-MAX_INTEGER..=MAX_INTEGER)
                    .contains(&number)
                    .then_some(Cell::Integer(number))
            }
        }
    }

    /// The value that it held.
    fn value<'a>(&self, cell: &'a Cell) -> Option<Cow<'a, str>> {
        match (self.of, cell) {
            (_, Cell::Null) => None,
            (Type::Json, Cell::Text(text)) => Some(text.into()),
            (_, Cell::Text(text)) => serde_json::to_string(text).ok().map(Cow::from),
            (Type::Flag, Cell::Integer(is)) => Some(if *is == 0 { "false" } else { "true" }.into()),
            (_, Cell::Integer(number)) => Some(number.to_string().into()),
            (_, Cell::Real(number)) => serde_json::to_string(number).ok().map(Cow::from),
        }
    }
}

/// What is in a column of a row.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
pub enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.to_owned())
    }
}

impl From<u32> for Cell {
    fn from(number: u32) -> Self {
        Cell::Integer(number.into())
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Cell::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// A record that does not fit into its table: a fault of ours.
#[derive(Debug, Error)]
pub enum Unfit {
    #[error("the record is no JSON object: {0}")]
    NoObject(#[from] serde_json::Error),
    #[error("{table}.{column} does not take what the record has")]
    Value {
        table: &'static str,
        column: &'static str,
    },
    #[error("{table} has no column for {field}")]
    NoColumn { table: &'static str, field: String },
}

/// The table of a kind of record.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    pub name: &'static str,
    /// The variant of the enum that the record is in; empty where it is in none.
    pub tag: &'static str,
    /// The migration that made it.
    pub since: u32,
    /// Those of the key in the key's order. A table without a key has one row at most.
    pub columns: &'static [Column],
    /// By what is looked besides by its key, as `CREATE INDEX` takes it, and the migration that made the index.
    pub indexes: &'static [(u32, &'static str)],
}

/// Names a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    pub table: &'static Table,
    pub cells: Vec<Cell>,
}

impl Key {
    /// How it is called in words: by its cells.
    pub fn name(&self) -> String {
        let cells = self.cells.iter().map(|cell| match cell {
            Cell::Null | Cell::Real(_) => String::new(),
            Cell::Integer(number) => number.to_string(),
            Cell::Text(text) => text.clone(),
        });
        cells.collect::<Vec<_>>().join(" ")
    }
}

type Fields<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

fn fields(json: &str) -> serde_json::Result<Fields<'_>> {
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Object<'a>(#[serde(borrow)] Fields<'a>);
    serde_json::from_str(json).map(|Object(fields)| fields)
}

impl Table {
    /// A key into this table.
    pub fn key(&'static self, cells: impl Into<Vec<Cell>>) -> Key {
        Key {
            table: self,
            cells: cells.into(),
        }
    }

    /// The row of a record.
    pub fn row(&self, record: &impl Serialize) -> Result<Vec<Cell>, Unfit> {
        self.cells(&serde_json::to_string(record)?)
    }

    /// The record of a row. One of another release, with a value that is unknown here, is an error.
    pub fn record<T: DeserializeOwned>(&self, row: &[Cell]) -> serde_json::Result<T> {
        serde_json::from_str(&self.json(row))
    }

    fn cells(&self, json: &str) -> Result<Vec<Cell>, Unfit> {
        let mut own = fields(json)?;
        if let Some(record) = own.remove(self.tag) {
            own = fields(record.get())?;
        }
        let mut groups: BTreeMap<&str, Fields<'_>> = BTreeMap::new();
        for column in self.columns {
            if let Some(group) = own.remove(column.inside) {
                groups.insert(column.inside, fields(group.get())?);
            }
        }
        groups.insert("", own);
        let mut cells = Vec::with_capacity(self.columns.len());
        for column in self.columns {
            let group = groups.get_mut(column.inside);
            let value = group.and_then(|group| group.remove(column.field));
            let cell = match value {
                Some(value) => column.cell(value),
                None => column.is_optional.then_some(Cell::Null),
            };
            cells.push(cell.ok_or(Unfit::Value {
                table: self.name,
                column: column.name,
            })?);
        }
        match groups.values().flat_map(Fields::keys).next() {
            Some(field) => Err(Unfit::NoColumn {
                table: self.name,
                field: field.to_string(),
            }),
            None => Ok(cells),
        }
    }

    fn json(&self, row: &[Cell]) -> String {
        let mut json = String::from("{");
        let begin = |json: &mut String, name: &str| {
            json.push_str(if json.ends_with('{') { "" } else { "," });
            let _ = write!(json, "\"{name}\":");
        };
        if !self.tag.is_empty() {
            begin(&mut json, self.tag);
            json.push('{');
        }
        let mut inside = "";
        for (column, cell) in self.columns.iter().zip(row) {
            if column.inside != inside {
                json.push_str(if inside.is_empty() { "" } else { "}" });
                inside = column.inside;
                if !inside.is_empty() {
                    begin(&mut json, inside);
                    json.push('{');
                }
            }
            if let Some(value) = column.value(cell) {
                begin(&mut json, column.field);
                json.push_str(&value);
            }
        }
        json.push_str(if inside.is_empty() { "}" } else { "}}" });
        json.push_str(if self.tag.is_empty() { "" } else { "}" });
        json
    }

    /// The names of the columns, each as this says.
    fn list(&self, which: impl Fn(&Column) -> bool, each: impl Fn(&str) -> String) -> String {
        let columns = self.columns.iter().filter(|column| which(column));
        let names: Vec<String> = columns.map(|column| each(column.name)).collect();
        names.join(", ")
    }

    fn keys(&self) -> String {
        self.list(|column| column.is_key, quoted)
    }

    /// Stores a row in place of the one with its key. What a later release has in columns of its own stays.
    pub fn put(&self) -> String {
        let (name, all) = (self.name, self.list(|_| true, quoted));
        let values = self.list(|_| true, |_| "?".into());
        let changes = self.list(
            |column| !column.is_key,
            |name| format!("\"{name}\" = excluded.\"{name}\""),
        );
        let change = match changes.as_str() {
            "" => "NOTHING".into(),
            changes => format!("UPDATE SET {changes}"),
        };
        match self.keys().as_str() {
            "" => format!(
                "INSERT INTO \"{name}\" (one, {all}) VALUES (1, {values}) ON CONFLICT (one) DO {change}"
            ),
            keys => format!(
                "INSERT INTO \"{name}\" ({all}) VALUES ({values}) ON CONFLICT ({keys}) DO {change}"
            ),
        }
    }

    /// Finds rows; `rest` may say which, and in what order.
    pub fn find(&self, rest: &str) -> String {
        let all = self.list(|_| true, quoted);
        format!("SELECT {all} FROM \"{}\" {rest}", self.name)
    }

    /// The row with a key.
    pub fn with_key(&self) -> String {
        let keys = self.list(|column| column.is_key, |name| format!("\"{name}\" = ?"));
        match keys.as_str() {
            "" => String::new(),
            keys => format!("WHERE {}", keys.replace(", ", " AND ")),
        }
    }

    /// All rows, by key.
    pub fn in_order(&self) -> String {
        match self.keys().as_str() {
            "" => String::new(),
            keys => format!("ORDER BY {keys}"),
        }
    }

    /// The key of a row.
    pub fn key_of(&'static self, row: &[Cell]) -> Key {
        let columns = self.columns.iter().zip(row);
        let keys = columns.filter(|(column, _)| column.is_key);
        self.key(keys.map(|(_, cell)| cell.clone()).collect::<Vec<_>>())
    }

    /// The migrations that do something to this table.
    fn migrations(&self) -> impl Iterator<Item = u32> {
        let columns = self.columns.iter().map(|column| column.since);
        let indexes = self.indexes.iter().map(|(since, _)| *since);
        columns.chain(indexes).chain([self.since])
    }

    /// What a migration does to this table.
    fn migrate(&self, number: u32, sql: &mut String) {
        if self.since == number {
            let _ = write!(sql, "CREATE TABLE IF NOT EXISTS \"{}\" (", self.name);
            let keys = self.keys();
            if keys.is_empty() {
                sql.push_str("one INTEGER PRIMARY KEY CHECK (one = 1), ");
            }
            for column in self.columns.iter().filter(|column| column.since == 0) {
                column.declared(sql);
                sql.push_str(", ");
            }
            match keys.as_str() {
                "" => sql.truncate(sql.len() - 2),
                keys => {
                    let _ = write!(sql, "PRIMARY KEY ({keys})");
                }
            }
            sql.push_str(") STRICT, WITHOUT ROWID;\n");
        }
        for column in self.columns.iter().filter(|column| column.since == number) {
            let _ = write!(sql, "ALTER TABLE \"{}\" ADD COLUMN ", self.name);
            column.declared(sql);
            sql.push_str(";\n");
        }
        for (at, (since, of)) in self.indexes.iter().enumerate() {
            if *since == number {
                let name = self.name;
                let _ = writeln!(
                    sql,
                    "CREATE INDEX IF NOT EXISTS \"{name}_{at}\" ON \"{name}\" {of};"
                );
            }
        }
    }
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// Everything that the objects of a class store.
pub struct Schema {
    pub tables: &'static [&'static Table],
    /// What tables of another build need, or rows that move: SQL, and the migration that it belongs to, after its tables.
    pub scripts: &'static [(u32, &'static str)],
}

impl Schema {
    /// The latest migration.
    pub fn latest(&self) -> u32 {
        let tables = self.tables.iter().flat_map(|table| table.migrations());
        let scripts = self.scripts.iter().map(|(number, _)| *number);
        tables.chain(scripts).max().unwrap_or(0)
    }

    /// What a migration does.
    pub fn migration(&self, number: u32) -> String {
        let mut sql = String::new();
        for table in self.tables {
            table.migrate(number, &mut sql);
        }
        for (_, script) in self.scripts.iter().filter(|(of, _)| *of == number) {
            sql.push_str(script);
        }
        sql
    }
}

#[cfg(test)]
mod tests;
