use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Empty;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::support::Sim;

pub fn certificate(folder: &Path) -> (CertificateDer<'static>, String, String) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    (made.cert.der().clone(), text(&cert), text(&key))
}

pub async fn connect(sim: &Sim, root: &CertificateDer<'static>, protocol: &str) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let stream = TcpStream::connect(sim.listener).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(protocol.as_bytes()));
    stream
}

// The helpers block, so the connection runs on a second thread.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_protocols_by_alpn() {
    let folder = tempfile::tempdir().unwrap();
    let (root, cert, key) = certificate(folder.path());
    let sim = Sim::start(&["--cameras", "3", "--event-rate", "0", "--tls-cert", &cert, "--tls-key", &key]);
    let request = |path: &str| {
        let uri = format!("https://localhost{path}");
        http::Request::get(uri).header("x-test", "1").body(Empty::<Bytes>::new()).unwrap()
    };

    let stream = TokioIo::new(connect(&sim, &root, "h2").await);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    let driver = tokio::spawn(connection);
    let first = sender.send_request(request("/API/.well-known/uris")).await.unwrap();
    assert_eq!(first.version(), http::Version::HTTP_2);
    let recorded = sim.wait_requests(1);
    assert_eq!(recorded[0]["raw"], false);
    assert_eq!(recorded[0]["protocol"], "HTTP/2.0");
    assert!(recorded[0]["head"].as_str().unwrap().contains("x-test: 1\r\n"));

    // A request that hangs is ended by the end of the fault, not answered.
    sim.fault("config", "hang");
    let hanging = tokio::spawn(sender.send_request(request("/API/rest/v1/sites")));
    sim.wait_requests(2);
    sim.heal();
    assert!(hanging.await.unwrap().is_err());
    sim.fault("all", "stop");
    assert!(driver.await.unwrap().is_err() || sender.is_closed());
    sim.heal();

    let stream = TokioIo::new(connect(&sim, &root, "http/1.1").await);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    sender.send_request(request("/third")).await.unwrap();
    assert_eq!(sim.wait_requests(3)[2]["raw"], true);
}
