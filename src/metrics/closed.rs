//! Closed sets of label values: one counter each, found by position and not by hashing a label.

/// An enum whose variants are the values of one label.
pub trait Closed: Copy + Sized + 'static {
    /// Every variant, in the order of [`Closed::index`].
    const ALL: &'static [Self];
    /// Position in [`Closed::ALL`].
    fn index(self) -> usize;
    /// The label's value.
    fn as_str(self) -> &'static str;
    /// What it means, for `docs/metrics.md`.
    fn text(self) -> &'static str;
}

// Name, value and meaning of a variant stand on one line, so that none can be forgotten.
macro_rules! closed {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $value:literal, $text:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $(#[doc = $text] $variant,)+
        }

        impl Closed for $name {
            const ALL: &'static [Self] = &[$(Self::$variant,)+];
            fn index(self) -> usize {
                self as usize
            }
            fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $value,)+ }
            }
            fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

closed! {
    /// Why a request was sent a second time (design D3).
    RetryReason {
        Connect = "connect", "No connection: refused, unreachable, TLS failed or timed out; nothing was written.";
        Unsent = "unsent", "The pooled connection was closed before the request was written.";
        Cut = "cut", "The connection ended before a response byte; only safe requests.";
        Timeout = "timeout", "No response head in time; only safe requests.";
        Status = "status", "502, 503 or 504 from a proxy on the instance's side; only safe requests.";
        Silence = "silence", "The serving instance is silent; a safe request went straight to the standby.";
        Down = "down", "The service was declared down while the request waited.";
    }
}

closed! {
    /// How a hedged request ended (design D4).
    HedgeOutcome {
        Standby = "standby", "The standby answered first; its answer was used.";
        Serving = "serving", "The silent instance answered first after all.";
        Failed = "failed", "Neither answered.";
    }
}

closed! {
    /// How an object stands towards the other instance.
    SyncState {
        Linked = "linked", "Known to be the same as one of the other instance; each pair counts once.";
        Ambiguous = "ambiguous", "Not linked although the other instance may have it; `gatekeeper sync links run` says why.";
        OnlyOneSide = "only_one_side", "The other instance does not have it.";
    }
}

closed! {
    /// Why something is held.
    Held {
        Baseline = "baseline", "Nobody has confirmed what was paired at first.";
        Policy = "policy", "The policy of its type wants a person.";
        Finding = "finding", "Many objects were changed alike, or names turned to noise.";
        Reference = "reference", "It refers to something that is not paired, not there, or held itself.";
        Floor = "floor", "Never without a person, whatever the policy says; or it needs a secret.";
        Conflict = "conflict", "Both sides have changed the same field.";
    }
}

closed! {
    /// How a reload ended.
    ReloadResult {
        Applied = "applied", "The new configuration is in force.";
        Failed = "failed", "The new configuration was refused; the old one stays in force.";
    }
}

closed! {
    /// Why the gatekeeper refused a request or a connection itself.
    Refused {
        Malformed = "malformed", "Not a well-formed HTTP message (framing, control bytes, Host, target).";
        HeadTooLarge = "head-too-large", "Too many or too large header fields.";
        Method = "method", "TRACE or CONNECT.";
        Host = "host", "No site has this host name.";
        Path = "path", "A path that no service of the site owns.";
        NoInstance = "no-instance", "No instance can serve the service now.";
        StandbyWrite = "standby-write", "A configuration write while a standby serves and standby_writes is refuse.";
        Unauthorized = "unauthorized", "A token that no instance can have issued or that has expired.";
        OutcomeUnknown = "outcome-unknown", "An unsafe request was cut or timed out on the instance; never repeated.";
        Upgrade = "upgrade", "A protocol upgrade that is not passed on.";
        Ntlm = "ntlm", "A message of NTLM or Negotiate whose connection to the instance is gone, or that came through a proxy which shares connections.";
        TooManyConnections = "too-many-connections", "The limit of open connections was reached.";
        Proxy = "proxy", "A missing or broken PROXY protocol header.";
        Handshake = "handshake", "The TLS handshake failed or took too long.";
        HeadTimeout = "head-timeout", "The request head did not arrive in time.";
        BodyTimeout = "body-timeout", "The request body stood still for too long.";
    }
}

closed! {
    /// Whose failed logins made a login wait or fail.
    Throttled {
        UserAddress = "user_address", "Failures of this user from this address.";
        Address = "address", "Failures of all users from this address.";
        User = "user", "Failures of this user from all addresses; never where the user logged in within a day.";
    }
}

/// The closed set of a metric, as (label, values with their meaning).
pub(super) type Values = (&'static str, Vec<(&'static str, &'static str)>);

pub(super) fn values_of(metric: &str) -> Option<Values> {
    use super::spec;
    fn all<C: Closed>(label: &'static str) -> Option<Values> {
        Some((label, C::ALL.iter().map(|c| (c.as_str(), c.text())).collect()))
    }
    match metric {
        n if n == spec::RETRIES.name => all::<RetryReason>("reason"),
        n if n == spec::HEDGES.name => all::<HedgeOutcome>("outcome"),
        n if n == spec::SYNC_OBJECTS.name => all::<SyncState>("state"),
        n if n == spec::SYNC_HELD.name => all::<Held>("reason"),
        n if n == spec::RELOADS.name => all::<ReloadResult>("result"),
        n if n == spec::THROTTLED.name => all::<Throttled>("scope"),
        n if n == spec::REFUSED.name => all::<Refused>("reason"),
        _ => None,
    }
}
