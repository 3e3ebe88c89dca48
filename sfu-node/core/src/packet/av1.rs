//! AV1 in RTP: where a keyframe starts (AV1 RTP payload format, 4.4).

/// Whether this payload is the first of a coded video sequence: the N bit of its aggregation header, which is set for
/// that packet and for no other. Such a sequence starts with a keyframe and its sequence header.
pub fn starts_keyframe(payload: &[u8]) -> bool {
    const CONTINUES: u8 = 0x80;
    const NEW_SEQUENCE: u8 = 0x08;
    payload
        .first()
        .is_some_and(|header| header & NEW_SEQUENCE != 0 && header & CONTINUES == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_coded_video_sequence_is_a_keyframe() {
        assert!(starts_keyframe(&[0x18, 0x0A]));
        assert!(!starts_keyframe(&[0x10, 0x0A]), "no N bit");
        assert!(!starts_keyframe(&[0x98, 0x0A]), "the rest of a fragment");
        assert!(!starts_keyframe(&[]));
    }
}
