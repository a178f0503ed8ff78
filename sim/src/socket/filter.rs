//! What a subscription selects (protocol sheet 4.2).

use std::collections::HashSet;

use serde_json::Value;

use crate::journal::Event;

/// One entry of `filters`.
#[derive(Clone, Debug)]
pub struct Filter {
    include: bool,
    resource_types: Pattern,
    source_ids: Pattern,
    event_types: Pattern,
}

/// Values in lower case, or everything.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Any,
    Among(HashSet<String>),
}

/// Why `filters` was not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// Not a list of objects.
    #[error("filters must be a list of objects")]
    Shape,
    /// Neither include nor exclude.
    #[error("modifier must be \"include\" or \"exclude\"")]
    Modifier,
    /// Not a list of strings.
    #[error("{0} must be a list of strings")]
    List(&'static str),
}

impl Filter {
    /// Reads the `filters` member. Absent and null mean none: accepted, and selects nothing.
    ///
    /// # Errors
    /// The first entry that cannot be read.
    pub fn parse_all(filters: Option<&Value>) -> Result<Vec<Self>, FilterError> {
        match filters {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(entries)) => entries.iter().map(Self::parse).collect(),
            Some(_) => Err(FilterError::Shape),
        }
    }

    fn parse(entry: &Value) -> Result<Self, FilterError> {
        let Value::Object(members) = entry else { return Err(FilterError::Shape) };
        let include = match members.get("modifier").and_then(Value::as_str) {
            Some(word) if word.eq_ignore_ascii_case("include") => true,
            Some(word) if word.eq_ignore_ascii_case("exclude") => false,
            _ => return Err(FilterError::Modifier),
        };
        let list = |name| Pattern::parse(members.get(name), name);
        Ok(Self {
            include,
            resource_types: list("resourceTypes")?,
            source_ids: list("sourceIds")?,
            event_types: list("eventTypes")?,
        })
    }

    /// How much is kept for it: itself and the values in its lists.
    #[must_use]
    pub fn size(&self) -> usize {
        let lists = [&self.resource_types, &self.source_ids, &self.event_types];
        1 + lists.into_iter().map(Pattern::size).sum::<usize>()
    }

    fn matches(&self, event: &Event) -> bool {
        self.resource_types.matches(event.resource)
            && self.source_ids.matches(&event.object)
            && self.event_types.matches(&event.kind)
    }
}

/// Whether any include matches and no exclude does.
#[must_use]
pub fn selects(filters: &[Filter], event: &Event) -> bool {
    let hit = |include| filters.iter().any(|filter| filter.include == include && filter.matches(event));
    hit(true) && !hit(false)
}

impl Pattern {
    fn parse(list: Option<&Value>, name: &'static str) -> Result<Self, FilterError> {
        let Some(Value::Array(values)) = list else { return Err(FilterError::List(name)) };
        let mut among = HashSet::with_capacity(values.len());
        for value in values {
            match value.as_str() {
                Some("*") => return Ok(Self::Any),
                Some(value) => drop(among.insert(value.to_ascii_lowercase())),
                None => return Err(FilterError::List(name)),
            }
        }
        Ok(Self::Among(among))
    }

    fn size(&self) -> usize {
        match self {
            Self::Any => 0,
            Self::Among(values) => values.len(),
        }
    }

    fn matches(&self, value: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Among(values) => values.contains(&value.to_ascii_lowercase()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(object: &str) -> Event {
        Event {
            n: 1,
            physical: Some(1),
            id: "i".into(),
            resource: "cameras",
            object: object.into(),
            kind: "type-1".into(),
            time: 0,
            state_group: None,
            injected: false,
            data: None,
        }
    }

    fn entry(modifier: &str, resources: &[&str], sources: &[&str], types: &[&str]) -> Value {
        json!({ "modifier": modifier, "resourceTypes": resources, "sourceIds": sources, "eventTypes": types })
    }

    fn selected(filters: &[Value], object: &str) -> bool {
        let filters = Filter::parse_all(Some(&json!(filters))).unwrap();
        selects(&filters, &event(object))
    }

    #[test]
    fn includes_less_excludes_in_any_case() {
        let all = entry("Include", &["Cameras"], &["*"], &["*"]);
        assert!(selected(std::slice::from_ref(&all), "a"));
        assert!(selected(&[entry("include", &["*"], &["A", "b"], &["TYPE-1"])], "a"));
        assert!(!selected(&[entry("include", &["hardware"], &["*"], &["*"])], "a"));
        assert!(!selected(&[entry("include", &["cameras"], &[], &["*"])], "a"));
        let without_a = [all, entry("EXCLUDE", &["*"], &["a"], &["*"])];
        assert!(!selected(&without_a, "A"));
        assert!(selected(&without_a, "b"));
        assert!(!selected(&[], "a"));
    }

    #[test]
    fn bad_filters_are_told() {
        let error = |value: Value| Filter::parse_all(Some(&value)).unwrap_err();
        assert_eq!(error(json!("x")), FilterError::Shape);
        assert_eq!(error(json!([1])), FilterError::Shape);
        assert_eq!(error(json!([{ "modifier": "some" }])), FilterError::Modifier);
        assert_eq!(error(json!([{ "modifier": "include" }])), FilterError::List("resourceTypes"));
        assert_eq!(error(json!([entry("include", &["*"], &["*"], &[]), 3])), FilterError::Shape);
        assert!(Filter::parse_all(Some(&Value::Null)).unwrap().is_empty());
    }
}
