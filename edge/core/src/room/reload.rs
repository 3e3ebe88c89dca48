//! A page that is left may be loaded anew: who was on it goes on as the same participant, and is gone soon if they do not.

use protocol::client::RETURN_SECONDS;

use super::connection::DOUBT;
use super::people::{Media, Presence};
use super::{Client, Effect, Room};

impl Room {
    /// The page says that it is left. Its media ends with it; the next page offers its own.
    pub(super) fn page_gone(&mut self, client: Client, now: u64, out: &mut Vec<Effect>) {
        let id = client.participant.clone();
        self.end_session(&id, out);
        self.over(&id, out);
        let Some(person) = self.people.get_mut(&id) else {
            return;
        };
        if let Some(passes) = person.presence.passes().cloned() {
            person.presence = Presence::Lost {
                passes,
                until: now + RETURN_SECONDS * 1_000,
                left: true,
            };
        }
        // Who is back is told to be so when their media is, too.
        if person.session.is_some() {
            person.media = Media::Silent {
                since: now.saturating_sub(DOUBT),
            };
        }
        self.save_person(&id, out);
        out.push(Effect::HangUp { client });
    }
}
