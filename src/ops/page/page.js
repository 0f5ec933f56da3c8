// The live page: asks for figures each second, keeps the last minutes, and draws both.

import { chart, element, write } from "./draw.js";
import { groups, NEAR } from "./limits.js";
import { follows, routes, STAGES, stages } from "./rates.js";
import { number, span, time } from "./words.js";

const INTERVAL = 1000; // milliseconds between two questions
const TIMEOUT = 5000; // milliseconds that an answer may take
const GONE = 3; // questions without an answer after which the server is called gone
const KEPT = 300; // seconds of history
const SMOOTH = 5; // seconds that numbers are means of

const at = (id) => document.getElementById(id);
const figures = []; // of the last seconds, for means
const samples = []; // of the last minutes, for charts
let misses = 0;
let answered = null;

const rateChart = chart(at("chart-rate"), [
  { name: "answers", read: (s) => s.all.answers, floor: () => 0 },
  { name: "errors", read: (s) => s.all.failed },
], { seconds: KEPT, unit: (n) => `${number(n)}/s` });
const latencyChart = chart(at("chart-latency"),
  ["p99", "p95", "p50"].map((name) => ({ name, read: (s) => s.all[name] })), { seconds: KEPT, unit: time });
const timeChart = chart(at("chart-time"), STAGES.map((stage, place) => ({
  name: `stage ${stage}`,
  read: (s) => s.stacked && s.stacked[place + 1],
  floor: (s) => s.stacked[place],
})), { seconds: KEPT, unit: time });
for (const id of ["chart-rate", "chart-latency", "chart-time"])
  at(id).append(element("div", { className: "axis" }, element("span", { textContent: "5 min ago" }), element("span", { textContent: "now" })));
at("stage-keys").append(...STAGES.map((stage) => element("span", { className: `key ${stage}`, textContent: stage })));

async function ask() {
  try {
    const answer = await fetch("figures", { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT) });
    if (!answer.ok) throw new Error(`/figures answers ${answer.status}`);
    take(await answer.json());
    misses = 0;
  } catch (error) {
    misses += 1;
    lost(error.name === "TimeoutError" ? `no answer within ${TIMEOUT / 1000} s` : error.message);
  }
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
  while (now.at - samples[0].at > KEPT) samples.shift();
}

function show(earlier, now) {
  rateChart(samples);
  latencyChart(samples);
  timeChart(samples);
  showRoutes(routes(earlier, now));
  for (const { lane } of now.lanes) showLane(lane, stages(earlier, now, lane));
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

function showLane(lane, parts) {
  const made = once(`lane ${lane}`, () => {
    const bars = STAGES.map((stage) => element("div", { className: stage, title: stage }));
    const stack = element("div", { className: "stack" }, ...bars);
    const [total, facts] = [element("span", { className: "total" }), element("span", { className: "facts" })];
    at("stages").append(element("div", { className: "lane" }, element("span", { textContent: lane }), total, stack, facts));
    return { bars, total, facts, sum: 0 };
  });
  made.sum = parts ? parts.reduce((a, b) => a + b, 0) : 0;
  const longest = Math.max(...[...drawn.values()].map((other) => other.sum ?? 0));
  made.bars.forEach((bar, place) => {
    bar.style.width = parts && longest ? `${(100 * parts[place]) / longest}%` : "0";
  });
  write(made.total, parts ? time(made.sum) : "–");
  write(made.facts, parts ? STAGES.map((stage, place) => `${stage} ${time(parts[place])}`).join(" · ") : "no request");
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
    const draw = chart(line, [{ name: "use", read: (s) => s.uses.get(key), floor: () => 0 }], { seconds: KEPT });
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
  for (const [attribute, value] of [["valuenow", used ?? 0], ["valuemin", 0], ["valuemax", limit]])
    made.level.setAttribute(`aria-${attribute}`, String(value));
  write(made.used, text);
  write(made.of, ` of ${of}`);
  made.draw(samples, limit);
}

function lost(why) {
  const gone = misses >= GONE;
  at("state").dataset.kind = gone ? "gone" : "stale";
  document.body.classList.toggle("stale", gone);
  const since = answered ? `, last heard at ${answered.toLocaleTimeString()}` : "";
  write(at("state"), gone ? `The server does not answer (${why})${since}; asked again each second` : `waiting (${why})${since}`);
}

async function poll() {
  const began = performance.now();
  await ask();
  setTimeout(poll, Math.max(100, INTERVAL - (performance.now() - began)));
}

poll();
