#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;

use super::*;
use crate::config::types::{InstanceId, Profile};
use crate::testing::config;

fn id(n: u8) -> Guid {
    Guid::new([n; 16])
}

fn link(ids: &[(&str, u8)]) -> Link {
    let ids = ids.iter().map(|(name, n)| ((*name).to_owned(), id(*n))).collect();
    Link { kind: "cameras".into(), ids }
}

fn build(config: &Config, links: &[Link]) -> (Map, Vec<Contradiction>) {
    Map::new(config, links, &Metrics::new().unwrap())
}

/// The map of a site `hq` on a, b and c, of which nothing contradicts.
fn map(links: &[Link]) -> Map {
    let (map, contradictions) = build(&config("hq", &["a", "b", "c"]), links);
    assert_eq!(contradictions, []);
    map
}

fn find(map: &Map, instance: &str, n: u8) -> Option<Guid> {
    map.view("hq", instance).and_then(|view| view.find(id(n)))
}

#[test]
fn any_known_id_becomes_the_targets() {
    let map = map(&[link(&[("a", 1), ("b", 2), ("c", 3)]), link(&[("a", 4), ("b", 5)])]);
    for (instance, own) in [("a", 1), ("b", 2), ("c", 3)] {
        for n in 1..=3 {
            assert_eq!(find(&map, instance, n), Some(id(own)), "{n} on {instance}");
        }
    }
    assert_eq!(find(&map, "a", 5), Some(id(4)));
    assert_eq!(find(&map, "c", 5), None, "c does not have this one");
    assert_eq!(find(&map, "a", 9), None);
    assert!(map.view("hq", "d").is_none() && map.view("other", "a").is_none());
}

#[test]
fn pairs_with_one_instance_also_link_the_others() {
    let map = map(&[link(&[("a", 1), ("b", 2)]), link(&[("a", 1), ("c", 3)])]);
    assert_eq!(find(&map, "c", 2), Some(id(3)));
    assert_eq!(find(&map, "b", 3), Some(id(2)));
}

#[test]
fn an_id_that_is_the_same_on_both_is_no_contradiction() {
    let map = map(&[link(&[("a", 1), ("b", 1)]), link(&[("b", 1), ("c", 2)])]);
    assert_eq!(find(&map, "b", 2), Some(id(1)));
    assert_eq!(find(&map, "c", 1), Some(id(2)));
}

#[test]
fn links_of_unknown_instances_wait_for_them() {
    let map = map(&[link(&[("a", 1), ("gone", 2)]), link(&[("gone", 1), ("away", 2)]), link(&[])]);
    assert!(map.is_empty());
}

#[test]
fn contradicting_links_are_refused_and_named_the_rest_stands() {
    let good = link(&[("a", 10), ("b", 11)]);
    let cases = [
        (vec![link(&[("a", 1), ("b", 2)]), link(&[("a", 1), ("b", 3)])], Some("b")),
        (vec![link(&[("a", 1), ("b", 2), ("a", 3)])], Some("a")),
        // Seen only by the way over c.
        (
            vec![link(&[("a", 1), ("c", 9)]), link(&[("b", 2), ("c", 9)]), link(&[("a", 1), ("b", 3)])],
            Some("b"),
        ),
        // 2 would be b's object 2 and c's object 2, which are two on a.
        (vec![link(&[("a", 1), ("b", 2)]), link(&[("a", 3), ("c", 2)])], None),
        (vec![link(&[("a", 0), ("b", 2)])], None),
    ];
    for (bad, two_ids_on) in cases {
        let mut links = bad.clone();
        links.insert(1, good.clone());
        let (map, contradictions) = build(&config("hq", &["a", "b", "c"]), &links);
        assert_eq!(find(&map, "b", 10), Some(id(11)));
        let mut refused: Vec<Link> = contradictions.iter().flat_map(|c| c.links.clone()).collect();
        refused.sort_by_key(|link| bad.iter().position(|b| b == link));
        assert_eq!(refused, bad);
        for link in bad.iter().flat_map(|link| &link.ids) {
            assert!(["a", "b", "c"].iter().all(|i| map.view("hq", i).unwrap().find(link.1).is_none()));
        }
        for contradiction in contradictions {
            match &contradiction.fault {
                Fault::TwoIds { instance, .. } => assert_eq!(Some(instance.as_str()), two_ids_on),
                Fault::TwoObjects { .. } | Fault::Nil => assert_eq!(two_ids_on, None),
            }
            let text = contradiction.to_string();
            assert!(text.starts_with("site \"hq\": ") && text.contains("cameras a="), "{text}");
        }
    }
}

#[test]
fn a_shared_standby_is_seen_by_each_site_with_its_own_eyes() {
    let mut config = config("hq", &["a", "b", "c"]);
    config.sites[0].standby = vec![InstanceId(2)];
    let mut branch = config.sites[0].clone();
    (branch.name, branch.primary) = ("branch".into(), InstanceId(1));
    config.sites.push(branch);
    // a and b were copied from one disk: the same id means another object on each.
    let links = [link(&[("a", 1), ("c", 2)]), link(&[("b", 1), ("c", 3)])];
    let (map, contradictions) = build(&config, &links);
    assert_eq!(contradictions, []);
    assert_eq!(map.view("hq", "c").unwrap().find(id(1)), Some(id(2)));
    assert_eq!(map.view("branch", "c").unwrap().find(id(1)), Some(id(3)));
    assert_eq!(map.view("hq", "a").unwrap().find(id(3)), None);
    assert!(map.view("hq", "b").is_none());
}

#[test]
fn native_sites_translate_nothing() {
    let mut config = config("hq", &["a", "b"]);
    config.sites[0].ids = Ids::Native;
    assert!(build(&config, &[link(&[("a", 1), ("b", 2)])]).0.is_empty());
    config.sites[0].profile = Profile::Http { probe: "/".into() };
    assert!(build(&config, &[link(&[("a", 1), ("b", 2)])]).0.is_empty());
}

fn some_links() -> impl Strategy<Value = Vec<Link>> {
    let id = (prop::sample::select(vec!["a", "b", "c", "gone"]), 0..12_u8);
    let link = prop::collection::vec(id, 0..4).prop_map(|ids| link(&ids));
    prop::collection::vec(link, 0..8)
}

proptest! {
    /// Whatever is said: an id means one thing, and all instances agree which.
    #[test]
    fn views_agree(links in some_links()) {
        let (map, _) = build(&config("hq", &["a", "b", "c"]), &links);
        for (x, y) in [("a", "b"), ("b", "c"), ("c", "a")] {
            for n in 0..12 {
                let (Some(on_x), Some(on_y)) = (find(&map, x, n), find(&map, y, n)) else { continue };
                let back = map.view("hq", x).unwrap().find(on_y);
                prop_assert_eq!(back, Some(on_x), "{} from {} to {} and back", n, x, y);
                prop_assert_eq!(map.view("hq", x).unwrap().find(on_x), Some(on_x));
            }
        }
    }

    #[test]
    fn the_order_of_links_says_nothing(links in some_links(), turn in 0..8_usize) {
        let config = config("hq", &["a", "b", "c"]);
        let mut other = links.clone();
        other.rotate_left(turn.min(links.len()));
        let (one, other) = (build(&config, &links).0, build(&config, &other).0);
        for n in 0..12 {
            for instance in ["a", "b", "c"] {
                prop_assert_eq!(find(&one, instance, n), find(&other, instance, n));
            }
        }
    }

    /// Every link is either followed or named.
    #[test]
    fn no_link_is_lost(links in some_links()) {
        let (map, contradictions) = build(&config("hq", &["a", "b", "c"]), &links);
        for link in &links {
            let here: Vec<_> = link.ids.iter().filter(|(name, _)| name != "gone").collect();
            let instances: HashSet<_> = here.iter().map(|(name, _)| name).collect();
            if instances.len() < 2 || contradictions.iter().any(|c| c.links.contains(link)) {
                continue;
            }
            for (name, own) in &here {
                for (_, any) in &here {
                    prop_assert_eq!(map.view("hq", name).unwrap().find(*any), Some(*own));
                }
            }
        }
    }
}
