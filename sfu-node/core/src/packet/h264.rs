//! H.264 in RTP: where a keyframe starts, and how large it is (RFC 6184).

/// Type of a NAL unit (RFC 6184, 5.2): a sequence parameter set, and the two ways to pack that occur in packetization
/// mode 1.
const SPS: u8 = 7;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;

/// Whether a decoder can start with this payload: it has a sequence parameter set, which stands before each keyframe. A
/// keyframe's slices alone are no start: a decoder that has another layer's parameters would make rubbish of them.
pub fn starts_keyframe(payload: &[u8]) -> bool {
    sps(payload).is_some()
}

/// Width and height in pixels, from a payload with a sequence parameter set.
pub fn size(payload: &[u8]) -> Option<(u16, u16)> {
    let sps = sps(payload)?;
    read_size(&sps.map_or(Vec::new(), unescape))
}

/// The body of a sequence parameter set in this payload, if there is one. `Some(None)` for one that is only the start of
/// a fragmented unit.
#[expect(
    clippy::option_option,
    reason = "there, and readable, are two questions"
)]
fn sps(payload: &[u8]) -> Option<Option<&[u8]>> {
    const TYPE: u8 = 0x1F;
    const FRAGMENT_STARTS: u8 = 0x80;
    let (&first, rest) = payload.split_first()?;
    match first & TYPE {
        SPS => Some(Some(rest)),
        STAP_A => {
            let mut units = rest;
            while let [high, low, tail @ ..] = units {
                let len = usize::from(u16::from_be_bytes([*high, *low]));
                let (unit, tail) = tail.split_at_checked(len)?;
                if let Some((&header, body)) = unit.split_first()
                    && header & TYPE == SPS
                {
                    return Some(Some(body));
                }
                units = tail;
            }
            None
        }
        FU_A => {
            let header = *rest.first()?;
            (header & FRAGMENT_STARTS != 0 && header & TYPE == SPS).then_some(None)
        }
        _ => None,
    }
}

/// A unit's body without the bytes that keep start codes out of it (ITU-T H.264, 7.4.1).
fn unescape(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    for byte in body {
        if !(*byte == 3 && out.ends_with(&[0, 0])) {
            out.push(*byte);
        }
    }
    out
}

/// Reads a sequence parameter set as far as its size (ITU-T H.264, 7.3.2.1.1).
fn read_size(body: &[u8]) -> Option<(u16, u16)> {
    let mut bits = Bits { body, at: 0 };
    let profile = bits.take(8)?;
    bits.take(16)?; // constraints and level
    bits.golomb()?;
    // High profiles say more about their samples; browsers send them rarely, and the size then stays a guess.
    if !matches!(profile, 66 | 77 | 88) {
        return None;
    }
    bits.golomb()?; // frame numbers
    match bits.golomb()? {
        0 => {
            bits.golomb()?;
        }
        1 => {
            bits.take(1)?;
            bits.golomb()?;
            bits.golomb()?;
            for _ in 0..bits.golomb()?.min(255) {
                bits.golomb()?;
            }
        }
        _ => {}
    }
    bits.golomb()?; // reference frames
    bits.take(1)?;
    let width = 16 * (bits.golomb()?.checked_add(1)?.min(4_096));
    let units = bits.golomb()?.checked_add(1)?.min(4_096);
    let frames_only = bits.take(1)?;
    let height = 16 * units * (2 - frames_only);
    if frames_only == 0 {
        bits.take(1)?;
    }
    bits.take(1)?;
    let mut crop = [0; 4];
    if bits.take(1)? == 1 {
        for side in &mut crop {
            *side = bits.golomb()?.min(4_096);
        }
    }
    // 4:2:0: a crop counts two columns, and two lines of a frame.
    let width = width.checked_sub(2 * (crop[0] + crop[1]))?;
    let height = height.checked_sub(2 * (2 - frames_only) * (crop[2] + crop[3]))?;
    Some((width.try_into().ok()?, height.try_into().ok()?))
}

/// A reader of bits, the highest of a byte first.
struct Bits<'a> {
    body: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.body.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    /// An unsigned Exp-Golomb number (ITU-T H.264, 9.1).
    fn golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.take(1)? == 0 {
            zeros += 1;
        }
        // Nothing we read has more than 16 bits.
        (zeros <= 16).then_some(())?;
        Some((1 << zeros) - 1 + self.take(zeros)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Baseline, level 3.1, 1280 × 720.
    const SPS_720P: [u8; 9] = [0x67, 0x42, 0xC0, 0x1F, 0xDA, 0x01, 0x40, 0x16, 0xE4];
    /// 640 × 360: 23 rows of macroblocks, of which 8 lines are cut off.
    const SPS_360P: [u8; 10] = [0x67, 0x42, 0xC0, 0x1E, 0xED, 0x01, 0x40, 0x5F, 0xF2, 0xA0];

    fn stap_a(units: &[&[u8]]) -> Vec<u8> {
        let mut payload = vec![0x78];
        for unit in units {
            payload.extend((unit.len() as u16).to_be_bytes());
            payload.extend_from_slice(unit);
        }
        payload
    }

    #[test]
    fn a_keyframe_starts_with_its_sequence_parameter_set() {
        assert!(starts_keyframe(&SPS_720P));
        assert!(starts_keyframe(&stap_a(&[&SPS_720P, &[0x68, 1, 2]])));
        assert!(starts_keyframe(&stap_a(&[&[0x06, 5], &SPS_720P])));
        assert!(starts_keyframe(&[0x7C, 0x87, 0x42]), "the start of an FU-A");
        assert!(!starts_keyframe(&[0x7C, 0x07, 0x42]), "its rest");
        assert!(
            !starts_keyframe(&[0x7C, 0x85, 0x42]),
            "a slice of a keyframe"
        );
        assert!(!starts_keyframe(&[0x65, 1]), "a slice of a keyframe");
        assert!(!starts_keyframe(&[0x41, 1]), "an interframe");
        assert!(!starts_keyframe(&stap_a(&[&[0x41, 1], &[0x41, 2]])));
        assert!(!starts_keyframe(&[0x78, 0xFF, 0xFF, 0x67]), "cut short");
    }

    #[test]
    fn the_size_is_read_from_it() {
        assert_eq!(size(&SPS_720P), Some((1_280, 720)));
        assert_eq!(size(&stap_a(&[&SPS_720P])), Some((1_280, 720)));
        assert_eq!(size(&SPS_360P), Some((640, 360)));
        assert_eq!(size(&SPS_720P[..6]), None);
        assert_eq!(size(&[0x65, 1]), None);
    }
}
