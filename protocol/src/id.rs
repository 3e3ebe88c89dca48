//! Identifiers: each a checked string or number of its own type, so that a user cannot be taken for a participant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a string is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidId {
    /// The identifier's type, e.g. `RoomId`.
    pub kind: &'static str,
    /// The longest length accepted, in bytes.
    pub max: usize,
}

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a {} has 1 to {} characters out of a-z, A-Z, 0-9, '-' and '_'",
            self.kind, self.max
        )
    }
}

impl std::error::Error for InvalidId {}

macro_rules! string_id {
    ($(#[$doc:meta])* $name:ident, $max:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(test, derive(ts_rs::TS), ts(type = "string"))]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The identifier as it stands on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(value: String) -> Result<Self, InvalidId> {
                let well_formed = !value.is_empty()
                    && value.len() <= $max
                    && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
                if well_formed {
                    Ok(Self(value))
                } else {
                    Err(InvalidId { kind: stringify!($name), max: $max })
                }
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(value: &str) -> Result<Self, InvalidId> {
                Self::try_from(value.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        #[cfg(feature = "openapi")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let pattern = concat!("^[A-Za-z0-9_-]{1,", $max, "}$");
                schemars::json_schema!({ "type": "string", "pattern": pattern })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

string_id!(
    /// A room: short, unguessable, speakable (`bako-tuvi-remo-dasu`).
    RoomId,
    40
);
string_id!(
    /// An account.
    UserId,
    64
);
string_id!(
    /// One presence of a user in a room; a second tab is a second participant.
    ParticipantId,
    32
);
string_id!(
    /// A media node.
    NodeId,
    64
);
string_id!(
    /// A region that hosts media nodes, e.g. `eu-west`.
    Region,
    32
);

/// The number of a room's media placement. The Room Durable Object raises it whenever it places the room on a node
/// anew; whatever a node says under an older epoch is refused.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Epoch(pub u32);

/// The number of a participant's media session, counted up by the client with each new peer connection it offers.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Attempt(pub u32);

/// The number of a poll in its room, counted up from 1.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct PollId(pub u32);

/// The number of a breakout room in its room, counted up from 1: none is given twice, so that what was said in one is never
/// another's.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct BreakoutId(pub u32);

impl RoomId {
    /// What a breakout room of this room is called between media nodes, to which it is a room as any other. No room that can
    /// be joined is called so.
    pub fn breakout(&self, id: BreakoutId) -> Result<Self, InvalidId> {
        Self::try_from(format!("{self}_{}", id.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_breakout_room_is_called_after_its_room() {
        let room: RoomId = "bako-tuvi-remo-dasu".parse().unwrap();
        let last = room.breakout(BreakoutId(u32::MAX)).unwrap();
        assert_eq!(last.as_str(), "bako-tuvi-remo-dasu_4294967295");
    }

    #[test]
    fn an_id_keeps_to_its_alphabet_and_length() {
        assert!("bako-tuvi-remo-dasu".parse::<RoomId>().is_ok());
        for bad in ["", "a b", "ä", "../x", &"x".repeat(41)] {
            assert!(bad.parse::<RoomId>().is_err(), "{bad:?} passed");
        }
    }

    #[test]
    fn a_malformed_id_fails_to_deserialize() {
        assert!(serde_json::from_str::<RoomId>("\"a/b\"").is_err());
        assert_eq!(serde_json::to_string(&Epoch(7)).unwrap(), "7");
    }
}
