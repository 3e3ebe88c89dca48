//! The directory: which shard knows a room.

use protocol::id::RoomId;

/// How many Durable Objects share the directory. Raising it needs a migration of the rows.
pub const SHARDS: u32 = 16;

/// The shard that knows a room (FNV-1a, so that it never changes with a library).
pub fn shard_of(room: &RoomId) -> u32 {
    let hash = room.as_str().bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    hash % SHARDS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str) -> RoomId {
        name.parse().unwrap()
    }

    #[test]
    fn a_room_has_the_same_shard_for_good() {
        // Written down: another value would lose the rooms that exist.
        assert_eq!(shard_of(&room("bako-tuvi-remo-dasu")), 1);
        let used: std::collections::BTreeSet<_> = (0..200)
            .map(|i| shard_of(&room(&format!("room-{i}"))))
            .collect();
        assert_eq!(used.len() as u32, SHARDS);
    }
}
