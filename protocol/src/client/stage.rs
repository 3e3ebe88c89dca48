//! The stage of a webinar: a viewer asks for it, and who keeps order brings them on it (`setRole`) or refuses.

use serde::{Deserialize, Serialize};

/// What has become of viewers' wish to be on stage. Of who is brought there, the new role alone is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Wish {
    /// They wish for it, after all who did so before.
    Asked,
    /// They do not wish for it any more.
    Withdrawn,
    /// Who keeps order has refused. They may ask again.
    Refused,
}
