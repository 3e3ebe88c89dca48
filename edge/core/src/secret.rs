//! Secrets, which are stored and compared as their SHA-256.

/// Whether two hashes are the same, in a time that does not say how far they are.
pub fn is_same(a: &str, b: &str) -> bool {
    let differences = a
        .bytes()
        .zip(b.bytes())
        .fold(0, |all, (a, b)| all | (a ^ b));
    a.len() == b.len() && std::hint::black_box(differences) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_the_same_alone() {
        for (a, b, same) in [
            ("", "", true),
            ("ab", "ab", true),
            ("ab", "ac", false),
            ("ab", "a", false),
            ("", "a", false),
        ] {
            assert_eq!(is_same(a, b), same, "{a:?} and {b:?}");
        }
    }
}
