//! Moderation: what who keeps order may change about what others send.

use serde::{Deserialize, Deserializer, Serialize};

/// What is to be changed of what somebody may send ([`crate::media::Caps`]): what is absent stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, ts(optional_fields))]
#[serde(rename_all = "camelCase", default)]
pub struct CapsChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub screen: Option<bool>,
    /// `null` lifts the limit.
    #[serde(deserialize_with = "named", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number | null"))]
    pub max_layer: Option<Option<u8>>,
    /// `null` lifts the limit.
    #[serde(deserialize_with = "named", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number | null"))]
    pub max_bitrate: Option<Option<u32>>,
}

/// Tells what is `null` from what is absent.
pub(super) fn named<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// How all those are muted who do not keep order themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum MuteAll {
    /// Their microphones are turned off, and they may turn them on again.
    Soft,
    /// They may send no sound.
    Hard,
    /// Whoever was forbidden to send sound may again.
    Lifted,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_lifts_a_limit_and_what_is_absent_stays() {
        let read = |text: &str| serde_json::from_str::<CapsChange>(text).unwrap();
        assert_eq!(read("{}"), CapsChange::default());
        let change = read(r#"{"maxLayer":null,"maxBitrate":5}"#);
        assert_eq!(change.max_layer, Some(None));
        assert_eq!(change.max_bitrate, Some(Some(5)));
        let text = serde_json::to_string(&change).unwrap();
        assert_eq!(text, r#"{"maxLayer":null,"maxBitrate":5}"#);
    }
}
