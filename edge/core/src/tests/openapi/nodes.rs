//! The links that media nodes dial.

use protocol::query::RoomLinkQuery;

use super::description::Caller::Node;
use super::description::Description;
use crate::problem::Kind;

const TAG: &str = "nodes";

pub fn connect() -> Description {
    Description::new(TAG, Node, "A node's link to its region")
        .of_region()
        .answers_websocket("Messages follow.")
        .refuses(&[Kind::Forbidden])
}

pub fn connect_to_room() -> Description {
    Description::new(
        TAG,
        Node,
        "The link of a node to a room that is placed on it",
    )
    .of_room_by_name()
    .query::<RoomLinkQuery>()
    .answers_websocket("Messages follow.")
    .refuses(&[Kind::Malformed, Kind::StaleEpoch])
}
