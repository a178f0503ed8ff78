//! The canned session: an SDP offer and candidates that a browser accepts. Nobody sends media.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::settings::Settings;
use crate::world::ids::dice;

/// What one session offers; follows from seed, name and session id.
pub struct Offer {
    /// `{"type":"offer","sdp"}`.
    pub description: Value,
    /// `{"candidate","sdpMid","sdpMLineIndex"}` each.
    pub candidates: Vec<Value>,
}

/// The offer of a session.
pub fn of(settings: &Settings, session: &str) -> Offer {
    let kind = format!("webrtc/{}/{session}", settings.name);
    let roll = |index| dice(settings.seed, &kind, index);
    let (ufrag, password) = (format!("{:08x}", roll(0) >> 32), format!("{:016x}{:016x}", roll(1), roll(2)));
    let fingerprint = Sha256::digest(kind.as_bytes());
    let fingerprint: Vec<String> = fingerprint.iter().map(|byte| format!("{byte:02X}")).collect();
    let (ssrc, origin) = (roll(3) >> 32, roll(4) >> 2);
    let lines = [
        "v=0".to_owned(),
        format!("o=- {origin} 1 IN IP4 127.0.0.1"),
        "s=-".to_owned(),
        "t=0 0".to_owned(),
        format!("a=fingerprint:sha-256 {}", fingerprint.join(":")),
        "a=group:BUNDLE 0 1".to_owned(),
        "m=video 9 UDP/TLS/RTP/SAVPF 96".to_owned(),
        "c=IN IP4 0.0.0.0".to_owned(),
        format!("a=ice-ufrag:{ufrag}"),
        format!("a=ice-pwd:{password}"),
        "a=ice-options:trickle".to_owned(),
        "a=setup:actpass".to_owned(),
        "a=mid:0".to_owned(),
        "a=sendonly".to_owned(),
        "a=rtcp-mux".to_owned(),
        "a=rtpmap:96 H264/90000".to_owned(),
        "a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f".to_owned(),
        "a=rtcp-fb:96 nack pli".to_owned(),
        format!("a=ssrc:{ssrc} cname:video"),
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel".to_owned(),
        "c=IN IP4 0.0.0.0".to_owned(),
        format!("a=ice-ufrag:{ufrag}"),
        format!("a=ice-pwd:{password}"),
        "a=ice-options:trickle".to_owned(),
        "a=setup:actpass".to_owned(),
        "a=mid:1".to_owned(),
        "a=sctp-port:5000".to_owned(),
    ];
    let sdp: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    // Loopback only, whatever the client is: nothing there answers.
    let candidate = |index: usize, address: &str| {
        let port = 50_000 + roll(10 + index) % 10_000;
        let priority = 2_130_706_431 - index * 256;
        let text =
            format!("candidate:{} 1 udp {priority} {address} {port} typ host ufrag {ufrag}", index + 1);
        json!({ "candidate": text, "sdpMid": "0", "sdpMLineIndex": 0 })
    };
    Offer {
        description: json!({ "type": "offer", "sdp": sdp }),
        candidates: vec![candidate(0, "127.0.0.1"), candidate(1, "::1")],
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_same_session_offers_the_same() {
        let settings = Settings::default();
        let (a, again) = (of(&settings, "1"), of(&settings, "1"));
        assert_eq!((&a.description, &a.candidates), (&again.description, &again.candidates));
        assert_ne!(a.description, of(&settings, "2").description);
        let other = Settings { name: "B".into(), ..Settings::default() };
        assert_ne!(a.description, of(&other, "1").description);
        let sdp = a.description["sdp"].as_str().unwrap();
        assert!(sdp.starts_with("v=0\r\no=- ") && sdp.ends_with("\r\n"));
        assert!(sdp.lines().all(|line| line.get(1..2) == Some("=")));
        let text = a.candidates[0]["candidate"].as_str().unwrap();
        assert_eq!(text.split(' ').count(), 10);
        assert_eq!(text.split(' ').nth(4), Some("127.0.0.1"));
    }
}
