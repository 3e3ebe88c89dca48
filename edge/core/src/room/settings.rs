//! The room's settings: who changes them, and how a change is taken up.

use protocol::client::{Deed, MAX_CHAT_DAYS, MAX_CHAT_LINES, RoomEvent, Settings, SettingsChange};

use super::audit::difference;
use super::record::Record;
use super::roles::Right;
use super::{Client, Effect, Room};
use crate::refusal::Refusal;

/// The latest time that can be said, in Unix milliseconds: what JavaScript can, in its whole numbers.
const LATEST: u64 = (1 << 53) - 1;

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
    fn configured(&mut self, change: SettingsChange, now: u64, out: &mut Vec<Effect>) {
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
        opens_at: opens_at.unwrap_or(settings.opens_at).min(LATEST),
        listed: listed.unwrap_or(settings.listed),
        permanent: permanent.unwrap_or(settings.permanent),
        has_password: settings.has_password,
    }
}
