//! The honest instance's log of raw requests, compared with what users sent.

use serde_json::Value;

use super::browser::Sent;
use super::evil::MARK;
use super::forge::name;

/// What the gatekeeper itself adds to a request.
const OURS: [&str; 9] = [
    "host",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "forwarded",
    "content-length",
    "x-real-ip",
    "transfer-encoding",
    "x-forwarded-port",
];

/// Everything in `log` that no user sent.
pub fn hear(log: &[Value], sent: &[Sent]) -> Vec<String> {
    log.iter().filter_map(|entry| judge(entry, sent).err().map(|why| format!("at good: {why}"))).collect()
}

fn judge(entry: &Value, sent: &[Sent]) -> Result<(), String> {
    let head = entry["head"].as_str().unwrap_or_default();
    if head.contains(MARK) {
        return Err(format!("the mark of evil in\n{head}"));
    }
    let (line, rest) = head.split_once("\r\n").unwrap_or((head, ""));
    let headers: Vec<(String, &str)> = rest
        .lines()
        .filter_map(|l| l.split_once(':'))
        .map(|(n, v)| (n.to_ascii_lowercase(), v.trim()))
        .collect();
    let value = |name: &str| headers.iter().find(|(n, _)| n == name).map(|(_, v)| *v);
    if value("user-agent").is_some_and(|agent| agent.starts_with("gatekeeper/")) {
        // A question of our own: without credentials, for nobody here has an account.
        return match value("authorization").or(value("cookie")) {
            None => Ok(()),
            Some(secret) => Err(format!("our own question with {secret}: {line}")),
        };
    }
    if line.contains("/connect/token") {
        // Also sent for a twin: then the body is the user's, or holds the twin's own refresh token, which this instance
        // has issued and so accepts.
        let sent = sent.iter().any(|s| s.body == entry["bodySha256"]);
        return match sent || entry["answer"]["status"] == 200 {
            true => Ok(()),
            false => Err(format!("a grant that nobody sent: {entry}")),
        };
    }
    let Some(user) = sent.iter().find(|s| s.line == line) else { return Err(format!("nobody sent {line}")) };
    for (header, given) in &headers {
        if OURS.contains(&header.as_str()) {
            continue;
        }
        if header == "authorization" {
            // The user's own, or of this instance for the same user.
            let who = given.strip_prefix("Bearer ").and_then(name);
            if who.as_deref() != Some(user.who) {
                return Err(format!("{line} came as {who:?}, not as {}", user.who));
            }
            continue;
        }
        let same = |s: &&Sent| {
            s.line == line && s.headers.iter().any(|(n, v)| n.eq_ignore_ascii_case(header) && v == given)
        };
        if !sent.iter().any(|s| same(&s)) {
            return Err(format!("{line} came with {header}: {given}, which nobody sent"));
        }
    }
    Ok(())
}
