//! The calls that read the configuration. What is written is in [`crate::soap::configuration`].

use std::collections::HashSet;

use crate::soap::{
    Call, Fault,
    configuration::{Reader, groups, recorders, site},
    xml::Xml,
};

/// `GetConfiguration`.
pub fn everything(call: &Call<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let world = call.desk.world();
    let reader = Reader::new(&world, call);
    site::identity(&reader, xml);
    recorders::all(&reader, xml);
    groups::devices(&reader, xml);
    groups::events(&reader, xml);
    site::rest(&reader, xml);
    Ok(())
}

/// `GetConfigurationRecorders`: those of the list that there are.
pub fn recorders(call: &Call<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let wanted: HashSet<String> = call.guids("recorderIds")?.into_iter().collect();
    let world = call.desk.world();
    let reader = Reader::new(&world, call);
    for recorder in reader.all("recordingServers").filter(|recorder| wanted.contains(&recorder.id)) {
        xml.open("RecorderInfo", |xml| recorders::whole(&reader, recorder, xml));
    }
    Ok(())
}

/// `GetConfigurationHardware`: those of the list that there are.
pub fn hardware(call: &Call<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let wanted: HashSet<String> = call.guids("hardwareIds")?.into_iter().collect();
    let world = call.desk.world();
    let reader = Reader::new(&world, call);
    for hardware in reader.all("hardware").filter(|hardware| wanted.contains(&hardware.id)) {
        recorders::hardware(&reader, hardware, xml);
    }
    Ok(())
}

/// `QueryRecorderInfo`: one recorder, without what hangs on it.
pub fn recorder(call: &Call<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let wanted = call.guid("recorderId")?.to_string();
    let world = call.desk.world();
    let reader = Reader::new(&world, call);
    let recorder = reader.all("recordingServers").find(|recorder| recorder.id == wanted);
    recorders::bare(recorder.ok_or(Fault::Denied)?, xml);
    Ok(())
}

/// `GetDevicesDisabled`.
pub fn disabled(call: &Call<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let world = call.desk.world();
    recorders::disabled(&Reader::new(&world, call), xml);
    Ok(())
}
