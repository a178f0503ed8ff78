//! Whether a text is one that people read, or noise: hexadecimal, base64, random letters, what encryption
//! leaves behind.

/// Whether nobody would have chosen this text. Short ones are never noise: too little to tell by.
pub(super) fn is_noise(text: &str) -> bool {
    let letters = text.chars().filter(|c| !c.is_whitespace());
    let (mut all, mut odd) = (0, 0);
    for c in letters {
        all += 1;
        odd += usize::from(is_odd(c));
    }
    if all < SHORTEST_TEXT {
        return false;
    }
    odd * ODD_SHARE >= all || text.split(|c: char| !is_of_word(c)).any(is_noise_word)
}

/// Control characters, what decoding leaves where there is no text, places without a character.
fn is_odd(c: char) -> bool {
    c.is_control() || matches!(c, '\u{fffd}' | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..)
}

/// Base64 has no other letters. A GUID falls apart at its dashes: it is an id, not noise.
const fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=')
}

/// Words of people have a run of one class of letters after the other; hexadecimal and base64 change with
/// every second letter. Random letters have too few vowels, or too many letters that are rare in any
/// language that is written with them.
fn is_noise_word(word: &str) -> bool {
    let letters = word.as_bytes();
    if letters.len() < SHORTEST_WORD {
        return false;
    }
    let changes = letters.windows(2).filter(|pair| matches!(pair, [a, b] if changes(*a, *b))).count();
    if changes * CHANGE_SHARE >= letters.len() - 1 {
        return true;
    }
    // By chance it may have few letters and change seldom.
    if letters.iter().all(u8::is_ascii_hexdigit)
        && letters.iter().any(u8::is_ascii_digit)
        && letters.iter().any(u8::is_ascii_alphabetic)
    {
        return true;
    }
    let count = |of: &[u8]| letters.iter().filter(|letter| of.contains(&letter.to_ascii_lowercase())).count();
    let only_letters = letters.iter().all(u8::is_ascii_alphabetic);
    only_letters
        && (count(VOWELS) * VOWEL_SHARE <= letters.len() || count(RARE) * RARE_SHARE >= letters.len())
}

/// A capital at the start of a word is no change of class.
fn changes(a: u8, b: u8) -> bool {
    let class = |letter: u8| match letter {
        b'0'..=b'9' => 0,
        b'a'..=b'z' => 1,
        b'A'..=b'Z' => 2,
        _ => 3,
    };
    class(a) != class(b) && !(a.is_ascii_uppercase() && b.is_ascii_lowercase())
}

/// Letters of a text.
const SHORTEST_TEXT: usize = 8;
/// Letters of a word: a MAC address has 12, serial numbers have about as many, a cipher text has at least one
/// block of 16 bytes.
const SHORTEST_WORD: usize = 16;
/// One in so many letters is none: a damaged text has far more.
const ODD_SHARE: usize = 4;
/// One in so many steps from letter to letter changes the class. Random hexadecimal has 0.47, random
/// base64 more than 0.4; `Camera12North` has less than 0.2.
const CHANGE_SHARE: usize = 4;
/// At most one in so many letters is a vowel; in the words of any language about one in three.
const VOWEL_SHARE: usize = 8;
/// At least one in so many is a rare one; in English and German about one in twenty, in random text a quarter.
const RARE_SHARE: usize = 5;
const VOWELS: &[u8] = b"aeiouy";
const RARE: &[u8] = b"jqxzvwk";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write() {
        for text in [
            "",
            "Gate 1",
            "CAM-01-AXIS-P3245-LVE",
            "Parkplatz Süd, Einfahrt Lieferanten",
            "Entrance north-east (2nd floor)",
            "StrengthsOfCamerasNorthBuilding12",
            "Überwachungskamera Angstschweißgasse",
            "10.20.30.40:8080 Axis",
            "Вход со стороны двора",
            "監視カメラ一階入口正面玄関前",
            "0e1b0ad3-f67c-4d5f-b792-4bd6c3cf52f8",
            "Stop recording on motion after 30 seconds",
        ] {
            assert!(!is_noise(text), "{text}");
        }
    }

    #[test]
    fn what_nobody_writes() {
        for text in [
            "9F86D081884C7D65",
            "2A5013799494988105251427950816129984F99DE5747B2E",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=",
            "Gate n4bQgYhMfWWaL+qgxVrQ",
            "xkqzjwvbqpthzkxj",
            "bcdfghlmnprstbcd",
            "\u{fffd}\u{1}\u{fffd}k\u{fffd}\u{2}\u{fffd}\u{fffd}q\u{fffd}\u{fffd}\u{fffd}w",
        ] {
            assert!(is_noise(text), "{text}");
        }
    }
}
