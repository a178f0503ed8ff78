//! The installation itself: its servers, addresses, licences and options.

use super::super::{Coverage, How, Key, Place, Policy};
use super::{NEVER, Row};

/// Says what one installation is: never carried over.
const OWN: Row = Row {
    coverage: Coverage::CompareOnly,
    create: How::No,
    update: How::No,
    delete: How::No,
    default: NEVER,
    ..Row::PLAIN
};

/// The same, and of no use to anybody else.
const UNREAD: Row = Row {
    place: Place::Unread("belongs to one installation"),
    keys: &[],
    note: "not for the other side",
    ..OWN
};

/// One of each installation, or a fixed few: can only be changed.
const OPTIONS: Row = Row { coverage: Coverage::UpdateOnly, create: How::No, delete: How::No, ..Row::PLAIN };

/// What others refer to.
pub(super) const FIRST: &[Row] = &[
    Row {
        name: "sites",
        keys: &[Key::Only],
        fields: "~computerName=s ~description=s ~domainName=s ~id=g ~lastModified=dt ~lastStatusHandshake=dt \
                 ~masterSiteAddress=s ~name=s ~physicalMemory=i ~platform=s ~processors=i ~serviceAccount=s \
                 ~synchronizationStatus=i ~timeZone=s ~version=s",
        note: "the installation itself",
        ..OWN
    },
    Row {
        name: "servers",
        fields: "~addresses=[s] ~description=s ~id=g *name=s *type=s",
        note: "comes with the installation",
        ..OWN
    },
];

/// What nothing refers to.
pub(super) const LAST: &[Row] = &[
    Row {
        name: "toolOptions",
        keys: &[Key::Only],
        fields: "deviceErrorTimeoutSec={0|5|10|15|30|45|60|120|300} pausePatrollingTimeoutSec=i \
                 ptzManualSessionTimeoutSec=i ptzReservedSessionTimeoutSec=i ptzUseDefaultPresetAsPtzHome=b",
        default: [Policy::Never, Policy::Auto, Policy::Never],
        note: "there is one on each side",
        ..OPTIONS
    },
    Row {
        name: "compressors",
        keys: &[Key::Fields(&["aviGenerationHandler"])],
        fields: "*aviGenerationConfigData=s *aviGenerationDataRate=i *aviGenerationFlags=i \
                 *aviGenerationHandler=i *aviGenerationKeyFrames=i *aviGenerationQuality=i \
                 aviGenerationSelected=b ~lastModified=dt",
        default: [Policy::Never, Policy::Approve, Policy::Never],
        note: "which ones there are depends on the server",
        ..OPTIONS
    },
    Row { name: "systemAddresses", fields: "*addressType={Internal|External|Server} *url=s", ..UNREAD },
    Row {
        name: "childSites",
        place: Place::Unread("a federated site is an instance of its own"),
        fields: "*connectionState=s *description=s ~id=g ~lastModified=dt *serviceAccount=s \
                 *synchronizationStatus=i *version=s",
        note: "pair it with its own twin",
        ..UNREAD
    },
    Row {
        name: "siteAddresses",
        within: Some("childSites"),
        fields: "*addressType={Internal|External|Server} *url=s",
        ..UNREAD
    },
    Row {
        name: "registeredServices",
        fields: "~name=s ~description=s ~id=g ~enabled=b ~serviceType=g ~customData=s ~uris=[s] ~endpoints=[o]",
        note: "addresses of services; integrations register themselves on both sides",
        ..UNREAD
    },
    Row {
        name: "owner",
        place: Place::Unread("its members carry ids of one installation in their names"),
        open: true,
        note: "set by hand on both sides",
        ..UNREAD
    },
    Row {
        name: "licenseInformations",
        fields: "*activationAutomatic=b *careId=s *careLevel=s *productionEnvironment=s *sku=s *slc=s \
                 ~licenseProperties=[o]",
        ..UNREAD
    },
    Row {
        name: "licenseDetails",
        within: Some("licenseInformations"),
        fields: "*activated=s *changesWithoutActivation=s *firstGraceExpirationDate=s *graceExpired=s \
                 *inGrace=i *licenseType=s *note=s *notLicensed=s *pluginId=s",
        ..UNREAD
    },
    Row {
        name: "licenseInstalledProducts",
        within: Some("licenseInformations"),
        fields: "*carePlus=s *carePremium=s *expirationDate=s *pluginId=s *productDisplayName=s *slc=s",
        ..UNREAD
    },
    Row {
        name: "licenseOverviewAll",
        within: Some("licenseInformations"),
        fields: "*activated=s *licenseType=s *pluginId=s",
        ..UNREAD
    },
];
