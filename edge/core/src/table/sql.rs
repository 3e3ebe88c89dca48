//! The SQL of tables: what finds and stores rows, and what each migration does.

use std::fmt::Write;

use super::{Column, Table, Type};

impl Column {
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
}

impl Table {
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
