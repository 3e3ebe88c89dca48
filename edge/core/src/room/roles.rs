//! Roles: who may do what in a room. One table says it, and what somebody is and may send follows from it, from the room's
//! settings, and from what was ruled on their user.

use protocol::client::{Audience, Deed, ErrorCode, Role, RoomEvent, RoomKind};
use protocol::id::{ParticipantId, UserId};
use protocol::media::Caps;

use super::people::Person;
use super::record::Record;
use super::{Client, Effect, Room};
use crate::refusal::Refusal;

/// Something that not everybody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Be heard.
    Speak,
    /// Be seen.
    ShowCamera,
    /// Share a screen and its sound.
    ShareScreen,
    /// Write in the chat.
    Chat,
    /// Write in the shared notes.
    WriteNotes,
    /// Feed captions.
    FeedCaptions,
    /// Vote in polls.
    Vote,
    /// Raise a hand.
    RaiseHand,
    /// Show a reaction.
    React,
    /// Make, close and delete polls.
    HoldPolls,
    /// Open and close breakout rooms, say who is in which, go into any, and say something to all.
    HoldBreakouts,
    /// Mute, stop and send out people of a lower role, and have them watched, heard or brought on stage.
    Moderate,
    /// Make moderators, and change the room's settings.
    Configure,
    /// Read what those who keep order have done.
    ReadAudit,
}

impl Right {
    /// The least role that has it. Roles are ordered: who is more may do all that who is less may.
    pub fn least(self) -> Role {
        match self {
            Self::Chat | Self::Vote | Self::RaiseHand | Self::React => Role::Viewer,
            Self::Speak
            | Self::ShowCamera
            | Self::ShareScreen
            | Self::WriteNotes
            | Self::FeedCaptions => Role::Guest,
            Self::HoldPolls | Self::HoldBreakouts | Self::Moderate => Role::Moderator,
            Self::Configure | Self::ReadAudit => Role::Host,
        }
    }

    /// Whether a role has it, whatever the room's settings are.
    pub fn is_of(self, role: Role) -> bool {
        role >= self.least()
    }
}

/// As what somebody comes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Standing {
    /// Whether they have no account.
    pub guest: bool,
    /// The role that their token gives them.
    pub granted: Option<Role>,
}

impl Person {
    pub(super) fn standing(&self) -> Standing {
        Standing {
            guest: self.guest,
            granted: self.granted,
        }
    }
}

impl Room {
    /// Whether somebody of this role may do this here.
    pub(super) fn may(&self, role: Role, right: Right) -> bool {
        let settings = &self.info.settings;
        let audience = match right {
            Right::Speak => settings.speak,
            Right::ShareScreen => settings.share,
            Right::Chat => settings.chat,
            Right::WriteNotes => settings.notes,
            Right::FeedCaptions => settings.captions,
            Right::ShowCamera
            | Right::Vote
            | Right::RaiseHand
            | Right::React
            | Right::HoldPolls
            | Right::HoldBreakouts
            | Right::Moderate
            | Right::Configure
            | Right::ReadAudit => Audience::Everybody,
        };
        let keeps_order = Right::Moderate.is_of(role);
        right.is_of(role) && (audience == Audience::Everybody || keeps_order)
    }

    /// Refuses what the client's role, or the room's settings, do not allow.
    pub(super) fn require(&self, client: &Client, right: Right) -> Result<Role, Refusal> {
        let person = self.people.get(&client.participant);
        let role = person.map_or(Role::Viewer, |person| person.role);
        if self.may(role, right) {
            return Ok(role);
        }
        let message = match (right, right.is_of(role)) {
            (Right::Configure | Right::ReadAudit, _) => "only the host does this",
            (Right::Moderate | Right::HoldPolls | Right::HoldBreakouts, _) => {
                "only the host and moderators do this"
            }
            (_, true) => "only the host and moderators do this here, as the room is set",
            (_, false) => "your role does not allow it",
        };
        Err(Refusal::new(ErrorCode::Forbidden, message))
    }

    pub(super) fn sets_role(
        &mut self,
        client: &Client,
        target: &ParticipantId,
        role: Role,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let forbidden = |message| Err(Refusal::new(ErrorCode::Forbidden, message));
        match role {
            Role::Moderator => self.require(client, Right::Configure)?,
            Role::Viewer | Role::Speaker => self.require(client, Right::Moderate)?,
            Role::Host => {
                return forbidden("a moderator becomes host when the host leaves: make one");
            }
            Role::Guest => return forbidden("a guest is who has no account"),
        };
        let user = self.subject(client, target)?;
        if self.is_owner(&user) {
            return forbidden("the owner stays host");
        }
        // A guest who is a speaker in a meeting is what they were when they came.
        let guest = self.people.get(target).is_some_and(|person| person.guest);
        let is_meeting = self.info.settings.kind == RoomKind::Meeting;
        let returns = guest && is_meeting && role == Role::Speaker;
        let ruled = (!returns).then_some(role);
        // Said again, as when its answer was lost, it is no other deed.
        if self.rulings.get(&user).and_then(|ruling| ruling.role) == ruled {
            return Ok(());
        }
        self.audit_on(client, target, Deed::Role { role }, now, out);
        self.rule(&user, |ruling| ruling.role = ruled, now, out);
        Ok(())
    }

    /// What somebody is here, unless the room has fallen to them.
    pub(super) fn natural_role(&self, user: &UserId, standing: Standing) -> Role {
        if self.is_owner(user) {
            return Role::Host;
        }
        let ruled = self.rulings.get(user).and_then(|ruling| ruling.role);
        ruled
            .or(standing.granted)
            .unwrap_or(match self.info.settings.kind {
                RoomKind::Webinar => Role::Viewer,
                RoomKind::Meeting if standing.guest => Role::Guest,
                RoomKind::Meeting => Role::Speaker,
            })
    }

    /// Whether this user comes to watch alone.
    pub(super) fn watches(&self, user: &UserId, granted: Option<Role>) -> bool {
        let standing = Standing {
            granted,
            ..Standing::default()
        };
        self.natural_role(user, standing) == Role::Viewer
    }

    /// What somebody who comes is, and may send.
    pub(super) fn on_entering(&self, user: &UserId, standing: Standing) -> (Role, Caps) {
        let role = self.natural_role(user, standing);
        (role, self.caps_as(role, user))
    }

    fn caps_as(&self, role: Role, user: &UserId) -> Caps {
        let ruled = self.caps_of(user);
        Caps {
            audio: ruled.audio && self.may(role, Right::Speak),
            video: ruled.video && self.may(role, Right::ShowCamera),
            screen: ruled.screen && self.may(role, Right::ShareScreen),
            // Who was forbidden to be heard is not read, either.
            captions: ruled.audio && self.may(role, Right::FeedCaptions),
            ..ruled
        }
    }

    /// Has everybody be what they should be by now, and tells who it is news for. After each event: whatever has changed, the
    /// room's truth is whole again.
    pub(super) fn settle_roles(&mut self, now: u64, out: &mut Vec<Effect>) {
        let heir = self.heir();
        let due = |person: &Person| {
            let falls = heir.as_ref() == Some(&person.id);
            let natural = self.natural_role(&person.user, person.standing());
            let role = if falls { Role::Host } else { natural };
            (role, self.caps_as(role, &person.user))
        };
        let changes: Vec<(ParticipantId, Role, Caps)> = self
            .people
            .values()
            .filter_map(|person| {
                let (role, caps) = due(person);
                let stays = (role, caps) == (person.role, person.caps);
                (!stays).then(|| (person.id.clone(), role, caps))
            })
            .collect();
        for (id, role, caps) in changes {
            self.becomes(&id, role, caps, now, out);
        }
        let hosted = self.hosts_here().next().is_some();
        if self.info.hosted != hosted {
            self.info.hosted = hosted;
            out.push(Effect::Save(Record::Info(self.info.clone())));
        }
    }

    fn becomes(
        &mut self,
        id: &ParticipantId,
        role: Role,
        caps: Caps,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let Some(person) = self.people.get_mut(id) else {
            return;
        };
        let is_news = person.is_in();
        let new_role = person.role != role;
        let watched = person.role == Role::Viewer;
        let was_keeper = Right::Moderate.is_of(person.role);
        let new_caps = person.caps != caps;
        (person.role, person.caps) = (role, caps);
        if new_role {
            person.wish = None;
        }
        self.save_person(id, out);
        if new_caps {
            self.tell_caps(id, out);
        }
        if new_role {
            self.show_door(id, was_keeper, out);
        }
        for event in [
            new_role.then(|| RoomEvent::Role {
                participant: id.clone(),
                role,
            }),
            new_caps.then(|| RoomEvent::Caps {
                participant: id.clone(),
                caps,
            }),
        ] {
            if let Some(event) = event.filter(|_| is_news) {
                self.happen(event, None, now, out);
            }
        }
        // What the hand was raised for has come.
        if new_role && watched {
            self.hand_goes_down(id, now, out);
        }
    }

    fn hosts_here(&self) -> impl Iterator<Item = &Person> {
        let people = self.people.values();
        people.filter(|person| person.is_in() && person.role == Role::Host)
    }

    /// Whom the room has fallen to, or falls to now: while its owner is away, the oldest moderator of those who are here when
    /// the host goes, else the oldest speaker. A room that never had a host gets none before its owner comes.
    fn heir(&self) -> Option<ParticipantId> {
        let here = || self.people.values().filter(|person| person.is_in());
        if here().any(|person| self.is_owner(&person.user)) {
            return None;
        }
        if let Some(host) = self.hosts_here().next() {
            return Some(host.id.clone());
        }
        let fits = |person: &&Person| {
            let role = self.natural_role(&person.user, person.standing());
            // Who has no account decides about nobody's room.
            !person.guest && role >= Role::Speaker
        };
        let order = |person: &&Person| {
            let role = self.natural_role(&person.user, person.standing());
            (std::cmp::Reverse(role), person.joined_at, person.id.clone())
        };
        let heir = here().filter(fits).min_by_key(order);
        heir.filter(|_| self.info.hosted)
            .map(|person| person.id.clone())
    }
}
