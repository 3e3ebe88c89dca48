//! Members of whom nothing comes any more, and of whom something comes again: the room's Durable Object is told.

use protocol::node::{NodeToRoom, SessionRef};

use super::{Context, Effect, Room};
use crate::key::MemberKey;

impl Room {
    /// Nothing has come of this member for a while.
    pub fn fell_silent(&mut self, cx: &mut Context<'_>, key: MemberKey) {
        self.set_silent(cx, key, true);
    }

    /// Something comes again of a member that was silent.
    pub fn heard_again(&mut self, cx: &mut Context<'_>, key: MemberKey) {
        self.set_silent(cx, key, false);
    }

    /// Of every connected member whether it is heard; nothing if there is none.
    pub fn signs(&self) -> Option<NodeToRoom> {
        let (mut heard, mut silent) = (Vec::new(), Vec::new());
        for (key, member) in &self.members {
            if member.subscriber.is_connected() {
                let words = if member.silent {
                    &mut silent
                } else {
                    &mut heard
                };
                words.extend(self.name(key));
            }
        }
        let nobody = heard.is_empty() && silent.is_empty();
        (!nobody).then_some(NodeToRoom::Signs { heard, silent })
    }

    fn set_silent(&mut self, cx: &mut Context<'_>, key: MemberKey, silent: bool) {
        let (Some(name), Some(member)) = (self.name(key), self.member_mut(key)) else {
            return;
        };
        member.silent = silent;
        let SessionRef {
            participant,
            attempt,
        } = name;
        let message = match silent {
            true => NodeToRoom::Silent {
                participant,
                attempt,
            },
            false => NodeToRoom::Heard {
                participant,
                attempt,
            },
        };
        let room = self.link.clone();
        cx.effects.push_back(Effect::Room { room, message });
    }
}
