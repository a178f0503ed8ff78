//! How the last reload of the configuration ended, for status.

use std::time::SystemTime;

/// What became of a reload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReloadState {
    /// There was none since the start.
    #[default]
    Never,
    /// The new configuration is in force.
    Applied,
    /// It was refused; the configuration from before stays in force.
    Failed,
}

impl ReloadState {
    /// The name in status.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Applied => "applied",
            Self::Failed => "failed",
        }
    }
}

/// The last reload.
#[derive(Clone, Debug, Default)]
pub struct ReloadReport {
    /// How it ended.
    pub result: ReloadState,
    /// When; `None`: there was none.
    pub when: Option<SystemTime>,
    /// Why it was refused: all complaints, as `check` prints them.
    pub complaints: Vec<String>,
}

impl ReloadReport {
    /// A reload that was just applied.
    pub fn applied() -> Self {
        Self { result: ReloadState::Applied, when: Some(SystemTime::now()), complaints: Vec::new() }
    }

    /// A reload that was just refused.
    pub fn failed(complaints: Vec<String>) -> Self {
        Self { result: ReloadState::Failed, when: Some(SystemTime::now()), complaints }
    }
}
