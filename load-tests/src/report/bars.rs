//! A bar chart as an SVG file: one bar a line, between its name and its value.

use std::fmt::Write;

/// One bar.
pub struct Bar {
    /// The name of the bar.
    pub name: String,
    /// The value that the bar's length shows.
    pub value: f64,
    /// The ends of the thin line across its end.
    pub range: (f64, f64),
    /// Whether it is what the others are compared with.
    pub is_reference: bool,
}

const WIDTH: f64 = 960.0;
const LEFT: f64 = 340.0;
const RIGHT: f64 = 90.0;
const LINE: f64 = 22.0;
const FOOT: f64 = 30.0;

/// All of them on one scale that begins at 0.
pub fn bars(bars: &[Bar], label: &str) -> String {
    let height = LINE * bars.len() as f64 + FOOT;
    let most = bars.iter().map(|bar| bar.range.1).fold(1.0, f64::max);
    let mut svg = format!(
        r#"<svg viewBox="0 0 {WIDTH} {height}" role="img" xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="12"><rect width="{WIDTH}" height="{height}" fill="white"/>"#
    );
    for (place, bar) in bars.iter().enumerate() {
        // Writing to a string cannot fail.
        let _written = draw(&mut svg, bar, place as f64 * LINE, most);
    }
    let label = maud::html! { (label) }.into_string();
    svg.push_str(&format!(
        r##"<text x="{LEFT}" y="{:.1}" fill="#555">{label}</text></svg>"##,
        height - 10.0
    ));
    svg + "\n"
}

fn draw(svg: &mut String, bar: &Bar, top: f64, most: f64) -> std::fmt::Result {
    let x = |value: f64| LEFT + value / most * (WIDTH - LEFT - RIGHT);
    let (middle, text) = (top + LINE / 2.0, top + LINE / 2.0 + 4.0);
    let colour = if bar.is_reference {
        "#b8bcc4"
    } else {
        "#2f6fb0"
    };
    let name = maud::html! { (bar.name) }.into_string();
    write!(
        svg,
        r#"<text x="{}" y="{text}" text-anchor="end">{name}</text>"#,
        LEFT - 8.0
    )?;
    write!(
        svg,
        r#"<rect x="{LEFT}" y="{}" width="{:.1}" height="{}" fill="{colour}"/>"#,
        top + 3.0,
        x(bar.value) - LEFT,
        LINE - 6.0
    )?;
    write!(
        svg,
        r#"<line x1="{:.1}" x2="{:.1}" y1="{middle}" y2="{middle}" stroke="black"/>"#,
        x(bar.range.0),
        x(bar.range.1)
    )?;
    write!(
        svg,
        r#"<text x="{:.1}" y="{text}">{:.0}</text>"#,
        x(bar.range.1) + 6.0,
        bar.value
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_line_ends_inside_and_names_are_text() {
        let bar = |name: &str, value: f64| Bar {
            name: name.to_owned(),
            value,
            range: (value / 2.0, value * 2.0),
            is_reference: false,
        };
        let svg = bars(&[bar("<a>", 10.0), bar("b", 5.0)], "per second");
        assert!(svg.contains("&lt;a&gt;"), "{svg}");
        assert!(
            svg.contains(&format!(r#"x2="{:.1}""#, WIDTH - RIGHT)),
            "{svg}"
        );
    }
}
