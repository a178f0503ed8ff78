//! What a site's profile allows: its keys, its services, the instances it may share.

use super::{Context, refuse_twice};
use crate::config::keys::{self, Preset};
use crate::config::raw::Table;
use crate::config::types::{Ids, InstanceId, Profile, Service};
use crate::config::value::{Item, alternatives, quote};

/// Keys that mean something for XProtect only.
const XPROTECT_ONLY: [&str; 4] = ["ids", "twin", "twin_binding", "pass"];

/// Paths that are routed by service; nothing above or below them can be passed on beside.
const OURS: [&str; 8] = [
    "/IDP",
    "/API/IDP",
    "/API/rest/v1",
    "/API/ws",
    "/API/.well-known",
    "/ManagementServer",
    "/ServerAPI",
    "/gatekeeper",
];

pub(super) fn convert(site: &Table, cx: &mut Context<'_>) -> Option<Profile> {
    let http = site.get::<String>("profile")? == "http";
    let (foreign, other): (&[&str], _) =
        if http { (&XPROTECT_ONLY, "xprotect") } else { (&["probe"], "http") };
    let mut good = true;
    for key in foreign.iter().filter(|key| differs(site, key)) {
        let own = if http { "http" } else { "xprotect" };
        let problem = format!("this key is for profile {other:?}, and the profile here is {own:?}");
        cx.error(site, key, problem, format!("remove it or set profile = {other:?}"));
        good = false;
    }
    let profile = if http {
        Profile::Http { probe: site.get("probe")? }
    } else {
        Profile::Xprotect { pass: pass(site, cx)? }
    };
    good.then_some(profile)
}

/// A key that is written with its default says nothing, so it is no mistake: the block of all keys
/// in the manual must load for either profile.
fn differs(site: &Table, key: &str) -> bool {
    if !site.is_set(key) {
        return false;
    }
    let preset = keys::find(&format!("site[].{key}")).map(|k| k.preset);
    let Some(Preset::Value(preset)) = preset else { return true };
    let written = match site.get::<String>(key) {
        Some(text) => format!("{text:?}"),
        // A list; its only default is the empty one.
        None => match site.get::<Vec<Item<String>>>(key) {
            Some(list) if list.is_empty() => "[]".to_owned(),
            _ => return true,
        },
    };
    written != preset
}

fn pass(site: &Table, cx: &mut Context<'_>) -> Option<Vec<String>> {
    let items = site.get::<Vec<Item<String>>>("pass")?;
    let mut good = refuse_twice(site, "pass", &items, cx);
    for item in &items {
        if let Some(ours) = OURS.iter().find(|ours| collide(ours, &item.value)) {
            let problem =
                format!("{} collides with {ours}, which the gatekeeper routes itself", quote(&item.value));
            cx.out.error(item.at, site.place("pass"), problem, "remove it or write a more exact prefix");
            good = false;
        }
    }
    good.then(|| items.into_iter().map(|i| i.value).collect())
}

/// One is the other or lies above it, by whole segments, whatever the case.
fn collide(a: &str, b: &str) -> bool {
    let segments = |p: &str| -> Vec<String> {
        p.split('/').filter(|s| !s.is_empty()).map(str::to_ascii_lowercase).collect()
    };
    segments(a).iter().zip(&segments(b)).all(|(x, y)| x == y)
}

/// Nothing is known about the ids of any but an XProtect site.
pub(super) fn ids(site: &Table) -> Option<Ids> {
    let http = site.get::<String>("profile")? == "http";
    let canonical = !http && site.get::<String>("ids")? == "canonical";
    Some(if canonical { Ids::Canonical } else { Ids::Native })
}

pub(super) fn essential(site: &Table, cx: &mut Context<'_>) -> Option<Vec<Service>> {
    let http = site.get::<String>("profile")? == "http";
    if !site.is_set("essential") {
        return Some(if http { vec![Service::Http] } else { vec![Service::Identity, Service::Config] });
    }
    let items = site.get::<Vec<Item<String>>>("essential")?;
    let possible: &[Service] = if http { &[Service::Http] } else { &Service::XPROTECT };
    let mut good = refuse_twice(site, "essential", &items, cx);
    if items.is_empty() {
        cx.error(site, "essential", "the list is empty", "name a service or remove the key");
        good = false;
    }
    let mut services = Vec::new();
    for item in &items {
        match Service::from_name(&item.value).filter(|s| possible.contains(s)) {
            Some(service) => services.push(service),
            None => {
                let names: Vec<String> = possible.iter().map(|s| format!("{:?}", s.as_str())).collect();
                let problem = format!("this profile has no service {}", quote(&item.value));
                cx.out.error(
                    item.at,
                    site.place("essential"),
                    problem,
                    format!("write {}", alternatives(&names)),
                );
                good = false;
            }
        }
    }
    good.then_some(services)
}

/// Which instance is used by which sites, and how.
#[derive(Default)]
pub(super) struct Uses(Vec<Use>);

struct Use {
    instance: InstanceId,
    /// Site and probe path; `None`: profile `xprotect`. Absent when the site's profile is wrong.
    how: Option<(String, Option<String>)>,
}

impl Uses {
    pub(super) fn contains(&self, instance: usize) -> bool {
        self.0.iter().any(|u| u.instance.index() == instance)
    }

    /// Remembers instances of a site whose profile is wrong.
    pub(super) fn note(&mut self, instances: impl Iterator<Item = InstanceId>) {
        self.0.extend(instances.map(|instance| Use { instance, how: None }));
    }

    /// Remembers a site's instances and complains when another site uses one of them differently.
    pub(super) fn add(
        &mut self,
        site: &Table,
        profile: &Profile,
        instances: impl Iterator<Item = InstanceId>,
        cx: &mut Context<'_>,
    ) {
        let probe = match profile {
            Profile::Http { probe } => Some(probe.clone()),
            Profile::Xprotect { .. } => None,
        };
        let mut complained = false;
        for instance in instances {
            let earlier = self.0.iter().filter(|u| u.instance == instance).find_map(|u| u.how.as_ref());
            match earlier {
                Some((other, theirs)) if !complained && theirs.is_some() != probe.is_some() => {
                    let theirs = if theirs.is_some() { "http" } else { "xprotect" };
                    let problem = format!("{other} uses the same instance with profile {theirs:?}");
                    cx.error(site, "profile", problem, "use the same profile or another instance");
                    complained = true;
                }
                Some((other, theirs)) if !complained && *theirs != probe => {
                    let theirs = theirs.as_deref().unwrap_or_default();
                    let problem = format!("{other} probes the same instance at {}", quote(theirs));
                    cx.error(site, "probe", problem, "use the same path in both");
                    complained = true;
                }
                _ => {}
            }
            self.0.push(Use { instance, how: Some((site.name().to_owned(), probe.clone())) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::collide;

    #[test]
    fn collisions_are_by_segment_and_without_case() {
        assert!(collide("/IDP", "/idp/connect"));
        assert!(collide("/API/rest/v1", "/api"));
        assert!(collide("/IDP", "/"));
        assert!(!collide("/IDP", "/IDP2"));
        assert!(!collide("/API/rest/v1", "/API/rest/v2"));
    }
}
