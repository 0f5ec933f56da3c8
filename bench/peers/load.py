"""The load: the public test's mix of requests at a constant rate, sent by warrior-load, and what became of its writes."""

import json
import subprocess

from services import ROOT

# Gatling's default, which the public test leaves as it is.
PATIENCE = "60s"
# The public test at its peak starts 1000 creates, 1000 searches and 400 searches without a term a second; each create is
# followed by a read of what it made. Of every 17 requests, that is:
CREATES, SEARCHES, WITHOUT_TERM, ALL = 5, 5, 2, 17
PROFILE = """
name = "{name}"
about = "The public test's mix at its peak, scaled to {rate:g} requests a second."
connections = "per-user"
timeout = "{patience}"
thresholds = ["success >= 99%", "p95 < 1s", "p99 < 2s"]

[[scenario]]
name = "create"
request = "create-valid"
arrivals = [{{ rate = {creates}, for = "{seconds}s", randomised = true }}]
follow = {{ name = "find", after_min = "1ms", after_max = "30ms" }}

[[scenario]]
name = "search"
request = "search"
arrivals = [{{ rate = {searches}, for = "{seconds}s", randomised = true }}]

[[scenario]]
name = "search-without-term"
request = "search-without-term"
arrivals = [{{ rate = {without_term}, for = "{seconds}s", randomised = true }}]
"""
WRITERS = """
name = "writers"
about = "Writers at once, each creating one warrior after the other."
timeout = "10s"
thresholds = ["success >= 99%", "p95 < 1s", "p99 < 2s"]

[closed]
connections = {writers}
for = "{seconds}s"

[[scenario]]
name = "create"
request = "create-valid"
"""


def mixed(rate, seconds, patience=PATIENCE):
    unit = rate / ALL
    return PROFILE.format(name=f"public-{rate:g}", rate=rate, seconds=seconds, patience=patience,
                          creates=CREATES * unit, searches=SEARCHES * unit, without_term=WITHOUT_TERM * unit)


def writers(count, seconds):
    return WRITERS.format(writers=count, seconds=seconds)


def run(port, profile, folder):
    """What warrior-load found, as a flat dictionary."""
    (folder / "profile.toml").write_text(profile)
    out = folder / "load"
    said = subprocess.run(
        [ROOT / "target/release/warrior-load", "run", "--url", f"http://127.0.0.1:{port}", "--profile", folder / "profile.toml",
         "--no-tui", "--out", out, "--seed", "1"], capture_output=True, text=True)
    results = list(out.glob("*.json"))
    if len(results) != 1:
        raise SystemExit(f"warrior-load left no result:\n{said.stdout}{said.stderr}")
    result = json.loads(results[0].read_text())
    figures = {judged["threshold"].split()[0]: judged["figure"] for judged in result["thresholds"]}
    total = result["total"]
    ended = sum(total["outcomes"].values()) + sum(total["unsent"].values())
    creates = next(endpoint for endpoint in result["endpoints"] if endpoint["name"] == "create")
    return {
        "success": total["success"], "p95": seconds_of(figures["p95"]), "p99": seconds_of(figures["p99"]),
        "requests": ended, "refused": total["refused"] / ended if ended else 0.0, "rate": total["rate"], "created": creates["succeeded"],
        "created_rate": creates["rate"], "outcomes": total["outcomes"] | total["unsent"], "invalid": result["validity"]["invalid"],
        "ledger": str(out / result["ledger"]), "profile": profile,
    }


def seconds_of(microseconds):
    return None if microseconds is None else microseconds / 1e6


def answered(result):
    return result["success"] >= 0.99 and result["p95"] is not None and result["p95"] < 1


def passes(result):
    """What the generator calls invalid proves nothing."""
    return answered(result) and not result["invalid"]


def lost(ledger, rows):
    """Creates that were answered 201 and are not there, field for field."""
    sent, count = {}, 0
    for line in open(ledger, encoding="utf-8"):
        entry = json.loads(line)
        if "sent" in entry:
            sent[entry["sent"]] = entry["body"]
        elif entry.get("status") == 201:
            body = sent[entry["answer"]]
            want = (body["name"], body["dob"], tuple(body["fight_skills"]))
            count += rows.get(entry["location"].rsplit("/", 1)[1]) != want
    return count
