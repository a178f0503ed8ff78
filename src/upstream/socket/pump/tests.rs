use bytes::Bytes;
use tokio::io::{DuplexStream, duplex};
use tokio::sync::oneshot;

use super::*;
use crate::upstream::socket::{Inspect, Verdict};

struct Judge;

impl Inspect for Judge {
    fn inspect(&mut self, message: &[u8]) -> Verdict {
        match message {
            b"token" => Verdict::Stop(Stop::Refused { answer: "no".into() }),
            _ => Verdict::Pass,
        }
    }

    fn passes_unread(&self) -> bool {
        false
    }
}

/// A running socket: the client's end, the instance's end, and what makes it leave.
struct Socket {
    client: DuplexStream,
    instance: DuplexStream,
    leave: oneshot::Sender<Leave>,
}

async fn with_socket<T, F: Future<Output = T>>(test: impl FnOnce(Socket) -> F) {
    let (client, near) = duplex(64);
    let (far, instance) = duplex(64);
    let (leave, left) = oneshot::channel();
    let (up, down) =
        (Flow::new(Side::Client, None, Some(Box::new(Judge))), Flow::new(Side::Instance, None, None));
    let leave_when = async {
        match left.await {
            Ok(why) => why,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::join!(run(near, far, up, down, leave_when), test(Socket { client, instance, leave }));
}

fn bytes(kind: Kind, payload: &[u8], key: Option<[u8; 4]>) -> Bytes {
    let mut out = BytesMut::new();
    frame(kind, payload.to_vec(), key, &mut out);
    out.freeze()
}

/// Every frame that comes until the end.
async fn heard(end: &mut DuplexStream, from: Side) -> Vec<(Kind, Vec<u8>)> {
    let mut all = Vec::new();
    end.read_to_end(&mut all).await.unwrap();
    let (mut rest, mut frames) = (&all[..], Vec::new());
    while let Some((head, size)) = Head::read(rest, from).unwrap() {
        let (payload, next) = rest[size..].split_at(usize::try_from(head.length).unwrap());
        let mut payload = payload.to_vec();
        if let Some(key) = head.mask {
            mask(&mut payload, key, 0);
        }
        frames.push((head.kind, payload));
        rest = next;
    }
    assert!(rest.is_empty(), "half a frame: {rest:?}");
    frames
}

fn close((code, reason): Code) -> (Kind, Vec<u8>) {
    (Kind::Close, [&code.to_be_bytes(), reason.as_bytes()].concat())
}

const KEY: Option<[u8; 4]> = Some([1, 2, 3, 4]);

#[tokio::test]
async fn frames_pass_both_ways_until_both_have_closed() {
    with_socket(async |Socket { mut client, mut instance, leave: _leave }| {
        let (text, bye) = (b"x".repeat(1000), b"\x03\xe8".to_vec());
        let said = [bytes(Kind::Text, &text, KEY), bytes(Kind::Close, &bye, KEY)].concat();
        let answer = [bytes(Kind::Text, &text, None), bytes(Kind::Close, &bye, None)].concat();
        let expected = vec![(Kind::Text, text), (Kind::Close, bye)];
        let at_client = async {
            client.write_all(&said).await.unwrap();
            assert_eq!(heard(&mut client, Side::Instance).await, expected);
        };
        let at_instance = async {
            let mut all = vec![0; said.len()];
            instance.read_exact(&mut all).await.unwrap();
            assert_eq!(all, said);
            instance.write_all(&answer).await.unwrap();
            drop(instance);
        };
        tokio::join!(at_client, at_instance);
    })
    .await;
}

#[tokio::test]
async fn an_instance_that_is_gone_is_a_restart_for_the_client() {
    with_socket(async |Socket { mut client, mut instance, leave: _leave }| {
        instance.write_all(&bytes(Kind::Text, b"last", None)).await.unwrap();
        drop(instance);
        let expected = [(Kind::Text, b"last".to_vec()), close(RESTART)];
        assert_eq!(heard(&mut client, Side::Instance).await, expected);
    })
    .await;
}

#[tokio::test]
async fn leaving_tells_whoever_may_be_told() {
    for (why, to_client, to_instance) in [
        (Leave::Stopping, AWAY, vec![close(AWAY)]),
        (Leave::Restart, RESTART, vec![close(AWAY)]),
        (Leave::Cut, RESTART, vec![]),
    ] {
        with_socket(async |Socket { mut client, mut instance, leave }| {
            leave.send(why).unwrap();
            let (client, instance) =
                tokio::join!(heard(&mut client, Side::Instance), heard(&mut instance, Side::Client));
            assert_eq!((client, instance), (vec![close(to_client)], to_instance), "{why:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn half_a_frame_is_not_followed_by_a_close() {
    with_socket(async |Socket { mut client, mut instance, leave }| {
        let frame = bytes(Kind::Text, b"0123456789", None);
        let mut got = [0; 6];
        instance.write_all(&frame[..6]).await.unwrap();
        client.read_exact(&mut got).await.unwrap();
        leave.send(Leave::Restart).unwrap();
        assert_eq!(client.read(&mut got).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_refused_token_is_answered_and_never_sent_on() {
    with_socket(async |Socket { mut client, mut instance, leave: _leave }| {
        client.write_all(&bytes(Kind::Text, b"token", KEY)).await.unwrap();
        let (client, instance) =
            tokio::join!(heard(&mut client, Side::Instance), heard(&mut instance, Side::Client));
        assert_eq!(client, [(Kind::Text, b"no".to_vec()), close(POLICY)]);
        assert_eq!(instance, [close(AWAY)]);
    })
    .await;
}

#[tokio::test]
async fn whoever_breaks_the_rules_ends_the_socket_for_both() {
    with_socket(async |Socket { mut client, mut instance, leave: _leave }| {
        // Not masked.
        let said = [bytes(Kind::Ping, b"1", KEY), bytes(Kind::Text, b"x", None)].concat();
        client.write_all(&said).await.unwrap();
        let (client, instance) =
            tokio::join!(heard(&mut client, Side::Instance), heard(&mut instance, Side::Client));
        assert_eq!(client, [close(PROTOCOL)]);
        assert_eq!(instance, [(Kind::Ping, b"1".to_vec()), close(PROTOCOL)]);
    })
    .await;
}

#[tokio::test]
async fn ends_that_do_not_read_are_not_waited_for() {
    with_socket(async |Socket { client, mut instance, leave }| {
        // Fills everything on the way.
        let _ =
            timeout(Duration::from_millis(50), instance.write_all(&bytes(Kind::Text, &[b'x'; 500], None)))
                .await;
        leave.send(Leave::Restart).unwrap();
        drop(instance);
        // Open until the socket is over, which it is all the same.
        client
    })
    .await;
}
