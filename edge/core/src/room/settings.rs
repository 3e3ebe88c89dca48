//! The room's settings: who changes them, and how a change is taken up.

use protocol::api::FieldError;
use protocol::client::{Deed, MAX_CHAT_DAYS, MAX_CHAT_LINES, RoomEvent, Settings, SettingsChange};
use protocol::query::MAX_WHOLE;

use super::audit::difference;
use super::record::Record;
use super::roles::Right;
use super::{Client, Effect, Room};
use crate::refusal::Refusal;

impl Room {
    pub(super) fn configures(
        &mut self,
        client: &Client,
        change: SettingsChange,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.require(client, Right::Configure)?;
        let changed = difference(
            &self.info.settings,
            &after(&self.info.settings, change.clone()),
        );
        if !changed.is_empty() {
            self.audit_all(client, Deed::Settings { changed }, now, out);
        }
        self.configured(change, now, out);
        Ok(())
    }

    /// Takes a change up. What follows from it for roles and rights is settled after the event.
    pub(super) fn configured(&mut self, change: SettingsChange, now: u64, out: &mut Vec<Effect>) {
        let settings = after(&self.info.settings, change);
        if settings == self.info.settings {
            return;
        }
        let before = std::mem::replace(&mut self.info.settings, settings.clone());
        out.push(Effect::Save(Record::Info(self.info.clone())));
        if settings.listed || before.listed {
            self.report(now, out);
        }
        let opens = !settings.lobby;
        self.happen(RoomEvent::Settings { settings }, None, now, out);
        self.forget_lines(now, out);
        if opens {
            self.lobby_opens(now, out);
        }
    }
}

/// What of a change cannot be, for who asks for it once: over the WebSocket it becomes what is nearest.
pub fn check_settings(change: &SettingsChange) -> Vec<FieldError> {
    let refuse = |field: &str, least: u64, most: u64| FieldError {
        field: format!("settings.{field}"),
        message: format!("is from {least} to {most}"),
    };
    let outside = |number: Option<u32>, most| number.is_some_and(|n| !(1..=most).contains(&n));
    let mut errors = Vec::new();
    if outside(change.chat_days, MAX_CHAT_DAYS) {
        errors.push(refuse("chatDays", 1, MAX_CHAT_DAYS.into()));
    }
    if outside(change.chat_lines, MAX_CHAT_LINES) {
        errors.push(refuse("chatLines", 1, MAX_CHAT_LINES.into()));
    }
    if change.opens_at.is_some_and(|at| at > MAX_WHOLE) {
        errors.push(refuse("opensAt", 0, MAX_WHOLE));
    }
    errors
}

/// The settings after a change.
pub(super) fn after(settings: &Settings, change: SettingsChange) -> Settings {
    let SettingsChange {
        kind,
        chat,
        notes,
        captions,
        share,
        speak,
        guests,
        chat_days,
        chat_lines,
        lobby,
        locked,
        capacity,
        opens_at,
        listed,
        permanent,
    } = change;
    Settings {
        kind: kind.unwrap_or(settings.kind),
        chat: chat.unwrap_or(settings.chat),
        notes: notes.unwrap_or(settings.notes),
        captions: captions.unwrap_or(settings.captions),
        share: share.unwrap_or(settings.share),
        speak: speak.unwrap_or(settings.speak),
        guests: guests.unwrap_or(settings.guests),
        chat_days: chat_days.map_or(settings.chat_days, |days| days.clamp(1, MAX_CHAT_DAYS)),
        chat_lines: chat_lines.map_or(settings.chat_lines, |lines| lines.clamp(1, MAX_CHAT_LINES)),
        lobby: lobby.unwrap_or(settings.lobby),
        locked: locked.unwrap_or(settings.locked),
        capacity: capacity.unwrap_or(settings.capacity),
        opens_at: opens_at.unwrap_or(settings.opens_at).min(MAX_WHOLE),
        listed: listed.unwrap_or(settings.listed),
        permanent: permanent.unwrap_or(settings.permanent),
        has_password: settings.has_password,
    }
}
