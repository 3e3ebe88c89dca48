//! What sealing packets costs on this machine: the cipher of SRTP in a loop, over small packets and large ones.

use std::hint::black_box;
use std::time::{Duration, Instant};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;

/// Packets of sound and of video, in bytes, header and tag included.
const SMALL: usize = 140;
const LARGE: usize = 1_140;
/// Header with extensions, which is authenticated only, and tag (RFC 7714, 5.3).
const HEADER: usize = 24;
const TAG: usize = 16;
/// Packets of a round. The fastest round counts: whatever else ran has only made the others slower.
const PACKETS: u32 = 2_000;
const ROUNDS: usize = 10;

/// The price of sealing, as a straight line over the bytes.
#[derive(Debug, Clone, Copy)]
pub struct Price {
    /// Nanoseconds.
    per_packet: f64,
    per_byte: f64,
}

impl Price {
    /// Takes some 20 ms.
    ///
    /// # Errors
    /// The cipher refuses.
    pub fn measure() -> Result<Self, Unspecified> {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32])?);
        let (small, large) = (fastest(&key, SMALL)?, fastest(&key, LARGE)?);
        let per_byte = (large - small) / (LARGE - SMALL) as f64;
        Ok(Self {
            per_packet: small - per_byte * SMALL as f64,
            per_byte,
        })
    }

    /// The time that sealing so many packets takes, with so many bytes together.
    pub fn of(&self, packets: u64, bytes: u64) -> Duration {
        let nanoseconds = self.per_packet * packets as f64 + self.per_byte * bytes as f64;
        Duration::from_secs_f64(nanoseconds.max(0.0) / 1e9)
    }
}

/// Nanoseconds for a packet of this size, in the fastest round.
fn fastest(key: &LessSafeKey, size: usize) -> Result<f64, Unspecified> {
    let mut packet = vec![1; size - TAG];
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for number in 0..PACKETS {
            let mut nonce = [0; 12];
            nonce[8..].copy_from_slice(&number.to_be_bytes());
            let (header, payload) = packet.split_at_mut(HEADER);
            let nonce = Nonce::assume_unique_for_key(nonce);
            let tag = key.seal_in_place_separate_tag(nonce, Aad::from(&*header), payload)?;
            black_box(tag.as_ref());
        }
        best = best.min(began.elapsed().as_nanos() as f64 / f64::from(PACKETS));
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_price_is_a_line_over_packets_and_bytes() {
        let price = Price {
            per_packet: 100.0,
            per_byte: 0.5,
        };
        assert_eq!(price.of(1_000, 100_000), Duration::from_micros(150));
        assert_eq!(price.of(0, 0), Duration::ZERO);
    }

    #[test]
    fn this_machine_has_a_price() {
        assert!(Price::measure().unwrap().of(1_000, 1_000_000) > Duration::ZERO);
    }
}
