//! A simulator process, and small blocking clients.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Far longer than anything takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How long "never" is.
pub const SILENCE: Duration = Duration::from_millis(400);

pub struct Sim {
    child: Child,
    pub listener: SocketAddr,
    pub control: SocketAddr,
}

pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xprotect-sim"));
    command.args(arguments).env("RUST_LOG", "warn");
    command
}

impl Sim {
    pub fn start(arguments: &[&str]) -> Self {
        let mut command = command(&["--listen", "127.0.0.1:0"]);
        if !arguments.contains(&"--name") {
            command.args(["--name", "A"]);
        }
        let mut child = command.args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(line.strip_prefix("ready ").expect("ready line")).unwrap();
        let address = |name: &str| ready[name].as_str().unwrap().parse().unwrap();
        Self { listener: address("listener"), control: address("control"), child }
    }

    pub fn terminate(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }

    pub fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path, None);
        assert_eq!(status, 200, "{body}");
        body
    }

    pub fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.ask("POST", path, Some(body))
    }

    pub fn fault(&self, service: &str, mode: &str) {
        self.fault_with(service, mode, json!({}));
    }

    pub fn fault_with(&self, service: &str, mode: &str, members: Value) {
        let mut body = json!({ "service": service, "mode": mode });
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let (status, body) = self.post("/faults", &body);
        assert_eq!(status, 200, "{body}");
    }

    pub fn heal(&self) {
        let (status, body) = self.ask("DELETE", "/faults", None);
        assert_eq!((status, body), (200, json!([])));
    }

    pub fn lift(&self, service: &str) -> (u16, Value) {
        self.lift_where(&format!("service={service}"))
    }

    pub fn lift_where(&self, query: &str) -> (u16, Value) {
        self.ask("DELETE", &format!("/faults?{query}"), None)
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let mut client = Client::connect(self.control);
        let body = body.map(ToString::to_string).unwrap_or_default();
        client.send(&format!(
            "{method} {path} HTTP/1.1\r\nHost: c\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        let response = client.receive().unwrap();
        (response.status, serde_json::from_str(&response.body).unwrap())
    }

    pub fn client(&self) -> Client {
        Client::connect(self.listener)
    }

    /// A new connection, one GET.
    pub fn status(&self, path: &str) -> u16 {
        let mut client = self.client();
        client.send_get(path);
        client.receive().unwrap().status
    }

    /// A token of a basic user.
    pub fn token(&self, user: &str) -> String {
        let form = format!(
            "grant_type=password&client_id=GrantValidatorClient&username={user}&password={user}-password"
        );
        self.granted(&form)
    }

    /// The token that this form is granted.
    pub fn granted(&self, form: &str) -> String {
        let mut client = self.client();
        client.send(&format!(
            "POST /API/IDP/connect/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{form}",
            form.len()
        ));
        let response = client.receive().unwrap();
        assert_eq!(response.status, 200, "{}", response.body);
        let body: Value = serde_json::from_str(&response.body).unwrap();
        body["access_token"].as_str().unwrap().to_owned()
    }

    /// Waits until that many requests have been recorded.
    pub fn wait_requests(&self, count: usize) -> Vec<Value> {
        eventually(|| {
            let requests = self.get("/requests").as_array().unwrap().clone();
            (requests.len() >= count).then_some(requests)
        })
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks again and again until there is something.
pub fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "it never happened");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub struct Response {
    pub status: u16,
    pub head: String,
    pub body: String,
}

pub struct Client {
    pub stream: TcpStream,
    rest: Vec<u8>,
}

impl Client {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, rest: Vec::new() }
    }

    pub fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
    }

    pub fn send_get(&mut self, path: &str) {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
    }

    /// One response with Content-Length. `UnexpectedEof`: closed before it was complete.
    pub fn receive(&mut self) -> std::io::Result<Response> {
        loop {
            if let Some(response) = self.complete() {
                return Ok(response);
            }
            let mut piece = [0; 4096];
            match self.stream.read(&mut piece)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                count => self.rest.extend_from_slice(&piece[..count]),
            }
        }
    }

    fn complete(&mut self) -> Option<Response> {
        let end = self.rest.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
        let head = String::from_utf8(self.rest[..end].to_vec()).unwrap();
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
        });
        let total = end + length.unwrap_or(0);
        if self.rest.len() < total {
            return None;
        }
        let body = String::from_utf8(self.rest[end..total].to_vec()).unwrap();
        self.rest.drain(..total);
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Some(Response { status, head, body })
    }

    /// How the connection ended: no byte may come any more.
    pub fn end(&mut self) -> ErrorKind {
        assert!(self.rest.is_empty());
        match self.stream.read(&mut [0; 16]) {
            Ok(0) => ErrorKind::UnexpectedEof,
            Ok(count) => panic!("{count} bytes instead of an end"),
            Err(error) => error.kind(),
        }
    }

    /// No byte and no end for a while.
    pub fn assert_silent(&mut self) {
        self.stream.set_read_timeout(Some(SILENCE)).unwrap();
        let end = self.end();
        assert!(matches!(end, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{end:?}");
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
    }
}
