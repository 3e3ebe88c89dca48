//! How good a call sounds: the E-model (ITU-T G.107), with Opus's parameters as far as anybody has published some.

use std::time::Duration;

/// The rating of a call without delay and loss (G.107, with all its default values).
const BEST: f64 = 93.2;
/// Ie: what the codec itself costs. Opus at the bitrates of calls is wideband, better than the scale's best.
const CODEC: f64 = 0.0;
/// Bpl: how well loss is concealed. Opus repairs single losses by its redundancy and conceals at least as well as G.711
/// with concealment does (25.1 in G.113, appendix I).
const ROBUSTNESS: f64 = 25.1;
/// Opus's frame and look-ahead (RFC 6716: 20 ms and 6.5 ms).
const CODING_DELAY: Duration = Duration::from_micros(26_500);
/// A receiver waits for late packets about so many times the jitter.
const JITTER_BUFFER: u32 = 2;
/// Delay up to this disturbs nobody (G.107, 7.4), in milliseconds.
const NOTICED: f64 = 100.0;

/// What media meets on its way between a client and the node.
#[derive(Debug, Clone, Copy)]
pub struct Journey {
    /// `None` until it is measured.
    pub round_trip: Option<Duration>,
    pub jitter: Duration,
    /// Share of packets lost of late, 0 to 1.
    pub loss: f64,
}

/// The mean opinion score, 1 to 5. The listener is taken to be as far from the node as the speaker: nobody knows who
/// listens.
pub fn score(journey: &Journey) -> f32 {
    let delay =
        journey.round_trip.unwrap_or_default() + JITTER_BUFFER * journey.jitter + CODING_DELAY;
    let rating = BEST - of_delay(delay) - of_loss(CODEC, ROBUSTNESS, journey.loss);
    opinion(rating) as f32
}

/// Idd: what delay costs, the echo being canceled (G.107, 7.4).
fn of_delay(delay: Duration) -> f64 {
    let delay = delay.as_secs_f64() * 1e3;
    if delay <= NOTICED {
        return 0.0;
    }
    let x = (delay / NOTICED).log2();
    let root = |x: f64| (1.0 + x.powi(6)).powf(1.0 / 6.0);
    25.0 * (root(x) - 3.0 * root(x / 3.0) + 2.0)
}

/// Ie,eff: what the codec and loss by chance cost (G.107, 7.5).
fn of_loss(codec: f64, robustness: f64, loss: f64) -> f64 {
    let percent = 100.0 * loss.clamp(0.0, 1.0);
    codec + (95.0 - codec) * percent / (percent + robustness)
}

/// The mean opinion score of a rating (G.107, annex B).
fn opinion(rating: f64) -> f64 {
    let r = rating.clamp(0.0, 100.0);
    // The polynomial dips below 1 for the worst ratings.
    (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).clamp(1.0, 4.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opinions_are_those_of_the_recommendation() {
        // G.107, annex B, table B.1, and the value for all defaults.
        for (rating, mos) in [
            (93.2, 4.41),
            (90.0, 4.34),
            (80.0, 4.03),
            (70.0, 3.60),
            (60.0, 3.10),
            (50.0, 2.58),
        ] {
            assert!((opinion(rating) - mos).abs() < 0.01, "{rating}");
        }
        assert_eq!(
            (opinion(-5.0), opinion(0.0), opinion(100.0)),
            (1.0, 1.0, 4.5)
        );
    }

    #[test]
    fn loss_costs_what_is_published_for_a_codec_known_well() {
        // G.113, appendix I: G.729A (Ie 11, Bpl 19), percent of loss by chance and Ie.
        for (percent, impairment) in [
            (0.0, 11.0),
            (0.5, 13.0),
            (1.0, 15.0),
            (1.5, 17.0),
            (2.0, 19.0),
            (3.0, 23.0),
            (4.0, 26.0),
            (8.0, 36.0),
            (16.0, 49.0),
        ] {
            let found = of_loss(11.0, 19.0, percent / 100.0);
            assert!((found - impairment).abs() < 0.6, "{percent}%: {found}");
        }
    }

    #[test]
    fn delay_costs_nothing_at_first_and_then_ever_more() {
        let cost = |ms| of_delay(Duration::from_millis(ms));
        assert_eq!((cost(0), cost(100)), (0.0, 0.0));
        // By the formula of 7.4, worked out by hand: X = 1 and X = 2.
        assert!((cost(200) - 3.04).abs() < 0.05, "{}", cost(200));
        assert!((cost(400) - 24.14).abs() < 0.2, "{}", cost(400));
        assert!(cost(150) < 1.0);
    }

    #[test]
    fn a_good_path_is_good_and_a_bad_one_is_bad() {
        let path = |round_trip, jitter, loss| {
            score(&Journey {
                round_trip: Some(Duration::from_millis(round_trip)),
                jitter: Duration::from_millis(jitter),
                loss,
            })
        };
        assert!(path(20, 2, 0.0) > 4.4);
        assert!((3.5..4.2).contains(&path(80, 10, 0.05)));
        assert!(path(300, 40, 0.10) < 3.0);
        assert!(path(500, 50, 0.30) < 1.8);
    }
}
