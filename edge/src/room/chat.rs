//! The chat of a room as it is stored: a table of its own, which is read from its end and found by a user's nonce.

use std::rc::Rc;

use edge_core::chat::{HISTORY, Keep, Kept, Line, Reader, Span, export, page};
use edge_core::room::Sought;
use protocol::api::ChatExport;
use protocol::client::{ChatMessage, ChatPage};
use protocol::id::UserId;
use serde::Deserialize;
use worker::{Result, SqlStorageValue};

use crate::store::{Store, parse};

/// `user` is unknown on lines of the first releases; a unique index tells nulls apart. `size` is that of `value` in bytes.
pub(super) const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS chat (
        number INTEGER PRIMARY KEY,
        user TEXT,
        nonce TEXT NOT NULL,
        size INTEGER NOT NULL,
        value TEXT NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX IF NOT EXISTS chat_by_nonce ON chat (user, nonce);
    CREATE TABLE IF NOT EXISTS chat_kept (lines INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
    INSERT INTO chat_kept SELECT 0, 0 WHERE NOT EXISTS (SELECT 1 FROM chat_kept);
    CREATE TRIGGER IF NOT EXISTS chat_added AFTER INSERT ON chat BEGIN
        UPDATE chat_kept SET lines = lines + 1, bytes = bytes + new.size;
    END;
    CREATE TRIGGER IF NOT EXISTS chat_changed AFTER UPDATE OF size ON chat BEGIN
        UPDATE chat_kept SET bytes = bytes + new.size - old.size;
    END;
    CREATE TRIGGER IF NOT EXISTS chat_gone AFTER DELETE ON chat BEGIN
        UPDATE chat_kept SET lines = lines - 1, bytes = bytes - old.size;
    END;
";

/// Lines that the first releases kept among the records: of those that can be read, the number, the nonce, and the message
/// with the nonce and its user, who was not always told and may still be in the room.
const FORMER: &str = "
    WITH former AS (
        SELECT name, json_extract(value, '$.Chat.number') AS number, json_extract(value, '$.Chat.nonce') AS nonce,
               json_extract(value, '$.Chat.message') AS message,
               coalesce(json_extract(value, '$.Chat.message.user'), (
                   SELECT CASE WHEN json_valid(person.value) THEN json_extract(person.value, '$.Person.user') END
                   FROM records AS person WHERE person.kind = 'person'
                   AND person.name = json_extract(records.value, '$.Chat.message.participant')
               ), (SELECT user FROM people WHERE id = json_extract(records.value, '$.Chat.message.participant'))) AS user
        FROM records WHERE kind = 'chat' AND CASE WHEN json_valid(value) THEN
            json_type(value, '$.Chat.number') = 'integer' AND json_type(value, '$.Chat.nonce') = 'text'
            AND json_type(value, '$.Chat.message') = 'object' ELSE 0 END
    ), lines AS (
        SELECT name, number, nonce, user, json_set(message, '$.nonce', nonce, '$.user', user) AS value FROM former
    )";

/// How many lines go at most when one comes. A long one takes the place of some twenty short ones.
const MOST_GONE: usize = 64;

/// Of how many parts a page of the history is read at most, of which all but the last are of what is not shown.
const MOST_PARTS: usize = 10;

/// How many lines a part of an export has at most: some 2 MB.
const EXPORT: u64 = 500;

/// Of how many of the latest lines somebody takes over what was said to or about them: a guest has been here for hours, not for
/// years.
const INHERITED: u64 = 10_000;

/// The lines of a room.
pub(super) struct Lines(pub(super) Rc<Store>);

#[derive(Deserialize)]
struct Row {
    number: u64,
    value: String,
}

impl Row {
    /// The line, if it can be read.
    fn read(&self) -> Option<Line> {
        let line: Line = parse("chat", self.number, &self.value)?;
        let number = self.number;
        Some(Line { number, ..line })
    }
}

impl Lines {
    /// The latest lines that can be read, the oldest first, and the number of the very latest, 0 before the first.
    pub(super) fn latest(&self) -> Result<(Vec<Line>, u64)> {
        if !self.0.exists()? {
            return Ok((Vec::new(), 0));
        }
        let rows: Vec<Row> = self.0.rows(
            "SELECT number, value FROM chat ORDER BY number DESC LIMIT ?",
            vec![SqlStorageValue::Integer(HISTORY as i64)],
        )?;
        let latest = rows.first().map_or(0, |row| row.number);
        Ok((rows.iter().rev().filter_map(Row::read).collect(), latest))
    }

    /// A page of the history. What is between others is read and not shown: where that is all, one goes on to what is before, but
    /// not for long.
    pub(super) fn page(
        &self,
        reader: &Reader,
        before: u64,
        limit: u32,
        keep: Keep,
    ) -> Result<ChatPage> {
        let mut page = self.part(reader, before, limit, keep)?;
        for _ in 1..MOST_PARTS {
            let next = page.next.as_ref().and_then(|next| next.parse().ok());
            let Some(next) = next.filter(|_| page.lines.is_empty()) else {
                break;
            };
            page = self.part(reader, next, limit, keep)?;
        }
        Ok(ChatPage {
            before: before.to_string(),
            ..page
        })
    }

    fn part(&self, reader: &Reader, before: u64, limit: u32, keep: Keep) -> Result<ChatPage> {
        if !self.0.exists()? {
            return Ok(page(before, &[], Span::default(), keep, reader));
        }
        let rows: Vec<Row> = self.0.rows(
            "SELECT number, value FROM chat WHERE number < ? ORDER BY number DESC LIMIT ?",
            [before, limit.into()]
                .map(|number| SqlStorageValue::Integer(number as i64))
                .to_vec(),
        )?;
        let lines: Vec<Line> = rows.iter().rev().filter_map(Row::read).collect();
        let span = Span {
            first: rows.last().map(|row| row.number),
            oldest: self.oldest()?,
        };
        Ok(page(before, &lines, span, keep, reader))
    }

    /// A part of what the host takes along: lines after this one.
    pub(super) fn export(&self, user: &UserId, after: u64, keep: Keep) -> Result<ChatExport> {
        if !self.0.exists()? {
            return Ok(export(&[], None, keep, user));
        }
        let after = after.max(keep.from.saturating_sub(1));
        let rows: Vec<Row> = self.0.rows(
            "SELECT number, value FROM chat WHERE number > ? ORDER BY number LIMIT ?",
            [after, EXPORT]
                .map(|number| SqlStorageValue::Integer(number as i64))
                .to_vec(),
        )?;
        let lines: Vec<Line> = rows.iter().filter_map(Row::read).collect();
        let last = rows.last().filter(|_| rows.len() as u64 == EXPORT);
        Ok(export(&lines, last.map(|row| row.number), keep, user))
    }

    /// Forgets lines that are not kept, the oldest first.
    pub(super) fn forget(&self, keep: Keep) -> Result<()> {
        if !self.0.exists()? {
            return Ok(());
        }
        let rows: Vec<Row> = self.0.rows(
            "SELECT number, value FROM chat ORDER BY number LIMIT ?",
            vec![SqlStorageValue::Integer(MOST_GONE as i64)],
        )?;
        let is_gone = |row: &&Row| row.read().is_some_and(|line| !keep.keeps(&line));
        match rows.iter().rev().find(is_gone) {
            Some(row) => self.0.write(
                "DELETE FROM chat WHERE number <= ?",
                vec![SqlStorageValue::Integer(row.number as i64)],
            ),
            None => Ok(()),
        }
    }

    fn oldest(&self) -> Result<Option<u64>> {
        #[derive(Deserialize)]
        struct Oldest {
            number: u64,
        }
        let oldest = "SELECT number FROM chat ORDER BY number LIMIT 1";
        let rows: Vec<Oldest> = self.0.rows(oldest, Vec::new())?;
        Ok(rows.first().map(|oldest| oldest.number))
    }

    /// The number of a line, and what it is, if it can be read.
    pub(super) fn find(
        &self,
        user: &UserId,
        sought: Sought<'_>,
    ) -> Result<Option<(u64, Option<Line>)>> {
        if !self.0.exists()? {
            return Ok(None);
        }
        let rows: Vec<Row> = match sought {
            Sought::Nonce(nonce) => self.0.rows(
                "SELECT number, value FROM chat WHERE user = ? AND nonce = ?",
                vec![user.as_str().into(), nonce.into()],
            )?,
            Sought::Number(number) => self.0.rows(
                "SELECT number, value FROM chat WHERE number = ?",
                vec![SqlStorageValue::Integer(number as i64)],
            )?,
        };
        Ok(rows.first().map(|row| (row.number, row.read())))
    }

    /// Stores a line, or how it is now; the oldest ones go if there are too many.
    pub(super) fn add(&self, line: &Line) -> Result<()> {
        self.0.prepare()?;
        let ChatMessage { user, nonce, .. } = &line.message;
        let value = serde_json::to_string(line)?;
        let values = vec![
            SqlStorageValue::Integer(line.number as i64),
            user.as_ref().map(UserId::as_str).into(),
            nonce.as_str().into(),
            SqlStorageValue::Integer(value.len() as i64),
            value.into(),
        ];
        let put = "INSERT INTO chat (number, user, nonce, size, value) VALUES (?, ?, ?, ?, ?) \
                   ON CONFLICT (number) DO UPDATE SET size = excluded.size, value = excluded.value";
        self.0.write(put, values)?;
        for _ in 0..MOST_GONE {
            if !self.kept()?.is_some_and(Kept::is_too_much) {
                break;
            }
            let oldest = "DELETE FROM chat WHERE number = (SELECT min(number) FROM chat)";
            self.0.write(oldest, Vec::new())?;
        }
        Ok(())
    }

    /// What was one user's is another's from now on: their own lines, but for one whose nonce that one has used, too; and of
    /// the latest, what was said to or about them.
    pub(super) fn inherit(&self, from: &UserId, to: &UserId) -> Result<()> {
        if !self.0.exists()? {
            return Ok(());
        }
        let values = vec![to.as_str().into(), from.as_str().into()];
        self.0.write(
            "UPDATE OR IGNORE chat SET user = ?1, value = json_set(value, '$.user', ?1),
                size = length(CAST(json_set(value, '$.user', ?1) AS BLOB)) WHERE user = ?2",
            values,
        )?;
        let rows: Vec<Row> = self.0.rows(
            "SELECT number, value FROM chat WHERE number > (SELECT max(number) FROM chat) - ?1 AND instr(value, ?2) > 0",
            vec![
                SqlStorageValue::Integer(INHERITED as i64),
                from.as_str().into(),
            ],
        )?;
        for mut line in rows.iter().filter_map(Row::read) {
            if line.inherit(from, to) {
                self.add(&line)?;
            }
        }
        Ok(())
    }

    /// A user's lines are under this name from now on.
    pub(super) fn rename(&self, user: &UserId, name: &str) -> Result<()> {
        if !self.0.exists()? {
            return Ok(());
        }
        self.0.write(
            "UPDATE chat SET value = json_set(value, '$.name', ?1),
                size = length(CAST(json_set(value, '$.name', ?1) AS BLOB)) WHERE user = ?2",
            vec![name.into(), user.as_str().into()],
        )
    }

    fn kept(&self) -> Result<Option<Kept>> {
        #[derive(Deserialize)]
        struct Row {
            lines: u64,
            bytes: u64,
        }
        let rows: Vec<Row> = self
            .0
            .rows("SELECT lines, bytes FROM chat_kept", Vec::new())?;
        Ok(rows
            .first()
            .map(|&Row { lines, bytes }| Kept { lines, bytes }))
    }
}

/// Takes over the lines that the first releases kept among the records. Each becomes a line, also where one user has two under
/// one nonce; what cannot be read stays where it is.
pub(super) fn take_over(store: &Store) -> Result<()> {
    for user in ["user", "NULL"] {
        let insert = "INSERT OR IGNORE INTO chat (number, user, nonce, size, value)";
        let lines = format!(
            "SELECT number, {user}, nonce, length(CAST(value AS BLOB)), value FROM lines ORDER BY number"
        );
        store.write(&format!("{FORMER} {insert} {lines}"), Vec::new())?;
    }
    let taken = "DELETE FROM records WHERE kind = 'chat' AND name IN \
                 (SELECT name FROM lines JOIN chat USING (number, nonce))";
    store.write(&format!("{FORMER} {taken}"), Vec::new())
}
