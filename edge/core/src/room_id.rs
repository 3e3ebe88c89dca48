//! The ids of new rooms: short, unguessable and speakable.

const CONSONANTS: &[u8; 16] = b"bdfghjklmnprstvz";
const VOWELS: &[u8; 5] = b"aeiou";

/// Whether this is of the form of a room's id.
pub fn is_like(text: &str) -> bool {
    let is_word = |word: &str| match word.as_bytes() {
        [a, b, c, d] => {
            [a, c].iter().all(|letter| CONSONANTS.contains(letter))
                && [b, d].iter().all(|letter| VOWELS.contains(letter))
        }
        _ => false,
    };
    text.split('-').count() == 4 && text.split('-').all(is_word)
}

/// A new room's id, four words of two syllables, out of a uniform random number: 50 bits, too many to guess and few
/// enough to say on the telephone.
pub fn speakable(random: u64) -> String {
    let mut rest = random;
    let mut draw = |letters: &[u8]| {
        let letter = letters[(rest % letters.len() as u64) as usize];
        rest /= letters.len() as u64;
        char::from(letter)
    };
    let mut id = String::new();
    for syllable in 0..8 {
        if syllable > 0 && syllable % 2 == 0 {
            id.push('-');
        }
        id.push(draw(CONSONANTS));
        id.push(draw(VOWELS));
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::id::RoomId;

    #[test]
    fn an_id_is_speakable() {
        assert_eq!(speakable(0), "baba-baba-baba-baba");
        for random in [1, 80, u64::MAX, 0x0123_4567_89ab_cdef] {
            let id: RoomId = speakable(random).parse().unwrap();
            assert_eq!(id.as_str().len(), 19);
            assert!(is_like(id.as_str()));
        }
        assert_ne!(speakable(79), speakable(80));
        for other in ["", "baba", "baba-baba-baba", "baba-baba-baba-anna"] {
            assert!(!is_like(other));
        }
    }
}
