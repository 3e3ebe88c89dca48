//! What a client is told of how its own packets arrived, by transport-wide feedback.

use std::time::Instant;

use str0m::rtp::RawPacket;
use str0m::rtp::rtcp::Rtcp;

/// When its packets arrived, as its node tells.
#[derive(Debug)]
pub struct Feedback {
    /// Stands for the zero of the node's count.
    zero: Instant,
    highest: u64,
    /// In the order of their transport-wide numbers.
    pub arrivals: Vec<Instant>,
}

impl Feedback {
    pub(super) fn new(zero: Instant) -> Self {
        Self {
            zero,
            highest: 0,
            arrivals: Vec::new(),
        }
    }

    pub(super) fn note(&mut self, packet: RawPacket) {
        let RawPacket::RtcpRx(Rtcp::Twcc(told)) = packet else {
            return;
        };
        for (number, _, arrival) in told.into_iter(self.zero, self.highest.into()) {
            self.highest = *number;
            self.arrivals.extend(arrival);
        }
    }
}
