//! Rows: how a record becomes one, and a row a record again.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

use super::{Cell, Column, Table, Type};

/// The largest whole number that passes through JavaScript unchanged.
const MAX_INTEGER: i64 = (1 << 53) - 1;

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

impl Column {
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

type Fields<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

fn fields(json: &str) -> serde_json::Result<Fields<'_>> {
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Object<'a>(#[serde(borrow)] Fields<'a>);
    serde_json::from_str(json).map(|Object(fields)| fields)
}

impl Table {
    /// The row of a record.
    pub fn row(&self, record: &impl Serialize) -> Result<Vec<Cell>, Unfit> {
        self.cells(&serde_json::to_string(record)?)
    }

    /// The record of a row. One of another release, with a value that is unknown here, is an error.
    pub fn record<T: DeserializeOwned>(&self, row: &[Cell]) -> serde_json::Result<T> {
        serde_json::from_str(&self.json(row))
    }

    pub(super) fn cells(&self, json: &str) -> Result<Vec<Cell>, Unfit> {
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
}
