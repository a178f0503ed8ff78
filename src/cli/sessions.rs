//! `sessions`: how many, where, and who cannot fail over.

use serde_json::Value;

use super::client::{Client, ClientError};
use super::remote::{Ask, list, text};
use super::table::columns;

/// `gatekeeper sessions`.
pub(super) struct Sessions;

impl Ask for Sessions {
    async fn ask(&self, client: &Client) -> Result<Value, ClientError> {
        client.get("/v1/sessions").await
    }

    fn show(&self, answer: &Value) -> String {
        let counts = list(answer, "sessions");
        if counts.is_empty() {
            return "no sessions\n".to_owned();
        }
        let mut rows = vec![cells(&["SITE", "HOME", "TWIN", "SESSIONS"])];
        for count in counts {
            let (home, number) =
                (count["home"].as_str().unwrap_or("(removed)"), count["sessions"].to_string());
            rows.push(cells(&[text(count, "site"), home, text(count, "twin"), &number]));
        }
        columns(&rows) + &stuck(answer)
    }
}

/// Who has to log in again when the home is lost.
fn stuck(answer: &Value) -> String {
    let users = list(answer, "cannot_fail_over");
    if users.is_empty() {
        return String::new();
    }
    let mut rows = vec![cells(&["CANNOT FAIL OVER", "SITE", "WHY"])];
    rows.extend(users.iter().map(|u| cells(&[text(u, "user"), text(u, "site"), text(u, "text")])));
    let more = if answer["more"] == true { "and more\n" } else { "" };
    format!("\n{}{more}", columns(&rows))
}

fn cells(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|t| (*t).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_screen() {
        let answer = json!({
            "sessions": [
                {"site": "hq", "home": "a", "twin": "ready", "sessions": 12},
                {"site": "hq", "home": null, "twin": "refused", "sessions": 1}],
            "cannot_fail_over": [{"site": "hq", "user": "jo\u{1b}e", "reason": "refused", "text": "other password"}],
            "more": true,
        });
        assert_eq!(
            Sessions.show(&answer),
            "SITE  HOME       TWIN     SESSIONS
hq    a          ready    12
hq    (removed)  refused  1

CANNOT FAIL OVER  SITE  WHY
jo?e              hq    other password
and more
"
        );
        assert_eq!(Sessions.show(&json!({})), "no sessions\n");
        let viewer = json!({"sessions": [{"site": "hq"}], "cannot_fail_over": null});
        assert!(!Sessions.show(&viewer).contains("CANNOT"));
    }
}
