//! What a subscriber was sent, in numbers.

/// What a subscriber was sent, counted since its beginning or since the last look.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counters {
    /// All packets of media, those below among them.
    pub packets: u64,
    pub bytes: u64,
    pub repairs: u64,
    /// Packets that are longer than what every path carries in one piece.
    pub oversized: u64,
    /// Packets that filled probes, and the clusters of them.
    pub fillers: u64,
    pub probes: u64,
    /// Video packets that waited too long to be sent, and those that were of no use without them.
    pub stale: u64,
    /// Switches of a slot from one layer that flowed to another.
    pub switches: u64,
}

impl Counters {
    /// What was counted since those.
    pub fn since(self, before: Self) -> Self {
        Self {
            packets: self.packets - before.packets,
            bytes: self.bytes - before.bytes,
            repairs: self.repairs - before.repairs,
            oversized: self.oversized - before.oversized,
            fillers: self.fillers - before.fillers,
            probes: self.probes - before.probes,
            stale: self.stale - before.stale,
            switches: self.switches - before.switches,
        }
    }
}
