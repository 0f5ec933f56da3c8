"""Bars as SVG: 390 units wide, so that its words can be read on a telephone; its colours follow the reader's scheme."""

from html import escape

WIDTH, MARGIN, TRACK, TOP, ROW = 390, 12, 200, 58, 52
STYLE = """
text { font-family: system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 16px; font-weight: 600 } .name { font-size: 13px; font-weight: 600 } .figure { font-size: 13px }
.below, .about { font-size: 12px; fill: #59636e }
.paper { fill: #ffffff } .track { fill: #d1d9e0 } .guide { fill: #818b98 } .theirs { fill: #bc4c00 } .ours { fill: #0969da }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc } .below, .about { fill: #9198a1 }
  .paper { fill: #0d1117 } .track { fill: #3d444d } .theirs { fill: #db6d28 } .ours { fill: #4493f8 }
}
"""


def draw(title, about, rows):
    rows = list(rows)
    height = TOP + sum(ROW if below else ROW - 14 for _, _, _, below, _ in rows)
    told = "; ".join(f"{name}: {beside}" for name, _, beside, _, _ in rows)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">',
             f"<title>{escape(f'{title}. {told}')}</title><style>{STYLE}</style>",
             f'<rect class="paper" width="{WIDTH}" height="{height}" rx="6"/>',
             text("title", 24, title), text("about", 42, about)]
    y = TOP
    for name, share, beside, below, whose in rows:
        parts += [text("name", y + 11, name), bar("track", y + 17, TRACK), bar(whose, y + 17, TRACK * share),
                  text("figure", y + 27, beside, MARGIN + TRACK + 8)]
        if below:
            parts.append(text("below", y + 42, below))
        y += ROW if below else ROW - 14
    return "\n".join(parts + ["</svg>", ""])


def text(style, y, words, x=MARGIN):
    return f'<text class="{style}" x="{x}" y="{y}">{escape(words)}</text>'


def bar(style, y, width):
    return f'<rect class="{style}" x="{MARGIN}" y="{y}" width="{width:.1f}" height="11" rx="2"/>'
