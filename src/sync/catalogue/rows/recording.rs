//! Recording servers and what belongs to them: not the same thing twice, so an operator pairs them.

use super::super::{Coverage, How, Key, Place};
use super::{NEVER, Row};

/// Part of one installation: read so that others can be understood, never carried over.
const OWN: Row = Row {
    coverage: Coverage::CompareOnly,
    create: How::No,
    update: How::No,
    delete: How::No,
    default: NEVER,
    ..Row::PLAIN
};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "failoverGroups",
        fields: "~createdDate=dt ~description=s ~id=g ~lastModified=dt ~name=s",
        note: "failover servers belong to one installation",
        ..OWN
    },
    Row {
        name: "failoverRecorders",
        lists_disabled: true,
        within: Some("failoverGroups"),
        keys: &[],
        fields: "~activeWebServerUri=s ~createdDate=dt ~databasePath=s ~description=s ~enabled=b ~hostName=s \
                 ~id=g ~lastModified=dt ~multicastServerAddress=s ~name=s ~portNumber=i ~position=i \
                 ~publicAccessEnabled=b ~publicWebserverHostName=s ~publicWebserverPort=i ~udpPort=i \
                 ~webServerUri=s",
        note: "registers itself; paired by [[sync.pair]] if at all",
        ..OWN
    },
    Row {
        name: "recordingServers",
        lists_disabled: true,
        keys: &[],
        fields: "~activeWebServerUri?=s ~description=s enabled=b ~hostName=s ~id=g ~lastModified=dt \
                 ~multicastServerAddress=s ~name=s ~portNumber=i publicAccessEnabled=b \
                 ~publicWebserverHostName=s ~publicWebserverPort=i shutdownOnStorageFailure=b \
                 synchronizationTime=i ~timeZoneName=s *version=s ~webServerUri=s",
        note: "registers itself; paired by [[sync.pair]]; settings are compared, and set by hand",
        ..OWN
    },
    Row {
        name: "recordingServerFailovers",
        place: Place::Unread("a setting of one recording server, about failover servers of its installation"),
        within: Some("recordingServers"),
        keys: &[],
        fields: "failoverPort=i hotStandby=^failoverRecorders ~id=g primaryFailoverGroup=^failoverGroups \
                 secondaryFailoverGroup=^failoverGroups",
        note: "set by hand",
        ..OWN
    },
    Row {
        name: "recordingServerMulticasts",
        place: Place::Unread("a setting of one recording server, about its network"),
        within: Some("recordingServers"),
        keys: &[],
        fields: "enabled=b ~id=g iPAddressEnd=s iPAddressStart=s MTU=s portRangeEnd=i portRangeStart=i TTL=s",
        note: "set by hand",
        ..OWN
    },
    Row {
        name: "hardwareDrivers",
        place: Place::Below("recordingServers"),
        within: Some("recordingServers"),
        keys: &[Key::Channel("number")],
        fields: "*driverRevision=s *driverType={Unknown|DevicePack|InterconnectedProduct} *driverVersion=s \
                 *groupName=s ~id=g *name=s *number=i *useCount=i",
        note: "installed with the device pack; the number is the same everywhere, the id is not",
        ..OWN
    },
    Row {
        name: "storages",
        place: Place::Below("recordingServers"),
        within: Some("recordingServers"),
        keys: &[],
        fields: "~createdDate=dt ~description=s ~diskPath=s *encryptionMethod={None|Light|Strong} ~id=g \
                 *isDefault=b ~lastModified=dt ~maxSize=i ~name=s retainMinutes=i signing=b",
        note: "disks differ; paired by [[sync.pair]]; retention and signing are compared, and set by hand",
        ..OWN
    },
    Row {
        name: "storageInformation",
        place: Place::Unread("the fill level of a disk"),
        within: Some("storages"),
        keys: &[],
        fields: "*anyTablesWithData={Unknown|ContainsData|DoesNotContainData} *isAvailable=b *isMounted=b \
                 *lastUpdated=dt *lockedUsedSpace=i *usedSpace=i",
        note: "not a setting",
        ..OWN
    },
    Row {
        name: "archiveStorages",
        place: Place::Below("storages"),
        within: Some("storages"),
        keys: &[],
        fields: "~createdDate=dt ~description=s ~diskPath=s framerateReductionEnabled=b ~id=g ~lastModified=dt \
                 ~maxSize=i *mounted=b ~name=s retainMinutes=i targetFramerate=n archiveSchedules=o",
        note: "disks differ; paired by [[sync.pair]]; retention and schedule are compared, and set by hand",
        ..OWN
    },
    Row {
        name: "archiveStorageInformation",
        place: Place::Unread("the fill level of a disk"),
        within: Some("archiveStorages"),
        keys: &[],
        fields: "*anyTablesWithData={Unknown|ContainsData|DoesNotContainData} *isAvailable=b *isMounted=b \
                 *lastUpdated=dt *lockedUsedSpace=i *usedSpace=i",
        note: "not a setting",
        ..OWN
    },
];
