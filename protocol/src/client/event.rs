//! Events: what happens in a room and is numbered, so that who was away for a moment is told it again.

use serde::{Deserialize, Serialize};

use super::{
    BreakoutPlace, Breakouts, ChatMessage, ChatReaction, Connection, LeaveReason, Participant,
    Poll, PollResults, Role, Settings, Wish,
};
use crate::id::{ParticipantId, PollId, Region, UserId};
use crate::media::{Caps, Publishing, Source};

/// What happens in a room, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum RoomEvent {
    Joined {
        participant: Participant,
    },
    Left {
        participant: ParticipantId,
        reason: LeaveReason,
    },
    Publishing {
        participant: ParticipantId,
        publishing: Publishing,
    },
    /// The participant is something else in the room from now on.
    Role {
        participant: ParticipantId,
        role: Role,
    },
    /// The room's settings have changed.
    Settings {
        settings: Settings,
    },
    /// The participant was a guest, and has this account from now on: all that was the guest's is the account's.
    Account {
        participant: ParticipantId,
        user: UserId,
        name: String,
    },
    /// What the participant may send has changed.
    Caps {
        participant: ParticipantId,
        caps: Caps,
    },
    /// A moderator has turned off what these participants send of a source: their clients see to it. They may turn it on again.
    TurnedOff {
        participants: Vec<ParticipantId>,
        source: Source,
        by: ParticipantId,
    },
    /// The participant's media is at a node of this region now.
    Placed {
        participant: ParticipantId,
        region: Region,
    },
    /// The participant cannot be seen and heard any more, or can be again.
    Connection {
        participant: ParticipantId,
        connection: Connection,
    },
    Chat {
        message: ChatMessage,
    },
    /// A poll is made, or closed: as it is from now on.
    Poll {
        poll: Poll,
    },
    /// Somebody has voted.
    PollResults {
        poll: PollId,
        results: PollResults,
    },
    PollDeleted {
        poll: PollId,
    },
    /// A line has another text.
    ChatEdited {
        id: String,
        text: String,
        #[cfg_attr(test, ts(type = "number"))]
        edited_at: u64,
    },
    /// A line has no text any more.
    ChatDeleted {
        id: String,
    },
    /// A user feels so about a line, or does no more; and how many do by now.
    ChatReacted {
        id: String,
        user: UserId,
        reaction: ChatReaction,
        on: bool,
        count: u32,
    },
    /// The breakout rooms are open, or none are any more: then everybody is in the main room.
    Breakouts {
        breakouts: Option<Breakouts>,
    },
    /// To which of them somebody belongs from now on.
    BreakoutPlace {
        place: BreakoutPlace,
    },
    /// Something between others, or in another breakout room. It stands for its number alone.
    Unseen,
    /// A hand is raised, as the last of all, or lowered. Whose participant leaves has none up.
    Hand {
        participant: ParticipantId,
        raised: bool,
    },
    /// All hands are lowered.
    HandsLowered,
    /// Viewers wish to be on stage, or not any more. Whoever leaves or is brought there wishes for it no more.
    Stage {
        participants: Vec<ParticipantId>,
        wish: Wish,
    },
    /// Who is in the spotlight, whole each time. Whoever leaves is not.
    Spotlight {
        participants: Vec<ParticipantId>,
    },
}
