//! Offers as other stacks write them by default, and what is agreed on.

use protocol::client::SourceMid;
use protocol::media::{Codec, Source};

mod compounds;
mod limits;

use super::description::sections;
use super::*;
use crate::egress::extensions::Extensions;
use str0m::net::{Protocol, Receive};

const PION: &str = include_str!("tests/pion.sdp");
const AIORTC: &str = include_str!("tests/aiortc.sdp");
const WERIFT: &str = include_str!("tests/werift.sdp");
const LIBDATACHANNEL: &str = include_str!("tests/libdatachannel.sdp");
const GSTREAMER: &str = include_str!("tests/gstreamer.sdp");

fn accept(sdp: &str, microphone: &str, camera: &str) -> Result<Negotiated, OfferError> {
    let address = TransportAddress::udp(([192, 0, 2, 1], 7_000).into());
    let shared = Shared::new(vec![address]);
    let named = [(microphone, Source::Microphone), (camera, Source::Camera)];
    let sources = named.map(|(mid, source)| SourceMid {
        mid: mid.into(),
        source,
    });
    let (_, negotiated) = Session::accept(Instant::now(), &shared, sdp, &sources)?;
    Ok(negotiated)
}

/// The mids of a description's m-lines.
fn mids(sdp: &str) -> Vec<&str> {
    let (_, media) = sections(sdp);
    let mids = media.iter().filter_map(|media| media.value("mid"));
    mids.collect()
}

/// Checks that the answer has the offer's m-lines by their names, in one bundle, and no header extension that was not offered.
fn keeps_to_the_offer(offer: &str, answer: &str) {
    assert_eq!(mids(answer), mids(offer));
    let (session, answered) = sections(answer);
    let bundle = format!("BUNDLE {}", mids(offer).join(" "));
    assert_eq!(session.values("group").collect::<Vec<_>>(), [bundle]);
    let mixed = "extmap-allow-mixed";
    assert_eq!(answer.contains(mixed), offer.contains(mixed));
    let (_, offered) = sections(offer);
    for (offered, answered) in offered.iter().zip(&answered) {
        let known: Vec<&str> = offered.values("extmap").collect();
        for extension in answered.values("extmap") {
            assert!(known.contains(&extension), "{extension} in {known:?}");
        }
    }
}

/// What the microphone's and the camera's m-lines, which go both ways, have as slots.
fn slots(negotiated: &Negotiated, mids: [&str; 2]) -> [Extensions; 2] {
    assert_eq!(negotiated.slots.len(), 2);
    mids.map(|mid| {
        let slot = negotiated.slots.iter().find(|slot| slot.mid == mid);
        slot.expect("a slot of this name").extensions
    })
}

#[test]
fn what_other_stacks_offer_by_default_is_sent_and_received() {
    let offers = [
        (PION, "0", "1", Codec::Vp8),
        (AIORTC, "0", "1", Codec::Vp8),
        (WERIFT, "0", "1", Codec::Vp8),
        (LIBDATACHANNEL, "audio-main", "video-main", Codec::H264),
        (GSTREAMER, "audio1", "video0", Codec::Vp8),
    ];
    for (sdp, microphone, camera, codec) in offers {
        let negotiated = accept(sdp, microphone, camera).expect(sdp);
        keeps_to_the_offer(sdp, &negotiated.sdp);
        let published: Vec<_> = negotiated
            .published
            .iter()
            .map(|p| (p.source, p.codec))
            .collect();
        assert_eq!(
            published,
            [(Source::Microphone, Codec::Opus), (Source::Camera, codec)]
        );
        slots(&negotiated, [microphone, camera]);
        let both_ways = negotiated.sdp.matches("a=sendrecv").count();
        assert_eq!(both_ways, 2, "{}", negotiated.sdp);
    }
}

#[test]
fn header_extensions_are_those_of_their_m_line() {
    let none = Extensions::default();
    let pion = slots(&accept(PION, "0", "1").unwrap(), ["0", "1"]);
    let twcc = Some(4);
    assert_eq!(
        pion,
        [
            Extensions { twcc, ..none },
            Extensions {
                mid: Some(1),
                twcc,
                ..none
            }
        ]
    );
    // One id is the level of sound, and the number of video.
    let werift = slots(&accept(WERIFT, "0", "1").unwrap(), ["0", "1"]);
    let mid = Some(1);
    let level = Some(2);
    assert_eq!(
        werift,
        [
            Extensions { mid, level, ..none },
            Extensions {
                mid,
                twcc: level,
                ..none
            }
        ]
    );
}

#[test]
fn feedback_on_numbers_is_agreed_on_where_both_it_and_they_are_offered() {
    let without_numbers = PION.replace("a=extmap:4 ", "a=extmap:4 x-");
    let answer = accept(&without_numbers, "0", "1").unwrap().sdp;
    assert!(!answer.contains("transport-"), "{answer}");
    let without_feedback = PION.replace(" transport-cc \n", " x-cc\n");
    let negotiated = accept(&without_feedback, "0", "1").unwrap();
    assert!(!negotiated.sdp.contains("transport-"), "{}", negotiated.sdp);
    let extensions = slots(&negotiated, ["0", "1"]);
    assert!(
        extensions
            .iter()
            .all(|extensions| extensions.twcc.is_none())
    );
}

#[test]
fn ids_that_no_packet_can_have_and_numbers_that_nobody_reads_are_not_accepted() {
    for (id, accepted) in [
        ("16", true),
        ("17", false),
        ("255", false),
        ("256", false),
        ("0", false),
    ] {
        let sdp = PION.replace("a=extmap:4 ", &format!("a=extmap:{id} "));
        let answer = accept(&sdp, "0", "1").unwrap().sdp;
        assert_eq!(answer.contains("transport-wide"), accepted, "{id}");
        let sdp = PION.replace("a=extmap:1 ", &format!("a=extmap:{id} "));
        let answer = accept(&sdp, "0", "1").unwrap().sdp;
        let in_a_packet = !["0", "256"].contains(&id);
        assert_eq!(answer.contains("sdes:mid"), in_a_packet, "{id}");
    }
}

#[test]
fn an_extension_in_one_direction_is_answered_in_the_other() {
    let sdp = AIORTC.replace("extmap:2 ", "extmap:2/sendonly ");
    let negotiated = accept(&sdp, "0", "1").unwrap();
    let answered = "a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n";
    assert!(negotiated.sdp.contains(answered), "{}", negotiated.sdp);
    assert_eq!(slots(&negotiated, ["0", "1"])[0].level, None);
}

#[test]
fn what_is_not_named_as_a_source_is_not_asked_for() {
    let shared = Shared::new(Vec::new());
    let named = [SourceMid {
        mid: "0".into(),
        source: Source::Microphone,
    }];
    let (_, negotiated) = Session::accept(Instant::now(), &shared, WERIFT, &named).unwrap();
    let (_, media) = sections(&negotiated.sdp);
    assert!(media[0].has("sendrecv") && media[1].has("sendonly"));
    assert_eq!(negotiated.slots.len(), 2);
}

#[test]
fn mids_are_told_apart_by_all_of_their_characters() {
    let long = "a-mid-that-is-longer-than-sixteen";
    let rename = |sdp: &str, from: &str, to: &str| {
        let sdp = sdp.replace(&format!("a=mid:{from}\n"), &format!("a=mid:{to}\n"));
        sdp.replace(&format!(" {from} "), &format!(" {to} "))
    };
    let [first, second] = ["1", "2"].map(|end| format!("{long}{end}"));
    let bundle = format!("BUNDLE {first} {second} 2");
    let sdp = rename(&rename(WERIFT, "0", &first), "1", &second);
    let sdp = sdp.replace("BUNDLE 0 1 2", &bundle);
    let sdp = sdp.replace(&format!("BUNDLE {first} 1 2"), &bundle);
    let negotiated = accept(&sdp, &first, &second).unwrap();
    assert_eq!(mids(&negotiated.sdp), [&first, &second, "2"]);

    let same = sdp.replace(&format!("a=mid:{second}"), &format!("a=mid:{first}"));
    let error = accept(&same, &first, &second).unwrap_err();
    assert!(matches!(error, OfferError::DuplicateMid(mid) if mid == first));
    for bad in ["", "two words", "m\u{e9}", &"m".repeat(65)] {
        let sdp = sdp.replace(&second, bad);
        let error = accept(&sdp, &first, bad).unwrap_err();
        assert!(matches!(error, OfferError::BadMid), "{bad:?}: {error}");
    }
    let error = accept(&sdp, &first, &first).unwrap_err();
    assert!(matches!(error, OfferError::NamedTwice(mid) if mid == first));
}

/// What OpenSSL says first with an RSA certificate, and what it answers our request for an ECDSA one with: no certificate.
const HELLO_OF_RSA: &str = "16feff000000000000000000c9010000bd00000000000000bdfefdb07f032d63d783b3c6660f846c62244ab5b1b47e\
    d50d7adee25cf1a7f2c4718e00000038c02cc030009fcca9cca8ccaac02bc02f009ec024c028006bc023c0270067c00ac0140039c009c0130033\
    009d009c003d003c0035002f00ff0100005b000b000403000102000a000c000a001d0017001e0019001800230000000e00050002000700001600\
    0000170000000d002a0028040305030603080708080809080a080b080408050806040105010601030303010302040205020602";
const NO_CERTIFICATE: &str = "16fefd0000000000000001000f0b00000300010000000000030000 00";

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pairs = digits
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).unwrap());
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}

/// The type of a record (RFC 6347, 4.1).
const DTLS_HANDSHAKE: u8 = 22;

/// A session with a client that has done ICE, and no DTLS.
fn with_ice(now: Instant) -> (Session, TransportAddress) {
    let [node, client] = [1, 2].map(|n| TransportAddress::udp(([192, 0, 2, n], 7_000).into()));
    let mut rtc = Rtc::new(now);
    let host = str0m::Candidate::host(client.address, "udp").unwrap();
    rtc.add_local_candidate(host);
    let mut api = rtc.sdp_api();
    api.add_channel("connect".into());
    let (offer, pending) = api.apply().unwrap();
    let shared = Shared::new(vec![node]);
    let (mut session, negotiated) =
        Session::accept(now, &shared, &offer.to_sdp_string(), &[]).unwrap();
    let answer = str0m::change::SdpAnswer::from_sdp_string(&negotiated.sdp).unwrap();
    rtc.sdp_api().accept_answer(pending, answer).unwrap();
    let mut happened = Happened::default();
    loop {
        let transmit = match rtc.poll_output().unwrap() {
            // Its hello: ICE is done.
            Output::Transmit(transmit) if transmit.contents[0] == DTLS_HANDSHAKE => break,
            Output::Transmit(transmit) => transmit,
            Output::Event(_) => continue,
            Output::Timeout(at) => {
                rtc.handle_input(Input::Timeout(at)).unwrap();
                continue;
            }
        };
        session.receive(now, client, now, &transmit.contents, &mut happened);
        for (to, data) in happened.transmits.drain(..) {
            assert_eq!(to, client);
            let answer = Receive::new(Protocol::Udp, node.address, client.address, &data).unwrap();
            rtc.handle_input(Input::Receive(now, answer)).unwrap();
        }
    }
    (session, client)
}

#[test]
fn who_has_no_ecdsa_certificate_is_told_so() {
    let now = Instant::now();
    let (mut session, client) = with_ice(now);
    let mut happened = Happened::default();
    session.receive(now, client, now, &hex(HELLO_OF_RSA), &mut happened);
    assert!(
        !happened.closed && !happened.transmits.is_empty(),
        "a hello of ours"
    );
    session.receive(now, client, now, &hex(NO_CERTIFICATE), &mut happened);
    assert!(happened.closed);
    assert_eq!(happened.failed, Some(HandshakeError::Certificate));
}

/// libdatachannel's offer with a slot that numbers the camera's codec 120.
fn with_another_number(both_ways: bool) -> String {
    let (sender, slot) = ("a=mid:video-main", "a=mid:slot");
    let start = LIBDATACHANNEL.find("m=video").expect("a camera");
    let end = LIBDATACHANNEL.find("m=application").expect("a channel");
    let camera = &LIBDATACHANNEL[start..end];
    let mut line = camera
        .replace(sender, slot)
        .replace("a=ssrc:42 cname:video\n", "");
    line = line.replace(" 96", " 120").replace(":96 ", ":120 ");
    if !both_ways {
        line = line.replace("a=sendrecv", "a=recvonly");
    }
    let bundled = LIBDATACHANNEL.replace("BUNDLE audio-main", "BUNDLE slot audio-main");
    bundled.replacen("m=audio", &(line + "m=audio"), 1)
}

#[test]
fn what_receives_may_number_a_codec_differently_than_what_sends_it() {
    for both_ways in [false, true] {
        let sdp = with_another_number(both_ways);
        let negotiated = accept(&sdp, "audio-main", "video-main").expect("it is answered");
        let (_, media) = sections(&negotiated.sdp);
        for (at, number) in [(0, "120"), (2, "96")] {
            let section = &media[at];
            assert_eq!(section.words().skip(3).collect::<Vec<_>>(), [number]);
            let feedback = section.values("rtcp-fb").collect::<Vec<_>>();
            let expected = ["goog-remb", "nack", "nack pli"].map(|kind| format!("{number} {kind}"));
            assert_eq!(feedback, expected);
            let codec = section.value("rtpmap").expect("a codec");
            assert_eq!(codec, format!("{number} H264/90000"));
        }
        let slot = negotiated.slots.iter().find(|slot| slot.mid == "slot");
        let numbers = slot.expect("a slot").codecs.iter().map(|codec| codec.pt);
        assert_eq!(numbers.collect::<Vec<_>>(), [120]);
    }
}

#[test]
fn two_sources_of_a_codec_number_it_alike() {
    let sdp = with_another_number(true);
    let error = accept(&sdp, "audio-main", "slot");
    assert!(error.is_ok(), "one source alone");
    let sources = [("slot", Source::Camera), ("video-main", Source::Screen)];
    let sources = sources.map(|(mid, source)| SourceMid {
        mid: mid.into(),
        source,
    });
    let shared = Shared::new(Vec::new());
    let refused = Session::accept(Instant::now(), &shared, &sdp, &sources);
    let error = refused.err().expect("it is refused");
    assert_eq!(error, OfferError::OtherPayloadType("video-main".into()));
}
