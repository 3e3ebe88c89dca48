//! Who is heard and who speaks: the choice for the audio slots, and the word to the clients.

use std::time::{Duration, Instant};

use protocol::client::NodeMediaMessage;
use protocol::media::Source;

use super::deadlines::Deadline;
use super::{Context, Room};
use crate::key::MemberKey;

/// How often the speakers are chosen anew while audio comes in, or somebody speaks.
const SPEAKER_INTERVAL: Duration = Duration::from_millis(50);

impl Room {
    /// Something was heard: the choice is due soon.
    pub(super) fn hear_again(&mut self, now: Instant) {
        if !std::mem::replace(&mut self.heard, true) {
            self.choose_later(now);
        }
    }

    fn choose_later(&mut self, now: Instant) {
        self.deadlines
            .lower(Deadline::Speakers, now + SPEAKER_INTERVAL);
    }

    /// Chooses anew who is heard, and says who speaks.
    pub(super) fn choose_speakers(&mut self, cx: &mut Context<'_>) {
        let speaking = !self.talk.speakers().is_empty();
        if !std::mem::take(&mut self.heard) && !speaking {
            return;
        }
        let heard = self.loudest.update(cx.now);
        let router = &self.router;
        let may = |key| {
            let track = router.get(key);
            track.is_some_and(|track| track.id.source == Source::Microphone)
        };
        let spoke = self.talk.update(cx.now, &self.loudest, may);
        if spoke {
            self.tell_speakers(cx);
        }
        if heard || spoke {
            self.assign_all(cx);
        }
        if !self.talk.speakers().is_empty() {
            self.choose_later(cx.now);
        }
    }

    fn tell_speakers(&mut self, cx: &mut Context<'_>) {
        let members = self.members.iter().map(|(_, member)| member);
        let sessions = members.filter(|member| member.channel_open);
        cx.tell_all(
            sessions.map(|member| member.session),
            &self.speakers_message(),
        );
    }

    /// Tells one client, who has just come or has missed a word.
    pub(super) fn tell_speakers_to(&mut self, cx: &mut Context<'_>, key: MemberKey) {
        if let Some(member) = self.member(key).filter(|m| m.channel_open) {
            cx.tell(member.session, &self.speakers_message());
        }
    }

    fn speakers_message(&self) -> NodeMediaMessage {
        let tracks = self.talk.speakers().iter();
        let speakers = tracks.filter_map(|track| self.router.get(*track));
        NodeMediaMessage::Speakers {
            speakers: speakers.map(|track| track.id.participant.clone()).collect(),
        }
    }
}
