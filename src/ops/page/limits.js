// What each part uses of its limit, and the facts beside it: one group for each part.

import { rate } from "./rates.js";
import { bytes, number, percent, span, time } from "./words.js";

// A use above this share of its limit is shown as near it.
export const NEAR = 0.8;

// Age in seconds from which a sample is said to be old.
const OLD = 15;

// On a DuckDB file there is neither; elsewhere a variable is missing.
const UNWATCHED = "Not watched; see POSTGRES_MONITOR_USER.";

const row = (name, used, limit, unit = number) => ({ name, used, limit, text: unit(used), of: unit(limit) });

export function groups(earlier, now) {
  const mean = (read) => rate(earlier, now, read);
  return [lanes(now, mean), r2d2(now, mean), pgbouncer(now, mean), postgres(now, mean), machine(now, mean)];
}

function lanes(now, mean) {
  const busy = (lane) => mean((figures) => figures.lanes.find((l) => l.lane === lane.lane)?.batch_seconds) ?? lane.busy;
  const refused = now.lanes.map((lane) => {
    const of = (figures) => Object.values(figures.lanes.find((l) => l.lane === lane.lane)?.refused ?? {}).reduce((a, b) => a + b, 0);
    return [`${lane.lane} refused`, `${number(mean(of))}/s`];
  });
  return {
    title: "Lanes",
    rows: now.lanes.flatMap((lane) => [
      row(`${lane.lane} workers`, Math.min(busy(lane), lane.workers), lane.workers),
      row(`${lane.lane} queue`, lane.waiting, lane.queue_max),
    ]),
    facts: [...refused, ["circuit breaker", now.breaker_open ? "open" : "closed"], ["outage", time(now.outage_seconds)]],
  };
}

function r2d2({ r2d2: pool }, mean) {
  if (!pool) return absent("r2d2", "The store has no pool.");
  const waits = mean((f) => f.r2d2?.wait_seconds);
  const checkouts = mean((f) => f.r2d2?.checkouts);
  return {
    title: "r2d2",
    rows: [row("in use", pool.used, pool.max)],
    facts: [
      ["idle", number(pool.idle)],
      ["wait", time(checkouts ? waits / checkouts : 0)],
      ["timeouts", number(pool.timeouts)],
      ["logins", number(pool.created)],
    ],
  };
}

function pgbouncer({ pgbouncer: pooler }, mean) {
  if (!pooler) return absent("PgBouncer", UNWATCHED);
  if (pooler.version == null) return absent("PgBouncer", pooler.error, true); // no sample yet
  const transactions = mean((f) => f.pgbouncer?.transactions);
  const per = (read) => (transactions ? time(mean(read) / transactions) : "–");
  return {
    title: "PgBouncer",
    note: `${pooler.version} · ${pooler.pool_mode}`,
    trouble: trouble(pooler),
    rows: [
      row("servers at work", pooler.servers_active, pooler.pool_size || null),
      row("clients", pooler.clients, pooler.max_client_conn || null),
    ],
    facts: [
      ["clients waiting", number(pooler.clients_waiting)],
      ["longest", time(pooler.maxwait_seconds)],
      ["mean wait", per((f) => f.pgbouncer?.wait_seconds)],
      ["transactions", `${number(transactions)}/s`],
    ],
  };
}

function postgres({ postgres: server, machine }, mean) {
  if (!server) return absent("PostgreSQL", UNWATCHED);
  if (server.version == null) return absent("PostgreSQL", server.error, true); // no sample yet
  const [hit, read] = [mean((f) => f.postgres?.blocks_hit), mean((f) => f.postgres?.blocks_read)];
  const waits = Object.entries(server.waits).filter(([, backends]) => backends > 0);
  const rows = server.live_rows + server.dead_rows;
  return {
    title: "PostgreSQL",
    note: server.version,
    trouble: trouble(server),
    rows: [
      row("connections", server.connections, server.max_connections - server.reserved),
      ...(server.is_local ? [row("want a core", server.waits.cpu ?? 0, machine?.cores)] : []),
      row("replication slots", server.replication_slots, server.max_replication_slots),
    ],
    facts: [
      ["active", number(server.active)],
      ...waits.map(([kind, backends]) => [kind === "cpu" ? "on CPU" : `wait for ${kind}`, number(backends)]),
      ["blocked", number(server.blocked)],
      ["longest wait for a lock", time(server.longest_lock_wait_seconds)],
      ["longest statement", time(server.longest_statement_seconds)],
      ["longest idle transaction", time(server.longest_idle_transaction_seconds)],
      ["blocks from cache", hit + read > 0 ? percent(hit / (hit + read)) : "–"],
      ["WAL", `${bytes(mean((f) => f.postgres?.wal_bytes))}/s`],
      ["dead rows", rows > 0 ? percent(server.dead_rows / rows) : "–"],
      ["pending lists", bytes(server.pending_list_bytes)],
      ["temporary files", bytes(server.temporary_bytes)],
      ["deadlocks", number(server.deadlocks)],
      ["checkpoints", `${server.checkpoints_timed} timed, ${server.checkpoints_requested} requested`],
      ["database", bytes(server.database_bytes)],
    ],
  };
}

function machine({ process: own, machine }, mean) {
  if (!own || !machine) return absent("Process and machine", "This system does not tell.");
  const memory = own.memory_limit_bytes == null ? [] : [row("memory", own.resident_bytes, own.memory_limit_bytes, bytes)];
  return {
    title: "Process and machine",
    rows: [
      row("cores, this server", mean((f) => f.process?.cpu_seconds), machine.cpus),
      row("cores, everybody", mean((f) => f.machine?.busy_seconds), machine.cores),
      ...memory,
      row("descriptors", own.descriptors, own.descriptors_max),
    ],
    facts: [
      ...(memory.length ? [] : [["memory", bytes(own.resident_bytes)]]),
      ["threads", number(own.threads)],
      ...(machine.throttled_seconds == null ? [] : [["held up by its CPU limit", percent(mean((f) => f.machine?.throttled_seconds))]]),
    ],
  };
}

const absent = (title, why, bad = false) => ({ title, rows: [], facts: bad ? [] : [[why, ""]], trouble: bad ? why : null });

const trouble = ({ error, age_seconds: age }) => error ?? (age > OLD ? `These figures are ${span(age)} old.` : null);
