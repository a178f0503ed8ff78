//! One login: whose it is, where it was made, and which tokens stand for the same user at other
//! instances (design D8). In memory only; every secret is wiped when it is dropped.

use std::fmt;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;

use super::client::ClientNet;
use super::issued::Hash;
use crate::clock::Moment;

/// Why a session has no twin at an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Without {
    /// The instance knows no such user, or another password.
    Refused,
    /// It did not answer, or was held by an operator, when the user logged in.
    Unreachable,
    /// The twin's token has ended before the client's.
    Expired,
    /// It was taken back: by the instance, or because two users claim one token.
    Lost,
    /// Windows users authenticate a connection; there is nothing that could be sent to another.
    Windows,
    /// The user was authenticated by somebody else, or in a way that we do not know.
    External,
    /// The site's setting `twin` or `ids` says so.
    Setting,
}

impl Without {
    /// The name in the admin API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Expired => "expired",
            Self::Lost => "lost",
            Self::Windows => "windows-user",
            Self::External => "external-user",
            Self::Setting => "setting",
        }
    }

    /// For people.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Refused => "the other instance does not accept this user's password",
            Self::Unreachable => "the other instance could not be asked when the user logged in",
            Self::Expired => "the token at the other instance has expired; the user has to log in again",
            Self::Lost => "the other instance no longer accepts the token",
            Self::Windows => "a Windows login cannot be repeated elsewhere",
            Self::External => "an external login cannot be repeated elsewhere",
            Self::Setting => "the site's settings do not allow a twin for this user",
        }
    }
}

/// What one instance has issued for a user.
pub struct Tokens {
    /// The bearer token.
    pub access: SecretString,
    /// From when on it is worth nothing.
    pub expires: Moment,
    /// Renews both.
    pub refresh: Option<SecretString>,
}

/// A session's place at one instance that is not its home.
enum Slot {
    /// It is being asked.
    Pending,
    /// The user has a token there.
    Ready(Tokens),
    /// The user has none.
    None(Without),
}

/// How a twin stands, without its secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Twin {
    /// It is being asked for.
    Pending,
    /// The session survives the loss of its home.
    Ready,
    /// It does not.
    None(Without),
}

impl Twin {
    /// Every name that [`Twin::as_str`] gives.
    pub const NAMES: [&'static str; 9] = [
        "ready",
        "pending",
        Without::Refused.as_str(),
        Without::Unreachable.as_str(),
        Without::Expired.as_str(),
        Without::Lost.as_str(),
        Without::Windows.as_str(),
        Without::External.as_str(),
        Without::Setting.as_str(),
    ];

    /// The name in metrics and the admin API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Ready => "ready",
            Self::None(why) => why.as_str(),
        }
    }
}

struct Place {
    backend: u64,
    slot: Slot,
    /// Of a former home: what can renew the user's tokens there when it is back.
    spare: Option<SecretString>,
}

/// What is known about a login when it is made.
pub struct Opening {
    /// Name of the site.
    pub site: Arc<str>,
    /// For the operator's list.
    pub user: Box<str>,
    /// The instance that issued the client's token, by [`crate::upstream::backend::Backend::key`].
    pub home: u64,
    /// The fingerprint of the client's token.
    pub token: Hash,
    /// When the client's token ends.
    pub expires: Moment,
    /// Who may use its twins.
    pub client: ClientNet,
    /// The client's refresh token, if it has one.
    pub refresh: Option<Hash>,
}

/// One login, as the tokens of all instances that stand for it.
pub struct Session {
    serial: u64,
    opening: Opening,
    places: Mutex<Vec<Place>>,
    /// No twin may be used, nor one that is still to come.
    barred: AtomicBool,
    /// Counts changes of `places`, for whoever waits for a twin.
    changes: watch::Sender<u32>,
}

impl Session {
    /// A session whose twins are still to come: one pending place for each of `twins`.
    pub fn new(opening: Opening, twins: &[(u64, Twin)]) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let place = |(backend, twin): &(u64, Twin)| {
            let slot = match twin {
                Twin::None(why) => Slot::None(*why),
                Twin::Pending | Twin::Ready => Slot::Pending,
            };
            Place { backend: *backend, slot, spare: None }
        };
        let places = Mutex::new(twins.iter().map(place).collect());
        let serial = NEXT.fetch_add(1, Relaxed);
        Self { serial, opening, places, barred: AtomicBool::new(false), changes: watch::Sender::new(0) }
    }

    /// No other login of this process has it.
    pub const fn serial(&self) -> u64 {
        self.serial
    }

    /// Name of the site.
    pub fn site(&self) -> &str {
        &self.opening.site
    }

    /// The user, for the operator's list.
    pub fn user(&self) -> &str {
        &self.opening.user
    }

    /// The key of the instance that issued the client's token.
    pub const fn home(&self) -> u64 {
        self.opening.home
    }

    /// The fingerprint of the client's token.
    pub const fn fingerprint(&self) -> Hash {
        self.opening.token
    }

    /// When the client's token ends.
    pub const fn expires(&self) -> Moment {
        self.opening.expires
    }

    /// Where the user logged in from.
    pub const fn client(&self) -> ClientNet {
        self.opening.client
    }

    /// The client's refresh token.
    pub const fn refresh(&self) -> Option<Hash> {
        self.opening.refresh
    }

    /// Whether the user has a token at this instance, which is not its home, now.
    pub fn has_twin(&self, backend: u64, now: Moment) -> bool {
        self.usable(backend, now, |_| ()).is_some()
    }

    /// The `Authorization` header for an instance that is not its home.
    pub fn authorization(&self, backend: u64, now: Moment) -> Option<HeaderValue> {
        self.usable(backend, now, |tokens| bearer(&tokens.access)).flatten()
    }

    /// The twin's token for an instance that is not its home, as text.
    pub fn token(&self, backend: u64, now: Moment) -> Option<SecretString> {
        self.usable(backend, now, |tokens| tokens.access.clone())
    }

    /// Whether some instance is being asked for a twin.
    pub fn is_pending(&self) -> bool {
        self.places().iter().any(|p| matches!(p.slot, Slot::Pending))
    }

    /// Whether the session has a twin somewhere, or may soon have one.
    pub fn may_outlive_home(&self) -> bool {
        self.places().iter().any(|p| !matches!(p.slot, Slot::None(_)))
    }

    /// Returns when no twin is pending.
    pub async fn settled(&self) {
        let mut changes = self.changes.subscribe();
        while self.is_pending() {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// The instance has answered.
    pub fn settle(&self, backend: u64, answer: Result<Tokens, Without>) {
        self.set(
            backend,
            match answer {
                Ok(tokens) => Slot::Ready(tokens),
                Err(why) => Slot::None(why),
            },
        );
    }

    /// The instance could not be asked. `refresh` is unused then, and good for another time.
    pub fn not_reached(&self, backend: u64, refresh: Option<SecretString>) {
        self.settle(backend, Err(Without::Unreachable));
        let mut places = self.places();
        // Read under the lock, as in `set`.
        if !self.is_barred()
            && let Some(place) = places.iter_mut().find(|p| p.backend == backend)
        {
            place.spare = refresh;
        }
    }

    /// The instance does not accept the token any more.
    pub fn lose(&self, backend: u64) {
        self.set(backend, Slot::None(Without::Lost));
    }

    /// None of its twins may be used any more, nor one that is still on its way.
    pub fn bar(&self) {
        self.barred.store(true, Relaxed);
        for place in self.places().iter_mut() {
            (place.slot, place.spare) = (Slot::None(Without::Lost), None);
        }
        self.changes.send_modify(|n| *n = n.wrapping_add(1));
    }

    /// Whether that was said.
    pub fn is_barred(&self) -> bool {
        self.barred.load(Relaxed)
    }

    /// Takes the refresh token of each place that has one: each is worth one use.
    pub fn take_refresh_tokens(&self) -> Vec<(u64, SecretString)> {
        self.places().iter_mut().filter_map(|place| Some((place.backend, place.take_refresh()?))).collect()
    }

    /// Takes the refresh token of one place.
    pub fn take_refresh_token(&self, backend: u64) -> Option<SecretString> {
        self.places().iter_mut().find(|p| p.backend == backend)?.take_refresh()
    }

    /// Why there is no twin at an instance, for the login that renews this one.
    pub fn why_not(&self, backend: u64) -> Without {
        let twins = self.twins(self.expires());
        match twins.iter().find(|(key, _)| *key == backend) {
            Some((_, Twin::None(why))) => *why,
            Some((_, Twin::Pending | Twin::Ready)) => Without::Expired,
            None => Without::Unreachable,
        }
    }

    /// Each place that is not home, and how its twin stands.
    pub fn twins(&self, now: Moment) -> Vec<(u64, Twin)> {
        let stand = |place: &Place| match &place.slot {
            Slot::Pending => Twin::Pending,
            Slot::Ready(tokens) if tokens.expires > now => Twin::Ready,
            Slot::Ready(_) => Twin::None(Without::Expired),
            Slot::None(why) => Twin::None(*why),
        };
        self.places().iter().map(|place| (place.backend, stand(place))).collect()
    }

    /// Looks at the user's tokens at an instance, if they are good now.
    fn usable<T>(&self, backend: u64, now: Moment, look: impl FnOnce(&Tokens) -> T) -> Option<T> {
        self.places().iter().find(|p| p.backend == backend)?.slot.usable(now).map(look)
    }

    fn set(&self, backend: u64, slot: Slot) {
        let mut places = self.places();
        // Read under the lock that `bar` takes afterwards: what slips in here is lost there.
        let slot = if self.is_barred() { Slot::None(Without::Lost) } else { slot };
        match places.iter_mut().find(|p| p.backend == backend) {
            Some(place) => place.slot = slot,
            None => places.push(Place { backend, slot, spare: None }),
        }
        drop(places);
        self.changes.send_modify(|n| *n = n.wrapping_add(1));
    }

    fn places(&self) -> MutexGuard<'_, Vec<Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn usable(&self, now: Moment) -> Option<&Tokens> {
        match self {
            Self::Ready(tokens) if tokens.expires > now => Some(tokens),
            _ => None,
        }
    }
}

impl Place {
    fn take_refresh(&mut self) -> Option<SecretString> {
        match &mut self.slot {
            Slot::Ready(tokens) if tokens.refresh.is_some() => tokens.refresh.take(),
            _ => self.spare.take(),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session(..)")
    }
}

fn bearer(token: &SecretString) -> Option<HeaderValue> {
    let mut text = String::with_capacity(7 + token.expose_secret().len());
    text.push_str("Bearer ");
    text.push_str(token.expose_secret());
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
