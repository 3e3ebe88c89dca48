//! The sequence numbers of a layer, over every SSRC that it comes in: an encoder that starts anew may take another.

/// The first number of a new SSRC is so far above the last of the one before, wherever it starts: what follows does not continue
/// that, nobody shall take the gap for loss, and who knows 16 bits of a number shall take it for no step back.
const APART: u64 = 4_096;

/// The numbers of one layer.
#[derive(Debug, Default)]
pub struct Numbers {
    ssrc: Option<u32>,
    /// What is added to the SSRC's own numbers, modulo 2⁶⁴.
    lift: u64,
    highest: u64,
}

impl Numbers {
    /// The packet's number in its layer, from its extended number under its SSRC.
    pub fn extend(&mut self, ssrc: u32, sequence: u64) -> u64 {
        if self.ssrc.is_some_and(|known| known != ssrc) {
            self.lift = (self.highest + APART).wrapping_sub(sequence);
        }
        self.ssrc = Some(ssrc);
        let number = sequence.wrapping_add(self.lift);
        self.highest = self.highest.max(number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::extend;

    #[test]
    fn numbers_go_on_above_when_the_ssrc_changes() {
        let mut numbers = Numbers::default();
        assert_eq!(numbers.extend(1, 70_000), 70_000);
        assert_eq!(numbers.extend(1, 69_999), 69_999);
        assert_eq!(numbers.extend(2, 15), 70_000 + APART);
        assert_eq!(numbers.extend(2, 16), 70_001 + APART);
        assert_eq!(numbers.extend(3, 900_000), 70_001 + 2 * APART);
        assert_eq!(numbers.extend(3, 900_001), 70_002 + 2 * APART);
    }

    #[test]
    fn who_knows_sixteen_bits_of_a_number_goes_on_above_with_each_new_ssrc() {
        let mut numbers = Numbers::default();
        let mut far = numbers.extend(1, 1_099);
        for (ssrc, first) in [(2, 36_000), (3, 0), (4, 65_535), (5, 32_768)] {
            let before = far;
            for sequence in first..first + 10 {
                far = extend(Some(far), numbers.extend(ssrc, sequence) as u16);
            }
            assert_eq!(far, before + APART + 9, "from {first}");
        }
    }
}
