//! The body of a token request, read leniently: samples send values without any encoding (sheet 2.1).

use percent_encoding::percent_decode_str;

/// A form.
pub struct Form {
    pairs: Vec<(String, String)>,
}

impl Form {
    /// Reads whatever is there.
    pub fn parse(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let pairs = text.trim().split('&').filter(|part| !part.is_empty()).map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decoded(name.trim()), decoded(value))
        });
        Self { pairs: pairs.collect() }
    }

    /// Whether a field is there twice.
    pub fn repeats(&self) -> bool {
        let mut seen = std::collections::HashSet::new();
        !self.pairs.iter().all(|(name, _)| seen.insert(name))
    }

    /// The first value of a field that is not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn forms_are_read_leniently() {
        let form = Form::parse(b"\n grant_type=password&username=a%20b&password=p=q%zz+r&x&y=");
        assert_eq!(form.get("grant_type"), Some("password"));
        assert_eq!(form.get("username"), Some("a b"));
        assert_eq!(form.get("password"), Some("p=q%zz r"), "a broken escape stays as it is");
        assert_eq!(form.get("y"), None);
        assert!(!form.repeats() && Form::parse(b"a=1&b=2&a=").repeats());
        assert!(Form::parse(&[0xff, b'=', 0xfe]).get("a").is_none());
    }
}
