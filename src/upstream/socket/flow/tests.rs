use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::idmap::guid::Guid;
use crate::idmap::map::{Link, Map};
use crate::metrics::Metrics;
use crate::testing::config;

const HERE: &[u8] = b"11111111-aaaa-2222-bbbb-333333333333";
const THERE: &[u8] = b"99999999-cccc-8888-dddd-777777777777";

fn replaced(text: &[u8]) -> Vec<u8> {
    let mut text = text.to_vec();
    while let Some(at) = text.windows(HERE.len()).position(|w| w == HERE) {
        text[at..at + HERE.len()].copy_from_slice(THERE);
    }
    text
}

/// Puts `THERE` in the place of `HERE`.
fn translator() -> Option<Ids> {
    let id = |text: &[u8]| Guid::parse(text).unwrap();
    let ids = vec![("a".to_owned(), id(HERE)), ("b".to_owned(), id(THERE))];
    let links = [Link { kind: "cameras".into(), ids }];
    let (map, _) = Map::new(&config("hq", &["a", "b"]), &links, &Metrics::new().unwrap());
    Some(Box::new(move || map.view("hq", "b").cloned()))
}

/// A frame as a test sees it, unmasked.
#[derive(Clone, Debug, PartialEq)]
struct Piece {
    kind: Kind,
    last: bool,
    mask: Option<[u8; 4]>,
    payload: Vec<u8>,
}

fn encode(pieces: &[Piece]) -> Vec<u8> {
    let mut out = BytesMut::new();
    for Piece { kind, last, mask: key, payload } in pieces {
        Head { kind: *kind, last: *last, mask: *key, length: payload.len() as u64 }.write(&mut out);
        let begin = out.len();
        out.extend_from_slice(payload);
        if let Some(key) = key {
            mask(&mut out[begin..], *key, 0);
        }
    }
    out.to_vec()
}

fn decode(mut bytes: &[u8], from: Side) -> Vec<Piece> {
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        let (head, size) = Head::read(bytes, from).unwrap().expect("a whole head");
        let end = size + usize::try_from(head.length).unwrap();
        let mut payload = bytes[size..end].to_vec();
        if let Some(key) = head.mask {
            mask(&mut payload, key, 0);
        }
        pieces.push(Piece { kind: head.kind, last: head.last, mask: head.mask, payload });
        bytes = &bytes[end..];
    }
    pieces
}

/// Texts and binary messages joined, control frames as they are.
fn messages(pieces: &[Piece]) -> Vec<(Kind, Vec<u8>)> {
    let (mut data, mut controls, mut open) = (Vec::new(), Vec::new(), None);
    for piece in pieces {
        match piece.kind {
            Kind::Continuation => {
                let (_, text): &mut (Kind, Vec<u8>) = open.as_mut().expect("something to continue");
                text.extend_from_slice(&piece.payload);
            }
            Kind::Text | Kind::Binary => {
                assert!(open.is_none());
                open = Some((piece.kind, piece.payload.clone()));
            }
            _ => controls.push((piece.kind, piece.payload.clone())),
        }
        if piece.last && !piece.kind.is_control() {
            data.extend(open.take());
        }
    }
    data.extend(controls);
    data
}

fn run(flow: &mut Flow, bytes: &[u8], cuts: &[usize]) -> Result<Vec<u8>, Stop> {
    let (mut out, mut rest) = (BytesMut::new(), Bytes::copy_from_slice(bytes));
    let mut cuts = cuts.iter().cycle();
    while !rest.is_empty() {
        let part = rest.split_to((*cuts.next().unwrap()).min(rest.len()));
        flow.push(part, &mut out)?;
    }
    Ok(out.to_vec())
}

/// Text that often holds an id, whole or nearly.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        // In quotes: what follows on a digit is no id.
        3 => Just([b"\"", HERE, b"\""].concat()),
        1 => Just([b"\"", &HERE[..35], b"\""].concat()),
        1 => Just([b"\"", THERE, b"\""].concat()),
        4 => "[ a-z{}:,]{0,20}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
}

/// What one side says: messages in fragments, control frames between them.
fn pieces(from: Side) -> impl Strategy<Value = Vec<Piece>> {
    let key = move || any::<[u8; 4]>().prop_map(move |key| (from == Side::Client).then_some(key));
    let control = (prop::sample::select(vec![Kind::Ping, Kind::Pong]), any::<Vec<u8>>(), key()).prop_map(
        |(kind, mut payload, mask)| {
            payload.truncate(125);
            Piece { kind, last: true, mask, payload }
        },
    );
    let controls = prop::collection::vec(control, 0..2);
    let message = (any::<bool>(), text(), prop::collection::vec((0..60_usize, key(), controls), 1..6))
        .prop_map(|(binary, text, frames)| {
            let mut rest: VecDeque<u8> = text.into();
            let count = frames.len();
            let mut all = Vec::new();
            for (n, (size, mask, controls)) in frames.into_iter().enumerate() {
                let last = n + 1 == count;
                let size = if last { rest.len() } else { size.min(rest.len()) };
                let kind = match (n, binary) {
                    (0, true) => Kind::Binary,
                    (0, false) => Kind::Text,
                    _ => Kind::Continuation,
                };
                all.push(Piece { kind, last, mask, payload: rest.drain(..size).collect() });
                all.extend(controls);
            }
            all
        });
    prop::collection::vec(message, 0..5).prop_map(|messages| messages.concat())
}

fn sides() -> impl Strategy<Value = Side> {
    prop::sample::select(vec![Side::Client, Side::Instance])
}

fn spoken() -> impl Strategy<Value = (Side, Vec<Piece>)> {
    sides().prop_flat_map(|side| pieces(side).prop_map(move |pieces| (side, pieces)))
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(prop_oneof![1..4_usize, 1..200_usize], 1..10)
}

/// Judges by a word.
struct Judge;

impl Inspect for Judge {
    fn inspect(&mut self, message: &[u8]) -> Verdict {
        match message.strip_prefix(b"swap ") {
            Some(rest) => Verdict::Replace([b"swapped to something longer ", rest].concat()),
            None if message.starts_with(b"stop") => Verdict::Stop(Stop::Unreadable),
            None => Verdict::Pass,
        }
    }

    fn passes_unread(&self) -> bool {
        true
    }
}

proptest! {
    #[test]
    fn without_a_translator_nothing_changes((side, pieces) in spoken(), cuts in cuts()) {
        let bytes = encode(&pieces);
        prop_assert_eq!(run(&mut Flow::new(side, None, None), &bytes, &cuts).unwrap(), bytes);
    }

    #[test]
    fn ids_are_translated_wherever_the_frames_end((side, pieces) in spoken(), cuts in cuts()) {
        let mut flow = Flow::new(side, translator(), None);
        let out = run(&mut flow, &encode(&pieces), &cuts).unwrap();
        let out = decode(&out, side);
        let mut expected = messages(&pieces);
        for (kind, text) in &mut expected {
            if *kind == Kind::Text {
                *text = replaced(text);
            }
        }
        prop_assert_eq!(messages(&out), expected);
        // Frames keep their number and order; a message of one frame keeps its length, too.
        let shape = |pieces: &[Piece]| pieces.iter().map(|p| (p.kind, p.last, p.mask)).collect::<Vec<_>>();
        prop_assert_eq!(shape(&out), shape(&pieces));
        for (new, old) in out.iter().zip(&pieces) {
            let single = old.kind.is_control() || old.kind == Kind::Binary || old.kind == Kind::Text && old.last;
            prop_assert!(!single || new.payload.len() == old.payload.len());
        }
        prop_assert!(flow.is_between_messages());
    }

    #[test]
    fn what_is_read_is_passed_whole(pieces in pieces(Side::Client), cuts in cuts()) {
        let mut flow = Flow::new(Side::Client, translator(), Some(Box::new(Judge)));
        let out = run(&mut flow, &encode(&pieces), &cuts).unwrap();
        let out = decode(&out, Side::Client);
        let mut expected = messages(&pieces);
        for (kind, text) in &mut expected {
            if *kind == Kind::Text {
                *text = replaced(text);
            }
        }
        prop_assert_eq!(messages(&out), expected);
    }

    #[test]
    fn no_bytes_panic_or_pile_up(side in sides(), bytes: Vec<u8>, cuts in cuts(), read: bool) {
        let inspect: Option<Box<dyn Inspect>> = if read { Some(Box::new(Judge)) } else { None };
        let mut flow = Flow::new(side, translator(), inspect);
        if let Ok(out) = run(&mut flow, &bytes, &cuts) {
            prop_assert!(out.len() <= bytes.len() + bytes.len() / 2 * 9);
            prop_assert!(flow.unread.len() < Head::LONGEST);
        }
    }

    /// Broken in one place, as a hostile end would do it.
    #[test]
    fn a_flipped_bit_never_panics((side, pieces) in spoken(), at: prop::sample::Index, bit in 0..8_u32, cuts in cuts()) {
        let mut bytes = encode(&pieces);
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        let _ = run(&mut Flow::new(side, translator(), None), &bytes, &cuts);
    }
}

fn piece(kind: Kind, last: bool, payload: &[u8]) -> Piece {
    Piece { kind, last, mask: None, payload: payload.to_vec() }
}

#[test]
fn an_id_that_is_split_over_two_frames_travels_with_the_second() {
    let text = [b"{\"id\":\"", HERE, b"\"}"].concat();
    let pieces = [piece(Kind::Text, false, &text[..20]), piece(Kind::Continuation, true, &text[20..])];
    let out = run(&mut Flow::new(Side::Instance, translator(), None), &encode(&pieces), &[1]).unwrap();
    let expected = [piece(Kind::Text, false, b""), piece(Kind::Continuation, true, &replaced(&text))];
    assert_eq!(decode(&out, Side::Instance), expected);
}

#[test]
fn a_long_text_streams() {
    let text = vec![b'x'; 4 << 20];
    let mut flow = Flow::new(Side::Instance, translator(), None);
    let bytes = encode(&[piece(Kind::Text, true, &text)]);
    let mut out = BytesMut::new();
    flow.push(Bytes::copy_from_slice(&bytes[..1 << 20]), &mut out).unwrap();
    assert!(out.len() >= (1 << 20) - HERE.len(), "{} bytes have passed", out.len());
    assert!(!flow.is_between_frames() && !flow.is_between_messages());
    flow.push(Bytes::copy_from_slice(&bytes[1 << 20..]), &mut out).unwrap();
    assert!(out[..] == bytes[..] && flow.is_between_messages());
}

#[test]
fn frames_in_the_wrong_order() {
    let run = |pieces: &[Piece]| run(&mut Flow::new(Side::Instance, None, None), &encode(pieces), &[7]);
    let order = Err(Stop::Violation(Violation::Order));
    assert_eq!(run(&[piece(Kind::Continuation, true, b"x")]), order);
    assert_eq!(run(&[piece(Kind::Text, false, b"x"), piece(Kind::Binary, true, b"x")]), order);
    assert_eq!(run(&[piece(Kind::Binary, false, b"x"), piece(Kind::Text, true, b"x")]), order);
}

#[test]
fn nothing_passes_after_a_close() {
    let mut flow = Flow::new(Side::Instance, translator(), None);
    let close = [piece(Kind::Close, true, b"\x03\xe8bye")];
    let more = [close[0].clone(), piece(Kind::Text, true, b"x")];
    assert_eq!(run(&mut flow, &encode(&more), &[3]).unwrap(), encode(&close));
    assert!(flow.is_closed());
    assert_eq!(run(&mut flow, b"\xff\xff", &[1]), Ok(vec![]));
}

fn masked(kind: Kind, last: bool, payload: &[u8]) -> Piece {
    Piece { mask: Some([7, 8, 9, 250]), ..piece(kind, last, payload) }
}

#[test]
fn what_is_read_can_be_replaced_or_stop_the_socket() {
    let flow = || Flow::new(Side::Client, translator(), Some(Box::new(Judge)));
    let text = [b"swap ", HERE].concat();
    let pieces = [
        masked(Kind::Text, false, &text[..9]),
        masked(Kind::Ping, true, b"?"),
        masked(Kind::Continuation, true, &text[9..]),
    ];
    let expected = [
        masked(Kind::Ping, true, b"?"),
        masked(Kind::Text, true, &[b"swapped to something longer ", THERE].concat()),
    ];
    for cut in [1, 5, 1000] {
        let out = run(&mut flow(), &encode(&pieces), &[cut]).unwrap();
        assert_eq!(decode(&out, Side::Client), expected);
    }
    let pieces = [
        masked(Kind::Text, true, b"good"),
        masked(Kind::Text, true, b"stop"),
        masked(Kind::Text, true, b"x"),
    ];
    let mut out = BytesMut::new();
    assert_eq!(flow().push(encode(&pieces).into(), &mut out), Err(Stop::Unreadable));
    assert_eq!(out[..], encode(&pieces[..1])[..], "what came before has passed");
}

#[test]
fn a_text_that_is_too_long_to_be_read_passes_or_ends_the_socket() {
    struct Strict;
    impl Inspect for Strict {
        fn inspect(&mut self, _: &[u8]) -> Verdict {
            Verdict::Pass
        }
        fn passes_unread(&self) -> bool {
            false
        }
    }
    let long = [vec![b' '; LONGEST_READ - 10], HERE.to_vec()].concat();
    for (at, frames) in [(0, 1), (1, 2), (LONGEST_READ - 5, 2)] {
        let (first, second) = long.split_at(at);
        let both = [masked(Kind::Text, false, first), masked(Kind::Continuation, true, second)];
        let one = [masked(Kind::Text, true, &long)];
        let bytes = encode(if at == 0 && frames == 1 { &one } else { &both });
        let mut flow = Flow::new(Side::Client, translator(), Some(Box::new(Judge)));
        let out = decode(&run(&mut flow, &bytes, &[9000]).unwrap(), Side::Client);
        assert_eq!(out.len(), frames);
        assert!(messages(&out) == [(Kind::Text, replaced(&long))]);
        let mut flow = Flow::new(Side::Client, translator(), Some(Box::new(Strict)));
        assert_eq!(run(&mut flow, &bytes, &[9000]), Err(Stop::TooLong));
    }
    // An empty first frame has left nothing behind.
    let pieces = [masked(Kind::Text, false, b""), masked(Kind::Continuation, true, &long)];
    let mut flow = Flow::new(Side::Client, translator(), Some(Box::new(Judge)));
    let out = decode(&run(&mut flow, &encode(&pieces), &[9000]).unwrap(), Side::Client);
    assert!(messages(&out) == [(Kind::Text, replaced(&long))]);
}
