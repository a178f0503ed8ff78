//! `sessions`: how many logins stand where, and who cannot fail over.

use serde_json::Value;

use super::client::{Client, ClientError};
use super::remote::{Ask, list, text};
use super::table::{columns, printable};

/// `gatekeeper sessions`.
pub(super) struct Sessions;

impl Ask for Sessions {
    async fn ask(&self, client: &Client) -> Result<Value, ClientError> {
        client.get("/v1/sessions").await
    }

    fn show(&self, answer: &Value) -> String {
        let counts = list(answer, "counts");
        if counts.is_empty() {
            return "no sessions\n".to_owned();
        }
        let cells = |texts: [&str; 4]| texts.map(printable).to_vec();
        let mut rows = vec![cells(["SITE", "HOME", "TWIN", "SESSIONS"])];
        rows.extend(counts.iter().map(|c| {
            let home = c["home"].as_str().unwrap_or("(removed)");
            cells([text(c, "site"), home, text(c, "twin"), &c["sessions"].to_string()])
        }));
        let stuck = list(answer, "cannot_fail_over");
        let mut out = columns(&rows);
        match (stuck, answer["users_that_cannot_fail_over"].as_u64()) {
            ([], None | Some(0)) => out.push_str("\nevery user can fail over\n"),
            ([], Some(hidden)) => out.push_str(&format!("\n{hidden} users cannot fail over\n")),
            (stuck, _) => {
                let mut rows = vec![vec!["CANNOT FAIL OVER".to_owned(), "SITE".to_owned(), "WHY".to_owned()]];
                let row = |s: &Value| ["user", "site", "text"].map(|key| printable(text(s, key))).to_vec();
                rows.extend(stuck.iter().map(row));
                out.push_str(&format!("\n{}", columns(&rows)));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_screen() {
        let mut answer = json!({
            "sessions": 3,
            "counts": [
                {"site": "hq", "home": "a", "twin": "ready", "sessions": 2},
                {"site": "hq", "home": null, "twin": "refused", "sessions": 1},
            ],
            "users_that_cannot_fail_over": 1,
            "cannot_fail_over": [{"site": "hq", "user": "an\u{1b}na", "reason": "refused", "text": "no such user"}],
        });
        assert_eq!(
            Sessions.show(&answer),
            "SITE  HOME       TWIN     SESSIONS
hq    a          ready    2
hq    (removed)  refused  1

CANNOT FAIL OVER  SITE  WHY
an?na             hq    no such user
"
        );
        answer["cannot_fail_over"] = Value::Null;
        assert!(Sessions.show(&answer).ends_with("\n1 users cannot fail over\n"), "a viewer");
        answer["users_that_cannot_fail_over"] = json!(0);
        assert!(Sessions.show(&answer).ends_with("\nevery user can fail over\n"));
        assert_eq!(Sessions.show(&json!({})), "no sessions\n");
    }
}
