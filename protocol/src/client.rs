//! Messages of a client: over the signaling WebSocket (to the Room Durable Object), and over the data channel (to the media
//! node, [`channel`]). All are JSON text. On the WebSocket the bare text `ping` is answered with `pong`.

mod audit;
mod breakouts;
mod captions;
mod channel;
mod chat;
mod door;
mod error;
mod event;
mod moderation;
mod notes;
mod offer;
mod people;
mod polls;
mod reactions;
mod settings;
mod snapshot;
mod stage;

use serde::{Deserialize, Serialize};

use crate::id::{Attempt, BreakoutId, NodeId, ParticipantId, PollId, Region, UserId};
use crate::media::{Publishing, Source};

pub use audit::{AuditEntry, AuditPage, Deed, Noted, NotedPerson};
pub use breakouts::{
    Breakout, BreakoutAssigned, BreakoutAssignment, BreakoutDraft, BreakoutPlace, Breakouts,
    MAX_BREAKOUT_NAME_BYTES, MAX_BREAKOUT_SECONDS, MAX_BREAKOUTS, MIN_BREAKOUT_SECONDS,
};
pub use captions::{Caption, CaptionLine, CaptionRefusal, MAX_CAPTION_BYTES, MAX_LANGUAGE_BYTES};
pub use channel::{
    ClientMediaMessage, NodeMediaMessage, ParticipantQuality, PathQuality, Quality, SlotAssignment,
    SourceDemand, Tile,
};
pub use chat::{
    ChatMessage, ChatPage, ChatReaction, MAX_CHAT_BYTES, MAX_CHAT_PAGE, MAX_MENTIONS, Mention,
    ReactionCount,
};
pub use door::{Banned, Knock};
pub use error::ErrorCode;
pub use event::RoomEvent;
pub use moderation::{CapsChange, MuteAll};
pub use notes::{
    MAX_NOTES_BYTES, MAX_NOTES_PLACE_BYTES, MAX_NOTES_UPDATE_BYTES, NotesPage, NotesPointer,
    NotesUpdate,
};
pub use offer::{IceCredentials, Offer, SourceMid};
pub use people::{CloseReason, Connection, LeaveReason, Participant, Role};
pub use polls::{
    MAX_OPTION_BYTES, MAX_POLL_OPTIONS, MAX_QUESTION_BYTES, MIN_POLL_OPTIONS, NamedVote, OwnVote,
    Poll, PollDraft, PollResults, PollShows,
};
pub use reactions::Reaction;
pub use settings::{Audience, MAX_CHAT_DAYS, MAX_CHAT_LINES, RoomKind, Settings, SettingsChange};
pub use snapshot::Snapshot;
pub use stage::Wish;

/// How long somebody who was removed may not join the room, in seconds.
pub const REMOVAL_SECONDS: u64 = 600;
/// How long a page that was left is waited for, in seconds.
pub const RETURN_SECONDS: u64 = 10;
/// How many may be in the spotlight.
pub const MAX_SPOTLIT: usize = 4;
/// Largest signaling message, in bytes: an offer with many slots fits several times.
pub const MAX_MESSAGE_BYTES: usize = 256 * 1024;
/// The code with which the WebSocket of a client is closed that says far too much, after [`ServerMessage::Wait`]
/// (RFC 6455, 7.4.2: private use).
pub const SENT_AWAY: u16 = 4429;
/// The code with which a WebSocket is closed on which far too much comes that is no message of its protocol; a client's,
/// after [`ServerMessage::Wait`] (RFC 6455, 7.4.1).
pub const POLICY_VIOLATION: u16 = 1008;

/// Client → Room Durable Object.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum ClientMessage {
    /// The only offer of a media session (ARCHITECTURE.md: receive slots). Passed on to the assigned node.
    Offer {
        attempt: Attempt,
        sdp: String,
        /// Which sending m-line is which source; all other m-lines are receive slots.
        sources: Vec<SourceMid>,
    },
    /// The client's network has changed: the path is sought anew (ICE restart, RFC 8445, 2.4), and all else of the
    /// session goes on. `sdp` is an offer that differs from the first in its ICE credentials only.
    RestartIce { attempt: Attempt, sdp: String },
    /// What this participant sends has changed.
    Publishing { publishing: Publishing },
    /// A line of chat. Sending the same nonce again is safe: it is stored once.
    Chat {
        nonce: String,
        text: String,
        /// The line that it answers.
        #[serde(default)]
        #[cfg_attr(test, ts(optional))]
        reply_to: Option<String>,
        /// Whom it mentions. Who is not in the room is left out.
        #[serde(default)]
        #[cfg_attr(test, ts(optional, as = "Option<Vec<UserId>>"))]
        mentions: Vec<UserId>,
        /// The one other user who is to see it.
        #[serde(default)]
        #[cfg_attr(test, ts(optional))]
        to: Option<UserId>,
        /// Whether everybody is to see it, in which breakout room ever they are. Who keeps order says so.
        #[serde(default)]
        #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
        broadcast: bool,
        /// The breakout room in which it was written, `null` for the main one: it is said there or nowhere. Absent from older
        /// clients, and from who does not mind.
        #[serde(
            default,
            deserialize_with = "moderation::named",
            skip_serializing_if = "Option::is_none"
        )]
        #[cfg_attr(test, ts(optional, as = "Option<Option<BreakoutId>>"))]
        breakout: Option<Option<BreakoutId>>,
    },
    /// Another text for one's own line. It is done when [`RoomEvent::ChatEdited`] tells so.
    EditChat { id: String, text: String },
    /// One's own line, and as who keeps order any, loses its text for good.
    DeleteChat { id: String },
    /// How one feels about a line: one of each kind for a user.
    ReactToChat {
        id: String,
        reaction: ChatReaction,
        on: bool,
    },
    /// Asks for at most so many lines before this one, and no more than [`MAX_CHAT_PAGE`]. Answered with
    /// [`ServerMessage::ChatPage`].
    ChatHistory { before: String, limit: u32 },
    /// This participant's user has read up to this line. Nobody else is told; a guest's is not kept.
    ReadChat { id: String },
    /// Writes something for everybody just now.
    Typing,
    /// Media of this attempt could not be established or was lost for good.
    MediaFailed { attempt: Attempt },
    /// A moderator decides what this participant may send. It holds for everything that its user has in the room, and when
    /// the user comes back.
    SetCaps {
        participant: ParticipantId,
        caps: CapsChange,
    },
    /// A moderator has something turned off that this participant sends, who may turn it on again. A screen's sound goes
    /// with the screen.
    TurnOff {
        participant: ParticipantId,
        source: Source,
    },
    /// A moderator asks this participant to turn the microphone on. If sound was forbidden them, it is not any more.
    AskToUnmute { participant: ParticipantId },
    /// A moderator mutes everybody who does not keep order, or lifts that.
    MuteAll { mute: MuteAll },
    /// A moderator sends this participant's user out of the room, who may not come back for [`REMOVAL_SECONDS`].
    Remove { participant: ParticipantId },
    /// What this participant's user is in the room from now on: a viewer, a speaker or a moderator.
    SetRole {
        participant: ParticipantId,
        role: Role,
    },
    /// The host changes the room's settings.
    Configure { change: SettingsChange },
    /// One who keeps order asks everybody something. Sending the same nonce again is safe: one poll is made.
    CreatePoll { nonce: String, draft: PollDraft },
    /// What this participant's user chooses in an open poll, whole each time; nothing takes the vote back.
    Vote { poll: PollId, choices: Vec<u8> },
    /// One who keeps order ends the voting.
    ClosePoll { poll: PollId },
    /// One who keeps order deletes a poll with all its votes.
    DeletePoll { poll: PollId },
    /// Asks who voted for what in a poll that is not anonymous ([`ServerMessage::PollVotes`]).
    ShowVotes { poll: PollId },
    /// Raises the own hand.
    RaiseHand,
    /// Lowers a hand: one's own, or as one who keeps order anybody's.
    LowerHand { participant: ParticipantId },
    /// One who keeps order lowers all hands.
    LowerAllHands,
    /// A viewer wishes to be on stage, or does no more.
    AskToSpeak { on: bool },
    /// One who keeps order refuses a viewer who wishes to be on stage, or everybody who does.
    RefuseToSpeak { participant: Option<ParticipantId> },
    /// Shows something to everybody for a moment.
    React { reaction: Reaction },
    /// One who keeps order has everybody see this participant first and large, or not any more.
    Spotlight {
        participant: ParticipantId,
        on: bool,
    },
    /// Shows the shared notes from now on, and what was written after this number; as this author, if the client has one
    /// already. Answered with [`ServerMessage::Notes`].
    OpenNotes {
        #[cfg_attr(test, ts(type = "number"))]
        after: u64,
        #[serde(default)]
        author: Option<u32>,
    },
    /// Writes in the shared notes, as its author alone. Sending it again is safe: what is known changes nothing.
    WriteNotes { nonce: String, update: String },
    /// Where one is in the shared notes just now, or that one is not in them any more.
    PointInNotes { at: Option<String> },
    /// Shows the shared notes no more.
    CloseNotes,
    /// One who keeps order opens breakout rooms.
    OpenBreakouts { draft: BreakoutDraft },
    /// This participant's user goes to a breakout room, or to the main room: by themselves where they may, or as one who keeps
    /// order says.
    MoveToBreakout {
        participant: ParticipantId,
        breakout: Option<BreakoutId>,
    },
    /// One who keeps order says anew when the breakout rooms are over: in so many seconds, or never by themselves.
    LimitBreakouts { seconds: Option<u32> },
    /// One who keeps order brings everybody back to the main room.
    CloseBreakouts,
    /// The answer to [`ServerMessage::CheckMedia`]: media came until just now, and comes no more.
    NoMedia { attempt: Attempt },
    /// A moderator sends this participant's user out of the room, who may not come back until [`ClientMessage::Unban`].
    Ban { participant: ParticipantId },
    /// Who was banned may come again.
    Unban { user: UserId },
    /// A moderator lets somebody in who waits, or everybody.
    Admit { participant: Option<ParticipantId> },
    /// A moderator sends somebody away who waits, or everybody.
    Refuse { participant: Option<ParticipantId> },
    /// The host asks for this password at the door, or for none any more.
    SetPassword { password: Option<String> },
    /// A guest is somebody with an account from now on: that of this access token.
    TakeAccount { token: String },
    /// The call goes on here: everything else that the same user has in the room ends ([`CloseReason::Moved`]).
    MoveHere,
    /// Goes now, without the grace period of a lost connection.
    Leave,
    /// The page is left, as by its reload: who resumes within [`RETURN_SECONDS`] is the same participant, and who does not
    /// has left.
    PageGone,
}

/// Room Durable Object → client.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum ServerMessage {
    /// First message on every WebSocket of somebody who is in the room.
    Welcome {
        /// Sequence number of the last event that this state, or the replay after it, builds on.
        #[cfg_attr(test, ts(type = "number"))]
        seq: u64,
        you: ParticipantId,
        /// Admits a WebSocket to go on as this participant: `?resume=TOKEN&since=SEQ`. What admitted the one before
        /// still does until the client says something here: this welcome may be lost.
        resume_token: String,
        /// After a loss, dial again at a random moment within this time (milliseconds): as much as the room can take, when
        /// everybody comes back at once.
        redial_within_ms: u32,
        /// The whole state, or `null` when the connection was resumed: then every event after `since` follows.
        snapshot: Option<Snapshot>,
    },
    /// First message on a WebSocket of somebody who waits to be let in. Nothing more is told until the welcome, which may come
    /// over the same WebSocket.
    Waiting {
        you: ParticipantId,
        /// As that of the welcome.
        resume_token: String,
        redial_within_ms: u32,
    },
    /// To who keeps order: who waits to be let in, whole each time, who came first first.
    Knocking {
        people: Vec<Knock>,
    },
    /// To who keeps order: who is banned, whole each time, the latest first.
    Banned {
        people: Vec<Banned>,
    },
    /// Something happened in the room. `seq` counts up by one.
    Event {
        #[cfg_attr(test, ts(type = "number"))]
        seq: u64,
        event: RoomEvent,
    },
    /// The node's answer to the offer with this attempt.
    Answer {
        attempt: Attempt,
        sdp: String,
        node: NodeId,
        region: Region,
    },
    /// The node's new ICE credentials, to be put in the place of those of its answer.
    IceRestarted {
        attempt: Attempt,
        credentials: IceCredentials,
    },
    /// The media session is over (its node died, drained or refused); offer anew with a higher attempt.
    Renegotiate {
        attempt: Attempt,
        reason: String,
    },
    /// The room has lost its link to the node of this attempt. Answer with [`ClientMessage::NoMedia`] if media has stopped as
    /// well: then the node is gone. While it comes, nothing needs to be done.
    CheckMedia {
        attempt: Attempt,
    },
    /// The chat line with this nonce is stored.
    ChatAccepted {
        nonce: String,
        id: String,
    },
    ChatPage(ChatPage),
    /// Up to which line this client's user has read, here or elsewhere: after the welcome, and when that has changed elsewhere.
    ChatRead {
        id: String,
    },
    /// The client is in another breakout room, or in the main room: the latest lines of that one, the oldest first, in the
    /// place of those before.
    ChatShown {
        lines: Vec<ChatMessage>,
        /// Ask for what is before this; absent where there is nothing before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        before: Option<String>,
    },
    /// Somebody writes something for everybody just now. What was missed is not sent again.
    Typing {
        participant: ParticipantId,
    },
    /// A moderator asks for this participant's microphone, who decides. Told to both of them; what was missed is not sent again.
    AskedToUnmute {
        participant: ParticipantId,
        by: ParticipantId,
    },
    /// The poll with this nonce is stored.
    PollCreated {
        nonce: String,
        poll: PollId,
    },
    /// What this client's user has chosen in the polls, whole each time: when the client comes, and when that has changed or was
    /// sent again. A vote that stands in it is stored. What was chosen in an anonymous poll is forgotten as that is closed.
    OwnVotes {
        votes: Vec<OwnVote>,
    },
    /// Who voted for what: the answer to [`ClientMessage::ShowVotes`].
    PollVotes {
        poll: PollId,
        votes: Vec<NamedVote>,
    },
    /// The shared notes, as they are shown from now on.
    Notes(NotesPage),
    /// To whom the notes are shown: somebody else has written.
    NotesWritten(NotesUpdate),
    /// The update with this nonce is stored, under this number; one that says nothing new, under none of its own.
    NotesTaken {
        nonce: String,
        #[cfg_attr(test, ts(type = "number"))]
        number: u64,
    },
    /// To whom the notes are shown: they were written anew, as they were full. Open them again.
    NotesRewritten,
    /// To whom the notes are shown: where somebody is. What was missed is not sent again.
    NotesPointer(NotesPointer),
    /// Somebody shows something for a moment. Not an event: what was missed is not sent again.
    Reacted {
        participant: ParticipantId,
        reaction: Reaction,
    },
    /// A program of the room's owner says something to the client's page: neither numbered nor stored.
    Data {
        data: String,
    },
    /// A message of the client was refused. The connection stays.
    Error {
        code: ErrorCode,
        message: String,
        /// The nonce of the refused chat line, if it was one.
        nonce: Option<String>,
        /// The `type` of the refused message, where it could be read.
        #[serde(default)]
        of: Option<String>,
        /// The same message may be taken after this time (milliseconds); absent if it never will.
        #[serde(default)]
        retry_after_ms: Option<u32>,
    },
    /// The room hangs up on a client that says far too much: do not dial again before this time is over.
    Wait {
        ms: u32,
    },
    /// The room has ended for this participant; do not reconnect.
    Closed {
        reason: CloseReason,
    },
}
