//! The audit list of a room as it is stored: a table of its own, which is read from its end by pages.

use std::rc::Rc;

use edge_core::room::audit::{KEPT, PAGE};
use protocol::client::{AuditEntry, AuditPage, Noted, NotedPerson};
use protocol::id::ParticipantId;
use serde::Deserialize;
use worker::{Result, SqlStorageValue};

use crate::store::{Store, parse};

pub(super) const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS audit (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        by_participant TEXT NOT NULL,
        by_user TEXT NOT NULL,
        by_name TEXT NOT NULL,
        on_participant TEXT,
        on_user TEXT,
        on_name TEXT,
        deed TEXT NOT NULL
    ) STRICT;
";

/// What was done in a room by those who keep order.
pub(super) struct Audit(pub(super) Rc<Store>);

#[derive(Deserialize)]
struct Row {
    number: u64,
    at: u64,
    by_participant: String,
    by_user: String,
    by_name: String,
    on_participant: Option<String>,
    on_user: Option<String>,
    on_name: Option<String>,
    deed: String,
}

impl Row {
    /// The entry. One that cannot be read, of another release or broken, is left as it is.
    fn read(self) -> Option<AuditEntry> {
        let person = |participant: Option<&str>, user: &str, name: String| {
            Some(NotedPerson {
                participant: participant.map(str::parse).transpose().ok()?,
                user: user.parse().ok()?,
                name,
            })
        };
        let on = match (&self.on_user, self.on_name) {
            (Some(user), Some(name)) => Some(person(self.on_participant.as_deref(), user, name)?),
            _ => None,
        };
        // Who has it done through the API is not in the room.
        let by_participant = Some(self.by_participant.as_str()).filter(|id| !id.is_empty());
        let noted = Noted {
            at: self.at,
            by: person(by_participant, &self.by_user, self.by_name)?,
            on,
            deed: parse("audit", self.number, &self.deed)?,
        };
        let number = self.number;
        Some(AuditEntry { number, noted })
    }
}

impl Audit {
    /// Notes a deed; the oldest goes if there are too many.
    pub(super) fn add(&self, noted: &Noted) -> Result<()> {
        self.0.prepare()?;
        let Noted { at, by, on, deed } = noted;
        let on = on.as_ref();
        let values = vec![
            SqlStorageValue::Integer(*at as i64),
            by.participant
                .as_ref()
                .map_or("", ParticipantId::as_str)
                .into(),
            by.user.as_str().into(),
            by.name.as_str().into(),
            on.and_then(|on| on.participant.as_ref().map(ParticipantId::as_str))
                .into(),
            on.map(|on| on.user.as_str()).into(),
            on.map(|on| on.name.as_str()).into(),
            serde_json::to_string(deed)?.into(),
        ];
        let insert = "INSERT INTO audit (at, by_participant, by_user, by_name, on_participant, on_user, on_name, deed) \
                      VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
        self.0.write(insert, values)?;
        self.0.write(
            "DELETE FROM audit WHERE number <= (SELECT max(number) FROM audit) - ?",
            vec![SqlStorageValue::Integer(KEPT as i64)],
        )
    }

    /// The latest deeds, or the latest before this one.
    pub(super) fn page(&self, before: Option<u64>) -> Result<AuditPage> {
        if !self.0.exists()? {
            return Ok(AuditPage {
                entries: Vec::new(),
                before: None,
            });
        }
        let before = before.and_then(|before| i64::try_from(before).ok());
        let rows: Vec<Row> = self.0.rows(
            "SELECT * FROM audit WHERE number < ? ORDER BY number DESC LIMIT ?",
            vec![
                SqlStorageValue::Integer(before.unwrap_or(i64::MAX)),
                SqlStorageValue::Integer(PAGE as i64),
            ],
        )?;
        let is_full = rows.len() as u64 == PAGE;
        Ok(AuditPage {
            before: rows.last().map(|row| row.number).filter(|_| is_full),
            entries: rows.into_iter().filter_map(Row::read).collect(),
        })
    }
}
