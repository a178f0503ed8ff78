//! What operators see: layouts, views, video walls, client profiles.

use super::super::{Coverage, How, Key, Place, Policy};
use super::{ASK, NEVER, Row};

/// Can be seen and not changed.
const SHOWN: Row = Row {
    coverage: Coverage::CompareOnly,
    create: How::No,
    update: How::No,
    delete: How::No,
    default: NEVER,
    ..Row::PLAIN
};

/// Can be made and removed, and not changed. Which fields it takes when it is made is not public.
const MADE_ANEW: Row = Row {
    keys: &[Key::NameWithin],
    confirmed: false,
    update: How::No,
    default: [Policy::Auto, Policy::Never, Policy::Approve],
    ..Row::PLAIN
};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "layoutGroups",
        fields: "*description=s ~id=g ~lastModified=dt *name=s",
        note: "comes with the product",
        ..SHOWN
    },
    Row {
        name: "layouts",
        place: Place::Below("layoutGroups"),
        within: Some("layoutGroups"),
        fields: "~createdDate=dt +definitionXml=s +description=s ~id=g ~lastModified=dt +name=s",
        confirmed: true,
        default: [Policy::Approve, Policy::Never, Policy::Approve],
        note: "cannot be changed, only made anew; which fields a new one takes is not public",
        ..MADE_ANEW
    },
    Row {
        name: "clientProfiles",
        fields: "description=s ~id=g *isDefaultProfile=b ~lastModified=dt name=s clientProfileAccessControl=o \
                 clientProfileAdvanced=o clientProfileAlarmManager=o clientProfileExport=o \
                 clientProfileGeneral=o clientProfileGisMap=o clientProfileLive=o clientProfilePlayback=o \
                 clientProfileSetup=o clientProfileTimeline=o clientProfileViewLayouts=o",
        note: "the order of priority is set by hand on both sides; the default profile cannot be removed",
        ..Row::PLAIN
    },
    Row {
        name: "evidenceLockProfiles",
        fields: "~id=g name=s retentionTimeOptions=[s]",
        note: "older gateways do not know it",
        ..Row::PLAIN
    },
    Row {
        name: "viewGroups",
        within: Some("viewGroups"),
        keys: &[Key::Path],
        fields: "description=s ~id=g ~lastModified=dt name=s viewGroupDataXml=o",
        note: "shared ones only: what belongs to one user is not visible",
        ..Row::PLAIN
    },
    Row {
        name: "views",
        within: Some("viewGroups"),
        keys: &[Key::NameWithin],
        fields: "~clientId=s ~id=g ~lastModified=dt layoutCustomId=o layoutIcon=s layoutViewItems=o name=s \
                 shortcut=s viewLayoutType=s viewItem=[o-id]",
        note: "shared ones only; the ids in its items are translated, those of maps and plug-ins cannot be",
        ..Row::PLAIN
    },
    Row {
        name: "videoWalls",
        fields: "~createdDate=dt description=s *height=n ~id=g ~lastModified=dt name=s statusText=b \
                 titleBar={None|Caption} *width=n",
        note: "its size follows from its monitors",
        ..Row::PLAIN
    },
    Row {
        name: "monitors",
        place: Place::Below("videoWalls"),
        within: Some("videoWalls"),
        keys: &[Key::NameWithin],
        fields: "aspectRatio={Aspect16x9|Aspect4x3} ~createdDate=dt description=s \
                 emptyViewItems={Preserve|Clear} ~id=g insertionMethod={Linked|Independent} ~lastModified=dt \
                 locationX=n locationY=n monitorSize=n *monitorState=s name=s noLayout={Preserve|Clear} \
                 ~view?=>views",
        note: "what it shows at the moment is not compared",
        ..Row::PLAIN
    },
    Row {
        name: "monitorPresets",
        place: Place::Below("monitors"),
        within: Some("monitors"),
        keys: &[Key::NameWithin],
        fields: "definitionXml=o ~id=g ~lastModified=dt *name=s",
        note: "shown, and not to be changed through the API: set by hand on both sides",
        ..SHOWN
    },
    Row {
        name: "videoWallPresets",
        place: Place::Below("videoWalls"),
        within: Some("videoWalls"),
        fields: "~createdDate=dt +description=s ~id=g ~lastModified=dt +name=s",
        note: "cannot be changed, only made anew; what it shows is in the presets of the monitors",
        ..MADE_ANEW
    },
    Row {
        name: "matrix",
        fields: "address=s description=s ~id=g ~lastModified=dt name=s !password?=s port=i",
        default: ASK,
        note: "the password is not readable: creating needs a person",
        ..Row::PLAIN
    },
    Row {
        name: "gisMapLocations",
        fields: "color=s ~id=g name=s positionX=n positionY=n scale=n",
        ..Row::PLAIN
    },
    Row {
        name: "saveSearches",
        fields: "availability={Private|Public} description=s ~id=g includesScopeItems=b name=s searchQuery=o",
        confirmed: false,
        note: "public ones only: what belongs to one user is not visible",
        ..Row::PLAIN
    },
];
