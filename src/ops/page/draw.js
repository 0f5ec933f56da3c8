// Drawing: elements are made once and then changed. Figures reach the page as text and as geometry alone.

const SVG = "http://www.w3.org/2000/svg";

// The size that charts are drawn in; they are stretched to the size they have.
const [WIDTH, HEIGHT] = [300, 100];

// Seconds between two samples from which nothing is known of the time in between.
const GAP = 5;

export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// Changes a text only when it is another: a reader's selection stays.
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// A chart of lines and areas over the time shown; each series reads its value from a sample, and is drawn over those
// before it. `limit` is the value at full height; without one it follows what is shown.
export function chart(parent, series, unit) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const paths = series.map(({ name }) => {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", name);
    svg.append(path);
    return path;
  });
  const plot = element("div", { className: "plot" }, svg);
  const top = unit ? element("span") : null;
  if (top) plot.append(top);
  parent.append(plot);
  return (samples, seconds, limit) => {
    const last = samples.at(-1)?.at ?? 0;
    const high = limit ?? nice(Math.max(0, ...samples.flatMap((s) => series.map(({ read }) => finite(read(s))))));
    const place = (sample, value) => {
      const x = WIDTH * (1 - (last - sample.at) / seconds);
      const y = HEIGHT * (1 - Math.min(1, finite(value) / (high || 1)));
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    };
    series.forEach(({ read, floor }, index) => paths[index].setAttribute("d", outline(samples, read, floor, place)));
    if (top) write(top, high > 0 ? unit(high) : "");
  };
}

// A path through the samples, in pieces where some are missing. With a `floor` it is an area above that.
function outline(samples, read, floor, place) {
  const pieces = [];
  let before = null;
  for (const sample of samples) {
    if (read(sample) == null) continue;
    if (before == null || sample.at - before.at > GAP) pieces.push([]);
    pieces.at(-1).push(sample);
    before = sample;
  }
  return pieces.map((piece) => {
    const line = `M${piece.map((s) => place(s, read(s))).join("L")}`;
    return floor ? `${line}L${piece.toReversed().map((s) => place(s, floor(s))).join("L")}Z` : line;
  }).join("");
}

// The next of 1, 2, 5, 10, 20 and so on.
function nice(value) {
  if (value <= 0) return 0;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= value);
}

const finite = (value) => (Number.isFinite(value) ? value : 0);
