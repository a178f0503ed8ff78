//! The folder `state_dir` and the lock that keeps a second process out of it.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::StoreError;

/// Makes the folder if needed and locks it; the lock ends when the file is dropped, also when the
/// process is killed.
pub(super) fn claim(dir: &Path) -> Result<File, StoreError> {
    // Tokens and names of people are in it: for its owner only.
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|source| StoreError::Io {
        what: "create state_dir",
        path: dir.to_owned(),
        source,
    })?;
    let path = dir.join(LOCK);
    let io = |what| {
        let path = path.clone();
        move |source: io::Error| StoreError::Io { what, path, source }
    };
    // Not truncated: until we have the lock, what it says is the holder's.
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let mut file = options.open(&path).map_err(io("open the lock file"))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            // Only for the message; whatever it says, the folder is taken.
            let _ = Read::by_ref(&mut file).take(20).read_to_string(&mut pid);
            let pid = pid.trim().chars().filter(char::is_ascii_digit).collect();
            return Err(StoreError::InUse { dir: dir.to_owned(), pid });
        }
        Err(TryLockError::Error(source)) => return Err(io("lock")(source)),
    }
    let write = |file: &mut File| {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    write(&mut file).map_err(io("write the lock file"))?;
    Ok(file)
}

/// Name of the lock file; never removed, because a removed lock file locks nobody out.
const LOCK: &str = "lock";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_folder_is_private_and_locked_once() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("deep/state");
        let held = claim(&dir).unwrap();
        assert_eq!(std::fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
        let error = claim(&dir).unwrap_err();
        assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
        drop(held);
        assert!(claim(&dir).is_ok());
    }
}
