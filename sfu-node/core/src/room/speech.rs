//! Who is heard and who speaks: the choice for the audio slots, and the word to the clients.

use std::time::{Duration, Instant};

use protocol::client::NodeMediaMessage;
use protocol::id::ParticipantId;
use protocol::media::Source;

use super::{Context, Effect, Room};
use crate::key::MemberKey;

/// How often the speakers are chosen anew while audio comes in, or somebody speaks.
const SPEAKER_INTERVAL: Duration = Duration::from_millis(50);

impl Room {
    /// Something was heard: the choice is due soon.
    pub(super) fn hear_again(&mut self, now: Instant) {
        if !std::mem::replace(&mut self.heard, true) {
            self.arm(now + SPEAKER_INTERVAL);
        }
    }

    /// Chooses anew who is heard, and says who speaks.
    pub(super) fn choose_speakers(&mut self, cx: &mut Context<'_>) {
        let speaking = !self.talk.speakers().is_empty();
        if !std::mem::take(&mut self.heard) && !speaking {
            return;
        }
        let heard = self.speakers.update(cx.now);
        let router = &self.router;
        let may = |key| {
            let track = router.get(key);
            track.is_some_and(|track| track.id.source == Source::Microphone)
        };
        let spoke = self.talk.update(cx.now, &self.speakers, may);
        if spoke {
            self.tell_speakers(cx);
        }
        if heard || spoke {
            self.assign_all(cx);
        }
        if !self.talk.speakers().is_empty() {
            self.arm(cx.now + SPEAKER_INTERVAL);
        }
    }

    fn tell_speakers(&mut self, cx: &mut Context<'_>) {
        let Some(text) = self.speakers_text() else {
            return;
        };
        for (_, member) in self
            .members
            .iter()
            .filter(|(_, member)| member.channel_open)
        {
            cx.effects.push_back(Effect::Text {
                session: member.session,
                text: text.clone(),
            });
        }
    }

    /// Tells one who has just come, if anybody speaks.
    pub(super) fn tell_speakers_to(&mut self, cx: &mut Context<'_>, key: MemberKey) {
        if self.talk.speakers().is_empty() {
            return;
        }
        if let (Some(text), Some(member)) = (self.speakers_text(), self.member(key)) {
            let session = member.session;
            cx.effects.push_back(Effect::Text { session, text });
        }
    }

    fn speakers_text(&self) -> Option<String> {
        let tracks = self.talk.speakers().iter();
        let speakers: Vec<ParticipantId> = tracks
            .filter_map(|track| Some(self.router.get(*track)?.id.participant.clone()))
            .collect();
        serde_json::to_string(&NodeMediaMessage::Speakers { speakers }).ok()
    }
}
