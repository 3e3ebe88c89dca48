//! Bodies about an account that there is: its sessions, its password, its address, and its end.

use serde::{Deserialize, Serialize};

#[cfg(feature = "openapi")]
use super::{MAX_PASSWORD, MIN_PASSWORD};
use super::{Room, User};
use crate::id::RoomId;

/// A sign-in of an account that is open, as its holder sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SignIn {
    pub id: String,
    /// When it began, in Unix milliseconds; absent where that was not noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub created_at: Option<u64>,
    /// When it was used last, in Unix milliseconds, as far as it is known: a session renews its token each hour.
    #[cfg_attr(test, ts(type = "number"))]
    pub used_at: u64,
    /// In coarse words, such as `Firefox on Linux`; empty where that was not noted.
    pub browser: String,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// `GET /api/account/sessions`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SignInList {
    /// The latest used first.
    pub sessions: Vec<SignIn>,
}

/// `POST /api/account/password`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PasswordChange {
    /// The one of until now.
    pub password: String,
    #[cfg_attr(feature = "openapi", schemars(length(min = MIN_PASSWORD, max = MAX_PASSWORD), regex(pattern = r"^[^\u0000-\u001F\u007F-\u009F]*$")))]
    pub new_password: String,
}

/// `POST /api/auth/reset`: asks for a mail that leads to a new password.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ResetRequest {
    pub email: String,
}

/// `POST /api/auth/reset/confirm`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewPassword {
    /// What stands behind the `#` of the link.
    pub token: String,
    #[cfg_attr(feature = "openapi", schemars(length(min = MIN_PASSWORD, max = MAX_PASSWORD), regex(pattern = r"^[^\u0000-\u001F\u007F-\u009F]*$")))]
    pub password: String,
}

/// `POST /api/auth/verify`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// What stands behind the `#` of the link.
    pub token: String,
}

/// `POST /api/account/deletion`.
#[derive(Clone, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct AccountDeletion {
    /// Needed if the account has one.
    pub password: String,
}

/// `GET /api/account`, and a part of what its holder takes along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AccountDetails {
    #[serde(flatten)]
    pub user: User,
    /// When it was made, in Unix milliseconds; absent where that was not noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub created_at: Option<u64>,
    /// When it was shown that the address is its holder's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub verified_at: Option<u64>,
    /// Whether one signs in by a password.
    pub has_password: bool,
    /// Whether mail can be sent here at all.
    #[serde(default)]
    pub mail: bool,
}

/// `GET /api/account/export`: all that an account is to the server, but for what was said in rooms.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AccountExport {
    pub account: AccountDetails,
    pub sessions: Vec<SignIn>,
    /// Rooms that are its own.
    pub rooms: Vec<Room>,
    /// Rooms that it was in, the latest first.
    pub visits: Vec<Visited>,
}

/// A room that somebody was in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Visited {
    pub room: RoomId,
    /// When they came last, in Unix milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub at: u64,
}
