//! Who may use the admin plane: names, roles, tokens, and the names that it answers to.
//!
//! Of a token only its SHA-256 is kept: nothing here can show a token by mistake, and two digests
//! have the same length, so that the comparison tells nothing about the token's.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::zeroize::Zeroizing;
use thiserror::Error;

use crate::config::types::{Admin, AdminRole};

/// Why the users could not be read.
#[derive(Debug, Error)]
pub enum UsersError {
    /// A token file cannot be read.
    #[error("admin token of {user}: cannot read {path}: {source}")]
    Read {
        /// Whose token it is.
        user: String,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The token of `local` cannot be made.
    #[error("cannot create the admin token file {path}: {source}")]
    Create {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The file holds no token.
    #[error("admin token of {user}: {path} must hold one line of visible ASCII characters without spaces")]
    Form {
        /// Whose token it is.
        user: String,
        /// The file.
        path: PathBuf,
    },
    /// Everybody on the machine can become this user.
    #[error("admin token of {user}: {path} can be written by everybody; chmod 600 it and replace the token")]
    Writable {
        /// Whose token it is.
        user: String,
        /// The file.
        path: PathBuf,
    },
    /// One token, two names: the audit log could not tell who it was.
    #[error("the admin users {0} and {1} have the same token; give each their own")]
    SameToken(String, String),
}

/// Somebody who has shown a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// For the audit log.
    pub name: String,
    /// What the user may do.
    pub role: AdminRole,
}

/// All users and host names of one configuration; replaced as a whole at a reload.
#[derive(Debug, Default)]
pub struct Users {
    known: Vec<(User, [u8; 32])>,
    pub(super) hosts: Vec<String>,
    /// What an operator should know about the token files.
    pub warnings: Vec<String>,
}

impl Users {
    /// Reads every token file again; makes the one of `local` if it is missing.
    pub fn load(admin: &Admin) -> Result<Self, UsersError> {
        create_token(&admin.token_file)
            .map_err(|source| UsersError::Create { path: admin.token_file.clone(), source })?;
        let mut users = Self { hosts: admin.hosts.clone(), ..Self::default() };
        users.add("local", AdminRole::Admin, &admin.token_file)?;
        for user in &admin.users {
            users.add(&user.name, user.role, &user.token_file)?;
        }
        Ok(users)
    }

    /// The user with this token. Looks at every user, so that the time does not tell which matched.
    pub fn find(&self, token: &str) -> Option<&User> {
        let shown = sha256(token);
        let mut found = None;
        for (user, digest) in &self.known {
            if verify_slices_are_equal(&shown, digest).is_ok() {
                found = Some(user);
            }
        }
        found
    }

    fn add(&mut self, name: &str, role: AdminRole, path: &Path) -> Result<(), UsersError> {
        let owned = || (name.to_owned(), path.to_owned());
        let read = |source| {
            let (user, path) = owned();
            UsersError::Read { user, path, source }
        };
        let mode = std::fs::metadata(path).map_err(read)?.permissions().mode();
        if mode & 0o002 != 0 {
            let (user, path) = owned();
            return Err(UsersError::Writable { user, path });
        }
        // Reading by others only warns: container secrets are mounted 0444 and cannot be changed.
        if mode & 0o044 != 0 {
            self.warnings.push(format!(
                "admin token of {name}: {} can be read by other users of this machine; chmod 600 it",
                path.display()
            ));
        }
        let text = Zeroizing::new(std::fs::read_to_string(path).map_err(read)?);
        let token = text.trim();
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
            let (user, path) = owned();
            return Err(UsersError::Form { user, path });
        }
        if token.len() < SHORT {
            self.warnings.push(format!(
                "admin token of {name}: shorter than {SHORT} characters, can be guessed; use for example `openssl rand -hex 32`"
            ));
        }
        let digest = sha256(token);
        if let Some((other, _)) = self.known.iter().find(|(_, d)| *d == digest) {
            return Err(UsersError::SameToken(other.name.clone(), name.to_owned()));
        }
        self.known.push((User { name: name.to_owned(), role }, digest));
        Ok(())
    }
}

/// Makes the file with a new token unless it exists. The token is never printed.
fn create_token(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let mut bytes = Zeroizing::new([0_u8; 32]);
    aws_lc_rs::rand::fill(&mut *bytes).map_err(|_| io::Error::other("the system gives no random numbers"))?;
    let token = Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes) + "\n");
    if let Some(dir) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    }
    // Written aside and moved: a crash leaves no empty token file, a reader never sees half of one.
    let aside = path.with_extension("new");
    let mut file: File =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(token.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&aside, path)?;
    tracing::info!(file = %path.display(), "admin token created");
    Ok(())
}

fn sha256(token: &str) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    out
}

/// Below this a token can be guessed if it is made of words.
const SHORT: usize = 20;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::config::types::AdminUser;

    fn admin(dir: &Path, users: &[(&str, AdminRole, &str, u32)]) -> Admin {
        let users = users.iter().map(|&(name, role, token, mode)| {
            let token_file = dir.join(name);
            std::fs::write(&token_file, token).unwrap();
            std::fs::set_permissions(&token_file, Permissions::from_mode(mode)).unwrap();
            AdminUser { name: name.to_owned(), role, token_file }
        });
        Admin {
            address: "127.0.0.1:0".parse().unwrap(),
            token_file: dir.join("admin.token"),
            certificate: None,
            hosts: Vec::new(),
            users: users.collect(),
        }
    }

    #[test]
    fn a_missing_token_is_made_once_and_only_for_its_owner() {
        let dir = tempfile::tempdir().unwrap();
        let config = admin(dir.path(), &[]);
        let users = Users::load(&config).unwrap();
        assert!(users.warnings.is_empty(), "{:?}", users.warnings);
        let token = std::fs::read_to_string(&config.token_file).unwrap();
        assert_eq!(token.trim().len(), 43);
        assert_eq!(std::fs::metadata(&config.token_file).unwrap().permissions().mode() & 0o777, 0o600);
        let local = Users::load(&config).unwrap().find(token.trim()).cloned();
        assert_eq!(local, Some(User { name: "local".to_owned(), role: AdminRole::Admin }));
        assert!(!format!("{users:?}").contains(token.trim()));
    }

    #[test]
    fn users_are_told_apart_by_their_tokens() {
        let dir = tempfile::tempdir().unwrap();
        let config = admin(
            dir.path(),
            &[
                ("anna", AdminRole::Operator, "anna-token-0123456789\n", 0o600),
                ("eye", AdminRole::Viewer, "eye-token-0123456789", 0o600),
            ],
        );
        let users = Users::load(&config).unwrap();
        assert_eq!(users.find("anna-token-0123456789").unwrap().name, "anna");
        assert_eq!(users.find("eye-token-0123456789").unwrap().role, AdminRole::Viewer);
        for wrong in ["", "anna-token", "anna-token-0123456789 ", "x"] {
            assert!(users.find(wrong).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn careless_files_warn_dangerous_ones_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let readable = admin(dir.path(), &[("a", AdminRole::Admin, "long-enough-0123456789", 0o644)]);
        assert!(Users::load(&readable).unwrap().warnings[0].contains("chmod 600"));
        let short = admin(dir.path(), &[("a", AdminRole::Admin, "short", 0o600)]);
        assert!(Users::load(&short).unwrap().warnings[0].contains("guessed"));
        let writable = admin(dir.path(), &[("a", AdminRole::Admin, "long-enough-0123456789", 0o666)]);
        assert!(matches!(Users::load(&writable), Err(UsersError::Writable { .. })));
        let empty = admin(dir.path(), &[("a", AdminRole::Admin, "\n", 0o600)]);
        assert!(matches!(Users::load(&empty), Err(UsersError::Form { .. })));
    }

    #[test]
    fn one_token_for_two_people_is_refused_without_showing_it() {
        let dir = tempfile::tempdir().unwrap();
        let shared = "shared-token-0123456789";
        let config = admin(
            dir.path(),
            &[("a", AdminRole::Admin, shared, 0o600), ("b", AdminRole::Viewer, shared, 0o600)],
        );
        let error = Users::load(&config).unwrap_err();
        assert!(matches!(error, UsersError::SameToken(..)), "{error}");
        assert!(!error.to_string().contains(shared));
    }
}
