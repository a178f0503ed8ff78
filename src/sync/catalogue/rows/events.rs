//! Events: their types, and those that people and programs make.

use super::super::{Coverage, How, Key};
use super::{ASK, NEVER, Row};

/// Comes with the product and its plug-ins.
const INSTALLED: Row = Row {
    coverage: Coverage::CompareOnly,
    create: How::No,
    update: How::No,
    delete: How::No,
    default: NEVER,
    ..Row::PLAIN
};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "eventTypeGroups",
        keys: &[Key::Fields(&["displayName"])],
        fields: "*displayName=s",
        note: "comes with the product; alarms refer to it",
        ..INSTALLED
    },
    Row {
        name: "stateGroups",
        fields: "~id=g ~lastModified=dt name=s states=[s]",
        confirmed: false,
        default: ASK,
        note: "comes with the product and its plug-ins; depends on the version",
        ..Row::PLAIN
    },
    Row {
        name: "eventTypes",
        within: Some("eventTypeGroups"),
        keys: &[Key::NameWithin],
        fields: "*builtIn=b *counterEventID=s *description=s *generatorGroupId=s *generatorGroupName=s \
                 *generatorID=s *generatorName=s *generatorSubtype=s *generatorType=s ~id=g ~lastModified=dt \
                 *name=s *occursGlobally=b *sourceArray=[s] *sourceFilterArray=[s] *stateGroupId=s *state?=s",
        note: "comes with the product, drivers and plug-ins; alarms and rules refer to it",
        ..INSTALLED
    },
    Row {
        name: "userDefinedEvents",
        fields: "~createdDate=dt ~id=g ~lastModified=dt name=s *subtype?=s",
        note: "three come with every installation",
        ..Row::PLAIN
    },
    Row {
        name: "analyticsEvents",
        fields: "description=s ~id=g ~lastModified=dt name=s *sourceArray=[s]",
        ..Row::PLAIN
    },
    Row {
        name: "genericEventDataSources",
        lists_disabled: true,
        fields: "dataSourceAddressFamily={InterNetwork|InterNetworkV6|Both} dataSourceAllowed=s \
                 dataSourceAllowed6=s dataSourceEcho={Full|Statistics|None} dataSourceEncoding=i \
                 dataSourceLog=b dataSourcePort=i dataSourceProtocol={Tcp|Udp|Both} dataSourceSeparator=s \
                 enabled=b ~id=g name=s",
        default: ASK,
        note: "opens a port for messages from outside; two instances on one host cannot have the same port",
        ..Row::PLAIN
    },
    Row {
        name: "genericEvents",
        alias: Some("shadowId"),
        lists_disabled: true,
        fields: "dataSource=^genericEventDataSources enabled=b expression=s expressionType={0|1|2} ~id=g \
                 ~lastModified=dt name=s priority=i *shadowId?=s",
        note: "what alarms and rules refer to is its hidden event (shadowId), which has another id on each side: \
               translated like its own",
        ..Row::PLAIN
    },
];
