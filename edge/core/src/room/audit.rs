//! The audit list: each deed of those who keep order is noted before it is done, under the ids and names of that time.

use std::collections::BTreeMap;

use protocol::client::{Deed, Noted, NotedPerson, Settings};
use protocol::id::{ParticipantId, UserId};
use serde_json::Value;

use super::roles::Right;
use super::{Client, Effect, Room};

/// How many deeds a room keeps: years of meetings, some 3 MB. The oldest go.
pub const KEPT: u64 = 10_000;
/// How many of them a page has.
pub const PAGE: u64 = 50;

impl Room {
    /// Whether this user may read what was noted.
    pub fn may_read_audit(&self, user: &UserId) -> bool {
        let mut people = self.people.values().filter(|person| person.is_in());
        self.is_owner(user)
            || people.any(|person| person.user == *user && self.may(person.role, Right::ReadAudit))
    }

    /// Notes what this client does to somebody.
    pub(super) fn audit_on(
        &self,
        client: &Client,
        on: &ParticipantId,
        deed: Deed,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        self.audit_of(client, self.noted(on), deed, now, out);
    }

    /// Notes what this client does to all or to the room.
    pub(super) fn audit_all(&self, client: &Client, deed: Deed, now: u64, out: &mut Vec<Effect>) {
        self.audit_of(client, None, deed, now, out);
    }

    /// Notes what this client does to somebody who may have gone.
    pub(super) fn audit_of(
        &self,
        client: &Client,
        on: Option<NotedPerson>,
        deed: Deed,
        at: u64,
        out: &mut Vec<Effect>,
    ) {
        if let Some(by) = self.noted(&client.participant) {
            out.push(Effect::Note(Noted { at, by, on, deed }));
        }
    }

    pub(super) fn noted(&self, id: &ParticipantId) -> Option<NotedPerson> {
        let waiting = self.waiting.get(id).map(|waiting| &waiting.person);
        let person = self.people.get(id).or(waiting)?;
        Some(NotedPerson {
            participant: Some(id.clone()),
            user: person.user.clone(),
            name: person.name.clone(),
        })
    }
}

/// What differs between two settings, and what it is afterwards. It sees what everybody sees, and so no secret.
pub(super) fn difference(before: &Settings, after: &Settings) -> BTreeMap<String, String> {
    let fields = |settings: &Settings| match serde_json::to_value(settings) {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let before = fields(before);
    let changed = fields(after)
        .into_iter()
        .filter(|(name, value)| before.get(name) != Some(value));
    changed
        .map(|(name, value)| match value {
            Value::String(text) => (name, text),
            value => (name, value.to_string()),
        })
        .collect()
}
