//! The GUIDs in a whole text, wherever they stand.

use super::guid::Guid;
use super::scan;

/// Where they begin, and which they are. One that begins within another is none.
pub fn guids(text: &[u8]) -> impl Iterator<Item = (usize, Guid)> + '_ {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let at = scan::find(text, from)?;
            from = at + Guid::LEN;
            if let Some(guid) = text.get(at..from).and_then(Guid::parse) {
                return Some((at, guid));
            }
        }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn all_of_them() {
        let id = "0e1b0ad3-f67c-4d5f-b792-4bd6c3cf52f8";
        let text = format!(r#"{{"a":"{id}","b":["cameras/{id}","Camera[{id}]"],"c":"0e1b0ad3-f67c"}}"#);
        let found: Vec<(usize, Guid)> = guids(text.as_bytes()).collect();
        let guid = id.parse().unwrap();
        assert_eq!(found, [(6, guid), (58, guid), (104, guid)]);
    }
}
