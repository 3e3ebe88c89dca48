//! Retirement: a room that nobody has been in for long goes with all that it stores, unless it is permanent. What stays is
//! that it was, so that its link says so.

use protocol::client::Settings;

use super::info::Info;
use super::record::Record;
use super::{Effect, Room};

impl Room {
    /// Says after how many milliseconds with nobody in it the room goes; until then, it stays.
    pub fn retires_after(&mut self, unused: u64, now: u64) -> Vec<Effect> {
        self.retires_after = Some(unused);
        let mut effects = Vec::new();
        // A former release did not say.
        if self.info.used_at.is_none() {
            self.is_left(now, &mut effects);
        }
        effects
    }

    /// Whether the room was retired.
    pub fn is_retired(&self) -> bool {
        self.info.retired
    }

    /// When the room goes if nobody comes.
    pub(super) fn retires_at(&self) -> Option<u64> {
        let is_used = !self.people.is_empty() || !self.waiting.is_empty();
        if is_used || self.info.settings.permanent || self.info.gone {
            return None;
        }
        Some(self.info.used_at? + self.retires_after?)
    }

    /// The last has left.
    pub(super) fn is_left(&mut self, now: u64, out: &mut Vec<Effect>) {
        self.info.used_at = Some(now);
        out.push(Effect::Save(Record::Info(self.info.clone())));
    }

    pub(super) fn retire_if_due(&mut self, now: u64, out: &mut Vec<Effect>) {
        if self.retires_at().is_none_or(|at| at > now) {
            return;
        }
        self.info = Info {
            name: String::new(),
            settings: Settings::default(),
            password: None,
            retired: true,
            ..self.info.clone()
        };
        self.deleted(now, out);
    }
}
