//! The smallest encoder that makes real JPEG pictures (ITU-T T.81, baseline): one grey level for the whole picture.

/// Samples on the side of a block.
const BLOCK: usize = 8;
/// Bits of the first block's level.
const LEVEL_BITS: u8 = 7;

/// A grey picture. The level counts from -127 to 127 around the middle grey.
pub fn grey(width: u16, height: u16, level: i8) -> Vec<u8> {
    let mut picture = vec![0xFF, 0xD8];
    // One quantisation table. With 8 for the level, its steps are those of a sample.
    segment(&mut picture, 0xDB, &[&[0, 8][..], &[1; BLOCK * BLOCK - 1]].concat());
    let [high, low] = [height, width].map(u16::to_be_bytes);
    segment(&mut picture, 0xC0, &[8, high[0], high[1], low[0], low[1], 1, 1, 0x11, 0]);
    // Differences of the level: none (code 0), or one of seven bits (code 10). Other frequencies: none at all (code 0).
    segment(&mut picture, 0xC4, &huffman(0x00, [1, 1], &[0, LEVEL_BITS]));
    segment(&mut picture, 0xC4, &huffman(0x10, [1, 0], &[0]));
    segment(&mut picture, 0xDA, &[1, 1, 0, 0, 63, 0]);
    let mut bits = Bits::default();
    let blocks = [width, height].map(|side| usize::from(side).div_ceil(BLOCK)).iter().product();
    for block in 0..blocks {
        // Levels below 64 do not have seven bits; no picture needs to be that close to the middle.
        if block == 0 && level.unsigned_abs() >= 64 {
            bits.put(0b10, 2);
            // A negative number is written as its distance from the lowest one.
            let coded = if level < 0 { level - 1 } else { level };
            bits.put(coded.to_le_bytes()[0] & 0x7F, LEVEL_BITS);
        } else {
            bits.put(0, 1);
        }
        bits.put(0, 1);
    }
    picture.extend(bits.finish());
    picture.extend([0xFF, 0xD9]);
    picture
}

fn segment(picture: &mut Vec<u8>, marker: u8, content: &[u8]) {
    // Contents are short, so the length fits.
    let length = u16::try_from(content.len() + 2).unwrap_or(u16::MAX);
    picture.extend([0xFF, marker]);
    picture.extend(length.to_be_bytes());
    picture.extend(content);
}

/// A table of codes: its place, how many codes of one and of two bits, and what they mean.
fn huffman(place: u8, counts: [u8; 2], values: &[u8]) -> Vec<u8> {
    [&[place], &counts[..], &[0; 14], values].concat()
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    current: u8,
    used: u8,
}

impl Bits {
    fn put(&mut self, value: u8, count: u8) {
        for bit in (0..count).rev() {
            self.current = self.current << 1 | (value >> bit & 1);
            self.used += 1;
            if self.used == 8 {
                self.push();
            }
        }
    }

    fn push(&mut self) {
        self.bytes.push(self.current);
        if self.current == 0xFF {
            self.bytes.push(0);
        }
        (self.current, self.used) = (0, 0);
    }

    /// The last byte is filled with ones.
    fn finish(mut self) -> Vec<u8> {
        while self.used > 0 {
            self.put(1, 1);
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_have_their_size_and_end() {
        for (width, height, level) in [(1, 1, 127), (640, 480, -127), (17, 9, 64), (8, 8, 0)] {
            let picture = grey(width, height, level);
            assert!(picture.starts_with(&[0xFF, 0xD8, 0xFF, 0xDB]) && picture.ends_with(&[0xFF, 0xD9]));
            let size = [&[8][..], &height.to_be_bytes(), &width.to_be_bytes()].concat();
            assert!(picture.windows(5).any(|part| part == size));
        }
        assert!(grey(640, 480, 64).len() < 1500);
    }
}
