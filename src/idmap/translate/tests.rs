#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;

use super::*;
use crate::idmap::map::{Link, Map};
use crate::metrics::Metrics;
use crate::testing::config;

const A: &str = "0a1b2c3d-0000-4000-8000-00000000000a";
const B: &str = "b1b2b3b4-ffff-4fff-8fff-ffffffffffff";
/// On both.
const SAME: &str = "5a5a5a5a-1111-4111-8111-111111111111";
/// Nobody has it.
const NONE: &str = "9f9f9f9f-2222-4222-8222-222222222222";

struct World {
    map: Map,
    metrics: Metrics,
}

impl World {
    fn new() -> Self {
        let metrics = Metrics::new().unwrap();
        let link = |a: &str, b: &str| Link {
            kind: "cameras".into(),
            ids: vec![("a".into(), a.parse().unwrap()), ("b".into(), b.parse().unwrap())],
        };
        let (map, contradictions) =
            Map::new(&config("hq", &["a", "b"]), &[link(A, B), link(SAME, SAME)], &metrics);
        assert_eq!(contradictions, []);
        Self { map, metrics }
    }

    fn to(&self, instance: &str) -> Arc<View> {
        self.map.view("hq", instance).unwrap().clone()
    }

    fn without_partner(&self) -> u64 {
        self.metrics.ids_without_partner("hq").get()
    }
}

fn whole(view: &View, text: &str) -> String {
    translate_str(view, text).unwrap_or_else(|| text.to_owned())
}

/// In parts that end at these places.
fn in_parts(view: &Arc<View>, text: &[u8], cuts: &[usize]) -> Vec<u8> {
    let (mut translator, mut out, mut given) = (Translator::new(view.clone()), Vec::new(), 0);
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).chain([text.len()]).collect();
    cuts.sort_unstable();
    for cut in cuts {
        let part = Bytes::copy_from_slice(&text[given..cut]);
        translator.push(part, &mut |bytes| {
            assert!(!bytes.is_empty(), "an empty frame");
            out.extend_from_slice(&bytes);
        });
        given = cut;
        assert!(out.len() + Guid::LEN > given, "more than 35 bytes held back");
    }
    translator.finish(&mut |bytes| out.extend_from_slice(&bytes));
    out
}

/// The rules, told from left to right: escapes are read as what they stand for, and a GUID begins
/// where a unit begins and the one before does not go on.
fn reference(view: &View, text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at, mut last) = (String::new(), 0, None);
    while at < bytes.len() {
        let rest = &text[at..];
        let goes_on =
            matches!(last, Some('-' | '_')) || last.is_some_and(|c: char| c.is_ascii_alphanumeric());
        let (unit, len) = unit(rest);
        if len == 1
            && !goes_on
            && !["#", "%23", "&#35;", "&#x23;", "&#X23;", "\\u0023"]
                .iter()
                .any(|hash| out.ends_with(&format!("TOKEN{hash}")))
            && let Some(Ok(guid)) = rest.get(..36).map(str::parse::<Guid>)
        {
            let upper = rest[..36] == rest[..36].to_uppercase() && rest[..36] != rest[..36].to_lowercase();
            out += &match view.find(guid) {
                Some(new) if new != guid && upper => new.to_string().to_uppercase(),
                Some(new) if new != guid => new.to_string(),
                _ => rest[..36].to_owned(),
            };
            (at, last) = (at + 36, Some('0'));
            continue;
        }
        out += &rest[..len];
        (at, last) = (at + len, Some(unit));
    }
    out
}

/// What the text begins with, decoded, and its length.
fn unit(text: &str) -> (char, usize) {
    let number = |digits: Option<&str>| {
        let digits = digits.filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        u32::from_str_radix(digits, 16).ok().map(|n| char::from_u32(n).unwrap_or('\u{fffd}'))
    };
    let mut chars = text.chars();
    match (chars.next().unwrap(), chars.next()) {
        ('%', _) if let Some(c) = number(text.get(1..3)) => (c, 3),
        ('\\', Some('u')) if let Some(c) = number(text.get(2..6)) => (c, 6),
        ('\\', Some('n' | 'r' | 't')) => ('\n', 2),
        ('\\', Some('\\')) => ('\\', 2),
        (c, _) => (c, c.len_utf8()),
    }
}

#[test]
fn guids_in_all_their_surroundings() {
    let world = World::new();
    let to_b = world.to("b");
    for (before, after) in [
        ("", ""),
        ("{", "}"),
        ("%7B", "%7D"),
        ("%7b", "%7d"),
        ("%22", "%22"),
        ("/api/rest/v1/cameras/", "?x"),
        ("\"id\":\"", "\""),
        ("<DeviceId>", "</DeviceId>"),
        ("Camera[", "]"),
        ("id%20eq%20", ""),
        ("\\n", "\\n"),
        ("\\t", ""),
        ("\\\"", "\\\""),
        ("\\u007b", "\\u007d"),
        ("C:\\\\", ""),
        ("C:\\", ""),
        ("ä", "ä"),
        ("%C3%A4", ""),
        ("#", "#"),
        ("token=", ""),
        ("", "ff"),
    ] {
        let texts = [A, B].map(|id| format!("{before}{id}{after}"));
        assert_eq!(whole(&to_b, &texts[0]), texts[1]);
        assert_eq!(whole(&world.to("a"), &texts[1]), texts[0]);
        assert_eq!(translate_str(&to_b, &texts[1]), None, "it is b's already");
    }
}

#[test]
fn what_is_opaque() {
    let world = World::new();
    for before in [
        "x",
        "7",
        "-",
        "_",
        "A",
        "%41",
        "%2D",
        "%5f",
        "\\u0041",
        "\\\\n",
        "\\\\u007b",
        "\\u",
        "\\b",
        "\\x",
        "%7",
        "%",
        "TOKEN#",
        "TOKEN%23",
        "TOKEN&#35;",
        "TOKEN&#x23;",
        "TOKEN\\u0023",
        "\"Token\":\"TOKEN#",
    ] {
        assert_eq!(translate_str(&world.to("b"), &format!("{before}{A}")), None, "{before}");
    }
    for text in [A.replace('-', ""), format!("{}0", A.replacen('-', "", 1)), A[..35].to_owned()] {
        assert_eq!(translate_str(&world.to("b"), &text), None, "{text}");
    }
    assert_eq!(world.without_partner(), 0, "none of them counts");
}

#[test]
fn capitals_stay_capitals_and_all_else_becomes_small() {
    let world = World::new();
    let mixed = A.replace('b', "B");
    assert_eq!(whole(&world.to("b"), &A.to_uppercase()), B.to_uppercase());
    assert_eq!(whole(&world.to("b"), &mixed), B);
    let untouched = format!("{mixed} {}", SAME.replacen('a', "A", 1));
    assert_eq!(translate_str(&world.to("a"), &untouched), None, "no id of another instance");
}

#[test]
fn a_guid_without_partner_passes_and_is_counted() {
    let world = World::new();
    assert_eq!(translate_str(&world.to("b"), NONE), None);
    assert_eq!(world.without_partner(), 1);
    let text = format!("{NONE} {A} {SAME} {NONE}");
    assert_eq!(in_parts(&world.to("b"), text.as_bytes(), &[17, 60]), text.replace(A, B).as_bytes());
    assert_eq!(world.without_partner(), 3);
}

#[test]
fn a_part_without_a_hit_is_not_copied() {
    let world = World::new();
    let part = Bytes::from(format!("{{\"id\":\"{NONE}\",\"same\":\"{SAME}\",\"half\":\"{}", &A[..20]));
    let mut translator = Translator::new(world.to("b"));
    let mut given = Vec::new();
    translator.push(part.clone(), &mut |bytes| given.push(bytes));
    assert_eq!(given.len(), 1);
    assert_eq!((given[0].as_ptr(), given[0].len()), (part.as_ptr(), part.len() - 20));
    let next = Bytes::from_static(b"\"}");
    translator.push(next.clone(), &mut |bytes| given.push(bytes));
    assert_eq!(given[1], &A[..20]);
    assert_eq!(given[2].as_ptr(), next.as_ptr());
}

fn text(ids: &'static [&'static str]) -> impl Strategy<Value = String> {
    let whole = prop::sample::select(ids);
    let guid = (whole, any::<bool>(), 0..90_usize).prop_map(|(id, upper, cut)| {
        let id = if upper { id.to_uppercase() } else { id.to_owned() };
        // Mostly whole ones.
        id[..cut.min(36)].to_owned()
    });
    let around = prop::sample::select(vec![
        "\"",
        "{",
        "}",
        "%7B",
        "%7D",
        "%",
        "%7",
        "%25",
        "%41",
        "%2d",
        "\\",
        "\\n",
        "\\b",
        "\\f",
        "\\u007b",
        "\\u0041",
        "\\u00",
        "u",
        "b",
        "f",
        "-",
        "_",
        "0",
        "a",
        "z",
        "ab12",
        "ab12cd34-",
        "0000-",
        "TOKEN",
        "#",
        "%23",
        "&#35;",
        "\\u0023",
        "/",
        " ",
        ",",
        "ä",
        "one sentence without any",
        "🎥",
    ]);
    let piece = prop_oneof![2 => guid, 3 => around.prop_map(str::to_owned)];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn agrees_with_the_rules_told_simply(text in text(&[A, B, SAME, NONE])) {
        let world = World::new();
        for side in ["a", "b"] {
            prop_assert_eq!(whole(&world.to(side), &text), reference(&world.to(side), &text));
        }
    }

    #[test]
    fn cuts_do_not_matter(text in text(&[A, B, SAME, NONE]), cuts in prop::collection::vec(any::<usize>(), 0..20)) {
        let world = World::new();
        let view = world.to("b");
        let want = whole(&view, &text);
        let got = in_parts(&view, text.as_bytes(), &cuts);
        prop_assert_eq!(&got, want.as_bytes());
        prop_assert_eq!(got.len(), text.len());
        let every: Vec<usize> = (0..text.len()).collect();
        prop_assert_eq!(in_parts(&view, text.as_bytes(), &every), want.as_bytes());
    }

    #[test]
    fn there_and_back_is_the_identity_up_to_case(text in text(&[A, SAME, NONE])) {
        let world = World::new();
        let back = whole(&world.to("a"), &whole(&world.to("b"), &text));
        prop_assert_eq!(back.to_lowercase(), text.to_lowercase());
    }

    #[test]
    fn no_bytes_panic_or_change_their_number(
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..6),
    ) {
        let all = parts.concat();
        let cuts: Vec<usize> = parts.iter().scan(0, |sum, p| { *sum += p.len(); Some(*sum) }).collect();
        prop_assert_eq!(in_parts(&World::new().to("b"), &all, &cuts), all);
    }
}
