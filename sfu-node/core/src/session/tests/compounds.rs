//! Who has not agreed to reduced RTCP (RFC 5506) gets whole compound packets alone (RFC 3550, 6.1), whatever they are about.

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::egress::seal::provider;
use crate::packet::rtcp::{Compound, RECEIVER_REPORT, SENDER_REPORT, SOURCE_DESCRIPTION};
use crate::stun::is_media;
use str0m::media::{Direction, MediaKind, Mid};
use str0m::rtp::RtpWrite;

const STEP: Duration = Duration::from_millis(10);
/// The item that each source has (RFC 3550, 6.5.1).
const CNAME: u8 = 1;
const REPORT: &[u8] = &[RECEIVER_REPORT, SENDER_REPORT];

/// A client that sends a camera, and writes down each RTCP packet that it opens.
struct Publisher {
    rtc: Rtc,
    tap: Tap,
    camera: Mid,
    sent: u64,
    opened: Vec<Vec<u8>>,
}

impl Publisher {
    /// Its packet of this step.
    fn film(&mut self, now: Instant) {
        let pt = self.rtc.codec_config().params()[0].pt();
        let mut direct = self.rtc.direct_api();
        let stream = direct.stream_tx_by_mid(self.camera, None);
        self.sent += 1;
        let time = self.sent as u32 * 900;
        let packet = RtpWrite::new(pt, self.sent.into(), time, now, vec![0x10; 100]);
        let packet = packet.marker(true).nackable(true);
        stream.expect("negotiated").write_rtp(packet);
    }

    fn handle(&mut self, input: Input<'_>) -> Vec<Vec<u8>> {
        self.tap.enter(|| {
            self.rtc.handle_input(input).expect("nothing is wrong");
            let mut out = Vec::new();
            loop {
                match self.rtc.poll_output().expect("nothing is wrong") {
                    Output::Transmit(transmit) => out.push(transmit.contents.into()),
                    Output::Event(_) => {}
                    Output::Timeout(_) => return out,
                }
            }
        })
    }
}

/// What a publisher opens whose offer was rewritten, on a path that loses one packet in ten, when it is asked for keyframes.
fn opened(rewrite: impl Fn(&str) -> String) -> Vec<Vec<u8>> {
    let start = Instant::now();
    let [node, client] = [1, 2].map(|n| TransportAddress::udp(([192, 0, 2, n], 7_000).into()));
    let builder = Rtc::builder().set_crypto_provider(provider());
    let builder = builder.set_rtp_mode(true).clear_codecs().enable_vp8(true);
    let mut rtc = builder.build(start);
    rtc.add_local_candidate(str0m::Candidate::host(client.address, "udp").unwrap());
    let mut api = rtc.sdp_api();
    let camera = api.add_media(MediaKind::Video, Direction::SendOnly, None, None, None);
    let (offer, pending) = api.apply().unwrap();
    let sources = [SourceMid {
        mid: camera.to_string(),
        source: Source::Camera,
    }];
    let shared = Shared::new(vec![node]);
    let offer = rewrite(&offer.to_sdp_string());
    let (mut session, negotiated) = Session::accept(start, &shared, &offer, &sources).unwrap();
    let answer = str0m::change::SdpAnswer::from_sdp_string(&negotiated.sdp).unwrap();
    rtc.sdp_api().accept_answer(pending, answer).unwrap();
    let mut publisher = Publisher {
        rtc,
        tap: Tap::new(),
        camera,
        sent: 0,
        opened: Vec::new(),
    };

    let mut happened = Happened::default();
    for step in 0..400 {
        let now = start + STEP * step;
        let mut to_node = publisher.handle(Input::Timeout(now));
        if publisher.rtc.is_connected() {
            publisher.film(now);
            to_node.extend(publisher.handle(Input::Timeout(now)));
        }
        let mut to_client = Vec::new();
        for (n, data) in to_node.iter().enumerate() {
            if !is_media(data) || !(step as usize + n).is_multiple_of(10) {
                session.receive(now, client, now, data, &mut happened);
                to_client.append(&mut happened.transmits);
            }
        }
        session.handle_timeout(now, &mut happened);
        to_client.append(&mut happened.transmits);
        if step % 100 == 99 {
            session.request_keyframe(now, Source::Camera, Layer(0), &mut happened);
            to_client.append(&mut happened.transmits);
        }
        for (_, data) in to_client {
            let receive = Receive::new(Protocol::Udp, node.address, client.address, &data).unwrap();
            publisher.handle(Input::Receive(now, receive));
            let Publisher { tap, opened, .. } = &mut publisher;
            tap.take_rtcp(|compound| opened.push(compound.to_vec()));
        }
    }
    publisher.opened
}

/// What a compound consists of: the type and the format of each packet.
fn kinds(compound: &[u8]) -> Vec<(u8, u8)> {
    let packets = Compound(compound).map(|packet| (packet.kind, packet.count));
    packets.collect()
}

/// str0m's offer with reduced packets, which it leaves out.
fn agreeing(offer: &str) -> String {
    offer.replace("a=rtcp-mux\r\n", "a=rtcp-mux\r\na=rtcp-rsize\r\n")
}

/// NACK and transport-wide feedback, and the request for a keyframe (RFC 4585, 9).
const FEEDBACK: [(u8, u8); 3] = [(205, 1), (205, 15), (206, 1)];

#[test]
fn who_has_not_agreed_to_reduced_packets_gets_whole_ones_alone() {
    let opened = opened(str::to_owned);
    let mut seen = BTreeSet::new();
    let mut names = BTreeSet::new();
    for compound in &opened {
        let kinds = kinds(compound);
        assert!(REPORT.contains(&kinds[0].0), "{kinds:?}");
        let described: Vec<_> = Compound(compound)
            .filter(|packet| packet.kind == SOURCE_DESCRIPTION)
            .collect();
        let [description] = &described[..] else {
            panic!("one source is described in each: {kinds:?}");
        };
        assert_eq!(description.body[4], CNAME);
        let len = usize::from(description.body[5]);
        names.insert(description.body[6..6 + len].to_vec());
        // All of it is of one source, whose name that is.
        let sources: BTreeSet<_> = Compound(compound).map(|packet| &packet.body[..4]).collect();
        assert_eq!(sources.len(), 1, "{kinds:?}");
        seen.extend(kinds);
    }
    assert!(FEEDBACK.iter().all(|kind| seen.contains(kind)), "{seen:?}");
    assert_eq!(names.len(), 1, "one name for all of the session");
}

#[test]
fn who_has_agreed_gets_feedback_as_it_is() {
    let opened = opened(agreeing);
    for kind in FEEDBACK {
        let mut reduced = opened.iter().map(|compound| kinds(compound));
        let reduced = reduced.any(|kinds| !REPORT.contains(&kinds[0].0) && kinds.contains(&kind));
        assert!(reduced, "{kind:?}");
    }
}
