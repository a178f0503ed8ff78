//! Reading the files that a configuration names, with limits and with messages that help.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// No certificate, key or password is this long; a wrong path may lead to something that is.
const LONGEST: u64 = 1 << 20;

/// Why a file cannot be used. Never holds any of its contents.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Nothing there.
    #[error("there is no file {}", .0.display())]
    Missing(PathBuf),
    /// The permissions forbid it.
    #[error("no permission to read {}", .0.display())]
    Forbidden(PathBuf),
    /// A directory, a pipe, a device.
    #[error("{} is not a regular file", .0.display())]
    NotAFile(PathBuf),
    /// Longer than any file of its kind.
    #[error("{} is longer than {LONGEST} bytes", .0.display())]
    TooLong(PathBuf),
    /// Anything else.
    #[error("cannot read {}", .0.display())]
    Io(PathBuf, #[source] io::Error),
}

impl FileError {
    fn new(path: &Path, error: io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing(path),
            io::ErrorKind::PermissionDenied => Self::Forbidden(path),
            _ => Self::Io(path, error),
        }
    }
}

/// The contents of a regular file of reasonable size. Follows symbolic links.
pub fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let meta = std::fs::metadata(path).map_err(|e| FileError::new(path, e))?;
    // Opening a pipe would wait for a writer, perhaps for ever.
    if !meta.is_file() {
        return Err(FileError::NotAFile(path.to_owned()));
    }
    let mut contents = Vec::new();
    File::open(path)
        .and_then(|f| f.take(LONGEST + 1).read_to_end(&mut contents))
        .map_err(|e| FileError::new(path, e))?;
    if contents.len() as u64 > LONGEST { Err(FileError::TooLong(path.to_owned())) } else { Ok(contents) }
}

/// Everyone on this machine can read the file.
pub fn is_world_readable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|m| m.permissions().mode() & 0o004 != 0)
}

/// `path` as meant by a configuration file in `base`.
pub fn resolve(base: &Path, path: &str) -> PathBuf {
    base.join(path)
}

/// There is something at this path.
pub fn exists(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}
