# make run, from a bare machine with git, make and Rust to a serving API. `make help` lists the rest.

.DEFAULT_GOAL := help
.PHONY: help install build run duckdb test lint monitoring-test browser-test stress drills demo-lost calibrate bench bench-settings before-after \
	dist dist-again dist-old dist-test compose-up compose-down compose-bench compose-sweep compose-restart compose-drills compose-import compose-check compose-test \
	compose-ha-up compose-ha-down compose-ha-test compose-citus-up compose-citus-down compose-citus-sweep backup restore

# docker compose (v2) where it is installed, else docker-compose 1.29.
COMPOSE := $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: ## install what is missing: a C compiler, PostgreSQL, PgBouncer
	@scripts/install

duckdb: ## fetch libduckdb, which the duckdb commands and DB_MODE=local need
	@scripts/install duckdb

build: install ## build the server with optimisations
	cargo build --release --locked

run: build ## start PostgreSQL, PgBouncer and the server; Ctrl-C stops them
	@# A process group of its own: Ctrl-C reaches the server alone, and its exit status is ours.
	@bash -m -c 'target/release/warrior-api up; exit $$?'

lint: ## check format, lints, documentation, shell scripts and dependencies; installs what that needs
	@scripts/install lint
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo clippy --package warrior-api --no-default-features --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked --quiet
	git grep -lE '^#!/(usr/)?bin/(env )?(ba)?sh' | xargs shellcheck --severity=warning
	@$(MAKE) --no-print-directory monitoring-test
	cargo deny --log-level error check bans licenses sources
	@if cargo deny --log-level off fetch db 2>/dev/null; then cargo deny check advisories; \
	else echo 'the advisory database cannot be reached, so advisories were not checked'; fi

monitoring-test: ## check Prometheus' configuration, and each alert against its test; installs promtool where it is missing
	@scripts/install promtool
	promtool check config monitoring/prometheus.yml
	promtool test rules monitoring/alerts.test.yml

test: lint duckdb ## lint, then run every test against a real stack on free ports
	@# Most tests wait for PostgreSQL rather than compute, so more of them run than there are cores.
	RUST_TEST_THREADS=$${RUST_TEST_THREADS:-6} cargo test --workspace --locked

browser-test: build ## the live page in headless Chromium under load; pictures of it in target/browser-test
	@scripts/install browser
	cargo build --release --locked -p warrior-load
	@python3 scripts/browser/test.py

stress: build ## the public stress test on a throw-away stack, then a check that no acknowledged write was lost
	cargo build --release --locked -p warrior-load
	@bash -m -c 'target/release/warrior-load stress --speed 10; exit $$?'

drills: build ## break a stack part by part under load and judge it, for an hour, as root; two need HAProxy 3.0; FLAGS='--quick --only A2,B2', into load-results
	cargo build --release --locked -p warrior-load
	cargo build --release --locked --example panicking-server
	@bash -m -c 'target/release/warrior-load drill --out $(if $(filter --quick,$(FLAGS)),load-results/quick-drills,load-tests/results/$$(date +%F)-drills) $(FLAGS); exit $$?'

compose-drills: ## kill, stop and restart each service of the running containers under load, and judge them
	cargo build --release --locked -p warrior-load
	@target/release/warrior-load drill --compose --out load-results/compose-drills $(FLAGS)

demo-lost: build ## hey and this load tool beside each other, against a database that loses what it acknowledged
	@scripts/install hey
	cargo build --release --locked -p warrior-load
	@bash -m -c 'target/release/warrior-load demo-lost; exit $$?'

calibrate: ## whether the load generator can be trusted on this machine
	cargo build --release --locked -p warrior-load
	@target/release/warrior-load calibrate

bench: build ## throughput, latency, CPU time beside references and peers; ROWS=10000, FLAGS='--only create,peers'
	cargo build --release --locked -p warrior-bench -p warrior-peers
	@bash -m -c 'target/release/warrior-bench bench --rows $${ROWS:-1000000} $(FLAGS); exit $$?'

bench-settings: build ## what leaving each setting of the stack at its default would cost
	cargo build --release --locked -p warrior-bench
	@bash -m -c 'target/release/warrior-bench settings; exit $$?'

before-after: build duckdb ## the service of the guide on DuckDB and on PostgreSQL, and this one on both: the guide's table
	@scripts/install peers
	cargo build --release --locked -p warrior-load
	@bench/peers/measure

dist: ## the archives of the last commit, for other machines: target/dist
	@scripts/dist HEAD target/dist

dist-again: dist ## build them once more, from nothing and elsewhere, and compare every byte
	@other=$$(mktemp -d) && trap 'rm -rf "$$other"' EXIT && CARGO_TARGET_DIR=$$other scripts/dist HEAD "$$other/dist" \
		&& cmp target/dist/SHA256SUMS "$$other/dist/SHA256SUMS" && echo 'dist: the same bytes again'

dist-old: ## the archives of the release before, or of OLD=COMMIT, for an upgrade to start from: target/dist-old
	@scripts/dist "$${OLD:-$$(git describe --tags --abbrev=0 --match 'v*' HEAD~1 2>/dev/null || echo HEAD~1)}" target/dist-old

dist-test: dist dist-old ## install them in bare Debian 12 and 13, upgrade from OLD, remove; IMAGES=debian:13
	@scripts/dist-test target/dist target/dist-old $${IMAGES:-debian:12 debian:13}

compose-up: ## build and start PostgreSQL, PgBouncer, two servers and a balancer in containers
	@scripts/compose up

compose-down: ## stop them; the data stays in its volume
	$(COMPOSE) --profile direct --profile bench --profile monitoring down

compose-bench: ## the public stress test against the containers, from a container
	@scripts/compose bench

compose-sweep: ## whether PgBouncer is worth it here: servers x its pool, and without it, in containers of their own
	@scripts/compose-sweep

compose-citus-up: ## the stack on Citus, on the plain schema, in containers of their own; CITUS_WORKERS=2; its image is pulled
	@scripts/compose-citus up

compose-citus-down: ## stop that and remove its data
	@scripts/compose-citus down

compose-citus-sweep: ## what the stack on Citus answers with 1, 2 and 4 workers; SWEEP_WORKERS="1 2 4"
	@scripts/compose-citus sweep

compose-restart: ## replace the servers one by one, without a failed request
	@scripts/compose restart

compose-import: ## FILE=app.duckdb: copy the warriors of a DuckDB file into the containers' database; FLAGS=--dry-run first
	@scripts/compose import "$(FILE)" $(FLAGS)

compose-check: ## FILE=app.duckdb: compare a DuckDB file with the containers' database, row by row; FLAGS as of the import
	@scripts/compose check "$(FILE)" $(FLAGS)

compose-test: ## build, start, load, break and check the containers; an engine is needed
	@scripts/compose-test

compose-ha-up: export COMPOSE_FILE := docker-compose.ha.yml
compose-ha-up: export COMPOSE_PROJECT_NAME := warrior-api-ha
compose-ha-up: ## the same on three PostgreSQLs under Patroni, one of which may be lost
	@scripts/compose up

compose-ha-down: ## stop them; the data stays in its volumes
	$(COMPOSE) --file docker-compose.ha.yml --project-name warrior-api-ha --profile bench down

compose-ha-test: ## build, start and load them, and take their leader away in every way; 35 minutes
	@scripts/compose-ha-test

backup: ## write the database of the containers to backups/
	@scripts/compose backup

restore: ## FILE=backups/...: load a backup into a database without warriors
	@scripts/compose restore "$(FILE)"
