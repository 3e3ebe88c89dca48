//! Bodies of the API for developers (`/api/v1`): keys, rooms, tokens, moderation and data.

use serde::{Deserialize, Serialize};

#[cfg(feature = "openapi")]
use crate::api::MAX_NAME;
use crate::api::Room;
use crate::client::{ChatMessage, LeaveReason, Participant, Role, Settings, SettingsChange};
use crate::id::{ParticipantId, RoomId, UserId};

/// Longest message of data, in bytes.
pub const MAX_DATA_BYTES: usize = 16 * 1024;
/// Longest identity that a developer gives somebody, in bytes.
pub const MAX_IDENTITY_BYTES: usize = 128;
/// How long the token of a person holds at least, unless another time is asked for, and at most, in seconds.
pub const MIN_TOKEN_SECONDS: u32 = 60;
pub const TOKEN_SECONDS: u32 = 600;
pub const MAX_TOKEN_SECONDS: u32 = 12 * 3600;

/// What a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum KeyScope {
    /// Look at the account's own rooms, and at who is in them.
    #[serde(rename = "rooms:read")]
    RoomsRead,
    /// Make, change and delete rooms.
    #[serde(rename = "rooms:write")]
    RoomsWrite,
    /// Let people in.
    #[serde(rename = "tokens:write")]
    TokensWrite,
    /// Mute, remove, ban, lock and end.
    #[serde(rename = "moderation:write")]
    ModerationWrite,
    /// Send data to rooms.
    #[serde(rename = "data:write")]
    DataWrite,
    /// Look at webhooks and change them.
    #[serde(rename = "webhooks:write")]
    WebhooksWrite,
}

/// A key of an account, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    pub id: String,
    pub name: String,
    pub scopes: Vec<KeyScope>,
    /// Unix time in milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub created_at: u64,
    /// To the minute; absent if it never was.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub last_used_at: Option<u64>,
}

/// `GET /api/v1/keys`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ApiKeyList {
    /// The latest first.
    pub keys: Vec<ApiKey>,
}

/// `POST /api/v1/keys`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct CreateKeyRequest {
    /// What it is for, in words.
    #[cfg_attr(feature = "openapi", schemars(length(min = 1, max = MAX_NAME)))]
    pub name: String,
    #[cfg_attr(feature = "openapi", schemars(length(min = 1)))]
    pub scopes: Vec<KeyScope>,
}

/// A new key. What it is shown by is told now and never again.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct CreatedKey {
    #[serde(flatten)]
    pub key: ApiKey,
    /// To be sent as `Authorization: Bearer`.
    pub secret: String,
}

/// A page of `GET /api/v1/rooms`: the account's own rooms.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct OwnRooms {
    /// By id.
    pub rooms: Vec<Room>,
    /// Ask for what is `after` this; absent when there is no more.
    pub next: Option<RoomId>,
}

/// `GET /api/v1/rooms/{id}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct OwnRoom {
    #[serde(flatten)]
    pub room: Room,
    pub settings: Settings,
}

/// `PATCH /api/v1/rooms/{id}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ChangeRoomRequest {
    /// What is absent stays as it is.
    pub settings: SettingsChange,
}

/// `GET /api/v1/rooms/{id}/participants`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ParticipantList {
    /// Who came first is first.
    pub participants: Vec<Participant>,
}

/// `POST /api/v1/rooms/{id}/tokens`: lets somebody in who needs no account.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct CreateTokenRequest {
    /// What the others see.
    #[cfg_attr(feature = "openapi", schemars(length(min = 1, max = MAX_NAME)))]
    pub name: String,
    /// What they are in the room; absent for what any guest is there.
    #[serde(default)]
    #[cfg_attr(test, ts(optional))]
    pub role: Option<Role>,
    /// Who they are to the developer, in at most 128 bytes: the same one is the same user of the room again. It is shown to nobody.
    #[serde(default)]
    #[cfg_attr(test, ts(optional))]
    #[cfg_attr(feature = "openapi", schemars(length(min = 1, max = MAX_IDENTITY_BYTES)))]
    pub identity: Option<String>,
    /// For how many seconds the token lets them in, from [`MIN_TOKEN_SECONDS`] to [`MAX_TOKEN_SECONDS`]. Who is inside stays.
    #[serde(default)]
    #[cfg_attr(test, ts(optional))]
    #[cfg_attr(feature = "openapi", schemars(range(min = MIN_TOKEN_SECONDS, max = MAX_TOKEN_SECONDS)))]
    pub expires_in: Option<u32>,
}

/// A token for one person and one room.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct RoomToken {
    /// To be sent as `Authorization: Bearer` to `POST /api/rooms/{id}/join`.
    pub token: String,
    /// Seconds until the token expires.
    pub expires_in: u32,
    /// Who they are in the room.
    pub user: UserId,
    /// The name as the others see it.
    pub name: String,
    pub role: Role,
}

/// `POST /api/v1/rooms/{id}/moderation`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Moderation {
    /// They may send no sound until that is lifted.
    Mute {
        participant: ParticipantId,
    },
    /// They may send sound again.
    Unmute {
        participant: ParticipantId,
    },
    /// Out, and not in again for a while.
    Remove {
        participant: ParticipantId,
    },
    /// Out until that is lifted.
    Ban {
        participant: ParticipantId,
    },
    Unban {
        user: UserId,
    },
    /// Nobody comes any more.
    Lock,
    Unlock,
    /// The call is over for everybody. The room stays.
    End,
}

/// `POST /api/v1/rooms/{id}/data`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct SendDataRequest {
    /// At most [`MAX_DATA_BYTES`]. What it means is between the developer and their pages.
    #[cfg_attr(feature = "openapi", schemars(length(min = 1, max = MAX_DATA_BYTES)))]
    pub data: String,
    /// Whom it is for; absent for everybody in the room.
    #[serde(default)]
    #[cfg_attr(test, ts(optional))]
    pub to: Option<ParticipantId>,
}

/// What is told by webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum EventKind {
    /// Somebody came to a room that nobody was in.
    #[serde(rename = "room.started")]
    RoomStarted,
    /// The last has left.
    #[serde(rename = "room.ended")]
    RoomEnded,
    #[serde(rename = "participant.joined")]
    ParticipantJoined,
    #[serde(rename = "participant.left")]
    ParticipantLeft,
    /// Somebody has written something for everybody. What is for one alone is told to nobody else.
    #[serde(rename = "chat.message")]
    ChatMessage,
    /// The owner tries whether it works.
    #[serde(rename = "test")]
    Test,
}

/// An endpoint of an account's webhooks, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    pub id: String,
    pub url: String,
    pub events: Vec<EventKind>,
    /// Unix time in milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub created_at: u64,
    /// Since when nothing arrives there; absent if the latest did.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub failing_since: Option<u64>,
    /// Why nothing is sent there any more, until it is enabled again.
    pub disabled: Option<String>,
}

/// `GET /api/v1/webhooks`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct EndpointList {
    /// The oldest first.
    pub webhooks: Vec<Endpoint>,
}

/// `POST /api/v1/webhooks`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct CreateEndpointRequest {
    /// Of a web server that everybody reaches, by https.
    pub url: String,
    #[cfg_attr(feature = "openapi", schemars(length(min = 1)))]
    pub events: Vec<EventKind>,
}

/// `PATCH /api/v1/webhooks/{id}`: what is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", default)]
pub struct ChangeEndpointRequest {
    #[cfg_attr(test, ts(optional))]
    pub url: Option<String>,
    #[cfg_attr(test, ts(optional))]
    pub events: Option<Vec<EventKind>>,
    /// `true` has one that was disabled be tried again.
    #[cfg_attr(test, ts(optional))]
    pub enabled: Option<bool>,
}

/// A new endpoint, or a new secret of one. The secret is told now and never again.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct EndpointSecret {
    #[serde(flatten)]
    pub endpoint: Endpoint,
    /// `whsec_` and a key in base64, as Standard Webhooks has it.
    pub secret: String,
}

/// `GET /api/v1/webhooks/{id}/deliveries`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct DeliveryList {
    /// The latest first, 100 at most.
    pub deliveries: Vec<Delivery>,
}

/// Something that was sent, or is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// The same for each try.
    pub id: String,
    pub event: EventKind,
    /// When it happened, in Unix milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub at: u64,
    pub state: DeliveryState,
    pub tries: u32,
    /// When it is tried next.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub due: Option<u64>,
    /// What was answered last.
    pub status: Option<u16>,
    /// What went wrong last.
    pub error: Option<String>,
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum DeliveryState {
    Waiting,
    Delivered,
    /// It was tried for a day.
    GivenUp,
}

/// What is sent to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct WebhookMessage {
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// When it happened, in Unix milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub timestamp: u64,
    pub data: WebhookData,
}

/// What it was.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct WebhookData {
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub room: Option<WebhookRoom>,
    /// Who.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub participant: Option<WebhookParticipant>,
    /// Why they left.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub reason: Option<LeaveReason>,
    /// What they have written.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub message: Option<ChatMessage>,
}

/// A room, as a webhook tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct WebhookRoom {
    pub id: RoomId,
    pub name: String,
}

/// Somebody, as a webhook tells of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct WebhookParticipant {
    pub id: ParticipantId,
    pub user: UserId,
    pub name: String,
    pub role: Role,
    pub guest: bool,
    /// Unix time in milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub joined_at: u64,
}
