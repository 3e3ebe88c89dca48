//! Stamped H.264 (RFC 6184, packetization mode 1), as a browser packs it: a keyframe begins with its parameter sets, and
//! nothing in a payload numbers the pictures.

use std::sync::Arc;

use crate::media::Stamp;

/// Types of NAL units (RFC 6184, 5.2; ITU-T H.264, table 7-1).
const SLICE: u8 = 1;
const IDR_SLICE: u8 = 5;
const SPS: u8 = 7;
const PPS: u8 = 8;
const STAP_A: u8 = 24;
const TYPE: u8 = 0x1F;
/// The unit is referred to (`nal_ref_idc` 3), as each here.
const REFERENCE: u8 = 0x60;
/// A slice's header, as far as it is written: `first_mb_in_slice` is 0, or 1 where the slice is not the picture's first.
const FIRST: u8 = 0b1000_0000;
const LATER: u8 = 0b0100_0000;

/// One slice of a picture, about so many bytes long. The first of a keyframe travels in a STAP-A, behind its parameter sets.
pub fn payload(stamp: Stamp, first: bool, size: (u16, u16), bytes: usize) -> Arc<[u8]> {
    let kind = if stamp.keyframe { IDR_SLICE } else { SLICE };
    let mut slice = vec![REFERENCE | kind, if first { FIRST } else { LATER }];
    stamp.write(&mut slice);
    slice.resize(bytes, 0xFF);
    if !(stamp.keyframe && first) {
        return slice.into();
    }
    let parameters = picture_parameters();
    let mut packed = vec![REFERENCE | STAP_A];
    for unit in [&sequence_parameters(size), &parameters, &slice] {
        packed.extend((unit.len() as u16).to_be_bytes());
        packed.extend(unit);
    }
    packed.into()
}

/// The stamp of a payload made by [`payload`].
pub fn stamp(payload: &[u8]) -> Option<Stamp> {
    Stamp::read(slice(payload)?.get(2..)?)
}

/// Whether a payload made by [`payload`] is the first of its frame.
pub fn starts_frame(payload: &[u8]) -> bool {
    slice(payload).is_some_and(|slice| slice.get(1) == Some(&FIRST))
}

/// The slice in a payload: alone, or behind parameter sets. A decoder that was given no parameter sets with a keyframe's
/// first slice has nothing to decode it with, and so there is none.
fn slice(payload: &[u8]) -> Option<&[u8]> {
    let (&header, mut units) = payload.split_first()?;
    match header & TYPE {
        SLICE => return Some(payload),
        IDR_SLICE => return (payload.get(1) == Some(&LATER)).then_some(payload),
        STAP_A => {}
        _ => return None,
    }
    while let [high, low, rest @ ..] = units {
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        let (unit, rest) = rest.split_at_checked(len)?;
        if unit
            .first()
            .is_some_and(|header| header & TYPE == IDR_SLICE)
        {
            return Some(unit);
        }
        units = rest;
    }
    None
}

/// A sequence parameter set of the constrained baseline profile, level 3.1 (ITU-T H.264, 7.3.2.1.1).
fn sequence_parameters((width, height): (u16, u16)) -> Vec<u8> {
    let columns = u32::from(width).div_ceil(16);
    let rows = u32::from(height).div_ceil(16);
    let crop = |blocks: u32, pixels: u16| (16 * blocks - u32::from(pixels)) / 2;
    let mut bits = Bits::default();
    bits.golomb(0); // its number
    bits.golomb(0); // frame numbers of four bits
    bits.golomb(2); // pictures come in the order in which they are shown
    bits.golomb(1); // one reference frame
    bits.flag(false); // no gaps in frame numbers
    bits.golomb(columns - 1);
    bits.golomb(rows - 1);
    bits.flag(true); // frames, no fields
    bits.flag(true); // 8 × 8 inference
    bits.flag(true); // cropped to its size
    for edge in [0, crop(columns, width), 0, crop(rows, height)] {
        bits.golomb(edge);
    }
    bits.flag(false); // nothing on its use
    let mut unit = vec![REFERENCE | SPS, 66, 0xE0, 31];
    unit.extend(bits.end());
    unit
}

/// A picture parameter set that says nothing unusual (ITU-T H.264, 7.3.2.2).
fn picture_parameters() -> Vec<u8> {
    vec![REFERENCE | PPS, 0xCE, 0x3C, 0x80]
}

/// Bits, the highest of each byte first.
#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn flag(&mut self, bit: bool) {
        self.0.push(bit);
    }

    /// An unsigned number by Exp-Golomb (ITU-T H.264, 9.1).
    fn golomb(&mut self, value: u32) {
        let code = value + 1;
        let bits = code.ilog2();
        self.0.extend((0..bits).map(|_| false));
        self.0
            .extend((0..=bits).rev().map(|bit| code >> bit & 1 == 1));
    }

    /// The bytes, with the bit that ends a unit (ITU-T H.264, 7.3.2.11).
    fn end(mut self) -> Vec<u8> {
        self.0.push(true);
        let byte = |bits: &[bool]| {
            let value = bits.iter().fold(0, |sum, bit| sum << 1 | u8::from(*bit));
            value << (8 - bits.len())
        };
        self.0.chunks(8).map(byte).collect()
    }
}
