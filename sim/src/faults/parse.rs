//! The table of modes, and how a request of the control API becomes a [`Fault`].

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::{Map, Value};

use super::config::{BadAnswer, SchemaChange};
use super::{BadInput, ConfigFault, EventsFault, Fault, Mode, Once, Target};
use crate::rest::field::Kind;
use crate::rest::table::{self, Type};
use crate::service::Service;
use crate::stamp::SECOND;

/// One row of the table of modes.
struct Row {
    name: &'static str,
    works_on: WorksOn,
    members: &'static [&'static str],
    read: fn(&Body<'_>) -> Result<Fault, BadInput>,
}

/// Where a mode works.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WorksOn {
    Anything,
    Only(Target),
}

const CONFIG: WorksOn = WorksOn::Only(Target::One(Service::Config));
const EVENTS: WorksOn = WorksOn::Only(Target::One(Service::Events));

const fn plain(name: &'static str, read: fn(&Body<'_>) -> Result<Fault, BadInput>) -> Row {
    Row { name, works_on: WorksOn::Anything, members: &[], read }
}

const fn config(
    name: &'static str,
    members: &'static [&'static str],
    read: fn(&Body<'_>) -> Result<Fault, BadInput>,
) -> Row {
    Row { name, works_on: CONFIG, members, read }
}

const fn events(
    name: &'static str,
    members: &'static [&'static str],
    read: fn(&Body<'_>) -> Result<Fault, BadInput>,
) -> Row {
    Row { name, works_on: EVENTS, members, read }
}

static MODES: [Row; 29] = [
    plain("stop", |body| Ok(Fault::Transport(body.target, Mode::Stop))),
    plain("page503", |body| Ok(Fault::Transport(body.target, Mode::Page503))),
    plain("hang", |body| Ok(Fault::Transport(body.target, Mode::Hang))),
    Row {
        name: "blackhole",
        works_on: WorksOn::Only(Target::All),
        members: &[],
        read: |body| Ok(Fault::Transport(body.target, Mode::Blackhole)),
    },
    Row { name: "slow", works_on: WorksOn::Anything, members: &["ms"], read: slow },
    plain("wrong-body", |body| Ok(Fault::Transport(body.target, Mode::WrongBody))),
    plain("reset", |body| Ok(Fault::Transport(body.target, Mode::Reset))),
    config("list-error", &["type"], |body| answer(body, BadAnswer::ListError)),
    config("list-empty", &["type"], |body| answer(body, BadAnswer::ListEmpty)),
    config("page-cut", &["type"], |body| answer(body, BadAnswer::PageCut)),
    config("truncated-json", &["type"], |body| answer(body, BadAnswer::TruncatedJson)),
    config("html", &["type"], |body| answer(body, BadAnswer::Html)),
    config("schema", &["type", "field", "how"], schema),
    config("encrypted", &["share"], |body| Ok(Fault::Config(ConfigFault::Encrypted(body.share()?)))),
    config("write-error", &["status"], |body| {
        let status = body.whole("status", 400..=599)?;
        Ok(Fault::Config(ConfigFault::WriteError(u16::try_from(status).unwrap_or(500))))
    }),
    config("lost-answer", &[], |_| Ok(Fault::Config(ConfigFault::LostAnswer))),
    config("normalise", &["type", "field"], normalise),
    config("clock", &["offset_s"], |body| {
        Ok(Fault::Config(ConfigFault::Clock(body.whole("offset_s", -DECADE..=DECADE)?)))
    }),
    config("restore", &["to"], |body| Ok(Fault::Once(Once::Restore(body.moment()?)))),
    events("loss", &["share", "camera"], |body| {
        Ok(Fault::Events(EventsFault::Loss { share: body.share()?, camera: body.camera()? }))
    }),
    events("drop", &[], |_| Ok(Fault::Once(Once::Drop))),
    events("skew", &["ms"], |body| Ok(Fault::Events(EventsFault::Skew(body.whole("ms", -DAY..=DAY)?)))),
    events("drift", &["ppm"], |body| {
        let ppm = body.whole("ppm", -500_000..=500_000)?;
        Ok(Fault::Events(EventsFault::Drift { ppm, since: body.now }))
    }),
    events("step", &["ms"], |body| Ok(Fault::Events(EventsFault::Step(body.whole("ms", -DAY..=DAY)?)))),
    events("delay", &["ms"], |body| Ok(Fault::Events(EventsFault::Delay(body.whole("ms", 1..=SLOWEST_MS)?)))),
    events("burst", &["factor"], |body| {
        let factor = body.whole("factor", 2..=100)?;
        Ok(Fault::Events(EventsFault::Burst(u32::try_from(factor).unwrap_or(2))))
    }),
    events("replay", &["n"], |body| {
        Ok(Fault::Events(EventsFault::Replay(body.whole("n", 1..=100_000)?.unsigned_abs())))
    }),
    events("recycle", &[], |_| Ok(Fault::Once(Once::Recycle))),
    events("stall", &[], |_| Ok(Fault::Events(EventsFault::Stall))),
];

/// A longer wait is a hang, and there is a mode for that.
const SLOWEST_MS: i64 = 3_600_000;

/// A day in milliseconds: more than any clock is off.
const DAY: i64 = 86_400_000;

/// Ten years in seconds.
const DECADE: i64 = 315_360_000;

impl Fault {
    /// Reads `{"service", "mode", ...}`; `now` is the moment of the request, in ticks.
    ///
    /// # Errors
    /// The first member that is missing, unknown or out of range.
    pub fn parse(body: &Value, now: i64) -> Result<Self, BadInput> {
        let Value::Object(members) = body else {
            return Err(BadInput::new("body", "must be a JSON object", vec![]));
        };
        let target = target(text(members, "service", service_names)?)?;
        let row = row(text(members, "mode", mode_names)?)?;
        if let WorksOn::Only(only) = row.works_on
            && only != target
        {
            let text = match only {
                Target::All => format!("{} works on the whole instance only", row.name),
                Target::One(service) => format!("{} is a fault of {service} only", row.name),
            };
            return Err(BadInput::new("service", text, vec![only.to_string()]));
        }
        let known = |name: &str| name == "service" || name == "mode" || row.members.contains(&name);
        if let Some(stranger) = members.keys().find(|name| !known(name)) {
            let allowed = ["service", "mode"].iter().chain(row.members).map(|name| (*name).into()).collect();
            return Err(BadInput::new(stranger, format!("not a member of {}", row.name), allowed));
        }
        (row.read)(&Body { target, members, now })
    }
}

/// Reads the name of a service, or `all`.
///
/// # Errors
/// A name that is neither.
pub fn target(name: &str) -> Result<Target, BadInput> {
    if name.eq_ignore_ascii_case("all") {
        return Ok(Target::All);
    }
    Service::ALL
        .into_iter()
        .find(|service| service.name().eq_ignore_ascii_case(name))
        .map(Target::One)
        .ok_or_else(|| BadInput::new("service", format!("{name:?} is not a service"), service_names()))
}

/// Reads the name of a mode.
///
/// # Errors
/// A name that is not in the table.
pub fn mode(name: &str) -> Result<&'static str, BadInput> {
    row(name).map(|row| row.name)
}

fn row(name: &str) -> Result<&'static Row, BadInput> {
    MODES
        .iter()
        .find(|row| row.name.eq_ignore_ascii_case(name))
        .ok_or_else(|| BadInput::new("mode", format!("{name:?} is not a mode"), mode_names()))
}

fn service_names() -> Vec<String> {
    Service::ALL.iter().map(|service| service.name().into()).chain(["all".into()]).collect()
}

fn mode_names() -> Vec<String> {
    MODES.iter().map(|row| row.name.into()).collect()
}

fn text<'a>(
    members: &'a Map<String, Value>,
    name: &str,
    allowed: fn() -> Vec<String>,
) -> Result<&'a str, BadInput> {
    match members.get(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(BadInput::new(name, "must be a string", allowed())),
        None => Err(BadInput::new(name, "is missing", allowed())),
    }
}

/// What a row reads.
struct Body<'a> {
    target: Target,
    members: &'a Map<String, Value>,
    now: i64,
}

impl Body<'_> {
    fn whole(&self, name: &str, range: RangeInclusive<i64>) -> Result<i64, BadInput> {
        match self.members.get(name).and_then(Value::as_i64) {
            Some(number) if range.contains(&number) => Ok(number),
            _ => {
                let allowed = vec![format!("{}..={}", range.start(), range.end())];
                Err(BadInput::new(name, "must be a whole number", allowed))
            }
        }
    }

    fn share(&self) -> Result<f64, BadInput> {
        match self.members.get("share").and_then(Value::as_f64) {
            Some(share) if (0.0..=1.0).contains(&share) => Ok(share),
            _ => Err(BadInput::new("share", "must be a number", vec!["0..=1".into()])),
        }
    }

    fn camera(&self) -> Result<Option<usize>, BadInput> {
        if !self.members.contains_key("camera") {
            return Ok(None);
        }
        let index = self.whole("camera", 0..=99_999)?;
        Ok(usize::try_from(index).ok())
    }

    /// UNIX seconds, as ticks.
    fn moment(&self) -> Result<i64, BadInput> {
        const LATEST: f64 = 100e9;
        match self.members.get("to").and_then(Value::as_f64) {
            Some(seconds) if (0.0..=LATEST).contains(&seconds) => Ok((seconds * SECOND as f64) as i64),
            _ => Err(BadInput::new("to", "must be a UNIX time in seconds", vec![])),
        }
    }

    /// A type of the configuration.
    fn kind(&self) -> Result<&'static Type, BadInput> {
        let is_config = |kind: &&Type| {
            Service::of_path(&format!("/API/rest/v1/{}", kind.name())) == Some(Service::Config)
        };
        let names = || table::types().iter().filter(is_config).map(|kind| kind.name().to_owned()).collect();
        let name =
            text(self.members, "type", Vec::new).map_err(|error| BadInput { allowed: names(), ..error })?;
        table::find(name)
            .filter(is_config)
            .ok_or_else(|| BadInput::new("type", format!("{name:?} is not a type"), names()))
    }

    fn field(&self) -> Result<&str, BadInput> {
        text(self.members, "field", Vec::new)
    }
}

fn slow(body: &Body<'_>) -> Result<Fault, BadInput> {
    let ms = body.whole("ms", 1..=SLOWEST_MS)?;
    Ok(Fault::Transport(body.target, Mode::Slow(Duration::from_millis(ms.unsigned_abs()))))
}

fn answer(body: &Body<'_>, how: BadAnswer) -> Result<Fault, BadInput> {
    let kind = if body.members.contains_key("type") { Some(body.kind()?.name()) } else { None };
    Ok(Fault::Config(ConfigFault::Answer(how, kind)))
}

fn schema(body: &Body<'_>) -> Result<Fault, BadInput> {
    let names = || SchemaChange::ALL.iter().map(|how| how.name().to_owned()).collect();
    let kind = body.kind()?;
    let (field, wanted) = (body.field()?, text(body.members, "how", names)?);
    let how = SchemaChange::ALL.into_iter().find(|how| how.name().eq_ignore_ascii_case(wanted));
    let how = how.ok_or_else(|| BadInput::new("how", format!("{wanted:?} is no change"), names()))?;
    let known = kind.field(field).is_some() || SHOWN.contains(&field);
    if how == SchemaChange::Unknown {
        if known || field.is_empty() {
            let text = format!("must be a name that {} do not have", kind.name());
            return Err(BadInput::new("field", text, vec![]));
        }
    } else if !known {
        let fields = kind.fields.iter().map(|field| field.name).chain(SHOWN).map(str::to_owned).collect();
        return Err(BadInput::new("field", format!("{field:?} is no field of {}", kind.name()), fields));
    }
    Ok(Fault::Config(ConfigFault::Schema { kind: kind.name(), field: field.to_owned(), how }))
}

/// Members of an object that are not fields of its row.
const SHOWN: [&str; 3] = ["id", "displayName", "relations"];

fn normalise(body: &Body<'_>) -> Result<Fault, BadInput> {
    let kind = body.kind()?;
    let field = body.field()?;
    let texts = || kind.fields.iter().filter(|field| field.kind == Kind::Text && field.writable());
    if !texts().any(|known| known.name == field) {
        let text = format!("{field:?} is no text of {} that can be written", kind.name());
        return Err(BadInput::new("field", text, texts().map(|field| field.name.to_owned()).collect()));
    }
    Ok(Fault::Config(ConfigFault::Normalise { kind: kind.name(), field: field.to_owned() }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::faults::FaultBoard;

    /// A request that fits, for every mode.
    fn example(row: &Row) -> Value {
        let service = match row.works_on {
            WorksOn::Anything => "all".to_owned(),
            WorksOn::Only(target) => target.to_string(),
        };
        let mut body = json!({ "service": service, "mode": row.name });
        for member in row.members {
            body[*member] = match *member {
                "type" => json!("cameras"),
                "field" => json!("name"),
                "how" => json!("null"),
                "share" => json!(0.5),
                "status" => json!(503),
                "to" => json!(1_700_000_000.25),
                _ => json!(7),
            };
        }
        body
    }

    #[test]
    fn what_is_read_is_what_is_listed() {
        for row in &MODES {
            let body = example(row);
            let fault = Fault::parse(&body, 0).unwrap();
            if let Fault::Once(_) = fault {
                continue;
            }
            let board = FaultBoard::new();
            board.set(fault);
            assert_eq!(board.list(), [body]);
        }
    }

    #[test]
    fn every_member_is_checked() {
        for row in &MODES {
            for member in row.members {
                let mut body = example(row);
                body[*member] = json!([]);
                assert_eq!(Fault::parse(&body, 0).unwrap_err().field, *member, "{}", row.name);
            }
            let mut body = example(row);
            body["colour"] = json!("red");
            assert_eq!(Fault::parse(&body, 0).unwrap_err().field, "colour", "{}", row.name);
        }
    }

    #[test]
    fn complaints_name_field_and_choices() {
        let wrong = |body: Value| Fault::parse(&body, 0).unwrap_err();
        assert_eq!(wrong(json!([])).field, "body");
        assert_eq!(wrong(json!({ "mode": "stop" })).field, "service");
        assert_eq!(wrong(json!({ "service": "x", "mode": "stop" })).allowed.len(), 6);
        assert!(wrong(json!({ "service": "all", "mode": "melt" })).allowed.contains(&"hang".to_owned()));
        assert_eq!(wrong(json!({ "service": "config", "mode": "blackhole" })).allowed, ["all"]);
        assert_eq!(wrong(json!({ "service": "all", "mode": "html" })).allowed, ["config"]);
        assert_eq!(wrong(json!({ "service": "config", "mode": "stall" })).allowed, ["events"]);
        assert_eq!(wrong(json!({ "service": "config", "mode": "slow" })).field, "ms");
        assert_eq!(wrong(json!({ "service": "config", "mode": "hang", "ms": 3 })).field, "ms");
        let config = |more: Value| {
            let mut body = json!({ "service": "config" });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            wrong(body)
        };
        let bad = config(json!({ "mode": "list-empty", "type": "camera" }));
        assert!(bad.field == "type" && bad.allowed.contains(&"cameras".to_owned()), "{bad:?}");
        assert!(!bad.allowed.contains(&"alarmStates".to_owned()), "of the event service");
        let bad = config(json!({ "mode": "schema", "type": "cameras", "field": "nam", "how": "null" }));
        assert!(bad.field == "field" && bad.allowed.contains(&"name".to_owned()), "{bad:?}");
        let bad = config(json!({ "mode": "schema", "type": "cameras", "field": "name", "how": "unknown" }));
        assert_eq!(bad.field, "field");
        let bad = config(json!({ "mode": "schema", "type": "cameras", "field": "name", "how": "odd" }));
        assert_eq!(bad.allowed, ["missing", "null", "retyped", "unknown"]);
        let bad = config(json!({ "mode": "normalise", "type": "cameras", "field": "enabled" }));
        assert!(bad.field == "field" && bad.allowed.contains(&"name".to_owned()), "{bad:?}");
        let bad = config(json!({ "mode": "write-error", "status": 200 }));
        assert_eq!(bad.allowed, ["400..=599"]);
    }
}
