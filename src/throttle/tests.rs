use super::*;

fn kind(lane: &'static str) -> Kind {
    Kind {
        level: Level::WARN,
        message: "a batch failed",
        lane,
        reason: Cow::from("40001"),
    }
}

fn held(lines: u64, seconds: f64) -> Held {
    Held {
        lines: Some(lines),
        seconds: Some(seconds),
    }
}

/// A clock that the test drives.
struct Rig {
    windows: Windows,
    now: Instant,
}

impl Rig {
    fn new() -> Self {
        Self {
            windows: Windows(BTreeMap::new()),
            now: Instant::now(),
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    fn line(&mut self, lane: &'static str) -> Option<Held> {
        self.windows.admit(kind(lane), self.now).0
    }

    fn due(&mut self) -> Vec<(Kind, Held)> {
        self.windows.due(self.now)
    }
}

#[test]
fn a_panic_is_logged_with_its_message() {
    let caught = |panics: fn()| std::panic::catch_unwind(panics).unwrap_err();
    assert_eq!(panic_message(&*caught(|| panic!("why"))), "why");
    assert_eq!(panic_message(&*caught(|| panic!("{}", 7))), "7");
    assert_eq!(
        panic_message(&*caught(|| std::panic::panic_any(7))),
        "no text"
    );
}

#[test]
fn a_storm_costs_a_line_for_each_window_and_the_windows_grow() {
    let mut rig = Rig::new();
    let mut logged = Vec::new();
    // A million lines in 1,000 seconds.
    for n in 0..1_000_000_u64 {
        if let Some(held) = rig.line("create") {
            logged.push((n / 1000, held.lines.unwrap_or(0)));
        }
        rig.pass(Duration::from_millis(1));
    }
    let at: Vec<u64> = logged.iter().map(|(second, _)| *second).collect();
    assert_eq!(at[..8], [0, 1, 3, 7, 15, 31, 63, 127]);
    assert_eq!(at.len(), 7 + (999 - 63) / 64);
    // The last window still holds its count.
    let last = rig.windows.take_all(rig.now).pop().unwrap();
    let all: u64 = logged.iter().map(|(_, held)| held + 1).sum();
    assert_eq!(all + last.1.lines.unwrap(), 1_000_000);
}

#[test]
fn the_count_of_a_storm_that_has_ended_is_not_lost() {
    let mut rig = Rig::new();
    assert_eq!(rig.line("create"), Some(Held::default()));
    assert_eq!(rig.windows.next_due(), None);
    for _ in 0..3 {
        assert_eq!(rig.line("create"), None);
    }
    assert_eq!(rig.windows.next_due(), Some(rig.now + WINDOW_MIN));
    assert_eq!(rig.due(), []);
    rig.pass(WINDOW_MIN);
    assert_eq!(rig.due(), [(kind("create"), held(3, 1.0))]);
    // Nothing followed: the window is forgotten, and the next failure is logged at once.
    assert_eq!(rig.windows.next_due(), None);
    rig.pass(2 * WINDOW_MIN);
    assert_eq!(rig.due(), []);
    assert!(rig.windows.0.is_empty());
    assert_eq!(rig.line("create"), Some(Held::default()));
}

#[test]
fn a_failure_after_a_quiet_window_is_logged_at_once() {
    let mut rig = Rig::new();
    rig.line("create");
    rig.line("create");
    rig.pass(WINDOW_MIN);
    assert_eq!(rig.line("create"), Some(held(1, 1.0)));
    rig.pass(2 * WINDOW_MIN);
    assert_eq!(rig.line("create"), Some(Held::default()));
    // And its window is short again.
    rig.pass(WINDOW_MIN);
    assert_eq!(rig.line("create"), Some(Held::default()));
}

#[test]
fn kinds_do_not_hold_each_other_back() {
    let mut rig = Rig::new();
    assert!(rig.line("create").is_some());
    assert!(rig.line("search").is_some());
    assert!(rig.line("create").is_none());
    rig.pass(WINDOW_MIN);
    assert_eq!(rig.due().len(), 1);
}

#[test]
fn kinds_that_are_over_are_forgotten() {
    let mut rig = Rig::new();
    for n in 0..10 * KINDS_UNSWEPT_MAX {
        let reason = Cow::from(n.to_string());
        let kind = Kind {
            reason,
            ..kind("create")
        };
        rig.windows.admit(kind, rig.now);
        rig.pass(WINDOW_MIN / 10);
    }
    assert!(rig.windows.0.len() <= KINDS_UNSWEPT_MAX);
}
