//! Bodies of the HTTP API between the client and the Worker.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::client::{ChatMessage, Offer, SettingsChange};
use crate::id::{ParticipantId, Region, RoomId, UserId};
use crate::media::Codec;

mod account;

pub use account::{
    AccountDeletion, AccountDetails, AccountExport, NewPassword, PasswordChange, ResetRequest,
    SignIn, SignInList, Verification, Visited,
};

/// Longest name of a person or a room, in characters.
pub const MAX_NAME: usize = 80;
/// What a name looks like, but for characters beyond the Basic Multilingual Plane that show nothing: one line, in which something is seen,
/// and nothing turns the text around it.
#[cfg(feature = "openapi")]
const NAME: &str = r"^\s*[^\u0000-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069]*[^\s\u0000-\u001F\u007F-\u009F\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u2028-\u202E\u2060-\u206F\u2800\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFB][^\u0000-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069]*\s*$";
/// Shortest and longest password, in characters (NIST SP 800-63B asks for at least 8 and no composition rules).
pub const MIN_PASSWORD: usize = 8;
pub const MAX_PASSWORD: usize = 128;
/// Longest e-mail address, in bytes (RFC 5321, 4.5.3.1).
pub const MAX_EMAIL: usize = 254;

/// A part of `GET /api/rooms/{id}/chat/export`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ChatExport {
    /// The oldest first.
    pub lines: Vec<ChatMessage>,
    /// Ask for what is `after` this; absent when there is no more.
    pub next: Option<String>,
}

/// `POST /api/auth/register`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RegisterRequest {
    #[cfg_attr(feature = "openapi", schemars(email, length(max = MAX_EMAIL)))]
    pub email: String,
    #[cfg_attr(feature = "openapi", schemars(length(min = MIN_PASSWORD, max = MAX_PASSWORD), regex(pattern = r"^[^\u0000-\u001F\u007F-\u009F]*$")))]
    pub password: String,
    /// What others see: one line that shows something, without characters that turn the text around it.
    #[cfg_attr(feature = "openapi", schemars(length(min = 1, max = MAX_NAME), regex(pattern = NAME)))]
    pub name: String,
}

/// `POST /api/auth/login`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct LoginRequest {
    pub email: String,
    pub password: String,
}

/// `POST /api/auth/refresh` and `POST /api/auth/logout`, by the refresh cookie. An empty object is valid, as is no body.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct RefreshRequest {
    /// Whose session it is meant to be. The tabs of a browser share the cookie, and another one may have signed in as
    /// somebody else: then it is refused, and nothing changes.
    pub user: Option<UserId>,
}

/// An account as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct User {
    pub id: UserId,
    pub email: String,
    pub name: String,
}

/// The answer to a registration, a sign-in or a refresh. The refresh token travels only in its cookie.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// A JWT to send as `Authorization: Bearer`.
    pub token: String,
    /// Seconds until the token expires.
    pub expires_in: u32,
    pub user: User,
}

/// `POST /api/rooms`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct CreateRoomRequest {
    /// One line that shows something, without characters that turn the text around it.
    #[cfg_attr(feature = "openapi", schemars(length(min = 1, max = MAX_NAME), regex(pattern = NAME)))]
    pub name: String,
    /// Where the room is to differ from the default.
    #[serde(default)]
    #[cfg_attr(test, ts(optional, as = "Option<SettingsChange>"))]
    pub settings: SettingsChange,
    /// The regions that its media and what is stored of it stay in; all if there are none. It is so for good.
    #[serde(default)]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<Region>>"))]
    pub regions: Vec<Region>,
}

/// A room as the HTTP API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Room {
    pub id: RoomId,
    pub name: String,
    pub owner: UserId,
    /// Unix time in milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub created_at: u64,
    /// How many participants are in the room now.
    pub people: u32,
}

/// `GET /api/rooms/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RoomDetails {
    #[serde(flatten)]
    pub room: Room,
    /// As how many participants the caller is in the room now, those left out of whom nothing is heard.
    pub yours: u32,
    /// Whether the caller comes to watch alone, as the viewers of a webinar do: with no need for a microphone or a camera.
    #[serde(default)]
    pub watches: bool,
}

/// `GET /api/rooms`: the caller's own and recently visited rooms, the latest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RoomList {
    pub rooms: Vec<Room>,
}

/// A room in the directory (`GET /api/directory`), as everybody with an account finds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ListedRoom {
    pub id: RoomId,
    pub name: String,
    /// How many participants are in the room now.
    pub people: u32,
    /// Whether nobody comes any more.
    pub locked: bool,
    /// Whether a password is asked for.
    pub password: bool,
}

/// A page of the directory.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DirectoryPage {
    /// By name.
    pub rooms: Vec<ListedRoom>,
    /// Ask for what is `after` this; absent when there is no more.
    pub next: Option<String>,
}

/// `GET /api/rooms/{id}/door`: what somebody is told who comes by a link, before they are anybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Door {
    /// The room's name.
    pub name: String,
    /// Whether it is a webinar: who comes watches, and may ask for the stage.
    #[serde(default)]
    pub webinar: bool,
    /// Whether people without an account may come.
    pub guests: bool,
    /// Whether who comes waits to be let in.
    pub lobby: bool,
    /// Whether nobody comes any more.
    pub locked: bool,
    /// Whether a password is asked for.
    pub password: bool,
    /// From when on one may come, in Unix milliseconds; 0 if from the beginning.
    #[cfg_attr(test, ts(type = "number"))]
    pub opens_at: u64,
}

/// `POST /api/rooms/{id}/guests`: comes without an account.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct GuestRequest {
    /// What the others see.
    #[cfg_attr(feature = "openapi", schemars(length(min = 1, max = MAX_NAME), regex(pattern = NAME)))]
    pub name: String,
    /// Whether this is somebody else than came by this browser before. Who stays out of the room, or was forbidden to send
    /// something there, stays who they were.
    #[serde(default)]
    #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
    pub fresh: bool,
}

/// The answer to who comes as a guest.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct GuestSession {
    /// A JWT to send as `Authorization: Bearer`, good for this room alone.
    pub token: String,
    /// Seconds until the token expires. There is no other way to renew it than to come anew.
    pub expires_in: u32,
    pub user: UserId,
    /// The name as the others see it.
    pub name: String,
}

/// `POST /api/rooms/{id}/join`. Everything in it is optional; an empty object is a valid request.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct JoinRequest {
    /// The region the client would like its media node in.
    pub region: Option<Region>,
    /// Round-trip times that the client measured, in milliseconds per region.
    #[cfg_attr(test, ts(type = "Record<string, number>"))]
    pub round_trips: BTreeMap<Region, f64>,
    /// The first offer, to have the answer right after the welcome instead of a round trip later. It counts as sent: the
    /// WebSocket brings its answer, its refusal, or the wish for a new one.
    pub offer: Option<Offer>,
    /// The video codecs that the client decodes.
    pub decodes: Vec<Codec>,
    /// The call goes on here: once the WebSocket is open, everything else that the user has in the room ends.
    pub move_here: bool,
    /// The room's password, if it has one.
    pub password: Option<String>,
    /// Which trace the join belongs to (W3C Trace Context). What is none is passed over.
    #[cfg_attr(test, ts(optional = nullable))]
    pub traceparent: Option<String>,
}

/// The answer to a join.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct JoinResponse {
    pub room: Room,
    pub participant: ParticipantId,
    /// Admits a WebSocket within 60 s, again if its welcome was lost. It is already part of `url`.
    pub ticket: String,
    /// Path and query of the signaling WebSocket, relative to the API's origin.
    pub url: String,
    /// As [`IceServers`] has them, of the regions that the room is bound to.
    pub ice_servers: Vec<IceServer>,
    /// Seconds until the credentials in them are good no more.
    pub ice_expires_in: u32,
}

/// `GET /api/ice-servers?room=…`: to be asked for ahead of a join, so that the first offer knows them, and again in a call before
/// they expire.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct IceServers {
    pub ice_servers: Vec<IceServer>,
    /// Seconds until the credentials in them are good no more.
    pub expires_in: u32,
    /// A media node of each region, as `address:port`: it answers STUN bindings, so that the way to it can be measured.
    pub probes: BTreeMap<Region, Vec<String>>,
}

/// An entry for `RTCConfiguration.iceServers`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct IceServer {
    pub urls: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub credential: Option<String>,
}

/// An error of the HTTP API (RFC 9457, `application/problem+json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// A URI reference that names the kind of problem, e.g. `/problems/wrong-credentials`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    pub status: u16,
    /// What happened this time and what to do about it.
    pub detail: String,
    /// The fields of the request that are at fault.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// A field of a request that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct FieldError {
    pub field: String,
    pub message: String,
}

/// `GET /api/auth/ways`: how one may sign in here, beside e-mail address and password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SignInWays {
    pub providers: Vec<SignInProvider>,
}

/// A provider of single sign-on. A browser that goes to `/api/auth/sso/{id}/start?return=/PATH` comes back to that path, signed in;
/// or to `/login?failed=REASON&return=/PATH`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SignInProvider {
    pub id: String,
    /// What people know it by.
    pub name: String,
}
