//! Seeded installations: everything with a unique key is paired, and what was deleted and made again
//! is found again.

use super::*;

/// Splitmix64: the same installation for the same seed, anywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.roll() % n as u64).unwrap()
    }

    fn guid(&mut self) -> Guid {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.roll().to_be_bytes());
        bytes[8..].copy_from_slice(&self.roll().to_be_bytes());
        Guid::new(bytes)
    }

    fn pick(&mut self, words: &[&'static str]) -> &'static str {
        words[self.below(words.len())]
    }

    /// Some words and a number, as people call things.
    fn name(&mut self) -> String {
        let place = self.pick(&["Gate", "Hall", "Yard", "Dock", "Lobby", "Roof", "Lane", "Office", "Store"]);
        let part = self.pick(&["North", "South", "West", "East", "upper", "lower", "old", "new"]);
        format!("{place} {part} {}", self.roll() % 100_000)
    }
}

/// A pair of objects before anything happens.
struct Twin {
    kind: Kind,
    ids: [Guid; 2],
    parents: [Option<Guid>; 2],
    key: String,
    /// For either side, with its ids.
    fields: [Value; 2],
}

struct World {
    twins: Vec<Twin>,
}

impl World {
    /// An installation with so many cameras, and another that is the same.
    fn new(dice: &mut Dice, cameras: usize) -> Self {
        let mut world = Self { twins: Vec::new() };
        for n in 0..cameras.div_ceil(4) {
            let fields = json!({"name": dice.name(), "description": "", "enabled": true, "userName": "root"});
            let hardware = world.add(
                dice,
                "hardware",
                None,
                &format!("http://10.{}.{}.{}/", n >> 16, n >> 8 & 255, n & 255),
                [&fields; 2],
            );
            for channel in 0..4 {
                let fields = json!({"name": dice.name(), "description": "", "enabled": true});
                world.add(dice, "cameras", Some(hardware), &channel.to_string(), [&fields; 2]);
            }
        }
        let cameras: Vec<[Guid; 2]> = world.of("cameras").map(|t| t.ids).collect();
        let mut groups: Vec<usize> = Vec::new();
        for n in 0..cameras.len().div_ceil(5) {
            let parent = (n > 4 && dice.below(2) == 0).then(|| groups[dice.below(groups.len())]);
            let members: Vec<[Guid; 2]> =
                (0..=dice.below(6)).map(|_| cameras[dice.below(cameras.len())]).collect();
            let description = if dice.below(3) == 0 { dice.name() } else { String::new() };
            let name = format!("{} {n}", dice.name());
            let fields = |side: usize| {
                let members: Vec<String> = members.iter().map(|m| m[side].to_string()).collect();
                json!({"name": name, "description": description, "cameras": members})
            };
            groups.push(world.add(dice, "cameraGroups", parent, "", [&fields(0), &fields(1)]));
        }
        for n in 0..cameras.len().div_ceil(10) {
            let appointments: Vec<Value> = (0..=dice.below(3))
                .map(|_| json!({"start": dice.roll() % 86_400, "duration": dice.roll() % 36_000}))
                .collect();
            let fields = json!({
                "name": format!("{} {n}", dice.name()), "description": "", "sunclockGPSCoordinate": "POINT EMPTY",
                "sunclockSunRise": 0, "sunclockSunSet": 0, "sunclockTimeZone": "", "timeProfileType": "Calendar",
                "timeProfileAppointmentRecur": [], "timeProfileAppointmentRoot": appointments,
            });
            world.add(dice, "timeProfiles", None, "", [&fields; 2]);
        }
        for n in 0..cameras.len().div_ceil(5) {
            let sources: Vec<[Guid; 2]> =
                (0..=dice.below(3)).map(|_| cameras[dice.below(cameras.len())]).collect();
            let name = format!("{} {n}", dice.name());
            let (priority, owner) = (dice.guid(), dice.pick(&["", "guards", "porter"]));
            let fields = |side: usize| {
                let sources: Vec<String> = sources.iter().map(|s| format!("cameras/{}", s[side])).collect();
                json!({
                    "name": name, "description": "", "enabled": true, "assignableToAdmins": false, "owner": owner,
                    "priority": priority.to_string(), "mapType": "0", "enableRule": "0", "sourceList": sources,
                    "relatedCameraList": [], "managementTimeoutTime": "60",
                })
            };
            world.add(dice, "alarmDefinitions", None, "", [&fields(0), &fields(1)]);
        }
        world
    }

    fn add(
        &mut self,
        dice: &mut Dice,
        name: &str,
        parent: Option<usize>,
        key: &str,
        fields: [&Value; 2],
    ) -> usize {
        let parents = parent.map_or([None; 2], |parent| self.twins[parent].ids.map(Some));
        let ids = [dice.guid(), dice.guid()];
        let fields = fields.map(Clone::clone);
        self.twins.push(Twin { kind: kind(name), ids, parents, key: key.to_owned(), fields });
        self.twins.len() - 1
    }

    fn of(&self, name: &str) -> impl Iterator<Item = &Twin> {
        let kind = kind(name);
        self.twins.iter().filter(move |t| t.kind == kind)
    }

    fn snapshots(&self) -> [Snapshot; 2] {
        let mut snapshots = [side([]), side([])];
        for twin in &self.twins {
            for (i, snapshot) in snapshots.iter_mut().enumerate() {
                snapshot.lists.entry(twin.kind).or_default().objects.push(twin.object(i));
            }
        }
        snapshots.iter_mut().flat_map(|s| s.lists.values_mut()).for_each(|l| l.objects.sort_by_key(|o| o.id));
        snapshots
    }

    fn pairs(&self) -> Vec<Pair> {
        let mut pairs: Vec<Pair> = self.twins.iter().map(Twin::pair).collect();
        pairs.sort_unstable();
        pairs
    }
}

impl Twin {
    fn pair(&self) -> Pair {
        Pair { kind: self.kind, a: self.ids[0], b: self.ids[1] }
    }

    fn object(&self, side: usize) -> Object {
        Object {
            id: self.ids[side],
            name: self.fields[side]["name"].as_str().unwrap().into(),
            parent: self.parents[side],
            key: self.key.as_str().into(),
            body: body(&self.fields[side]),
            ..object(0, "")
        }
    }
}

/// What was deleted and made again, whether it was found, and whether anything else was taken for it.
#[derive(Default, Debug)]
struct Score {
    cases: usize,
    found: usize,
    disputed: usize,
    wrong: usize,
}

/// One object of one side is deleted and made again under another id, perhaps with `another_key`,
/// among others that come and go.
fn rename(dice: &mut Dice, name: &str, another_key: bool, score: &mut Score) {
    let world = World::new(dice, 60);
    let mut snapshots = world.snapshots();
    let known: Vec<Known> = world.pairs().into_iter().map(matched).collect();
    let mut case = Case::of(&known);
    case.bases = Agreed(world.twins.iter().map(|t| (t.pair(), body(&t.fields[0]))).collect());

    let side = Side::BOTH[dice.below(2)];
    // The names below a group that is renamed are other paths.
    let has_groups = |t: &Twin| world.of("cameraGroups").any(|group| group.parents[0] == Some(t.ids[0]));
    let candidates: Vec<&Twin> = world.of(name).filter(|t| !has_groups(t)).collect();
    let chosen = candidates[dice.below(candidates.len())];
    let list = &mut snapshots[side.index()].lists.get_mut(&kind(name)).unwrap().objects;
    let at = list.iter().position(|o| o.id == chosen.ids[side.index()]).unwrap();
    let mut again = list.remove(at);
    again.id = dice.guid();
    let mut fields = chosen.fields[side.index()].clone();
    match (name, another_key) {
        // Its key is its address.
        ("hardware", false) => fields["name"] = json!(dice.name()),
        (_, false) => fields["description"] = json!(dice.name()),
        (_, true) => fields["name"] = json!(dice.name()),
    }
    again.name = fields["name"].as_str().unwrap().into();
    again.body = body(&fields);
    list.push(again.clone());
    // Others of the type go, and others come that look as things of the type do.
    for _ in 0..dice.below(3) {
        let i = dice.below(list.len());
        let is_parent = world.of("cameraGroups").any(|t| t.parents[side.index()] == Some(list[i].id));
        if list[i].id != again.id && !is_parent {
            list.remove(i);
        }
    }
    let strangers = World::new(dice, 10);
    for (n, stranger) in strangers.of(name).take(dice.below(4)).enumerate() {
        let mut stranger = stranger.object(side.index());
        stranger.parent = again.parent;
        if name == "hardware" {
            stranger.key = format!("http://192.168.0.{n}/").into();
        }
        list.push(stranger);
    }
    list.sort_by_key(|o| o.id);

    let out = case.run(&snapshots[0], &snapshots[1]);
    score.cases += 1;
    score.disputed += usize::from(out.disputed.iter().any(|d| d.id == again.id));
    for moved in &out.moved {
        let right = moved.old == chosen.pair() && moved.new.id(side) == again.id;
        score.found += usize::from(right);
        score.wrong += usize::from(!right);
    }
    score.wrong += out.new.len();
}

fn renames(seed: u64, cases: usize, another_key: bool) -> BTreeMap<&'static str, Score> {
    let mut scores: BTreeMap<&str, Score> = BTreeMap::new();
    let mut dice = Dice(seed);
    let names: &[&str] = if another_key {
        &["cameraGroups", "timeProfiles", "alarmDefinitions"]
    } else {
        &["hardware", "cameraGroups", "timeProfiles", "alarmDefinitions"]
    };
    for name in names {
        let score = scores.entry(name).or_default();
        while score.cases < cases {
            rename(&mut dice, name, another_key, score);
        }
    }
    scores
}

#[test]
fn unique_keys_are_all_paired_and_nothing_else() {
    for (seed, cameras) in [(1, 400), (2, 4000)] {
        let mut dice = Dice(seed);
        let world = World::new(&mut dice, cameras);
        let [a, b] = world.snapshots();
        let out = first(&a, &b);
        assert_eq!((new(&out), out.disputed.len()), (world.pairs(), 0));
        assert!(out.tally.values().all(|t| t.only_a + t.only_b == 0));
    }
}

#[test]
fn what_was_made_again_under_its_key_is_found() {
    for (name, score) in renames(3, 60, false) {
        assert_eq!((score.found, score.wrong), (score.cases, 0), "{name}: {score:?}");
    }
}

#[test]
fn what_was_made_again_under_another_name_is_found() {
    let scores = renames(4, 60, true);
    let sum = |count: fn(&Score) -> usize| scores.values().map(count).sum::<usize>();
    assert_eq!(sum(|s| s.wrong), 0, "{scores:?}");
    assert!(sum(|s| s.found) * 100 >= sum(|s| s.cases) * 95, "{scores:?}");
}

#[test]
fn too_many_at_once_are_not_told_apart() {
    let mut dice = Dice(5);
    let (mut a, mut b) = (Vec::new(), Vec::new());
    let mut case = Case::of(&[]);
    case.believe_losses = true;
    for n in 0..1001 {
        let pair = pair("timeProfiles", n, 10_000 + n);
        a.push(object(n, &format!("before {n}")));
        b.push(object(20_000 + n, &format!("after {n}")));
        case.known.push(matched(pair));
        case.bases.0.insert(pair, body(&json!({"name": dice.name()})));
    }
    let out = case.run(&side([("timeProfiles", a)]), &side([("timeProfiles", b)]));
    assert_eq!((out.moved.len(), out.missing.len(), out.disputed.len()), (0, 1001, 1001));
    assert!(out.disputed.iter().all(|d| d.why == Why::Mass(1001, 1001) && d.side == Side::B));
}

/// The figures of S24 and S26: `cargo test --lib identity -- --ignored --nocapture`.
#[test]
#[ignore = "takes minutes"]
fn figures() {
    let mut dice = Dice(6);
    let world = World::new(&mut dice, 66_000);
    let [a, b] = world.snapshots();
    let started = std::time::Instant::now();
    let out = first(&a, &b);
    println!("{} pairs of {} in {:?}", out.new.len(), world.twins.len(), started.elapsed());
    assert_eq!(new(&out), world.pairs());
    println!("by key: {:?}", renames(7, 1000, false));
    println!("by resemblance: {:?}", renames(8, 1000, true));
}
