//! The full-screen view.

use std::io::Stdout;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ratatui::Frame;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::Line;
use ratatui::widgets::{Block, Gauge, Paragraph, Sparkline};

use super::heights::heights;
use super::progress::Progress;
use super::table::render_table;
use crate::collect::SecondTally;
use crate::judge;
use crate::output::micros;
use crate::profile::Metric;
use crate::result::SecondRow;
use crate::server_metrics::MetricName;

/// A terminal in full-screen mode; dropped, it is as before.
pub struct Tui {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    stop: Arc<AtomicBool>,
}

impl Tui {
    pub(super) fn open(stop: &Arc<AtomicBool>) -> std::io::Result<Tui> {
        Ok(Tui {
            terminal: ratatui::try_init()?,
            stop: Arc::clone(stop),
        })
    }

    pub(super) fn draw(&mut self, progress: &Progress<'_>) {
        // Drawn whole: a line that another process wrote on the terminal, as a stack that starts does, would else
        // stand among the figures. A terminal that went away must not end the run.
        self.terminal.clear().ok();
        self.terminal.draw(|frame| render(frame, progress)).ok();
        self.take_keys();
    }

    /// In raw mode Ctrl-C is a key like any other.
    fn take_keys(&self) {
        while event::poll(Duration::ZERO).unwrap_or(false) {
            if let Ok(Event::Key(key)) = event::read() {
                let interrupt =
                    key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
                if interrupt || key.code == KeyCode::Char('q') {
                    self.stop.store(true, Ordering::Relaxed);
                }
            }
        }
    }
}

impl Drop for Tui {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

fn render(frame: &mut Frame<'_>, progress: &Progress<'_>) {
    let heights = heights(frame.area().height, progress);
    let areas = Layout::vertical(heights.map(Constraint::Length));
    let [bar, held, table, errors, rate, latency, server] = areas.areas(frame.area());
    render_progress(frame, bar, progress);
    render_conditions(frame, held, progress);
    render_table(frame, table, progress);
    render_errors(frame, errors, progress);
    let seconds = progress.collected.seconds.iter();
    let per_second: Vec<SecondRow> = seconds.map(SecondTally::total).collect();
    let ended: Vec<u64> = per_second
        .iter()
        .map(|row| row.succeeded + row.failed)
        .collect();
    render_history(frame, rate, "answers per second", &ended, |n| n.to_string());
    let p99: Vec<u64> = per_second.iter().map(|row| row.p99_us).collect();
    render_history(frame, latency, "p99 from the intended moment", &p99, micros);
    render_gauges(frame, server, progress);
}

/// Figures stand first: where the line is too long, its end is cut, and that is a name.
fn render_progress(frame: &mut Frame<'_>, area: Rect, progress: &Progress<'_>) {
    let done = (progress.second + 1) as f64 / progress.seconds_planned.max(1.0);
    let label = format!(
        "{} of {:.0} s   {}   q ends the run   {}",
        progress.second + 1,
        progress.seconds_planned,
        progress.profile,
        progress.plan.target.url
    );
    let gauge = Gauge::default()
        .ratio(done.clamp(0.0, 1.0))
        .label(label)
        .gauge_style(Style::new().fg(Color::Blue).bg(Color::Black));
    frame.render_widget(gauge, area);
}

fn render_history(
    frame: &mut Frame<'_>,
    area: Rect,
    title: &str,
    values: &[u64],
    show: impl Fn(u64) -> String,
) {
    let newest = values.last().copied().unwrap_or(0);
    let greatest = values.iter().copied().max().unwrap_or(0);
    let title = format!(
        " {title}: {}   (greatest {}) ",
        show(newest),
        show(greatest)
    );
    let visible = values
        .len()
        .saturating_sub(usize::from(area.width.saturating_sub(2)));
    let line = Sparkline::default()
        .block(Block::bordered().title(title))
        .data(&values[visible..])
        .style(Style::new().fg(Color::Cyan));
    frame.render_widget(line, area);
}

/// The state of every threshold so far; what is judged after the run is said to be.
fn render_conditions(frame: &mut Frame<'_>, area: Rect, progress: &Progress<'_>) {
    let seconds = ((progress.second + 1) as f64 - progress.plan.warmup.as_secs_f64()).max(1.0);
    let judged = judge::thresholds(
        progress.conditions,
        progress.plan,
        progress.collected,
        seconds,
        &[],
    );
    let lines = progress
        .conditions
        .iter()
        .zip(judged)
        .map(|(threshold, judged)| {
            let (state, colour) = match (threshold.metric == Metric::Lost, judged.met) {
                (true, _) => ("after the run", Color::Gray),
                (false, true) => ("held", Color::Green),
                (false, false) => ("missed", Color::Red),
            };
            Line::from(format!("{state:>13}  {threshold}")).fg(colour)
        });
    let block = Block::bordered().title(" thresholds ");
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()).block(block), area);
}

fn render_gauges(frame: &mut Frame<'_>, area: Rect, progress: &Progress<'_>) {
    let line = |(name, value): (&String, &f64)| {
        let name = MetricName::parse(name).in_a_line();
        Line::from(format!("{value:>8}  {name}"))
    };
    let lines: Vec<Line<'_>> = progress.gauges.iter().map(line).collect();
    let block = Block::bordered().title(" the server's queues and pools ");
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn render_errors(frame: &mut Frame<'_>, area: Rect, progress: &Progress<'_>) {
    let total = progress.collected.total();
    let mut lines: Vec<Line<'_>> = total
        .outcomes
        .iter()
        .filter(|(outcome, _)| !outcome.is_success())
        .map(|(outcome, count)| Line::from(format!("{count:>8}  {outcome}")).fg(Color::Red))
        .collect();
    let unsent = total.unsent.iter();
    lines.extend(
        unsent.map(|(why, n)| Line::from(format!("{n:>8}  not sent: {why}")).fg(Color::Red)),
    );
    lines.extend(
        progress
            .collected
            .examples
            .iter()
            .map(|example| Line::from(example.as_str())),
    );
    if lines.is_empty() {
        lines.push(Line::from("none"));
    }
    let block = Block::bordered().title(" not as prescribed ");
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use ratatui::backend::TestBackend;

    use super::*;
    use crate::collect::Collected;
    use crate::engine::Engine;
    use crate::profile::{Overrides, Profile, compile};
    use crate::target::Target;

    const PROFILE: &str = "name = 'x'\n[[scenario]]\nname = 'count'\nrequest = 'count'\n\
                           arrivals = [{ rate = 50, for = '1s' }]\n";

    #[test]
    fn the_screen_shows_rates_latencies_errors_and_the_servers_queues() {
        // A target that refuses: the screen has to show that, too.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        drop(listener);
        let profile = Profile::parse(PROFILE, ".".as_ref()).expect("valid");
        let overrides = Overrides::seeded(1);
        let target = Target::parse(&url).expect("a URL");
        let plan = Arc::new(compile(&profile, &target, &overrides).expect("a plan"));
        let engine = Engine::start(&plan, None, &Arc::default()).expect("threads");
        let mut collected = Collected::new(1);
        while let Ok(next) = engine.next(Duration::from_secs(5)) {
            collected.add(&next.expect("an interval each second"));
        }
        let gauges = BTreeMap::from([("warrior_queue_depth{lane=\"find\"}".to_owned(), 7.0)]);
        let conditions = profile.conditions();
        let progress = Progress {
            profile: "x, times divided by 2",
            conditions: &conditions,
            plan: &plan,
            collected: &collected,
            second: 0,
            seconds_planned: 1.0,
            gauges: &gauges,
        };
        let screen = |width, height| {
            let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("in memory");
            terminal
                .draw(|frame| render(frame, &progress))
                .expect("in memory");
            terminal.backend().to_string()
        };
        let needed = [
            "1 of 1 s",
            "p99",
            "count",
            "x, times divided by 2",
            "missed  success >= 99%",
            "50  not sent: no connection",
        ];
        let more = [
            "p99.9",
            "       7  queue depth, find",
            "q ends",
            "answers per second",
        ];
        let wide = screen(110, 40);
        for part in needed.iter().chain(&more) {
            assert!(wide.contains(part), "{part} in\n{wide}");
        }
        // What decides is there on every terminal.
        for (width, height) in [(80, 24), (60, 16), (40, 14)] {
            let narrow = screen(width, height);
            for part in needed {
                assert!(
                    narrow.contains(part),
                    "{part} at {width} by {height} in\n{narrow}"
                );
            }
        }
    }
}
