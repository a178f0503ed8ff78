//! `sync drift`, `sync conflicts`, `sync disputes`.

use std::fmt::Write as _;

use serde_json::Value;

use super::of_type;
use super::show::value;
use crate::cli::client::{Client, ClientError};
use crate::cli::remote::{Ask, list, text};
use crate::cli::table::{columns, printable};

pub(super) struct Drift {
    pub(super) kind: Option<String>,
}

impl Ask for Drift {
    async fn ask(&self, client: &Client) -> Result<Value, ClientError> {
        client.get(&of_type("/v1/sync/drift", self.kind.as_ref())).await
    }

    fn show(&self, answer: &Value) -> String {
        if list(answer, "spread").is_empty() {
            return "nothing was changed on a target alone\n".to_owned();
        }
        let mut rows = vec![row(&["TYPE", "INSTANCE", "OBJECTS", "LAST HOUR", "LAST DAY", "LAST WEEK"])];
        rows.extend(list(answer, "spread").iter().map(|s| {
            let number = |key: &str| s[key].to_string();
            let [objects, hour, day, week] = ["objects", "last_hour", "last_day", "last_week"].map(number);
            vec![text(s, "type").to_owned(), text(s, "instance").to_owned(), objects, hour, day, week]
        }));
        let mut out = columns(&rows);
        if !list(answer, "drift").is_empty() {
            let mut rows = vec![row(&["TYPE", "NAME", "OBJECT", "WHAT", "FIELDS", "SINCE"])];
            rows.extend(list(answer, "drift").iter().map(|d| {
                let fields: Vec<&str> = list(d, "fields").iter().filter_map(Value::as_str).collect();
                let object = format!("{}={}", text(d, "instance"), text(d, "id"));
                let cell = |key: &str| text(d, key).to_owned();
                vec![cell("type"), cell("name"), object, cell("what"), fields.join(","), cell("since")]
            }));
            let _ = write!(out, "\n{}", columns(&rows));
        }
        out
    }
}

pub(super) struct Conflicts {
    pub(super) kind: Option<String>,
}

impl Ask for Conflicts {
    async fn ask(&self, client: &Client) -> Result<Value, ClientError> {
        client.get(&of_type("/v1/sync/conflicts", self.kind.as_ref())).await
    }

    fn show(&self, answer: &Value) -> String {
        let mut out = String::new();
        for conflict in list(answer, "conflicts") {
            let objects: Vec<(&String, &Value)> =
                conflict["objects"].as_object().into_iter().flatten().collect();
            let ids: Vec<String> =
                objects.iter().map(|(i, id)| format!("{i}={}", id.as_str().unwrap_or_default())).collect();
            let title = format!("{} {:?}  {}", text(conflict, "type"), text(conflict, "name"), ids.join(" "));
            let _ = writeln!(out, "{}", printable(&title));
            if let Some(side) = conflict["deleted_on"].as_str() {
                let words = format!("  deleted on {side}, and changed on the other side: it stays");
                let _ = writeln!(out, "{}", printable(&words));
            }
            let mut head = row(&["  FIELD", "AGREED"]);
            head.extend(objects.iter().map(|(instance, _)| instance.to_uppercase()));
            let mut rows = vec![head];
            rows.extend(list(conflict, "fields").iter().map(|f| {
                let mut cells = vec![format!("  {}", text(f, "field")), value(&f["base"])];
                cells.extend(objects.iter().map(|(instance, _)| value(&f[instance.as_str()])));
                cells
            }));
            if rows.len() > 1 {
                out.push_str(&columns(&rows));
            }
        }
        if out.is_empty() { "no conflicts\n".to_owned() } else { out }
    }
}

pub(super) struct Disputes {
    pub(super) kind: Option<String>,
}

impl Ask for Disputes {
    async fn ask(&self, client: &Client) -> Result<Value, ClientError> {
        client.get(&of_type("/v1/sync/disputes", self.kind.as_ref())).await
    }

    fn show(&self, answer: &Value) -> String {
        let mut rows = vec![row(&["TYPE", "NAME", "OBJECT", "WHY"])];
        let mut more = 0;
        for pair in list(answer, "pairs") {
            more += pair["more"].as_u64().unwrap_or(0);
            rows.extend(list(pair, "disputed").iter().map(|d| {
                let object = format!("{}={}", text(d, "instance"), text(d, "id"));
                vec![
                    text(d, "type").to_owned(),
                    text(d, "name").to_owned(),
                    object,
                    text(d, "why").to_owned(),
                ]
            }));
        }
        if rows.len() == 1 {
            return "no disputes\n".to_owned();
        }
        let mut out = columns(&rows);
        if more > 0 {
            let _ = writeln!(out, "and {more} more");
        }
        out
    }
}

fn row(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|t| (*t).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn drift_shows_its_spread_first() {
        let answer = json!({
            "spread": [{"type": "roles", "instance": "b", "objects": 3, "last_hour": 1, "last_day": 2, "last_week": 3}],
            "drift": [{"type": "roles", "name": "Guards", "instance": "b", "id": "1f", "what": "changed", "fields": ["name"], "since": "T"}],
        });
        let wanted = "TYPE   INSTANCE  OBJECTS  LAST HOUR  LAST DAY  LAST WEEK
roles  b         3        1          2         3

TYPE   NAME    OBJECT  WHAT     FIELDS  SINCE
roles  Guards  b=1f    changed  name    T
";
        assert_eq!(Drift { kind: None }.show(&answer), wanted);
        assert!(Drift { kind: None }.show(&json!({"spread": []})).starts_with("nothing"));
    }

    #[test]
    fn conflicts_show_all_three_values() {
        let answer = json!({"conflicts": [{"type": "cameras", "name": "Gate", "objects": {"a": "1", "b": "2"}, "deleted_on": null,
            "fields": [{"field": "name", "base": "x", "a": "y", "b": "z"}]},
            {"type": "roles", "name": "R", "objects": {"a": "1", "b": "2"}, "deleted_on": "a", "fields": []}]});
        let wanted = "cameras \"Gate\"  a=1 b=2
  FIELD  AGREED  A    B
  name   \"x\"     \"y\"  \"z\"
roles \"R\"  a=1 b=2
  deleted on a, and changed on the other side: it stays
";
        assert_eq!(Conflicts { kind: None }.show(&answer), wanted);
    }

    #[test]
    fn disputes_say_why() {
        let answer = json!({"pairs": [{"instances": ["a", "b"], "more": 2,
            "disputed": [{"type": "roles", "name": "Guards", "instance": "b", "id": "1f", "why": "only a person may link it"}]}]});
        let wanted =
            "TYPE   NAME    OBJECT  WHY\nroles  Guards  b=1f    only a person may link it\nand 2 more\n";
        assert_eq!(Disputes { kind: None }.show(&answer), wanted);
        assert_eq!(Disputes { kind: None }.show(&json!({})), "no disputes\n");
    }
}
