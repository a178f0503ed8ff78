//! What makes two objects the same, in a form that can be compared.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use unicode_normalization::UnicodeNormalization;

use super::{Object, Why};
use crate::idmap::guid::Guid;
use crate::idmap::kind::{Kind, Rule};

/// Objects of one kind with equal keys are the same object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Key {
    Text(String),
    Path(Vec<String>),
    /// The hardware by its id on side A, whichever side the device is on.
    Device(Guid, i64),
}

/// Where a piece of hardware stands when its devices are matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// On both sides; its id on side A.
    Both(Guid),
    /// The other side does not have it.
    OnlyHere,
    /// Nobody knows.
    Disputed,
}

/// The hardware of one side.
pub(super) type Hardware = HashMap<Guid, Place>;

/// What is needed to make the keys of one side.
pub(super) struct Keys<'a> {
    kind: Kind,
    /// The groups of this kind by id, to follow paths.
    groups: HashMap<Guid, &'a Object>,
    hardware: &'a Hardware,
}

impl<'a> Keys<'a> {
    pub(super) fn new(kind: Kind, objects: &'a [Object], hardware: &'a Hardware) -> Self {
        let groups = match kind.rule() {
            Rule::Path => objects.iter().map(|o| (o.id, o)).collect(),
            _ => HashMap::new(),
        };
        Self { kind, groups, hardware }
    }

    /// The object's key, or why it has none. `None`: nothing on the other side can have it.
    pub(super) fn of(&self, object: &'a Object) -> Result<Option<Key>, Why> {
        match self.kind.rule() {
            Rule::Address => address(&object.address).map(Key::Text).map(Some).ok_or(Why::NoAddress),
            Rule::Name => name(object).map(Key::Text).map(Some),
            Rule::Path => self.path(object).map(Key::Path).map(Some),
            Rule::Device => {
                let channel = object.channel.ok_or(Why::NoChannel)?;
                let hardware = object.parent.and_then(|id| self.hardware.get(&id)).ok_or(Why::NoParent)?;
                match *hardware {
                    Place::Both(id) => Ok(Some(Key::Device(id, channel))),
                    Place::OnlyHere => Ok(None),
                    Place::Disputed => Err(Why::HardwareUnlinked),
                }
            }
        }
    }

    /// From the root down. A group that is its own ancestor has no root.
    fn path(&self, object: &'a Object) -> Result<Vec<String>, Why> {
        let mut path = vec![name(object)?];
        let mut above = object.parent;
        while let Some(id) = above {
            let parent = self.groups.get(&id).ok_or(Why::NoParent)?;
            path.push(name(parent)?);
            if path.len() > DEEPEST {
                return Err(Why::NoParent);
            }
            above = parent.parent;
        }
        path.reverse();
        Ok(path)
    }
}

fn name(object: &Object) -> Result<String, Why> {
    let folded = fold(&object.name);
    if folded.is_empty() { Err(Why::NoName) } else { Ok(folded) }
}

/// The same for names that people take for the same: case, composition of letters, blanks around.
fn fold(text: &str) -> String {
    text.trim().nfc().collect::<String>().to_lowercase().nfc().collect()
}

/// Scheme and host in lower case, without the scheme's own port, credentials and the slash at the
/// end; addresses of version 6 in their shortest form.
fn address(text: &str) -> Option<String> {
    let text = text.trim();
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let scheme = scheme.to_ascii_lowercase();
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_ascii_lowercase();
    let (host, port) = host_and_port(&authority);
    let host = trim_end(host, '.');
    if host.is_empty() {
        return None;
    }
    let own = match scheme.as_str() {
        "http" => "80",
        "https" => "443",
        "rtsp" => "554",
        _ => "",
    };
    let host = match host.parse() {
        // Without brackets, a port would look like its last group.
        Ok(IpAddr::V6(ip)) => format!("[{ip}]"),
        Ok(IpAddr::V4(ip)) => ip.to_string(),
        Err(_) => host.to_owned(),
    };
    let port = port.trim();
    let port = if port.is_empty() || port == own { String::new() } else { format!(":{port}") };
    Some(format!("{scheme}://{host}{port}{}", trim_end(path, '/')))
}

/// Without what means nothing at the end, and the blanks in it.
fn trim_end(text: &str, mark: char) -> &str {
    text.trim_end_matches(|c: char| c == mark || c.is_whitespace())
}

/// Without brackets. Some write an address of version 6 without them when there is no port.
fn host_and_port(authority: &str) -> (&str, &str) {
    if authority.parse::<Ipv6Addr>().is_ok() {
        return (authority, "");
    }
    if let Some((host, port)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (host, port.strip_prefix(':').unwrap_or(port));
    }
    authority.split_once(':').unwrap_or((authority, ""))
}

/// Groups in groups; people do not nest them that far, a circle does.
const DEEPEST: usize = 64;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_device_has_one_address() {
        for (one, other) in [
            ("http://10.20.0.1/", "HTTP://10.20.0.1:80"),
            ("https://Cam.Example./", "https://cam.example:443"),
            ("http://[2001:DB8::0:1]/", "http://[2001:db8::1]:80/"),
            ("http://root:pass@10.0.0.1/", "http://10.0.0.1"),
            (" rtsp://10.0.0.1:554/axis-media/ ", "rtsp://10.0.0.1/axis-media"),
            ("2001:db8::1", "[2001:db8:0::1]"),
        ] {
            assert_eq!(address(one), address(other), "{one} {other}");
            assert!(address(one).is_some(), "{one}");
        }
    }

    #[test]
    fn different_devices_stay_different() {
        let all = [
            "http://10.20.0.1/",
            "https://10.20.0.1/",
            "http://10.20.0.1:8080/",
            "http://10.20.0.11/",
            "http://10.20.0.1/Cam",
            "http://10.20.0.1/cam",
            "http://10.20.0.1/?channel=2",
            "http://[::1]:8080/",
            "http://::1:8080/",
        ];
        let mut keys: Vec<_> = all.iter().map(|a| address(a).unwrap()).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), all.len());
        for none in ["", "  ", "http://", "http:///x", "http://user@/", "..?", "http://../"] {
            assert_eq!(address(none), None, "{none:?}");
        }
    }

    #[test]
    fn names_are_folded() {
        assert_eq!(fold(" Tür Süd "), fold("TU\u{308}R SU\u{308}D"));
        assert_ne!(fold("Gate 1"), fold("Gate 2"));
    }

    proptest! {
        #[test]
        fn no_address_panics_and_twice_is_once(text: String) {
            if let Some(once) = address(&text) {
                prop_assert_eq!(address(&once), Some(once));
            }
        }

        #[test]
        fn folding_twice_is_folding_once(text: String) {
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
        }
    }
}
