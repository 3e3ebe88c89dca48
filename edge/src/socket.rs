//! A WebSocket of an object: what is attached to it (JSON, which survives hibernation and is gone with the WebSocket), and
//! whether the object has closed it.

use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::{Result, WebSocket, WebSocketIncomingMessage};

/// `OPEN` (WHATWG WebSockets, 3.1).
const OPEN: u16 = 1;

/// Whether neither side has closed it. After a close of ours all that was on its way still comes in, for as long as the other
/// side likes: this is the first thing to ask, and all that it may cost.
pub fn is_open(socket: &WebSocket) -> bool {
    socket.as_ref().ready_state() == OPEN
}

/// What is attached; nothing if it is of another shape.
pub fn attached<T: DeserializeOwned>(socket: &WebSocket) -> Option<T> {
    let text: String = socket.deserialize_attachment().ok()??;
    serde_json::from_str(&text).ok()
}

/// Attaches this in place of what was attached.
pub fn attach(socket: &WebSocket, attached: &impl Serialize) -> Result<()> {
    socket.serialize_attachment(serde_json::to_string(attached)?)
}

/// What was said. A binary message is none of our protocols, as an empty text is not.
pub fn text(message: WebSocketIncomingMessage) -> String {
    match message {
        WebSocketIncomingMessage::String(text) => text,
        WebSocketIncomingMessage::Binary(_) => String::new(),
    }
}
