use super::support::Sim;

fn sim() -> Sim {
    Sim::start(&["--cameras", "3", "--event-rate", "0"])
}

#[test]
fn heads_are_kept_to_the_byte() {
    let sim = sim();
    let first = "POST /API/rest/v1/Sites?a=%27b%27 HTTP/1.1\r\nhOsT:  a\r\nX-Odd: \u{e9}\r\nTransfer-Encoding: chunked\r\n\r\n";
    let second = "GET /second HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n";
    let mut client = sim.client();
    client.send(&format!("{first}5;x=1\r\nhello\r\n0\r\n\r\n{second}"));
    client.receive().unwrap();
    client.receive().unwrap();
    let requests = sim.wait_requests(2);
    // Bytes are shown as characters of the same number: UTF-8 of é is C3 A9.
    assert_eq!(requests[0]["head"], first.replace('\u{e9}', "\u{c3}\u{a9}"));
    assert_eq!(requests[0]["method"], "POST");
    assert_eq!(requests[0]["path"], "/API/rest/v1/Sites?a=%27b%27");
    assert_eq!(requests[0]["bodyLength"], 5);
    let hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    assert_eq!(requests[0]["bodySha256"], hello);
    assert_eq!(requests[1]["head"], second);
    assert_eq!(requests[1]["raw"], true);
    assert_eq!(requests[0]["connection"], requests[1]["connection"]);
    assert_eq!((&requests[0]["request"], &requests[1]["request"]), (&1.into(), &2.into()));
    let later = sim.get("/requests?since=1");
    assert_eq!(later.as_array().unwrap().len(), 1);
    assert_eq!(later[0]["n"], 2);
}

#[test]
fn refused_heads_are_kept_too() {
    let sim = sim();
    let mut client = sim.client();
    client.send("GET / HTTP/1.1\r\nHost : a\r\n\r\n");
    assert_eq!(client.receive().unwrap().status, 400);
    let requests = sim.wait_requests(1);
    assert_eq!(requests[0]["head"], "GET / HTTP/1.1\r\nHost : a\r\n\r\n");
    assert_eq!(requests[0]["refused"], true);
}

#[test]
fn large_bodies_are_413() {
    let sim = sim();
    let mut client = sim.client();
    client.send("POST /API/rest/v1/sites HTTP/1.1\r\nHost: a\r\nContent-Length: 30000001\r\n\r\n");
    assert_eq!(client.receive().unwrap().status, 413);
}

#[test]
fn many_connections_and_slow_clients() {
    let sim = sim();
    let mut slow: Vec<_> = (0..300).map(|_| sim.client()).collect();
    for client in &mut slow {
        client.send("GET /slow HTTP/1.1\r\nHo");
    }
    sim.status("/fast");
    for client in &mut slow {
        client.send("st: a\r\n\r\n");
    }
    for client in &mut slow {
        client.receive().unwrap();
    }
    let paths = sim.wait_requests(301);
    assert_eq!(paths.iter().filter(|request| request["path"] == "/slow").count(), 300);
}
