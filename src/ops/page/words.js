// Numbers as people read them; the space before a unit does not break.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export function number(n) {
  if (n == null) return "–";
  return (Math.abs(n) < 10 ? tenths : Math.abs(n) < 1e5 ? whole : compact).format(n);
}

export function time(seconds) {
  if (seconds == null) return "–";
  if (seconds === 0) return "0";
  if (seconds === Infinity) return ">\u00a06\u00a0s";
  if (seconds < 0.00095) return `${whole.format(seconds * 1e6)}\u00a0µs`;
  if (seconds < 0.0095) return `${tenths.format(seconds * 1e3)}\u00a0ms`;
  if (seconds < 0.95) return `${whole.format(seconds * 1e3)}\u00a0ms`;
  return seconds < 60 ? `${tenths.format(seconds)}\u00a0s` : span(seconds);
}

export function span(seconds) {
  const [days, hours, minutes] = [86400, 3600, 60].map((unit) => Math.floor(seconds / unit));
  if (days > 0) return `${days}\u00a0d ${hours % 24}\u00a0h`;
  if (hours > 0) return `${hours}\u00a0h ${minutes % 60}\u00a0min`;
  return minutes > 0 ? `${minutes}\u00a0min` : `${whole.format(seconds)}\u00a0s`;
}

export function bytes(n) {
  if (n == null) return "–";
  const power = Math.min(4, Math.floor(Math.log2(Math.max(1, n)) / 10));
  return `${number(n / 1024 ** power)}\u00a0${["B", "KiB", "MiB", "GiB", "TiB"][power]}`;
}

export const percent = (share) => (share == null ? "–" : `${tenths.format(share * 100)}\u00a0%`);
