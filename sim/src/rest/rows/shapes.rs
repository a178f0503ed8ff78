//! Embedded objects of recorders, storages and devices.

use crate::rest::shape::ShapeRow;

/// Their rows.
pub static SHAPES: &[ShapeRow] = &[
    ShapeRow {
        name: "archiveSchedules",
        fields: "activeEndTimeOfDay:n activeStartTimeOfDay:n frequencyInterval:i=1 frequencyRecurrenceFactor:i=1 \
                 frequencyRelativeInterval:{First|Second|Third|Fourth|Last} frequencySubDayInterval:i \
                 frequencySubDayType:{Once|Unknown|Hour} frequencyType:{Daily|Unknown|Weekly|Monthly|MonthlyRelative}",
        open: false,
    },
    ShapeRow {
        name: "hardwarePtz",
        fields: "ptzCOMPort:i ptzDeviceID:i=1 ptzEnabled:b ptzProtocol:{1}",
        open: true,
    },
    ShapeRow {
        name: "hardwarePtzDeviceSettings",
        fields: "ptzCOMPort:i ptzDeviceID:i=1 ptzEnabled:b ptzProtocol:{1}",
        open: false,
    },
    ShapeRow {
        name: "generalSettings",
        fields: "activateTrigger:{InputRising|InputFalling} activationDelayInSec:i audioDeviceId:s \
                 audioOutMode:{Play|Loopback} edgeStorageEnabled:b edgeStorageStreamIndex:i \
                 edgeStreamIndex:{0|1|6|7|8|9} inputFilterType:{VideoFile|WebCam} metadataDirectory:s \
                 metadataInitialDelaySeconds:i outputTriggerTime:i=1 queueCameraAudioPackages:{Enabled|Disabled} \
                 triggerTime:i=1 validTime:i=1 videoFilePath:s webCamId:s webCamPath:s",
        open: true,
    },
    ShapeRow {
        name: "streamSettings",
        fields: "aviFilename:s backgroundColor:{blue|black|green|white|realwhite|yellow} \
                 backgroundPattern:{None|Chessboard} chessboardTileColor:{blue|black|green|white|yellow} \
                 chessboardTileCount:i=8 codec:{jpeg|raw} dynamicImageCount:i edgeStorageSupported*:b FPS:n=8 \
                 invalidFramesFrequency:i jPEGQuality:i=70 mpegFramesPath:s quality:i=70 resolution:s=1280x720 \
                 showText:b=true streamReferenceId*:s textColor:{auto|blue|black|green|white|yellow}",
        open: true,
    },
    ShapeRow {
        name: "ptz",
        fields: "pan*:s=Absolute ptzCenterAndZoomToRectangle*:b ptzCenterOnPositionInView*:b ptzCOMPort:i \
                 ptzDeviceID:i=1 ptzDiagonalSupport*:b=true ptzEnabled:b ptzHomeSupport*:b=true ptzIpix*:b \
                 ptzPresetConfiguration*:s=Absolute ptzProtocol:{1} tilt*:s=Absolute zoom*:s=Absolute",
        open: true,
    },
    ShapeRow {
        name: "ptzSessionTimeouts",
        fields: "manualPTZTimeout:i=15 pausePatrollingTimeout:i=600 reservedPTZTimeout:i=3600",
        open: false,
    },
    ShapeRow {
        name: "stream",
        fields: "defaultPlayback:b=true edgeTrackId*:s liveDefault:b=true liveMode:{WhenNeeded|Always|Never} \
                 name:s=Video_stream_1 recordTo:g streamReferenceId:g useEdge:b=true",
        open: false,
    },
    ShapeRow { name: "patrollingEntry", fields: "order:i presetId:#ptzPresets waitTime:n=10", open: false },
];
