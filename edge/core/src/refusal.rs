//! A refusal: why what somebody asks of a room is not done.

use protocol::client::{ErrorCode, ServerMessage};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    pub code: ErrorCode,
    pub message: &'static str,
    /// After how many milliseconds the same may be done; absent if it never will.
    pub retry_after: Option<u64>,
    /// Whether it is no message of any version of the protocol.
    pub is_nonsense: bool,
}

impl Refusal {
    pub fn new(code: ErrorCode, message: &'static str) -> Self {
        Self {
            code,
            message,
            retry_after: None,
            is_nonsense: false,
        }
    }

    /// It does not have the form that it has to have.
    pub fn malformed(message: &'static str) -> Self {
        Self::new(ErrorCode::Malformed, message)
    }

    pub fn nonsense(code: ErrorCode, message: &'static str) -> Self {
        Self {
            is_nonsense: true,
            ..Self::new(code, message)
        }
    }

    /// It was done too often: after so many milliseconds, it may be done again.
    pub fn too_soon(message: &'static str, wait: u64) -> Self {
        Self {
            retry_after: Some(wait),
            ..Self::new(ErrorCode::RateLimited, message)
        }
    }

    /// As the client is told: of what type of message, and of which nonce.
    pub fn told(self, of: Option<String>, nonce: Option<String>) -> ServerMessage {
        ServerMessage::Error {
            code: self.code,
            message: self.message.to_owned(),
            nonce,
            of,
            retry_after_ms: self.retry_after.map(|wait| wait as u32),
        }
    }
}
