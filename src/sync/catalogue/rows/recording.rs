//! Recording servers and their storages: not the same thing twice, so an operator pairs them.

use super::super::{Coverage, How, Place};
use super::{NEVER, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "recordingServers",
        lists_disabled: true,
        keys: &[],
        fields: "~activeWebServerUri?=s description=s enabled=b ~hostName=s ~id=g ~lastModified=dt \
                 multicastServerAddress=s name=s ~portNumber=i publicAccessEnabled=b ~publicWebserverHostName=s \
                 ~publicWebserverPort=i shutdownOnStorageFailure=b synchronizationTime=i ~timeZoneName=s *version=s \
                 ~webServerUri=s",
        coverage: Coverage::CompareOnly,
        create: How::No,
        update: How::No,
        delete: How::No,
        default: NEVER,
        note: "registers itself; paired by [[sync.pair]]",
        ..Row::PLAIN
    },
    Row {
        name: "storages",
        place: Place::Below("recordingServers"),
        within: Some("recordingServers"),
        keys: &[],
        fields: "~createdDate=dt description=s ~diskPath=s *encryptionMethod={None|Light|Strong} ~id=g *isDefault=b \
                 ~lastModified=dt maxSize=i name=s retainMinutes=i signing=b",
        coverage: Coverage::CompareOnly,
        create: How::No,
        update: How::No,
        delete: How::No,
        default: NEVER,
        note: "disks differ; paired by [[sync.pair]]",
        ..Row::PLAIN
    },
];
