# What a developer types. `just --list` shows this; `cargo install just` brings it.

# Everything that CI runs.
ci:
    .ci/run

# The whole test suite; `just test proxy` runs one test binary.
test *binary:
    cargo build --workspace
    cargo test --workspace {{ if binary == "" { "" } else { "--test " + binary } }}

# Form, lints and bans (clippy.toml), documentation comments.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" cargo doc --workspace --no-deps --document-private-items --locked

# Licences, advisories, sources of all dependencies (deny.toml); `cargo install cargo-deny` brings it.
deny:
    cargo deny check

# Writes docs/configuration.md, config/gatekeeper.toml and docs/metrics.md anew from the sources, docs/compatibility.md from a run.
docs:
    cargo build --workspace
    UPDATE_DOCS=1 cargo test --test config
    UPDATE_DOCS=1 cargo test --lib metrics
    UPDATE_DOCS=1 cargo test --test clients

# Long runs: N rounds of random faults over the real programs, N times 100 NTLM logins, N times 1000 cases of every
# property.
storm seed n:
    cargo build --workspace
    STORM_SEED={{seed}} STORM_N={{n}} cargo test --test storm --test ntlm -- --nocapture --test-threads 1
    PROPTEST_RNG_SEED={{seed}} PROPTEST_CASES=$(({{n}} * 1000)) cargo test --workspace --lib

# Two simulated instances and the gatekeeper on loopback.
demo *args:
    cargo run --release --example demo -- {{args}}

# Requests per CPU-second beside the peers that ../shared/bench/setup.sh installed.
bench *args:
    cargo build --release
    ../shared/bench/peers.py -r 5 -p haproxy,nginx,direct --extra 'name=gatekeeper,cmd=target/release/gatekeeper run --config @cfg@,cfg=../shared/bench/gatekeeper.@mode@.toml' {{args}}
