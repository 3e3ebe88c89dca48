//! VP9 in RTP: where a keyframe starts (RFC 9628, 4.2).

/// Whether this payload is the first of a keyframe: not predicted from another picture, the start of a frame, and the
/// lowest spatial layer.
pub fn starts_keyframe(payload: &[u8]) -> bool {
    const PICTURE_ID: u8 = 0x80;
    const INTER_PREDICTED: u8 = 0x40;
    const LAYERS: u8 = 0x20;
    const START: u8 = 0x08;
    let Some(&first) = payload.first() else {
        return false;
    };
    if first & INTER_PREDICTED != 0 || first & START == 0 {
        return false;
    }
    if first & LAYERS == 0 {
        return true;
    }
    let wide = |byte: &u8| byte & 0x80 != 0;
    let layers_at = match first & PICTURE_ID {
        0 => 1,
        _ => 2 + usize::from(payload.get(1).is_some_and(wide)),
    };
    // TID (3 bits), U, SID (3 bits), D.
    payload
        .get(layers_at)
        .is_some_and(|layers| layers >> 1 & 0x07 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyframe_starts_at_the_lowest_spatial_layer() {
        // I, L, B | 15 bits of picture id | TID 0, SID 0
        assert!(starts_keyframe(&[0xA8, 0x81, 0x02, 0x00, 7]));
        assert!(!starts_keyframe(&[0xA8, 0x81, 0x02, 0x02, 7]), "SID 1");
        // 7 bits of picture id.
        assert!(starts_keyframe(&[0xA8, 0x01, 0x00, 7]));
        assert!(starts_keyframe(&[0x28, 0x01]), "no picture id");
        assert!(starts_keyframe(&[0x88, 0x01]), "no layers");
        assert!(!starts_keyframe(&[0xC8, 0x01]), "predicted");
        assert!(!starts_keyframe(&[0x80, 0x01]), "not the start");
        assert!(!starts_keyframe(&[0xA8, 0x81]), "cut short");
        assert!(!starts_keyframe(&[]));
    }
}
