"""The page of a run, its figures as JSON, and the picture for the README."""

import json

import picture

# The guide's table, "Expected Performance Improvements".
GUIDE = {
    "old": {"success": "13 %", "p95": "21.9 s", "p99": "25.5 s", "refused": "87 %", "worker_timeouts": "common", "writes": "~2"},
    "guide": {"success": "95 %+", "p95": "< 1 s", "p99": "< 2 s", "refused": "< 1 %", "worker_timeouts": "rare", "writes": "100+"},
}
# The load average, for each core, from which a page says that the machine was not idle.
IDLE = 0.5


def percent(share):
    """No share is called whole that is not."""
    return "100 %" if share == 1 else f"{min(share * 100, 99.99):.{2 if share > 0.99 else 1}f} %"


def duration(seconds):
    if seconds is None:
        return "none answered"
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"


def highest(found):
    best = found["highest"]
    return f"{'at least ' if best.get('at_least') else ''}{best['rate']:,.0f}/s" if best["rate"] else "none"


def timeouts(found):
    return "no such thing" if found["worker_timeouts"] is None else str(found["worker_timeouts"])


def writers(found):
    return f"{found['writers']['created_rate']:,.0f}/s, {percent(found['writers']['success'])}"


def table(facts, compared):
    rows = [
        ("Success", "success", lambda f: percent(f["at_rate"]["success"])),
        ("p95", "p95", lambda f: duration(f["at_rate"]["p95"])),
        ("p99", "p99", lambda f: duration(f["at_rate"]["p99"])),
        ("503", "refused", lambda f: percent(f["at_rate"]["refused"])),
        ("Worker timeouts", "worker_timeouts", lambda f: timeouts(f["at_rate"])),
        ("Acknowledged creates, lost of them", "", lambda f: f"{f['at_rate']['created']:,}, {f['at_rate']['lost']}"),
        (f"{facts['writers']} writers at once: creates, success", "writes", writers),
        ("Highest rate with 99 % and p95 < 1 s", "", highest),
    ]
    head = [f"At {facts['rate']} requests/s"]
    for found in compared:
        head += ["*the guide*"] * (found["key"] in GUIDE) + [found["title"]]
    lines = [head, ["---"] + ["--:"] * (len(head) - 1)]
    for name, key, figure in rows:
        line = [name]
        for found in compared:
            if found["key"] in GUIDE:
                line.append(f"*{GUIDE[found['key']].get(key, '')}*" if GUIDE[found["key"]].get(key) else "")
            line.append(figure(found))
        lines.append(line)
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def reproduction(found):
    """The ways in which the old service may have run, beside the guide's figures."""
    lines = ["| Way | Success (guide: 13 %) | p95 (21.9 s) | 503 (87 %) | Worker timeouts (common) | Answers |", "|---|--:|--:|--:|--:|---|"]
    for one in found:
        result = one["at_rate"]
        answers = ", ".join(f"{count:,} {what}" for what, count in sorted(result["outcomes"].items()))
        lines.append(f"| {one['title']} | {percent(result['success'])} | {duration(result['p95'])} | {percent(result['refused'])} | "
                     f"{timeouts(result)} | {answers} |")
    return "\n".join(lines)


def within_twice(result):
    """Whether success and p95 lie within a factor of two of the guide's 13 % and 21.9 s."""
    near = lambda figure, guide: figure is not None and guide / 2 <= figure <= guide * 2
    return near(result["success"], 0.13) and near(result["p95"], 21.9)


def steps(compared):
    lines = []
    for found in compared:
        taken = [f"{rate:g}/s {', then '.join(percent(step['success']) + ' ' + duration(step['p95']) for step in tries)}"
                 for rate, tries in found["highest"]["steps"].items()]
        lines.append(f"- {found['title']}: {'; '.join(taken)}")
    return "\n".join(lines)


def warnings(facts, found):
    said = []
    if facts["load_average"] > IDLE * facts["cores"]:
        said.append(f"**DISTURBED: the machine was busy when it began (load average {facts['load_average']:.1f} on {facts['cores']} cores).**")
    for one in found:
        said += [f"{one['title']}, at the fixed rate: INVALID, {reason}." for reason in one["at_rate"]["invalid"]]
    return "\n\n".join(said)


TEXT = """# Before and after: the guide's table, measured

![The same as bars](before-after.svg)

{table}

{warnings}

`make before-after` on {day}: {cores} cores of {cpu}, commit {commit}; {python}, {pins}; PostgreSQL {postgres}, {pgbouncer}. Services,
databases and load generator share the machine, one service at a time, each measurement on empty data. All
commits wait for the disk. [bench/peers/](../../peers/README.md) says how each service is built, and which section of the guide says so.

- The load is the public test's mix at its peak (of 17 requests 5 creates, each followed by its read, 5 searches, 2 searches
  without a term), every user over a new connection, in the open model: {rate} requests a second for {seconds} s, given up after 60 s. The creates are valid
  ones: the public test takes 422 for an answer to any. Latency is that of prescribed answers and of requests without one.
- The services on DuckDB stand behind nginx there, which gives 503 to a client's 201st connection; the others do not.
- Lost: answered 201, and not in the table field for field when the service has stopped, by warrior-load's ledger.
- Highest rate: the highest step that held and that the generator calls valid; "at least" where only the generator failed. Steps of {step_seconds} s without nginx, doubled or halved from {rate} on, then the interval halved twice; a step that fails is taken twice.

## The guide's figures

{reproduction}

{verdict}

## Every step of the highest rate

{steps}

Raw figures: [figures.json](figures.json).
"""


def write(folder, facts, found):
    compared = [one for one in found if "highest" in one]
    old = [one for one in found if one["key"] in ("old", "pool", "published")]
    near = [one["title"] for one in old if within_twice(one["at_rate"])]
    verdict = (f"Success and p95 lie within a factor of two of the guide's with: {'; '.join(near)}." if near else
               "None of these ways gives both success and p95 within a factor of two of the guide's on this machine.")
    folder.mkdir(parents=True, exist_ok=True)
    text = TEXT.format(**facts | {"pins": ", ".join(facts["pins"]).replace("==", " "), "table": table(facts, compared), "warnings": warnings(facts, found),
                                  "reproduction": reproduction(old), "verdict": verdict, "steps": steps(compared)})
    (folder / "README.md").write_text(text.replace("\n\n\n\n", "\n\n"))
    (folder / "figures.json").write_text(json.dumps({"facts": facts, "services": found}, indent=1) + "\n")
    drawing = picture.draw(f"{facts['rate']} requests a second", f"{facts['day']}, {facts['cores']} cores: answered as prescribed, p95", rows(compared))
    (folder / "before-after.svg").write_text(drawing)


def rows(compared):
    """A row of the picture: its name, the share answered, what stands beside the bar, what stands below, whose figures."""
    for found in compared:
        if found["key"] == "old":
            yield "The guide: DuckDB", 0.13, "13 %, p95 21.9 s", "", "guide"
        if found["key"] == "guide":
            yield "The guide: PostgreSQL, expected", 0.95, "95 %+, p95 < 1 s", "", "guide"
        result = found["at_rate"]
        yield (found["title"], result["success"], f"{percent(result['success'])}, p95 {duration(result['p95'])}",
               f"highest rate {highest(found)}; lost {result['lost']} of {result['created']:,} creates",
               "ours" if found["key"] in ("local", "ours") else "theirs")
