# syntax=docker/dockerfile:1

# Stage 1: build. rust-toolchain.toml is not in the context (.dockerignore): the image's own compiler is
# used, and rustup has nothing to fetch. It brings a C compiler, for SQLite, the cryptography and the allocator.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# The two caches outlive a build; the binary is copied out because a cache mount is not part of the image.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package gatekeeper --bin gatekeeper \
 && install -D -m 0755 target/release/gatekeeper /out/gatekeeper

# Stage 2: run. The same Debian release as the build, so that the C library fits.
FROM debian:bookworm-slim
# ca-certificates: the trust store for instances without `ca_file`.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --system --gid 10001 gatekeeper \
 && useradd --system --uid 10001 --gid 10001 --home-dir /var/lib/gatekeeper --no-create-home \
            --shell /usr/sbin/nologin gatekeeper \
 && install -d -o gatekeeper -g gatekeeper -m 0700 /var/lib/gatekeeper
COPY --from=build /out/gatekeeper /usr/local/bin/gatekeeper
COPY LICENSE /usr/share/doc/gatekeeper/LICENSE

# By number, so that Kubernetes can see that it is not root.
USER 10001:10001
# The only place that is written to: overrides, audit log, admin token, lock. Mount a volume here and
# set `state_dir = "/var/lib/gatekeeper"` in the configuration.
VOLUME ["/var/lib/gatekeeper"]
# Above 1024: a process that is not root need not be allowed to open 443 (`-p 443:8443`).
EXPOSE 8443

# There is no curl in the image and none is needed: `status` asks the admin listener over loopback with
# the token from the volume and exits 1 when nobody answers. It shows that the process lives and its control
# plane answers, not that an instance is healthy: restarting the gatekeeper would not repair an instance.
# With another `[admin] address` or `token_file`, give `--health-cmd` to `docker run`.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
    CMD ["gatekeeper", "status", "--token-file", "/var/lib/gatekeeper/admin.token"]

# SIGTERM drains. Give it longer than `drain_timeout` (30 s): `docker run --stop-timeout 40`.
ENTRYPOINT ["gatekeeper"]
CMD ["run", "--config", "/etc/gatekeeper/gatekeeper.toml"]

# Run it (the root file system stays read-only, no capability is needed):
#
#   docker run -d --name gatekeeper --read-only --cap-drop ALL --security-opt no-new-privileges \
#     --stop-timeout 40 --ulimit nofile=1048576:1048576 -p 443:8443 \
#     -v /etc/gatekeeper:/etc/gatekeeper:ro -v gatekeeper-state:/var/lib/gatekeeper gatekeeper
#
# /etc/gatekeeper on the host must be readable for uid 10001 and hold at least these two keys:
#   state_dir = "/var/lib/gatekeeper"
#   [listener] address = "0.0.0.0:8443"
