//! Places in the engine's tables, each of its own type. A key outlives what it names and never comes to name anything else.

use slotmap::new_key_type;

new_key_type! {
    /// A session in its engine.
    pub struct SessionKey;
    /// A room in its engine.
    pub struct RoomKey;
    /// A member in its room.
    pub struct MemberKey;
    /// A track in its room.
    pub struct TrackKey;
}
