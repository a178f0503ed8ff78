//! What clients look at: views, layouts, video walls, and what belongs to a client.

use crate::rest::table::Row;

/// Their rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "viewGroups",
        display: "View groups",
        parent: "sites viewGroups",
        collection: "GP",
        item: "GPUAD",
        fields: "description:s id*:g lastModified*:dt name!:s viewGroupDataXml:s",
        subs: "views=GP/D viewGroups=G",
        tasks: "ChangeSecurityPermissions",
        ..Row::PLAIN
    },
    Row {
        name: "views",
        display: "Views",
        parent: "viewGroups",
        item: "GPUAD",
        fields: "clientId:s id*:g lastModified*:dt layoutCustomId:s layoutIcon:s layoutViewItems:s name!:s \
                 shortcut:s viewLayoutType:s=VideoOS.RemoteClient.Application.Data.ViewLayouts.ViewLayoutCustom \
                 viewItem:[<viewItem>]",
        tasks: "ApplyViewToView@25.2 ClearView@25.2 ClearViewItem@25.2",
        ..Row::PLAIN
    },
    Row {
        name: "layoutGroups",
        display: "Layout groups",
        item: "GUA",
        fields: "description*:s id*:g lastModified*:dt name*:s",
        subs: "layouts=GP/GD",
        ..Row::PLAIN
    },
    Row {
        name: "layouts",
        display: "Layouts",
        parent: "layoutGroups",
        collection: "",
        item: "",
        fields: "createdDate*:dt definitionXml*!:s description*+:s id*:g lastModified*:dt name*!:s",
        ..Row::PLAIN
    },
    Row {
        name: "videoWalls",
        display: "Video walls",
        collection: "GP",
        item: "GPUAD",
        flags: "unique",
        fields: "createdDate*:dt description:s height*+:n=1080 id*:g lastModified*:dt name!:s statusText:b=true \
                 titleBar:{None|Caption} width*+:n=1920",
        subs: "monitors=GP/D videoWallPresets=GP/GD",
        tasks: "ChangeSecurityPermissions",
        ..Row::PLAIN
    },
    Row {
        name: "monitors",
        display: "Monitors",
        parent: "videoWalls",
        collection: "",
        item: "GPUAD",
        fields: "aspectRatio:{Aspect16x9|Aspect4x3} createdDate*:dt description:s emptyViewItems:{Preserve|Clear} \
                 id*:g insertionMethod:{Linked|Independent} lastModified*:dt locationX:n locationY:n \
                 monitorSize:n=42 monitorState*:s name!:s noLayout:{Preserve|Clear} view:>views",
        subs: "monitorPresets=G/G",
        tasks: "ApplyCameras ApplyCamerasAndLayout RemoveCameras ApplyViewItemsXml ApplyMonitorState ApplyLayout \
                ApplyTextAndLayout",
        ..Row::PLAIN
    },
    Row {
        name: "monitorPresets",
        display: "Monitor presets",
        parent: "monitors",
        collection: "",
        item: "",
        fields: "definitionXml:s id*:g lastModified*:dt name*:s",
        ..Row::PLAIN
    },
    Row {
        name: "videoWallPresets",
        display: "Video wall presets",
        parent: "videoWalls",
        collection: "",
        item: "P",
        fields: "createdDate*:dt description:s id*:g lastModified*:dt name!:s",
        tasks: "Activate",
        ..Row::PLAIN
    },
    Row {
        name: "matrix",
        display: "Matrix",
        collection: "GP",
        item: "GPUAD",
        flags: "unique",
        fields: "address:s description:s id*:g lastModified*:dt name!:s password:sec port:i=12345",
        tasks: "ChangeSecurityPermissions MatrixCommand",
        ..Row::PLAIN
    },
    Row {
        name: "saveSearches",
        display: "Saved searches",
        collection: "GP",
        item: "GUAD",
        fields: "availability:{Private|Public} description:s id*:g includesScopeItems:b name!:s searchQuery:s",
        collection_tasks: "UpdateSaveSearch GetSaveSearch FindSaveSearches",
        ..Row::PLAIN
    },
    Row {
        name: "clientProfiles",
        display: "Smart Client profiles",
        collection: "GP",
        item: "GPUAD",
        flags: "unique",
        fields: "description:s id*:g isDefaultProfile*:b lastModified*:dt name!:s \
                 clientProfileAccessControl:<clientProfileAccessControl> \
                 clientProfileAdvanced:<clientProfileAdvanced> \
                 clientProfileAlarmManager:<clientProfileAlarmManager> clientProfileExport:<clientProfileExport> \
                 clientProfileGeneral:<clientProfileGeneral> clientProfileGisMap:<clientProfileGisMap> \
                 clientProfileLive:<clientProfileLive> clientProfilePlayback:<clientProfilePlayback> \
                 clientProfileSetup:<clientProfileSetup> clientProfileTimeline:<clientProfileTimeline> \
                 clientProfileViewLayouts:<clientProfileViewLayouts>",
        tasks: "ClientProfileUpPriority ClientProfileDownPriority",
        ..Row::PLAIN
    },
    Row {
        name: "evidenceLockProfiles",
        display: "Evidence lock profiles",
        collection: "GP",
        item: "GUAD",
        flags: "unique",
        fields: "id*:g name!:s retentionTimeOptions:[s]",
        ..Row::PLAIN
    },
];
