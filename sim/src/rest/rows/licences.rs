//! Licences: what the product says about them.

use crate::rest::table::Row;

/// What the parts share.
const PART: Row = Row { parent: "licenseInformations", item: "", ..Row::PLAIN };

/// Their rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "licenseInformations",
        display: "License information",
        item: "GPUA",
        fields: "activationAutomatic*:b careId*:s careLevel*:s productionEnvironment*:s sku*:s slc*:s \
                 licenseProperties:[o]",
        subs: "licenseDetails=G licenseInstalledProducts=G licenseOverviewAll=G",
        tasks: "ActivateLicense RequestLicense ChangeLicense UpdateLicense StopAutomaticLicenseActivation",
        ..Row::PLAIN
    },
    Row {
        name: "licenseDetails",
        display: "License details",
        fields: "activated*:s changesWithoutActivation*:s firstGraceExpirationDate*:s graceExpired*:s inGrace*:i \
                 licenseType*:s note*:s notLicensed*:s pluginId*:s",
        ..PART
    },
    Row {
        name: "licenseInstalledProducts",
        display: "Installed products",
        fields: "carePlus*:s carePremium*:s expirationDate*:s pluginId*:s productDisplayName*:s slc*:s",
        ..PART
    },
    Row {
        name: "licenseOverviewAll",
        display: "License overview",
        fields: "activated*:s licenseType*:s pluginId*:s",
        ..PART
    },
];
