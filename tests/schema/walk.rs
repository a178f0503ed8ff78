//! The walk: every resource of the sheet, every verb, right and wrong.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::bodies::{like, other_value, wrong_value};
use crate::shape::id_of;
use crate::sheet::{Resource, Sheet};
use crate::walker::{Expect, Walker, Who, rest};

const UNKNOWN: &str = "00000000-1111-2222-3333-444444444444";
/// What is below this is no object of its own: a member is put in and taken out (sheet 3.3).
const DEVICES: [&str; 6] = ["cameras", "microphones", "speakers", "metadata", "inputEvents", "outputs"];
/// A request that is not there: the sheet shows 400 "Unknown request" and 404 "Unknown resource".
const NOT_THERE: Expect<'_> = Expect::Refused(&[400, 404]);
/// Single children that the sheet lists below nothing: they have the id of their parent (sheet 3.1).
const BY_PARENT: [(&str, &str); 2] =
    [("storageInformation", "storages"), ("archiveStorageInformation", "archiveStorages")];
/// Tasks that need no right to write configuration: they read, or operate a device.
const FOR_EVERYBODY: [&str; 27] = [
    "Activate",
    "AuxOff",
    "AuxOn",
    "ClientLogOnSupported",
    "Deactivate",
    "ExtendPTZ",
    "GetAudioMessageContent",
    "GetClientTimeProfile",
    "GetInternalUnitPath",
    "GetPTZSessionInfo",
    "GetPtzAbsolutePosition",
    "GetSequences",
    "GetState",
    "JpegGetLive",
    "MatrixCommand",
    "MethodIdGetCustomFieldsForRegistrationNumber",
    "MethodIdGetRegistrationNumbersInfo",
    "PTZStartPatrolling",
    "PTZStopPatrolling",
    "ReadArchiveStorageInformation",
    "ReleasePTZ",
    "ReservePTZ",
    "SendDriverCommand",
    "SetPtzAbsolutePosition",
    "StartRecording",
    "StopRecording",
    "Trigger",
];
/// Lists of a fixed length: read-only themselves, but their members can be set (the sample error of sheet 3.4 is of one).
const FIXED_LISTS: [&str; 2] = ["generalSettings", "stream"];
/// Resources that have sections of their own.
const APART: [&str; 3] = ["effectivePermissions", "tasks", "translations"];

/// Objects of the instance, by type.
#[derive(Default)]
struct Found {
    objects: BTreeMap<&'static str, Vec<Value>>,
    /// By type and sub-collection: the id of an item that has something there.
    parents: BTreeMap<(&'static str, &'static str), String>,
}

/// Walks everything.
pub async fn everything(walker: &mut Walker<'_>, sheet: &'static Sheet) {
    let found = look_around(walker, sheet).await;
    for resource in sheet.resources.iter().filter(|resource| !APART.contains(&resource.name)) {
        collection(walker, resource, &found).await;
        item(walker, resource, &found).await;
        below(walker, resource, &found).await;
    }
    permissions(walker, &found).await;
    translations(walker).await;
    for resource in sheet.resources.iter().filter(|resource| !APART.contains(&resource.name)) {
        life(walker, resource, &found).await;
    }
    // Last, because they move and empty things.
    for resource in sheet.resources.iter().filter(|resource| !APART.contains(&resource.name)) {
        tasks(walker, resource, &found).await;
    }
}

/// Finds objects of every type, through collections and below other objects.
async fn look_around(walker: &mut Walker<'_>, sheet: &'static Sheet) -> Found {
    let mut found = Found::default();
    for resource in sheet.resources.iter().filter(|resource| resource.collection.contains('G')) {
        if APART.contains(&resource.name) {
            continue;
        }
        let path = format!("{}{}", resource.name, if resource.disabled { "?disabled" } else { "" });
        let body = walker.row(Who::Admin, rest("GET", &path), Expect::Collection(resource.name)).await;
        let list = body["array"].as_array().cloned().unwrap_or_default();
        found.objects.entry(resource.name).or_default().extend(list);
    }
    // Two rounds: monitors hang below video walls, their presets below them.
    for _ in 0..2 {
        for resource in &sheet.resources {
            let parents: Vec<String> =
                found.objects.get(resource.name).into_iter().flatten().filter_map(id_of).collect();
            for sub in resource.subs.iter().filter(|sub| sub.name != "tasks") {
                for parent in parents.iter().rev().take(60) {
                    if found.parents.contains_key(&(resource.name, sub.name)) {
                        break;
                    }
                    let path = format!("{}/{parent}/{}", resource.name, sub.name);
                    let reply = walker.ask(Who::Admin, rest("GET", &path)).await;
                    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
                    let list = body["array"].as_array().cloned().unwrap_or_default();
                    if !list.is_empty() {
                        found.parents.insert((resource.name, sub.name), parent.clone());
                        let known = found.objects.entry(sub.name).or_default();
                        if known.is_empty() {
                            known.extend(list);
                        }
                    }
                }
            }
        }
    }
    for (name, parent) in BY_PARENT {
        let Some(id) = found.id(parent) else { continue };
        let body = walker.row(Who::Admin, rest("GET", &format!("{name}/{id}")), Expect::Item(name)).await;
        found.objects.entry(name).or_default().push(body["data"].clone());
    }
    found
}

impl Found {
    /// An object to work with: a PTZ camera before others, and nothing that is built in.
    fn sample(&self, name: &str) -> Option<&Value> {
        let objects = self.objects.get(name)?;
        let weight = |object: &&Value| {
            (object["builtIn"] != true, object["ptzEnabled"] == true, object["enabled"] == true)
        };
        objects.iter().max_by_key(weight)
    }

    fn id(&self, name: &str) -> Option<String> {
        self.sample(name).and_then(id_of)
    }
}

async fn collection(walker: &mut Walker<'_>, resource: &Resource, found: &Found) {
    let name = resource.name;
    let get = resource.collection.contains('G');
    for (who, expect) in [
        (Who::Admin, if get { Expect::Collection(name) } else { NOT_THERE }),
        (Who::Operator, if get { Expect::Collection(name) } else { NOT_THERE }),
        (Who::Nobody, Expect::Refused(&[401])),
    ] {
        walker.row(who, rest("GET", name), expect).await;
    }
    if get {
        walker.row(Who::Admin, rest("GET", &name.to_uppercase()), Expect::Collection(name)).await;
        let one = walker
            .row(Who::Admin, rest("GET", &format!("{name}?page=0&size=1")), Expect::Collection(name))
            .await;
        if one["array"].as_array().is_some_and(|array| array.len() > 1) {
            walker.complain(format!("{name}: a page of one has more"));
        }
        let seen = walker.row(Who::Guard, rest("GET", name), Expect::Collection(name)).await;
        let ids = |list: &Value| list.as_array().into_iter().flatten().filter_map(id_of).collect::<Vec<_>>();
        let (seen, all) = (ids(&seen["array"]), found.objects.get(name));
        if let Some(hidden) = all.into_iter().flatten().filter_map(id_of).find(|id| !seen.contains(id))
            && resource.item.contains('G')
            && !resource.disabled
        {
            walker.row(Who::Guard, rest("GET", &format!("{name}/{hidden}")), Expect::Refused(&[404])).await;
        }
    }
    if resource.collection.contains('P') {
        walker.row(Who::Nobody, rest("POST", name).json(&json!({})), Expect::Refused(&[401])).await;
        walker
            .row(Who::Operator, rest("POST", name).json(&json!({ "name": "x" })), Expect::Refused(&[403]))
            .await;
        walker.row(Who::Admin, rest("POST", name).body("{"), Expect::Refused(&[400])).await;
        walker.row(Who::Admin, rest("POST", name).json(&json!([])), Expect::Refused(&[400])).await;
        if let Some(wrong) = wrong_value(walker.sheet, name) {
            walker.row(Who::Admin, rest("POST", name).json(&wrong), Expect::Refused(&[400])).await;
        }
        walker
            .row(Who::Admin, rest("POST", &format!("{name}?task=NoSuchTask")), Expect::Refused(&[400]))
            .await;
    } else if resource.collection_tasks.is_empty() {
        walker.row(Who::Admin, rest("POST", name).json(&json!({ "name": "x" })), NOT_THERE).await;
    }
    for method in ["PUT", "PATCH", "DELETE"] {
        walker.row(Who::Admin, rest(method, name).json(&json!({})), NOT_THERE).await;
    }
}

async fn item(walker: &mut Walker<'_>, resource: &Resource, found: &Found) {
    let name = resource.name;
    let Some(id) = found.id(name) else {
        return walker.complain(format!("{name}: the instance has none"));
    };
    let path = format!("{name}/{id}");
    let nobody = format!("{name}/{UNKNOWN}");
    if resource.item.contains('G') {
        walker.row(Who::Admin, rest("GET", &path), Expect::Item(name)).await;
        walker.row(Who::Admin, rest("GET", &path.to_uppercase()), Expect::Item(name)).await;
        walker.row(Who::Admin, rest("GET", &nobody), Expect::Refused(&[404])).await;
        walker.row(Who::Nobody, rest("GET", &path), Expect::Refused(&[401])).await;
        definitions(walker, resource, &path).await;
    } else {
        walker.row(Who::Admin, rest("GET", &path), NOT_THERE).await;
    }
    for (method, verb) in [("PUT", 'U'), ("PATCH", 'A')] {
        if !resource.item.contains(verb) {
            walker.row(Who::Admin, rest(method, &path).json(&json!({})), NOT_THERE).await;
            continue;
        }
        walker.row(Who::Nobody, rest(method, &path).json(&json!({})), Expect::Refused(&[401])).await;
        walker.row(Who::Operator, rest(method, &path).json(&json!({})), Expect::Refused(&[403])).await;
        walker.row(Who::Admin, rest(method, &nobody).json(&json!({})), Expect::Refused(&[404])).await;
        walker.row(Who::Admin, rest(method, &path).body("not json"), Expect::Refused(&[400])).await;
        if let Some(wrong) = wrong_value(walker.sheet, name) {
            walker.row(Who::Admin, rest(method, &path).json(&wrong), Expect::Refused(&[400])).await;
        }
    }
    if resource.item.contains('D') {
        walker.row(Who::Nobody, rest("DELETE", &path), Expect::Refused(&[401])).await;
        walker.row(Who::Operator, rest("DELETE", &path), Expect::Refused(&[403])).await;
        walker.row(Who::Admin, rest("DELETE", &nobody), Expect::Refused(&[404])).await;
    } else {
        walker.row(Who::Admin, rest("DELETE", &path), NOT_THERE).await;
    }
    if resource.item.contains('P') {
        walker.row(Who::Admin, rest("POST", &format!("{nobody}?task=x")), Expect::Refused(&[404])).await;
    }
    walker.row(Who::Admin, rest("POST", &format!("{path}?task=NoSuchTask")), NOT_THERE).await;
}

/// `?definitions`, `?tasks`, `?resources` and `?noData` (sheet 3.2).
async fn definitions(walker: &mut Walker<'_>, resource: &Resource, path: &str) {
    let asked = format!("{path}?definitions&tasks&resources");
    let body = walker.row(Who::Admin, rest("GET", &asked), Expect::Item(resource.name)).await;
    let listed = |key: &str, member: &str, name: &str| {
        let rows = body[key].as_array().into_iter().flatten();
        rows.filter(|row| row[member].as_str().is_some_and(|text| text.eq_ignore_ascii_case(name))).count()
            == 1
    };
    let mut missing: Vec<String> = Vec::new();
    missing.extend(
        resource.tasks.iter().filter(|task| !listed("tasks", "id", task)).map(|t| format!("task {t}")),
    );
    let subs = resource.subs.iter().map(|sub| sub.name).filter(|name| *name != "tasks");
    missing.extend(
        subs.filter(|name| !listed("resources", "type", name)).map(|name| format!("resource {name}")),
    );
    for field in walker.sheet.fields(resource.name).unwrap_or_default() {
        let definition = &body["definitions"][field.name];
        let can = if field.read_only { "false" } else { "true" };
        // Where nothing can be written, the mark of a field says nothing.
        let told = resource.item.contains(['U', 'A']) && !FIXED_LISTS.contains(&field.name);
        // Ids are in no definition.
        if told && field.name != "id" && definition["canSet"] != can {
            missing
                .push(format!("definition of {}: canSet {} is not {can}", field.name, definition["canSet"]));
        }
    }
    if !missing.is_empty() {
        walker.complain(format!("{asked}: {}", missing.join(", ")));
    }
    let bare = walker.ask(Who::Admin, rest("GET", &format!("{path}?tasks&noData"))).await.json();
    if bare.get("data").is_some() || bare.get("tasks").is_none() {
        walker.complain(format!("{path}?tasks&noData: {bare}"));
    }
}

/// Sub-collections and what is in them.
async fn below(walker: &mut Walker<'_>, resource: &Resource, found: &Found) {
    for sub in resource.subs.iter().filter(|sub| sub.name != "tasks") {
        // Where none has any, the list is there and empty.
        let parent = found.parents.get(&(resource.name, sub.name)).cloned();
        let Some(parent) = parent.or_else(|| found.id(resource.name)) else { continue };
        let path = format!("{}/{parent}/{}", resource.name, sub.name);
        let list = walker.row(Who::Admin, rest("GET", &path), Expect::Collection(sub.name)).await;
        let nobody = format!("{}/{UNKNOWN}/{}", resource.name, sub.name);
        walker.row(Who::Admin, rest("GET", &nobody), Expect::Refused(&[404])).await;
        let Some(id) = list["array"].as_array().and_then(|array| array.iter().find_map(id_of)) else {
            continue;
        };
        let item = format!("{path}/{id}");
        let expect = if sub.item.contains('G') { Expect::Item(sub.name) } else { NOT_THERE };
        walker.row(Who::Admin, rest("GET", &item), expect).await;
        walker.row(Who::Admin, rest("GET", &format!("{path}/{UNKNOWN}")), NOT_THERE).await;
        if !sub.item.contains('D') {
            walker.row(Who::Admin, rest("DELETE", &item), NOT_THERE).await;
        } else {
            walker.row(Who::Operator, rest("DELETE", &item), Expect::Refused(&[403])).await;
        }
        if !sub.collection.contains('P') {
            walker.row(Who::Admin, rest("POST", &path).json(&json!({ "name": "x" })), NOT_THERE).await;
        } else if sub.tasks.is_empty() {
            walker.row(Who::Operator, rest("POST", &path).json(&json!({})), Expect::Refused(&[403])).await;
            walker.row(Who::Admin, rest("POST", &path).body("}"), Expect::Refused(&[400])).await;
        }
    }
    walker
        .row(Who::Admin, rest("GET", &format!("{}/{UNKNOWN}/noSuchThings", resource.name)), NOT_THERE)
        .await;
}

/// Creates, reads, changes and removes.
async fn life(walker: &mut Walker<'_>, resource: &Resource, found: &Found) {
    let name = resource.name;
    if let Some(id) = found.id(name) {
        // What cannot be made anew is changed as it is: everything back, then one field.
        if !resource.collection.contains('P') {
            change(walker, resource, &id).await;
        }
    }
    if resource.collection.contains('P') {
        let body = like(found.sample(name), name, walker.rows);
        made(walker, resource, name, &body).await;
    }
    for sub in resource.subs.iter().filter(|sub| sub.collection.contains('P') && sub.name != "tasks") {
        if !sub.tasks.is_empty() && sub.name == "users" {
            continue;
        }
        let parent = found.parents.get(&(resource.name, sub.name)).cloned();
        let Some(parent) = parent.or_else(|| found.id(name)) else { continue };
        let path = format!("{name}/{parent}/{}", sub.name);
        if DEVICES.contains(&sub.name) {
            member(walker, resource, &path, sub.name, found).await;
            continue;
        }
        let body = like(found.sample(sub.name), sub.name, walker.rows);
        let created =
            walker.row(Who::Admin, rest("POST", &path).json(&body), Expect::Created(sub.name)).await;
        let Some(id) = id_of(&created["result"]["path"]) else { continue };
        if let Some(own) = walker.sheet.resource(sub.name) {
            change(walker, own, &id).await;
        }
        if sub.item.contains('D') {
            let item = format!("{path}/{id}");
            walker.row(Who::Admin, rest("DELETE", &item), Expect::Success).await;
            walker.row(Who::Admin, rest("DELETE", &item), Expect::Refused(&[404])).await;
        }
    }
}

async fn made(walker: &mut Walker<'_>, resource: &Resource, path: &str, body: &Value) {
    let created = walker.row(Who::Admin, rest("POST", path).json(body), Expect::Created(resource.name)).await;
    let Some(id) = id_of(&created["result"]["path"]) else { return };
    let item = format!("{}/{id}", resource.name);
    if resource.item.contains('G') {
        walker.row(Who::Admin, rest("GET", &item), Expect::Item(resource.name)).await;
    }
    change(walker, resource, &id).await;
    if resource.item.contains('D') {
        walker.row(Who::Admin, rest("DELETE", &item), Expect::Success).await;
        walker.row(Who::Admin, rest("GET", &item), Expect::Refused(&[404])).await;
        walker.row(Who::Admin, rest("DELETE", &item), Expect::Refused(&[404])).await;
    }
}

/// PUT of all that GET gave, and PATCH of one field to another value.
async fn change(walker: &mut Walker<'_>, resource: &Resource, id: &str) {
    let path = format!("{}/{id}", resource.name);
    if !resource.item.contains('G') {
        return;
    }
    let whole = walker.ask(Who::Admin, rest("GET", &path)).await.json();
    let data = &whole["data"];
    if resource.item.contains('U') {
        let put = walker.row(Who::Admin, rest("PUT", &path).json(data), Expect::Item(resource.name)).await;
        compare(walker, &path, data, &put["data"], "");
    }
    if !resource.item.contains('A') {
        return;
    }
    let fields = walker.sheet.fields(resource.name).unwrap_or_default();
    let next = fields.iter().filter(|field| !field.read_only).find_map(|field| {
        let old = data.get(field.name)?;
        Some((field.name, other_value(&field.kind, old)?))
    });
    let (field, value) = next.unwrap_or(("unknownMember", Value::from("kept or ignored")));
    let patch = json!({ field: value });
    let answer = walker.row(Who::Admin, rest("PATCH", &path).json(&patch), Expect::Item(resource.name)).await;
    if field != "unknownMember" && answer["data"][field] != value {
        walker.complain(format!("PATCH {path} {patch}: {}", answer["data"][field]));
    }
    compare(walker, &path, data, &answer["data"], field);
}

/// Nothing but `except` and what the server counts by itself may have changed.
fn compare(walker: &mut Walker<'_>, path: &str, before: &Value, after: &Value, except: &str) {
    let own = [except, "lastModified", "displayName", "dataVersion", "modifiedUser", "LastModified"];
    let differs =
        before.as_object().into_iter().flatten().find(|(member, value)| {
            !own.contains(&member.as_str()) && after.get(member.as_str()) != Some(value)
        });
    if let Some((member, value)) = differs {
        walker.complain(format!("{path}: {member} changed by itself from {value} to {}", after[member]));
    }
}

async fn member(walker: &mut Walker<'_>, resource: &Resource, path: &str, kind: &str, found: &Found) {
    // A new group of its own: the seeded ones have their members already, and one is built in.
    let name = resource.name;
    let group = walker
        .row(
            Who::Admin,
            rest("POST", name).json(&json!({ "name": format!("walk of {kind}") })),
            Expect::Created(name),
        )
        .await;
    let (Some(group), Some(device)) = (id_of(&group["result"]["path"]), found.id(kind)) else {
        return walker.complain(format!("{path}: no group or no device"));
    };
    let members = format!("{name}/{group}/{kind}");
    let body = json!({ "type": kind, "id": device });
    let wrong = json!({ "type": "sites", "id": device });
    let unknown = json!({ "type": kind, "id": UNKNOWN });
    walker.row(Who::Admin, rest("POST", &members).json(&wrong), Expect::Refused(&[400])).await;
    walker.row(Who::Admin, rest("POST", &members).json(&unknown), Expect::Refused(&[400, 404])).await;
    walker.row(Who::Admin, rest("POST", &members).json(&body), Expect::Success).await;
    walker.row(Who::Admin, rest("GET", &members), Expect::Collection(kind)).await;
    walker.row(Who::Admin, rest("DELETE", &format!("{name}/{group}")), Expect::Refused(&[400])).await;
    walker.row(Who::Admin, rest("DELETE", &format!("{members}/{device}")), Expect::Success).await;
    walker.row(Who::Admin, rest("POST", &members).json(&body), Expect::Success).await;
    walker.row(Who::Admin, rest("DELETE", &format!("{name}/{group}?removeMembers")), Expect::Success).await;
}

async fn tasks(walker: &mut Walker<'_>, resource: &Resource, found: &Found) {
    let name = resource.name;
    let mut queued = Vec::new();
    for task in &resource.collection_tasks {
        let body = walker
            .row(Who::Admin, rest("POST", &format!("{name}?task={task}")).json(&json!({})), Expect::Task)
            .await;
        queued.push(body);
    }
    if let Some(id) = found.id(name) {
        for task in &resource.tasks {
            let path = format!("{name}/{id}?task={task}");
            walker.row(Who::Nobody, rest("POST", &path).json(&json!({})), Expect::Refused(&[401])).await;
            let expect = if FOR_EVERYBODY.contains(task) { Expect::Task } else { Expect::Refused(&[403]) };
            walker.row(Who::Operator, rest("POST", &path).json(&json!({})), expect).await;
            queued.push(walker.row(Who::Admin, rest("POST", &path).json(&json!({})), Expect::Task).await);
        }
    }
    for sub in resource.subs.iter().filter(|sub| sub.name != "tasks") {
        let Some(parent) = found.parents.get(&(resource.name, sub.name)) else {
            continue;
        };
        for task in &sub.tasks {
            let path = format!("{name}/{parent}/{}?task={task}", sub.name);
            queued.push(walker.row(Who::Admin, rest("POST", &path).json(&json!({})), Expect::Task).await);
        }
    }
    for body in queued.iter().filter(|body| body["result"]["path"]["type"] == "tasks") {
        let Some(number) = id_of(&body["result"]["path"]) else { continue };
        let path = format!("tasks/{number}");
        let shown = walker.row(Who::Admin, rest("GET", &path), Expect::Item("tasks")).await;
        let data = &shown["data"];
        let good = data["progress"].as_u64().is_some_and(|progress| progress <= 100)
            && data["state"].is_string()
            && data["errorCode"].is_number()
            && data["errorText"].is_string();
        if !good {
            walker.complain(format!("{path}: {data}"));
        }
        walker.row(Who::Operator, rest("GET", &path), Expect::Refused(&[404])).await;
        let clean = walker.ask(Who::Admin, rest("POST", &format!("{path}?task=TaskCleanup"))).await.json();
        if clean["result"]["state"] != "Success" {
            walker.complain(format!("{path}: TaskCleanup: {clean}"));
        }
        walker.row(Who::Admin, rest("GET", &path), Expect::Refused(&[404])).await;
    }
}

async fn permissions(walker: &mut Walker<'_>, found: &Found) {
    for namespace in found.objects.get("securityNamespaces").into_iter().flatten().filter_map(id_of) {
        let path = format!("effectivePermissions/{namespace}");
        let body = walker.ask(Who::Operator, rest("GET", &path)).await.json();
        let data = body["data"].as_object().cloned().unwrap_or_default();
        let complaints = crate::shape::embedded(walker.sheet, "effectivePermissions", &data);
        if !complaints.is_empty() {
            walker.complain(format!("{path}: {}", complaints.join(", ")));
        }
    }
    let unknown = format!("effectivePermissions/{UNKNOWN}");
    walker.row(Who::Operator, rest("GET", &unknown), Expect::Refused(&[404])).await;
    walker.row(Who::Nobody, rest("GET", &unknown), Expect::Refused(&[401])).await;
    walker.row(Who::Admin, rest("DELETE", &unknown), NOT_THERE).await;
}

async fn translations(walker: &mut Walker<'_>) {
    let body = walker.ask(Who::Operator, rest("GET", "translations?language=en-US")).await;
    if body.status != 200 || body.text().len() < 100 {
        walker.complain(format!("translations: {} {}", body.status, body.text()));
    }
    walker.row(Who::Nobody, rest("GET", "translations"), Expect::Refused(&[401])).await;
}
