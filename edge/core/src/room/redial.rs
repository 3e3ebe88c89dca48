//! Redialing: when everybody is cut off at once, they come back one after the other.

/// What a room needs for one person who comes back, in milliseconds.
const EACH: u32 = 20;
/// Nobody need be faster, and nobody waits longer, in milliseconds.
const SHORTEST: u32 = 250;
const LONGEST: u32 = 10_000;

/// Over which time so many people spread their first redial, in milliseconds.
pub(super) fn spread(people: u32) -> u32 {
    people.saturating_mul(EACH).clamp(SHORTEST, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_room_comes_back_slower_and_nobody_waits_for_long() {
        let table = [
            (0, 250),
            (2, 250),
            (12, 250),
            (13, 260),
            (100, 2_000),
            (500, 10_000),
            (5_000, 10_000),
            (u32::MAX, 10_000),
        ];
        for (people, within) in table {
            assert_eq!(spread(people), within, "{people} people");
        }
    }
}
