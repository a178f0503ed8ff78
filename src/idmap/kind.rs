//! The types of objects that may be linked without a person, and by what (sheet 3.7).

use std::fmt;

/// A type whose objects the matcher links. What is not here is linked by an operator or not at all:
/// roles, users, claims, login providers and rules, because a name is no proof where rights follow
/// from it; recording servers and storages, because they are not the same thing twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names of the API")]
pub enum Kind {
    Hardware,
    Cameras,
    Microphones,
    Speakers,
    Metadata,
    InputEvents,
    Outputs,
    CameraGroups,
    MicrophoneGroups,
    SpeakerGroups,
    MetadataGroups,
    InputEventGroups,
    OutputGroups,
    TimeProfiles,
    UserDefinedEvents,
    AnalyticsEvents,
    GenericEvents,
    AlarmDefinitions,
}

/// What two objects must have in common to be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The device's network address.
    Address,
    /// Linked hardware and the channel on it.
    Device,
    /// The names from the root down.
    Path,
    /// The name.
    Name,
}

impl Kind {
    /// Every kind, hardware first: devices are matched by it.
    pub const ALL: [Self; 18] = [
        Self::Hardware,
        Self::Cameras,
        Self::Microphones,
        Self::Speakers,
        Self::Metadata,
        Self::InputEvents,
        Self::Outputs,
        Self::CameraGroups,
        Self::MicrophoneGroups,
        Self::SpeakerGroups,
        Self::MetadataGroups,
        Self::InputEventGroups,
        Self::OutputGroups,
        Self::TimeProfiles,
        Self::UserDefinedEvents,
        Self::AnalyticsEvents,
        Self::GenericEvents,
        Self::AlarmDefinitions,
    ];

    /// The name of the collection in the API (sheet 3.5).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hardware => "hardware",
            Self::Cameras => "cameras",
            Self::Microphones => "microphones",
            Self::Speakers => "speakers",
            Self::Metadata => "metadata",
            Self::InputEvents => "inputEvents",
            Self::Outputs => "outputs",
            Self::CameraGroups => "cameraGroups",
            Self::MicrophoneGroups => "microphoneGroups",
            Self::SpeakerGroups => "speakerGroups",
            Self::MetadataGroups => "metadataGroups",
            Self::InputEventGroups => "inputEventGroups",
            Self::OutputGroups => "outputGroups",
            Self::TimeProfiles => "timeProfiles",
            Self::UserDefinedEvents => "userDefinedEvents",
            Self::AnalyticsEvents => "analyticsEvents",
            Self::GenericEvents => "genericEvents",
            Self::AlarmDefinitions => "alarmDefinitions",
        }
    }

    /// The kind with this name, in any case: the API does not care either.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str().eq_ignore_ascii_case(name))
    }

    /// By what its objects are matched.
    pub const fn rule(self) -> Rule {
        match self {
            Self::Hardware => Rule::Address,
            Self::Cameras
            | Self::Microphones
            | Self::Speakers
            | Self::Metadata
            | Self::InputEvents
            | Self::Outputs => Rule::Device,
            Self::CameraGroups
            | Self::MicrophoneGroups
            | Self::SpeakerGroups
            | Self::MetadataGroups
            | Self::InputEventGroups
            | Self::OutputGroups => Rule::Path,
            Self::TimeProfiles
            | Self::UserDefinedEvents
            | Self::AnalyticsEvents
            | Self::GenericEvents
            | Self::AlarmDefinitions => Rule::Name,
        }
    }
}

/// The name of a collection as the API writes it, for any case; `None`: there is no such type, or its
/// objects have no ids of their own that could be linked (sheet 3.5).
pub fn collection(name: &str) -> Option<&'static str> {
    let others = LINKED_BY_OPERATORS.into_iter();
    Kind::ALL.into_iter().map(Kind::as_str).chain(others).find(|known| known.eq_ignore_ascii_case(name))
}

const LINKED_BY_OPERATORS: [&str; 41] = [
    "accessControlGroups",
    "accessControlSystems",
    "accessControlUnits",
    "alarmCategories",
    "alarmPriorities",
    "archiveStorages",
    "audioMessages",
    "basicUsers",
    "childSites",
    "clientProfiles",
    "eventTypeGroups",
    "eventTypes",
    "evidenceLockProfiles",
    "failoverGroups",
    "failoverRecorders",
    "genericEventDataSources",
    "gisMapLocations",
    "hardwareDrivers",
    "layoutGroups",
    "layouts",
    "loginProviders",
    "lprMatchLists",
    "mailNotificationProfiles",
    "matrix",
    "mipItems",
    "mipKinds",
    "monitorPresets",
    "monitors",
    "patrollingProfiles",
    "ptzPresets",
    "recordingServers",
    "roles",
    "rules",
    "saveSearches",
    "sites",
    "stateGroups",
    "storages",
    "videoWallPresets",
    "videoWalls",
    "viewGroups",
    "views",
];

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Rule {
    /// As it reads in a sentence: "2 objects have this ...".
    pub const fn word(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Device => "channel of this hardware",
            Self::Path => "path of names",
            Self::Name => "name",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_comes_first_and_names_lead_back() {
        assert_eq!(Kind::ALL[0], Kind::Hardware);
        for kind in Kind::ALL {
            assert_eq!(Kind::from_name(&kind.as_str().to_ascii_uppercase()), Some(kind));
        }
    }

    #[test]
    fn nothing_that_gives_rights_is_matched() {
        for name in ["roles", "users", "basicUsers", "claims", "loginProviders", "rules", "storages"] {
            assert_eq!(Kind::from_name(name), None, "{name}");
        }
        assert_eq!((collection("ROLES"), collection("Cameras")), (Some("roles"), Some("cameras")));
        for name in ["", "camera", "tasks", "users", "settings"] {
            assert_eq!(collection(name), None, "{name}");
        }
    }
}
