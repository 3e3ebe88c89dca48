//! The room itself, as is stored of it.

use protocol::client::Settings;
use protocol::id::{Epoch, Region, RoomId, UserId};
use serde::{Deserialize, Serialize};

use crate::table::{Column, Table, flag, integer, json, text};

pub(super) const INFO: Table = Table {
    name: "room",
    tag: "Info",
    since: 1,
    columns: &[
        text("id").key(),
        text("name"),
        text("owner"),
        integer("created_at"),
        integer("epoch"),
        setting(text("kind")),
        setting(text("chat")),
        setting(text("notes")),
        setting(text("captions")),
        setting(text("share")),
        setting(text("speak")),
        setting(flag("guests")),
        setting(integer("chat_days")).field("chatDays"),
        setting(integer("chat_lines")).field("chatLines"),
        setting(flag("lobby")),
        setting(flag("locked")),
        setting(integer("capacity")),
        setting(integer("opens_at")).field("opensAt"),
        setting(flag("listed")),
        setting(flag("permanent")),
        setting(flag("has_password")).field("hasPassword"),
        text("password").optional(),
        flag("hosted"),
        flag("gone"),
        integer("used_at").optional(),
        flag("retired"),
        json("regions").since(2, "'[]'"),
    ],
    indexes: &[],
};

/// The column of a setting.
const fn setting(column: Column) -> Column {
    column.inside("settings")
}

/// The room itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Info {
    pub id: RoomId,
    pub name: String,
    pub owner: UserId,
    pub created_at: u64,
    /// The number of the latest placement.
    pub epoch: Epoch,
    #[serde(default)]
    pub settings: Settings,
    /// The hash of the password that is asked for, as a PHC string.
    #[serde(default)]
    pub password: Option<String>,
    /// Whether somebody in it is its host.
    #[serde(default)]
    pub hosted: bool,
    /// Whether the room was deleted. It is kept until the directory knows.
    #[serde(default)]
    pub gone: bool,
    /// When somebody was last in it, unless somebody is; or when it was made. Former releases did not say.
    #[serde(default)]
    pub used_at: Option<u64>,
    /// Whether it is gone because nobody used it. That is remembered for good.
    #[serde(default)]
    pub retired: bool,
    /// The regions that it is bound to; to none if there are none.
    #[serde(default)]
    pub regions: Vec<Region>,
}
