//! What a later release says is passed over by this one, in each direction: a message of an unknown type is told from nonsense, and a
//! field that is unknown takes nothing from its message. So nodes, edge and clients are upgraded one after the other.

use protocol::cascade::CascadeMessage;
use protocol::client::{ClientMediaMessage, ClientMessage, NodeMediaMessage, ServerMessage};
use protocol::node::{NodeToRegion, NodeToRoom, RegionToNode, RoomToNode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_json::{Value, json};

/// How a direction's receiver takes a text: what it would say itself of what it understood, or why it understood nothing.
type Read = fn(&str) -> Result<Value, Category>;

fn read<T: DeserializeOwned + Serialize>(text: &str) -> Result<Value, Category> {
    let message: T = serde_json::from_str(text).map_err(|error| error.classify())?;
    Ok(serde_json::to_value(message).expect("a message"))
}

/// Each direction, with a message of it.
fn directions() -> [(&'static str, Read, Value); 9] {
    let session = json!({"participant": "p0", "attempt": 1});
    let whole = |kind: &str| {
        let mut message = session.clone();
        message["type"] = kind.into();
        message
    };
    [
        (
            "node to region",
            read::<NodeToRegion>,
            json!({"type": "draining"}),
        ),
        (
            "region to node",
            read::<RegionToNode>,
            json!({"type": "registered", "heartbeatSeconds": 5}),
        ),
        ("node to room", read::<NodeToRoom>, whole("silent")),
        (
            "room to node",
            read::<RoomToNode>,
            json!({"type": "plan", "epoch": 1, "peers": [], "breakouts": []}),
        ),
        (
            "node to node",
            read::<CascadeMessage>,
            json!({"type": "pause", "flow": 1}),
        ),
        (
            "client to node",
            read::<ClientMediaMessage>,
            json!({"type": "view", "tiles": []}),
        ),
        (
            "node to client",
            read::<NodeMediaMessage>,
            json!({"type": "speakers", "speakers": []}),
        ),
        (
            "client to room",
            read::<ClientMessage>,
            json!({"type": "raiseHand"}),
        ),
        (
            "room to client",
            read::<ServerMessage>,
            json!({"type": "wait", "ms": 1}),
        ),
    ]
}

#[test]
fn an_unknown_message_is_told_from_nonsense() {
    for (direction, read, _) in directions() {
        let unknown = read(r#"{"type":"ofALaterRelease","of":{"it":[1]}}"#);
        match direction {
            // What a session does not understand it may be asked to pass on one day.
            "node to node" => assert_eq!(unknown, Ok(json!({"type": "unknown"}))),
            _ => assert_eq!(unknown, Err(Category::Data), "{direction}"),
        }
        for nonsense in ["", "{"] {
            let read = read(nonsense).expect_err(direction);
            assert_ne!(read, Category::Data, "{direction}: {nonsense:?}");
        }
    }
}

#[test]
fn a_field_that_is_unknown_takes_nothing_from_its_message() {
    for (direction, read, message) in directions() {
        let mut later = message.clone();
        later["ofALaterRelease"] = json!({"it": [1]});
        assert_eq!(read(&later.to_string()), Ok(message), "{direction}");
    }
}
