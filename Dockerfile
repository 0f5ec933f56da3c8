# The server and the load generator, from one build. Targets: `server` (what docker-compose.yml runs) and
# `bench`. Works with BuildKit and with the older builder, so no cache mounts; the dependencies are a layer
# of their own, built again only when a Cargo.toml or Cargo.lock changes.

FROM rust:1.95.0-slim-trixie AS dependencies
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
COPY stack/Cargo.toml stack/
COPY duckdb/Cargo.toml duckdb/
COPY load-tests/Cargo.toml load-tests/
COPY bench/Cargo.toml bench/
COPY bench/rust-peers/Cargo.toml bench/rust-peers/
# Empty programs in place of ours: cargo compiles everything else. Those of warrior-bench and warrior-peers stay, since
# the workspace names them and no image holds them.
RUN mkdir -p src stack/src duckdb/src load-tests/src bench/src bench/rust-peers/src \
    && for crate in src load-tests/src bench/src bench/rust-peers/src; do echo 'fn main() {}' >$crate/main.rs; : >$crate/lib.rs; done \
    && : >stack/src/lib.rs && : >duckdb/src/lib.rs \
    && cargo build --release --locked --workspace --exclude warrior-bench --exclude warrior-peers \
    && rm -r src stack/src duckdb/src load-tests/src

FROM dependencies AS build
COPY schema schema
COPY postgres-conf postgres-conf
COPY pgbouncer pgbouncer
COPY stack stack
COPY duckdb duckdb
COPY load-tests load-tests
COPY balancer balancer
COPY src src
# For `warrior_build_info` and `/figures`.
ARG COMMIT=
ENV WARRIOR_API_COMMIT=$COMMIT
# cargo goes by times, and the empty programs are younger than the real ones.
RUN find src stack/src duckdb/src load-tests/src -name '*.rs' -exec touch {} + \
    && cargo build --release --locked --workspace --exclude warrior-bench --exclude warrior-peers \
    && mkdir /out && cp target/release/warrior-api target/release/warrior-load /out/

FROM debian:13.6-slim AS bench
COPY --from=build /out/warrior-load /usr/local/bin/
USER 10001:10001
WORKDIR /tmp
# What image tools show.
ARG VERSION=
ARG COMMIT=
LABEL org.opencontainers.image.title="warrior-load" \
    org.opencontainers.image.description="An open-model load generator with a ledger of what was acknowledged" \
    org.opencontainers.image.version="$VERSION" \
    org.opencontainers.image.revision="$COMMIT" \
    org.opencontainers.image.source="https://github.com/warrior-api/warrior-api" \
    org.opencontainers.image.licenses="MIT OR Apache-2.0"
ENTRYPOINT ["warrior-load"]
CMD ["--help"]

# libduckdb, for the duckdb commands; the program looks for it in ../lib.
FROM rust:1.95.0-slim-trixie AS duckdb
WORKDIR /build
COPY scripts/install scripts/
RUN scripts/install duckdb

FROM debian:13.6-slim AS server
COPY --from=build /out/warrior-api /usr/local/bin/
COPY --from=duckdb /build/target/lib/ /usr/local/lib/
# A user without a name, home or shell.
USER 10001:10001
WORKDIR /
# A container's loopback is nobody's; which ports leave the network is decided by who runs it.
ENV HOST=0.0.0.0 ADMIN_HOST=0.0.0.0
EXPOSE 5001
# Whether requests can be served, database and schema included.
# Starting the check costs 30 ms of the container's own share of the processor, so it is asked seldom; who
# needs to know sooner asks the server itself.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=2 CMD ["warrior-api", "health"]
# What image tools show.
ARG VERSION=
ARG COMMIT=
LABEL org.opencontainers.image.title="warrior-api" \
    org.opencontainers.image.description="An HTTP API over PostgreSQL that keeps its promises under stress" \
    org.opencontainers.image.version="$VERSION" \
    org.opencontainers.image.revision="$COMMIT" \
    org.opencontainers.image.source="https://github.com/warrior-api/warrior-api" \
    org.opencontainers.image.licenses="MIT OR Apache-2.0"
ENTRYPOINT ["warrior-api"]
CMD ["serve"]
