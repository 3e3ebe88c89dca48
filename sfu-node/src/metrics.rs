//! The metrics page: shards' reports and the node's own events as Prometheus text.

use metrics::{counter, describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};

use sfu_core::{Estimates, SlotUse};

use crate::ledger;
use crate::shard::Report;

/// Installs the recorder of the process and describes every metric.
///
/// # Errors
/// A recorder is installed already.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new().install_recorder()?;
    for (name, help) in COUNTERS {
        describe_counter!(*name, *help);
    }
    for (name, help) in GAUGES {
        describe_gauge!(*name, *help);
    }
    registered(false);
    room_links(0);
    Ok(handle)
}

/// The collector has taken so many spans.
pub fn spans_exported(count: usize) {
    counter!("connect_spans_exported_total").increment(count as u64);
}

/// So many spans found no room, or no collector.
pub fn spans_dropped(count: usize) {
    counter!("connect_spans_dropped_total").increment(count as u64);
}

const COUNTERS: &[(&str, &str)] = &[
    (
        "connect_spans_exported_total",
        "Spans of joins that the collector has taken",
    ),
    (
        "connect_spans_dropped_total",
        "Spans of joins that no collector took",
    ),
    (
        "connect_packets_in_total",
        "Media packets received from clients",
    ),
    (
        "connect_bytes_in_total",
        "Bytes of those packets: SRTP with header and tag, without UDP and IP",
    ),
    ("connect_packets_out_total", "Media packets sent to clients"),
    (
        "connect_bytes_out_total",
        "Bytes of those packets: SRTP with header and tag, without UDP and IP",
    ),
    (
        "connect_relay_packets_in_total",
        "Media packets received from other nodes",
    ),
    (
        "connect_relay_bytes_in_total",
        "Bytes of those packets: RTP and flow number, without QUIC, UDP and IP",
    ),
    (
        "connect_relay_packets_out_total",
        "Media packets sent to other nodes",
    ),
    (
        "connect_relay_bytes_out_total",
        "Bytes of those packets: RTP and flow number, without QUIC, UDP and IP",
    ),
    (
        "connect_retransmissions_total",
        "Packets sent again because a client asked",
    ),
    ("connect_keyframe_requests_total", "Keyframes asked for"),
    (
        "connect_layer_switches_total",
        "Switches of receive slots from one simulcast layer to another",
    ),
    (
        "connect_oversized_packets_total",
        "Packets to clients of more than 1,472 bytes, which many a path loses",
    ),
    (
        "connect_probes_total",
        "Bursts sent to find out what clients' paths carry",
    ),
    (
        "connect_probe_packets_total",
        "Packets that were sent for nothing but to fill probes",
    ),
    (
        "connect_bindings_total",
        "Answers to clients that measured the way here",
    ),
    (
        "connect_refused_offers_total",
        "Offers that could not be answered",
    ),
    (
        "connect_failed_handshakes_total",
        "Sessions whose DTLS handshake failed",
    ),
    (
        "connect_relay_retransmissions_total",
        "Packets sent again because another node asked",
    ),
    (
        "connect_relay_fragmented_total",
        "Media packets that were too large for the path to another node, and went in fragments",
    ),
    (
        "connect_relay_pauses_total",
        "Flows to other nodes paused because the path was too narrow",
    ),
    (
        "connect_drops_total",
        "Packets that went no further, by reason",
    ),
    (
        "connect_session_faults_total",
        "Faults of our own: panics that ended a session, or a piece of work of a room",
    ),
    (
        "connect_udp_datagrams_in_total",
        "Datagrams received on the media port",
    ),
    (
        "connect_udp_datagrams_out_total",
        "Datagrams sent from the media port",
    ),
    (
        "connect_udp_reads_total",
        "System calls that received datagrams",
    ),
    (
        "connect_udp_messages_out_total",
        "Messages sent from the media port, each a run of datagrams",
    ),
    (
        "connect_udp_writes_total",
        "System calls that sent datagrams",
    ),
    (
        "connect_udp_send_errors_total",
        "Datagrams that the kernel refused to send",
    ),
    (
        "connect_tcp_accepted_total",
        "TCP connections accepted on the media port",
    ),
    (
        "connect_tcp_refused_total",
        "TCP connections refused because there were too many",
    ),
    (
        "connect_tcp_datagrams_in_total",
        "Datagrams received over TCP",
    ),
    ("connect_tcp_datagrams_out_total", "Datagrams sent over TCP"),
    (
        "connect_quic_rejected_dials_total",
        "QUIC dials refused because the certificate is not pinned",
    ),
    (
        "connect_quic_failed_dials_total",
        "QUIC dials of ours that came to nothing",
    ),
    (
        "connect_shard_cpu_microseconds_total",
        "CPU time of the shard's thread",
    ),
    (
        "connect_shard_lost_messages_total",
        "Messages to rooms lost because the links did not keep up",
    ),
    ("connect_link_lost_total", "Links to the edge lost, by kind"),
    (
        "connect_link_refused_total",
        "Links refused by the edge, by kind and HTTP status",
    ),
    (
        "connect_shard_ended_total",
        "Shards that ended by a fault, with their sessions; the process ends when nobody is left at the others",
    ),
    (
        "connect_shard_hung_total",
        "Shards that reported no more and were given up, with their sessions",
    ),
    (
        "connect_ledger_lost_total",
        "Ledger entries lost because the disk did not take them for too long",
    ),
    (
        "connect_ledger_failed_writes_total",
        "Attempts to write ledger entries that failed, and were repeated",
    ),
];

const GAUGES: &[(&str, &str)] = &[
    ("connect_sessions", "Media sessions now"),
    ("connect_rooms", "Rooms now"),
    (
        "connect_tcp_connections",
        "TCP connections of clients that cannot use UDP, now",
    ),
    (
        "connect_relay_flows",
        "Flows from and to other nodes now, by direction",
    ),
    ("connect_quic_peers", "Other nodes' shards connected now"),
    (
        "connect_slots",
        "Clients' receive slots, by kind and use: flowing, waiting, paused or free",
    ),
    (
        "connect_estimate_bits_per_second_sum",
        "What the paths to all clients carry together",
    ),
    (
        "connect_estimate_bits_per_second_min",
        "What the narrowest path to a client carries",
    ),
    (
        "connect_estimates",
        "Clients whose paths carry at most `le` bits per second",
    ),
    (
        "connect_shard_load",
        "The shard's share of one core, 0 to 1",
    ),
    (
        "connect_registered",
        "1 while the node is registered with its region",
    ),
    (
        "connect_ledger_waiting",
        "Ledger entries that wait for the disk",
    ),
    ("connect_room_links", "Room links, open or being dialed"),
];

/// Takes over a shard's counters.
pub fn shard(index: u16, report: &Report) {
    let shard = index.to_string();
    let total = |name, value| counter!(name, "shard" => shard.clone()).absolute(value);
    let now = |name, value| gauge!(name, "shard" => shard.clone()).set(value);
    let (stats, udp, quic) = (&report.stats, &report.udp, &report.quic);
    let tcp = &report.tcp;
    total("connect_packets_in_total", stats.packets_in);
    total("connect_bytes_in_total", stats.bytes_in);
    total("connect_packets_out_total", stats.packets_out);
    total("connect_bytes_out_total", stats.bytes_out);
    total("connect_relay_packets_in_total", stats.relay_packets_in);
    total("connect_relay_bytes_in_total", stats.relay_bytes_in);
    total("connect_relay_packets_out_total", stats.relay_packets_out);
    total("connect_relay_bytes_out_total", stats.relay_bytes_out);
    total("connect_retransmissions_total", stats.retransmissions);
    total("connect_keyframe_requests_total", stats.keyframe_requests);
    total("connect_layer_switches_total", stats.layer_switches);
    total("connect_oversized_packets_total", stats.oversized);
    total("connect_probes_total", stats.probes);
    total("connect_probe_packets_total", stats.probe_packets);
    total("connect_bindings_total", stats.bindings);
    total("connect_refused_offers_total", stats.refused_offers);
    total("connect_failed_handshakes_total", stats.failed_handshakes);
    total(
        "connect_relay_retransmissions_total",
        stats.relay_retransmissions,
    );
    total("connect_relay_pauses_total", stats.relay_pauses);
    total("connect_session_faults_total", stats.drops.faults);
    total("connect_udp_datagrams_in_total", udp.datagrams_in);
    total("connect_udp_datagrams_out_total", udp.datagrams_out);
    total("connect_udp_reads_total", udp.reads);
    total("connect_udp_messages_out_total", udp.messages_out);
    total("connect_udp_writes_total", udp.writes);
    total("connect_udp_send_errors_total", udp.send_errors);
    total("connect_tcp_accepted_total", tcp.accepted);
    total("connect_tcp_refused_total", tcp.refused);
    total("connect_tcp_datagrams_in_total", tcp.datagrams_in);
    total("connect_tcp_datagrams_out_total", tcp.datagrams_out);
    total("connect_quic_rejected_dials_total", quic.rejected_dials);
    total("connect_quic_failed_dials_total", quic.failed_dials);
    total("connect_relay_fragmented_total", quic.fragmented);
    total("connect_shard_lost_messages_total", report.lost_messages);
    for (reason, value) in [
        ("unknown", stats.drops.unknown),
        ("malformed", stats.drops.malformed),
        ("not_allowed", stats.drops.not_allowed),
        ("unknown_flow", stats.drops.unknown_flow),
        ("stale", stats.drops.stale),
        ("udp_full", udp.would_block),
        ("tcp_slow", tcp.dropped),
        ("relay_no_peer", quic.drops.no_peer),
        ("relay_too_large", quic.drops.too_large),
        ("relay_incomplete", quic.drops.incomplete),
        ("relay_overflow", quic.drops.overflow),
        ("relay_late", quic.drops.late),
        ("sibling_busy", report.sibling_drops),
    ] {
        counter!("connect_drops_total", "shard" => shard.clone(), "reason" => reason)
            .absolute(value);
    }
    for (direction, value) in [("in", stats.relay_flows_in), ("out", stats.relay_flows_out)] {
        gauge!("connect_relay_flows", "shard" => shard.clone(), "direction" => direction)
            .set(value as f64);
    }
    estimates(&shard, &stats.estimates);
    slots(&shard, "audio", &stats.audio_slots);
    slots(&shard, "video", &stats.video_slots);
    now("connect_sessions", stats.sessions as f64);
    now("connect_rooms", stats.rooms as f64);
    now("connect_tcp_connections", tcp.connections as f64);
    now("connect_quic_peers", quic.peers as f64);
    now("connect_shard_load", f64::from(report.load));
    // In whole microseconds: a counter holds no fractions.
    total(
        "connect_shard_cpu_microseconds_total",
        report.cpu.as_micros() as u64,
    );
}

fn slots(shard: &str, kind: &'static str, slots: &SlotUse) {
    for (used, count) in [
        ("flowing", slots.flowing),
        ("waiting", slots.waiting),
        ("paused", slots.paused),
        ("free", slots.free),
    ] {
        gauge!("connect_slots", "shard" => shard.to_owned(), "kind" => kind, "use" => used)
            .set(count as f64);
    }
}

/// The distribution of the estimates, with cumulative counts as a histogram has them, but of what is now.
fn estimates(shard: &str, estimates: &Estimates) {
    let shard = shard.to_owned();
    let bounds = Estimates::BOUNDS.iter().map(u64::to_string);
    let counts = bounds.zip(estimates.at_most);
    for (le, count) in counts.chain([("+Inf".to_owned(), estimates.count)]) {
        gauge!("connect_estimates", "shard" => shard.clone(), "le" => le).set(count as f64);
    }
    gauge!("connect_estimate_bits_per_second_sum", "shard" => shard.clone())
        .set(estimates.sum as f64);
    gauge!("connect_estimate_bits_per_second_min", "shard" => shard).set(estimates.min as f64);
}

/// Whether the node is registered with its region.
pub fn registered(is: bool) {
    gauge!("connect_registered").set(if is { 1.0 } else { 0.0 });
}

/// How many rooms have a link, open or being dialed.
pub fn room_links(count: usize) {
    gauge!("connect_room_links").set(count as f64);
}

/// A link was lost; `kind` is `region` or `room`.
pub fn link_lost(kind: &'static str) {
    counter!("connect_link_lost_total", "kind" => kind).increment(1);
}

/// The edge refused a link.
pub fn link_refused(kind: &'static str, status: u16) {
    counter!("connect_link_refused_total", "kind" => kind, "status" => status.to_string())
        .increment(1);
}

/// What became of the ledger's entries.
pub fn ledger(counts: ledger::Counts) {
    gauge!("connect_ledger_waiting").set(counts.waiting as f64);
    counter!("connect_ledger_failed_writes_total").absolute(counts.failed_writes);
    counter!("connect_ledger_lost_total").absolute(counts.lost);
}

/// A shard ended by a fault.
pub fn shard_ended() {
    counter!("connect_shard_ended_total").increment(1);
}

/// A shard hung and was given up.
pub fn shard_hung() {
    counter!("connect_shard_hung_total").increment(1);
}
