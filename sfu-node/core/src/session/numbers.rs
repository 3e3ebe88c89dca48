//! The sequence numbers of a layer, over every SSRC that it comes in: an encoder that starts anew may take another.

/// The first number of a new SSRC is so far above the last of the one before: what follows does not continue that, and nobody
/// shall take the gap for loss.
const APART: u64 = 4_096;

/// The numbers of one layer.
#[derive(Debug, Default)]
pub struct Numbers {
    ssrc: Option<u32>,
    /// What is added to the SSRC's own numbers.
    lift: u64,
    highest: u64,
}

impl Numbers {
    /// The packet's number in its layer, from its extended number under its SSRC.
    pub fn extend(&mut self, ssrc: u32, sequence: u64) -> u64 {
        if self.ssrc.is_some_and(|known| known != ssrc) {
            self.lift = (self.highest + APART).saturating_sub(sequence);
        }
        self.ssrc = Some(ssrc);
        let number = sequence.saturating_add(self.lift);
        self.highest = self.highest.max(number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_above_when_the_ssrc_changes() {
        let mut numbers = Numbers::default();
        assert_eq!(numbers.extend(1, 70_000), 70_000);
        assert_eq!(numbers.extend(1, 69_999), 69_999);
        assert_eq!(numbers.extend(2, 15), 70_000 + APART);
        assert_eq!(numbers.extend(2, 16), 70_001 + APART);
        // One that starts far above needs no lift.
        assert_eq!(numbers.extend(3, 900_000), 900_000);
    }
}
