//! The gatekeeper's configuration.

use std::net::SocketAddr;

use super::args::Profile;

/// Its text. `more` is what a scenario adds.
pub fn configuration(
    profile: Profile,
    listener: SocketAddr,
    admin: SocketAddr,
    urls: &[String; 2],
    stable_for: &str,
    more: &str,
) -> String {
    let [a, b] = urls;
    let (account, probe) = match profile {
        Profile::Xprotect => (
            "account = { username = \"admin\", password_file = \"admin.password\" }",
            "# logs in like any client; nothing else to set",
        ),
        Profile::Http => {
            ("# no account: profile http has no deep probes", "probe = \"/API/.well-known/uris\"")
        }
    };
    let profile = profile.name();
    format!(
        r#"# Written by the demo.
[listener]
address = "{listener}"
certificate = "gatekeeper.pem"
private_key = "gatekeeper.key"
[admin]
address = "{admin}"
[[instance]]
name = "a"
url = "{a}"
ca_file = "instances-ca.pem"
{account}
[[instance]]
name = "b"
url = "{b}"
ca_file = "instances-ca.pem"
{account}
[[site]]
name = "demo"
hosts = ["localhost", "127.0.0.1"]
profile = "{profile}"
primary = "a"
standby = ["b"]
{probe}
[failback]
stable_for = "{stable_for}"
{more}"#
    )
}
