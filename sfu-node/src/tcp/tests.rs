//! The TCP side of the media port, with real sockets on loopback.

use std::io::ErrorKind;

use sfu_core::framing;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::{Builder, LocalOptions};
use tokio::time::timeout;

use super::*;

const PATIENCE: Duration = Duration::from_secs(10);

fn run(test: impl Future<Output = ()>) {
    Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())
        .unwrap()
        .block_on(async { timeout(PATIENCE, test).await.expect("in time") });
}

async fn pair() -> (Tcp, TcpStream, SocketAddr) {
    let listener = bind("127.0.0.1:0".parse().unwrap(), true).unwrap();
    let address = listener.local_addr().unwrap();
    let tcp = Tcp::new([listener]).unwrap();
    let client = TcpStream::connect(address).await.unwrap();
    let own = client.local_addr().unwrap();
    (tcp, client, own)
}

fn frame(datagram: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    assert!(framing::write(&mut out, datagram));
    out
}

async fn received(tcp: &mut Tcp) -> (SocketAddr, Vec<u8>) {
    loop {
        if let Some(received) = tcp.receive() {
            return (received.from, received.datagram);
        }
        tcp.readable().await;
    }
}

/// Until the condition holds; the tasks of connections run meanwhile.
async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

#[test]
fn datagrams_go_both_ways_in_frames() {
    run(async {
        let (mut tcp, mut client, own) = pair().await;
        client.write_all(&frame(&[0; 20])).await.unwrap();
        assert_eq!(received(&mut tcp).await, (own, vec![0; 20]));
        tcp.send(own, &[7; 250], 100);
        tcp.flush();
        let expected: Vec<u8> = [100, 100, 50]
            .iter()
            .flat_map(|len| frame(&vec![7; *len]))
            .collect();
        let mut answer = vec![0; expected.len()];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, expected);
        assert_eq!(tcp.counters().datagrams_out, 3);
    });
}

#[test]
fn a_client_that_reads_nothing_loses_media_and_keeps_its_handshake() {
    run(async {
        let (mut tcp, mut client, own) = pair().await;
        client.write_all(&frame(&[0; 20])).await.unwrap();
        received(&mut tcp).await;
        // More than the kernel holds on both sides.
        while tcp.counters().dropped < 100 {
            tcp.send(own, &[0x80; 1_200], 1_200);
            tcp.flush();
        }
        let stun = [0; 20];
        let (before, out) = (tcp.counters().dropped, tcp.counters().datagrams_out);
        tcp.send(own, &stun, stun.len());
        tcp.flush();
        assert_eq!(tcp.counters().dropped, before);
        // All frames that were not dropped arrive whole once the client reads, and the handshake is the last.
        let mut frames = framing::Frames::default();
        let mut last = Vec::new();
        for _ in 0..=out {
            loop {
                if let Some(datagram) = frames.next_datagram().unwrap() {
                    last = datagram.to_vec();
                    break;
                }
                let bytes = client.read(frames.space()).await.unwrap();
                assert!(bytes > 0);
                frames.filled(bytes);
            }
        }
        assert_eq!(last, stun);
    });
}

#[test]
fn a_client_that_never_takes_its_handshake_is_given_up() {
    run(async {
        let (mut tcp, mut client, own) = pair().await;
        client.write_all(&frame(&[0; 20])).await.unwrap();
        received(&mut tcp).await;
        while tcp.counters().connections == 1 {
            tcp.send(own, &[20; 1_200], 1_200);
            tcp.flush();
            tokio::task::yield_now().await;
        }
        let mut rest = Vec::new();
        // It ends: in order, or reset.
        let _ = client.read_to_end(&mut rest).await;
    });
}

#[test]
fn a_frame_that_is_too_long_ends_the_connection() {
    run(async {
        let (tcp, mut client, _) = pair().await;
        client.write_all(&[0xff, 0xff, 1, 2, 3]).await.unwrap();
        let ended = client.read_u8().await.unwrap_err();
        let kinds = [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset];
        assert!(kinds.contains(&ended.kind()), "{ended}");
        until(|| tcp.counters().connections == 0).await;
    });
}

/// Connects, and is a session's client from then on.
async fn known(tcp: &mut Tcp, address: SocketAddr) -> TcpStream {
    let before = tcp.counters().accepted;
    let client = TcpStream::connect(address).await.unwrap();
    until(|| tcp.counters().accepted > before).await;
    tcp.reached(client.local_addr().unwrap());
    client
}

#[test]
fn one_address_cannot_take_all_connections() {
    run(async {
        let (mut tcp, first, own) = pair().await;
        until(|| tcp.counters().accepted == 1).await;
        tcp.reached(own);
        let address = first.peer_addr().unwrap();
        let mut clients = vec![first];
        while clients.len() < MAX_FROM_ONE {
            clients.push(known(&mut tcp, address).await);
        }
        clients.push(TcpStream::connect(address).await.unwrap());
        until(|| tcp.counters().refused == 1).await;
        assert_eq!(tcp.counters().accepted, MAX_FROM_ONE as u64);
        // One that ends makes room.
        clients.remove(0);
        until(|| tcp.counters().connections < MAX_FROM_ONE as u64).await;
        clients.push(TcpStream::connect(address).await.unwrap());
        until(|| tcp.counters().connections == MAX_FROM_ONE as u64).await;
    });
}

#[test]
fn a_new_stranger_takes_the_place_of_the_oldest_and_never_that_of_a_client() {
    run(async {
        let (mut tcp, mut client, own) = pair().await;
        until(|| tcp.counters().accepted == 1).await;
        tcp.reached(own);
        let address = client.peer_addr().unwrap();
        let mut strangers = Vec::new();
        for number in 0..=strangers::MOST_FROM_ONE as u64 {
            strangers.push(TcpStream::connect(address).await.unwrap());
            until(|| tcp.counters().accepted == number + 2).await;
        }
        let ended = strangers[0].read_u8().await.unwrap_err();
        assert_eq!(ended.kind(), ErrorKind::UnexpectedEof);
        let most = strangers::MOST_FROM_ONE as u64;
        until(|| tcp.counters().connections == 1 + most).await;
        client.write_all(&frame(&[7; 200])).await.unwrap();
        assert_eq!(received(&mut tcp).await, (own, vec![7; 200]), "it is heard");
    });
}

/// Frames that look like STUN, as many as fit into so many bytes.
fn push(bytes: usize) -> Vec<u8> {
    frame(&[0; 98]).repeat(bytes / 100)
}

#[test]
fn a_stranger_that_pushes_is_cut_off_after_a_few_bytes() {
    run(async {
        let (mut tcp, mut stranger, _) = pair().await;
        let pushed = push(10 * strangers::BYTES_OF_ONE);
        let ended = stranger.write_all(&pushed).await;
        let mut rest = Vec::new();
        let ended = match ended {
            Ok(()) => stranger.read_to_end(&mut rest).await.map(|_| ()),
            Err(error) => Err(error),
        };
        println!("cut off: {ended:?}");
        until(|| tcp.counters().connections == 0).await;
        let mut taken = 0;
        while let Some(received) = tcp.receive() {
            taken += received.datagram.len() + 2;
        }
        assert!(
            taken > 0 && taken <= strangers::BYTES_OF_ONE,
            "{taken} bytes"
        );
    });
}

#[test]
fn strangers_who_push_on_from_ever_new_connections_take_little_and_a_client_loses_nothing() {
    run(async {
        let (mut tcp, mut client, own) = pair().await;
        until(|| tcp.counters().accepted == 1).await;
        tcp.reached(own);
        let address = client.peer_addr().unwrap();
        let began = Instant::now();
        let pushing: Vec<Task> = (0..8)
            .map(|_| {
                let task = tokio::task::spawn_local(async move {
                    let pushed = push(10 * strangers::BYTES_OF_ONE);
                    while let Ok(mut stranger) = TcpStream::connect(address).await {
                        let _ = stranger.write_all(&pushed).await;
                    }
                });
                task.into()
            })
            .collect();
        let (mut heard, mut taken) = (0, 0);
        // Of each of the client's datagrams, sent one after the other, until strangers have been turned away many times.
        while heard < 2_000 || tcp.counters().accepted < 100 {
            client.write_all(&frame(&[1; 1_000])).await.unwrap();
            loop {
                let (from, datagram) = received(&mut tcp).await;
                if from == own {
                    assert_eq!(datagram.len(), 1_000);
                    break;
                }
                taken += datagram.len() + 2;
            }
            heard += 1;
        }
        let time = began.elapsed().as_secs_f64();
        drop(pushing);
        let each_second = taken as f64 / (time + 1.0) / 1_024.0;
        println!("{heard} of the client; {each_second:.0} KiB/s of strangers in {time:.1} s");
        assert!(each_second < 600.0, "{each_second} KiB/s");
    });
}

#[test]
fn a_datagram_for_nobody_is_counted() {
    run(async {
        let (mut tcp, _client, _) = pair().await;
        tcp.send("127.0.0.1:9".parse().unwrap(), &[0; 30], 20);
        tcp.flush();
        assert_eq!(tcp.counters().dropped, 2);
    });
}

#[test]
fn what_came_while_the_thread_slept_is_there_after_its_tasks_have_run() {
    run(async {
        let (mut tcp, mut client, own) = pair().await;
        client.write_all(&frame(&[0; 20])).await.unwrap();
        received(&mut tcp).await;
        tcp.reached(own);
        client.write_all(&frame(&[0; 20])).await.unwrap();
        received(&mut tcp).await;
        // Each write is in the other socket when it returns.
        client.set_nodelay(true).unwrap();
        let mut client = client.into_std().unwrap();
        for number in 1..=3 {
            let before = std::time::Instant::now();
            // In the kernel, and nobody has run since.
            std::io::Write::write_all(&mut client, &frame(&[0x80; 100]).repeat(number)).unwrap();
            crate::task::let_take(1).await;
            for _ in 0..number {
                let received = tcp.receive().unwrap();
                assert!(received.at >= before && received.from == own);
            }
        }
    });
}
