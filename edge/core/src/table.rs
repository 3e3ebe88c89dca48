//! Tables: in which columns a kind of record is stored, and since which migration. `docs/decisions/0030-typed-tables.md` says
//! why it is so.

mod row;
mod sql;

pub use row::Unfit;
pub use sql::Schema;

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

impl Table {
    /// A key into this table.
    pub fn key(&'static self, cells: impl Into<Vec<Cell>>) -> Key {
        Key {
            table: self,
            cells: cells.into(),
        }
    }

    /// The key of a row.
    pub fn key_of(&'static self, row: &[Cell]) -> Key {
        let columns = self.columns.iter().zip(row);
        let keys = columns.filter(|(column, _)| column.is_key);
        self.key(keys.map(|(_, cell)| cell.clone()).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests;
