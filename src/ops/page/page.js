// The live page: asks for figures each second, keeps the last minutes, and draws both.

import { chart, element, write } from "./draw.js";
import { groups, NEAR } from "./limits.js";
import { follows, rate, routes, STAGES, stages } from "./rates.js";
import { number, span, time } from "./words.js";

const INTERVAL = 1000; // milliseconds between two questions
const TIMEOUT = 5000; // milliseconds that an answer may take
const GONE = 3; // questions without an answer after which the server is called gone
const SPANS = [60, 120, 300]; // seconds that charts show, as soon as there is more than fits into less
const SMOOTH = 5; // seconds that numbers are means of

const at = (id) => document.getElementById(id);
const figures = []; // of the last seconds, for means
const samples = []; // of the last minutes, for charts
let misses = 0;
let answered = null;

const rateChart = chart(at("chart-rate"), [
  { name: "answers", read: (s) => s.all.answers, floor: () => 0 },
  { name: "errors", read: (s) => s.all.failed, floor: () => 0 },
], (n) => `${number(n)}/s`);
const latencyChart = chart(at("chart-latency"),
  ["p99", "p95", "p50"].map((name) => ({ name, read: (s) => s.all[name] })), time);
const timeChart = chart(at("chart-time"), STAGES.map((stage, place) => ({
  name: `stage ${stage}`,
  read: (s) => s.stacked && s.stacked[place + 1],
  floor: (s) => s.stacked[place],
})), time);
const begins = ["chart-rate", "chart-latency", "chart-time"].map((id) => {
  const begin = element("span");
  at(id).append(element("div", { className: "axis" }, begin, element("span", { textContent: "now" })));
  return begin;
});
at("stage-keys").append(...STAGES.map((stage) => element("span", { className: `key ${stage}`, textContent: stage })));

async function ask() {
  try {
    const answer = await fetch("figures", { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT) });
    if (!answer.ok) throw new Error(`/figures answers ${answer.status}`);
    take(await answer.json());
    misses = 0;
  } catch (error) {
    misses += 1;
    lost(reason(error));
  }
}

function reason(error) {
  if (error.name === "TimeoutError") return `no answer within ${TIMEOUT / 1000} s`;
  return error.name === "TypeError" ? "it cannot be reached" : error.message;
}

function take(now) {
  if (figures.length && !follows(figures.at(-1), now)) {
    if (now.at === figures.at(-1).at) return;
    figures.length = 0; // another server than before
  }
  figures.push(now);
  while (figures.length > 2 && now.at - figures[1].at >= SMOOTH) figures.shift();
  answered = new Date();
  at("state").dataset.kind = "live";
  write(at("state"), `live, ${answered.toLocaleTimeString()}`);
  document.body.classList.remove("stale");
  write(at("build"), `${now.version}${now.commit ? ` (${now.commit})` : ""}, up ${span(now.uptime_seconds)}`);
  sentence(now.binds);
  if (figures.length < 2) return;
  remember(figures.at(-2), now);
  show(figures[0], now);
}

// "The pool binds: 62 clients wait" has its limit before the colon, and its figures behind it.
function sentence({ limit, sentence: text }) {
  const colon = text.indexOf(":");
  at("binds").dataset.limit = limit;
  write(at("limit"), colon < 0 ? text : text.slice(0, colon));
  const why = colon < 0 ? "" : text.slice(colon + 1).trim();
  write(at("why"), why.charAt(0).toUpperCase() + why.slice(1));
  document.title = limit === "none" ? "warrior-api" : `${limit}: warrior-api`;
}

function remember(before, now) {
  const parts = stages(before, now);
  const stacked = parts && parts.reduce((all, part) => [...all, all.at(-1) + part], [0]);
  const uses = new Map(groups(before, now).flatMap(({ title, rows }) => rows.map((row) => [`${title} ${row.name}`, row.used])));
  samples.push({ at: now.at, all: routes(before, now).at(-1), stacked, uses });
  while (now.at - samples[0].at > SPANS.at(-1)) samples.shift();
}

const shown = () => SPANS.find((seconds) => samples.at(-1).at - samples[0].at <= seconds) ?? SPANS.at(-1);

function show(earlier, now) {
  const seconds = shown();
  for (const draw of [rateChart, latencyChart, timeChart]) draw(samples, seconds);
  for (const begin of begins) write(begin, `${span(seconds)} ago`);
  showRoutes(routes(earlier, now));
  const lanes = now.lanes.map(({ lane }) => [lane, stages(earlier, now, lane)]);
  const longest = Math.max(...lanes.map(([, parts]) => total(parts)));
  for (const [lane, parts] of lanes) showLane(lane, parts, longest);
  showPooler(earlier, now);
  for (const group of groups(earlier, now)) showGroup(group);
  document.body.dataset.drawn = String(samples.length);
}

const drawn = new Map();

// What `make` makes for this key, once.
function once(key, make) {
  if (!drawn.has(key)) drawn.set(key, make());
  return drawn.get(key);
}

function showRoutes(all) {
  for (const one of all) {
    const cells = once(`route ${one.route}`, () => {
      const cells = Array.from({ length: 6 }, () => element("td"));
      const made = element("tr", {}, element("th", { scope: "row", textContent: one.route }), ...cells);
      const last = drawn.get("route all")?.[0].parentElement;
      last ? last.before(made) : at("routes").tBodies[0].append(made);
      return cells;
    });
    const values = [one.answers, one.refused, one.failed];
    const texts = [...values.map(number), ...[one.p50, one.p95, one.p99].map(time)];
    cells.forEach((cell, place) => {
      write(cell, texts[place]);
      cell.className = texts[place] === "0" ? "zero" : place === 2 ? "some" : "";
    });
  }
}

const total = (parts) => (parts ?? []).reduce((all, part) => all + part, 0);

function showLane(lane, parts, longest) {
  const made = once(`lane ${lane}`, () => {
    const bars = STAGES.map((stage) => element("div", { className: stage, title: stage }));
    const stack = element("div", { className: "stack" }, ...bars);
    const [sum, facts] = [element("span", { className: "total" }), element("span", { className: "facts" })];
    at("stages").append(element("div", { className: "lane" }, element("span", { textContent: lane }), sum, stack, facts));
    return { bars, sum, facts };
  });
  made.bars.forEach((bar, place) => {
    bar.style.width = parts && longest ? `${(100 * parts[place]) / longest}%` : "0";
  });
  write(made.sum, parts ? time(total(parts)) : "–");
  write(made.facts, parts ? STAGES.map((stage, place) => `${stage} ${time(parts[place])}`).join(" · ") : "no request");
}

// PgBouncer tells no request from another, so its wait stands beside the stages and not among them.
function showPooler(earlier, now) {
  const transactions = rate(earlier, now, (figures) => figures.pgbouncer?.transactions);
  const waited = transactions ? rate(earlier, now, (figures) => figures.pgbouncer.wait_seconds) / transactions : null;
  const text = `Of the database's part, a transaction waited ${time(waited)} in PgBouncer for a server connection, on average.`;
  write(at("pooler"), waited == null ? "" : text);
}

function showGroup({ title, note, trouble, rows, facts }) {
  const made = once(`group ${title}`, () => {
    const parts = { note: element("small"), trouble: element("p", { className: "trouble" }), rows: element("div"), facts: element("p", { className: "facts" }) };
    at("groups").append(element("div", { className: "group" }, element("h3", { textContent: title }, parts.note), parts.trouble, parts.rows, parts.facts));
    return parts;
  });
  write(made.note, note ?? "");
  write(made.trouble, trouble ?? "");
  made.trouble.hidden = !trouble;
  for (const line of made.rows.children) line.hidden = !rows.some(({ name }) => name === line.firstChild.textContent);
  for (const row of rows) showLimit(made.rows, title, row);
  while (made.facts.children.length > facts.length) made.facts.lastChild.remove();
  facts.forEach(([name, value], place) => {
    const fact = made.facts.children[place] ?? made.facts.appendChild(element("span", {}, element("span"), element("b")));
    write(fact.firstChild, value ? `${name} ` : name);
    write(fact.lastChild, value);
  });
}

function showLimit(parent, title, { name, used, limit, text, of }) {
  const key = `${title} ${name}`;
  const made = once(`limit ${key}`, () => {
    const [used, of, level] = [element("b"), document.createTextNode(""), element("div", { className: "level" })];
    const line = element("div", { className: "limit" }, element("span", { textContent: name }));
    const draw = chart(line, [{ name: "use", read: (s) => s.uses.get(key), floor: () => 0 }]);
    line.lastChild.append(level);
    line.append(element("span", { className: "of" }, used, of));
    parent.append(line);
    level.setAttribute("role", "meter");
    level.setAttribute("aria-label", key);
    return { line, used, of, level, draw };
  });
  const share = limit > 0 && used != null ? Math.min(1, used / limit) : 0;
  made.line.className = `limit ${share >= 1 ? "full" : share >= NEAR ? "near" : ""}`;
  made.level.style.height = `${100 * share}%`;
  for (const [attribute, value] of [["valuenow", used ?? 0], ["valuemin", 0], ["valuemax", limit ?? 0]])
    made.level.setAttribute(`aria-${attribute}`, String(value));
  write(made.used, text);
  write(made.of, ` of ${of}`);
  made.draw(samples, shown(), limit);
}

function lost(why) {
  const heard = answered ? `last heard at ${answered.toLocaleTimeString()}` : "never heard since this page was opened";
  const gone = misses >= GONE;
  document.body.classList.toggle("stale", gone);
  at("state").dataset.kind = gone ? "gone" : "stale";
  write(at("state"), gone ? "gone" : `waiting (${why}), ${heard}`);
  if (gone) sentence({ limit: "server-gone", sentence: `The server does not answer: ${heard} (${why}); it is asked again each second.` });
}

async function poll() {
  const began = performance.now();
  await ask();
  setTimeout(poll, Math.max(100, INTERVAL - (performance.now() - began)));
}

poll();
