// Rates and percentiles from cumulative figures: what happened between two of them, as plain numbers.

export const STAGES = ["parse", "queue", "connect", "database", "render", "write"];

const sum = (numbers) => numbers.reduce((all, number) => all + number, 0);

// Figures of one server, the later after the earlier.
export const follows = (earlier, now) => now.at > earlier.at && now.uptime_seconds >= earlier.uptime_seconds;

// What a counter or a sum went up by each second; `read` may find nothing.
export function rate(earlier, now, read) {
  const [before, after] = [read(earlier), read(now)];
  if (before == null || after == null) return null;
  return Math.max(0, after - before) / (now.at - earlier.at);
}

// Answers of each route, and of all, by what they were.
export function routes(earlier, now) {
  const seconds = now.at - earlier.at;
  const before = new Map(earlier.answers.map((a) => [`${a.route} ${a.status}`, a]));
  const groups = new Map();
  const all = { route: "all", count: 0, refused: 0, failed: 0, buckets: [] };
  for (const answer of now.answers) {
    const old = before.get(`${answer.route} ${answer.status}`) ?? { count: 0, buckets: [] };
    const count = answer.count - old.count;
    const own = groups.get(answer.route) ?? { route: answer.route, count: 0, refused: 0, failed: 0, buckets: [] };
    groups.set(answer.route, own);
    for (const group of [own, all]) {
      group.count += count;
      if (answer.status >= 500) group.failed += count;
      else if (answer.status >= 400) group.refused += count;
      answer.buckets.forEach(([bound, total], place) => {
        const reached = total - (old.buckets[place]?.[1] ?? 0);
        group.buckets[place] = [bound, (group.buckets[place]?.[1] ?? 0) + reached];
      });
    }
  }
  return [...groups.values(), all].map((group) => ({
    route: group.route,
    answers: group.count / seconds,
    refused: group.refused / seconds,
    failed: group.failed / seconds,
    p50: quantile(group, 0.5),
    p95: quantile(group, 0.95),
    p99: quantile(group, 0.99),
  }));
}

// The time in seconds that a share of the answers took at most: within its bucket by interpolation of logarithms, as the
// bounds grow so. Infinity beyond the last bound, null without answers.
export function quantile({ count, buckets }, share) {
  if (count <= 0) return null;
  const wanted = share * count;
  let [floor, below] = [null, 0];
  for (const [bound, reached] of buckets) {
    if (bound != null && reached >= wanted) {
      const part = (wanted - below) / (reached - below);
      return (floor ?? bound / 2) * (bound / (floor ?? bound / 2)) ** part;
    }
    [floor, below] = [bound, reached];
  }
  return Infinity;
}

// Mean seconds of a request in each stage: of one lane, or of all. Null without requests.
export function stages(earlier, now, lane) {
  const read = (figures, name) =>
    sum(Object.entries(figures.stages).filter(([key]) => !lane || key === lane).map(([, stage]) => stage[name]));
  const requests = read(now, "requests") - read(earlier, "requests");
  if (requests <= 0) return null;
  return STAGES.map((stage) => {
    const name = `${stage}_seconds`;
    return Math.max(0, read(now, name) - read(earlier, name)) / requests;
  });
}
