//! `/translations`: the texts behind `translationId` (sheet 3.2). There is only English, whatever is asked for.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Answer, Call, Outcome, field::Field, field::Kind, table::types};

/// `GET /translations?language=`.
pub fn list(call: &Call<'_>) -> Outcome {
    let (skip, take) = call.query.page(&call.settings.switches)?;
    let mut texts = BTreeMap::new();
    for kind in types() {
        texts.insert(format!("TypeName_{}", kind.name()), kind.row.display.to_owned());
        collect(&kind.fields, &mut texts);
    }
    let page = texts.into_iter().skip(skip).take(take);
    let list: Vec<Value> = page.map(|(id, text)| json!({ "id": id, "text": text })).collect();
    Ok(Answer::ok(json!({ "array": list })))
}

fn collect(fields: &[Field], texts: &mut BTreeMap<String, String>) {
    for field in fields {
        texts.insert(field.translation(), words(field.name));
        if let Kind::Embedded(shape) | Kind::EmbeddedList(shape) = &field.kind {
            collect(&shape.fields, texts);
        }
    }
}

/// `Recording framerate` for `recordingFramerate`.
fn words(name: &str) -> String {
    let (mut words, mut after_small) = (String::new(), false);
    for letter in name.chars() {
        if words.is_empty() {
            words.extend(letter.to_uppercase());
        } else if letter.is_uppercase() && after_small {
            words.push(' ');
            words.extend(letter.to_lowercase());
        } else {
            words.push(letter);
        }
        after_small = letter.is_lowercase();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn names_become_words() {
        assert_eq!(words("recordingFramerate"), "Recording framerate");
        assert_eq!((words("FPS"), words("id")), ("FPS".to_owned(), "Id".to_owned()));
    }
}
