//! Notices that the configuration or a file that it names changed, and says what a change means.
//!
//! Contents are polled. File system events would be quicker but miss what matters here: editors
//! write a new file and rename it over the old one, Kubernetes swaps a symbolic link two levels
//! up, network file systems send no events at all. Each of these ends a watch on the old inode in
//! its own way; reading a few small files once a second sees them all.

mod compare;

use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use tokio::time::MissedTickBehavior;

use super::files;
use super::types::{CertificateSource, Config};

pub use compare::{changes, frozen};

/// Between two looks at the files.
const PERIOD: Duration = Duration::from_secs(1);

/// The files that a reload depends on: the configuration, certificates, keys, CAs, tokens.
/// Password files are not among them: they are read when a password is needed.
pub fn files(config: &Config) -> Vec<PathBuf> {
    let mut files = vec![config.file.clone(), config.admin.token_file.clone()];
    if let CertificateSource::Files { chain, key } = &config.listener.certificate {
        files.extend([chain.clone(), key.clone()]);
    }
    if let Some((chain, key)) = &config.admin.certificate {
        files.extend([chain.clone(), key.clone()]);
    }
    files.extend(config.admin.users.iter().map(|u| u.token_file.clone()));
    files.extend(config.instances.iter().filter_map(|i| i.ca_file.clone()));
    files.sort_unstable();
    files.dedup();
    files
}

/// Waits for changes of files.
///
/// Make it before the first load and call [`Watch::follow`] after every load: what changes in
/// between is then seen as a change, never lost.
#[derive(Debug)]
pub struct Watch {
    files: Vec<(PathBuf, Print)>,
    debounce: Debounce,
    ticks: tokio::time::Interval,
}

impl Watch {
    /// Watches the configuration file alone, as it is now. Needs a tokio runtime.
    pub fn new(config_file: &Path) -> Self {
        Self::with_period(config_file, PERIOD)
    }

    /// The same with another pace.
    pub fn with_period(config_file: &Path, period: Duration) -> Self {
        let mut ticks = tokio::time::interval(period);
        // After a pause of the machine one look is enough.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let files = vec![(config_file.to_owned(), print(config_file))];
        let debounce = Debounce::new(files.iter().map(|(_, p)| *p).collect());
        Self { files, debounce, ticks }
    }

    /// Watches these files from now on ([`files()`] of the loaded configuration; after a refused load
    /// also [`super::LoadError::files`]). Files that were watched before keep the state that was
    /// seen last, so that a change during the load is not lost.
    pub fn follow(&mut self, paths: impl IntoIterator<Item = PathBuf>) {
        let mut next: Vec<(PathBuf, Print)> = Vec::new();
        for path in paths {
            if next.iter().any(|(known, _)| *known == path) {
                continue;
            }
            let seen = self.files.iter().find(|(known, _)| *known == path).map(|(_, p)| *p);
            let state = seen.unwrap_or_else(|| print(&path));
            next.push((path, state));
        }
        self.debounce = Debounce::new(next.iter().map(|(_, p)| *p).collect());
        self.files = next;
    }

    /// Returns when a file has changed and was then the same in two looks. May be cancelled.
    pub async fn changed(&mut self) {
        loop {
            self.ticks.tick().await;
            let paths: Vec<PathBuf> = self.files.iter().map(|(path, _)| path.clone()).collect();
            // A file system that hangs must not hold a thread of the runtime.
            let look = tokio::task::spawn_blocking(move || paths.iter().map(|p| print(p)).collect());
            // A look that was aborted at shutdown saw nothing.
            let Ok(state) = look.await else { continue };
            if self.debounce.look(state) {
                let reported = self.debounce.reported.iter().copied();
                self.files.iter_mut().zip(reported).for_each(|((_, known), new)| *known = new);
                return;
            }
        }
    }
}

/// The state of a file: a hash of its contents, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Print {
    Contents([u8; 32]),
    Unreadable,
}

fn print(path: &Path) -> Print {
    let Ok(contents) = files::read(path) else { return Print::Unreadable };
    let mut hash = Context::new(&SHA256);
    hash.update(&contents);
    <[u8; 32]>::try_from(hash.finish().as_ref()).map_or(Print::Unreadable, Print::Contents)
}

/// Reports a new state once it was seen twice in a row: an editor may be half-way through.
#[derive(Debug)]
struct Debounce {
    reported: Vec<Print>,
    last: Vec<Print>,
}

impl Debounce {
    fn new(state: Vec<Print>) -> Self {
        Self { last: state.clone(), reported: state }
    }

    fn look(&mut self, state: Vec<Print>) -> bool {
        let settled = state == self.last;
        self.last = state;
        if settled && self.last != self.reported {
            self.reported.clone_from(&self.last);
            return true;
        }
        false
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn state(n: u8) -> Vec<Print> {
        vec![Print::Contents([n; 32])]
    }

    #[test]
    fn a_change_is_reported_once_and_only_when_settled() {
        let mut d = Debounce::new(state(1));
        assert!(!d.look(state(1)));
        assert!(!d.look(state(2)), "just changed");
        assert!(!d.look(state(3)), "still changing");
        assert!(d.look(state(3)));
        assert!(!d.look(state(3)), "already reported");
        assert!(!d.look(vec![Print::Unreadable]), "renamed away for a moment");
        assert!(!d.look(state(3)));
        assert!(!d.look(state(3)), "back to what is known");
    }

    fn write_by_rename(path: &Path, text: &str) {
        let fresh = path.with_extension("new");
        std::fs::write(&fresh, text).unwrap();
        std::fs::rename(&fresh, path).unwrap();
    }

    #[tokio::test]
    async fn sees_renames_symlink_swaps_and_late_files() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("g.toml"), "1").unwrap();
        for version in ["v1", "v2"] {
            std::fs::create_dir(at(version)).unwrap();
            std::fs::write(at(version).join("tls.crt"), version).unwrap();
        }
        std::os::unix::fs::symlink("v1", at("data")).unwrap();
        std::os::unix::fs::symlink("data/tls.crt", at("tls.crt")).unwrap();

        let mut watch = Watch::with_period(&at("g.toml"), Duration::from_millis(5));
        watch.follow([at("g.toml"), at("tls.crt"), at("late.pem"), at("g.toml")]);

        write_by_rename(&at("g.toml"), "2");
        watch.changed().await;

        std::os::unix::fs::symlink("v2", at("data.new")).unwrap();
        std::fs::rename(at("data.new"), at("data")).unwrap();
        watch.changed().await;

        std::fs::write(at("late.pem"), "here").unwrap();
        watch.changed().await;

        // Written between the last look and the load: still a change after `follow`.
        write_by_rename(&at("g.toml"), "3");
        watch.follow([at("g.toml")]);
        watch.changed().await;
    }
}
