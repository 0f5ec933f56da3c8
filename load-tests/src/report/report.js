// Values under the pointer: a picture carries its places, and each panel its values, already written as people read them.
for (const figure of document.querySelectorAll("figure[data-places]")) {
  const places = JSON.parse(figure.dataset.places);
  const panels = [...figure.querySelectorAll(".panel")].map((panel) => ({
    plot: panel.querySelector(".plot"),
    pointer: panel.querySelector(".pointer"),
    shown: [...panel.querySelectorAll(".legend b")],
    values: JSON.parse(panel.dataset.values || "[]"),
    cells: JSON.parse(panel.dataset.cells || "null"),
  }));
  const label = figure.querySelector(".place");
  // How many requests a cell of a heat map holds: its column is of the place, its band is under the pointer.
  const counted = ({ span, tops, bands, columns }, place, down) => {
    const band = tops.findIndex((top) => top <= down);
    const count = columns[Math.floor(place / span)]?.[band] ?? 0;
    return band < 0 || down > 1 ? "" : `${count} took ${bands[band]}`;
  };
  const show = (at, down, over) => {
    panels.forEach(({ pointer, shown, values, cells, plot }) => {
      pointer.style.display = at < 0 ? "none" : "block";
      pointer.style.left = at < 0 ? "" : `${places[at][0] * 100}%`;
      shown.forEach((text, curve) => {
        if (at < 0 || (cells && plot !== over)) text.textContent = "";
        else text.textContent = cells ? counted(cells, at, down) : values[curve][at];
      });
    });
    label.textContent = at < 0 ? label.dataset.label : places[at][1];
  };
  for (const { plot } of panels) {
    plot.addEventListener("pointerleave", () => show(-1));
    plot.addEventListener("pointermove", (event) => {
      const box = plot.getBoundingClientRect();
      const x = (event.clientX - box.left) / box.width;
      let nearest = -1;
      places.forEach(([at], place) => {
        if (nearest < 0 || Math.abs(at - x) < Math.abs(places[nearest][0] - x)) nearest = place;
      });
      show(nearest, (event.clientY - box.top) / box.height, plot);
    });
  }
}
