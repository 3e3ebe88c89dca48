//! What is attached to a WebSocket: JSON, which survives hibernation and is gone with the WebSocket.

use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::{Result, WebSocket};

/// What is attached; nothing if it is of another shape.
pub fn read<T: DeserializeOwned>(socket: &WebSocket) -> Option<T> {
    let text: String = socket.deserialize_attachment().ok()??;
    serde_json::from_str(&text).ok()
}

/// Attaches this in place of what was attached.
pub fn write(socket: &WebSocket, attached: &impl Serialize) -> Result<()> {
    socket.serialize_attachment(serde_json::to_string(attached)?)
}
