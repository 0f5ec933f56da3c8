// Values under the pointer: each chart carries its points, already written as people read them.
for (const chart of document.querySelectorAll("svg[data-chart]")) {
  const { left, right, width, places, curves } = JSON.parse(chart.dataset.chart);
  const values = document.createElement("p");
  values.className = "values";
  values.textContent = "\u00a0";
  chart.after(values);
  const line = chart.querySelector(".pointer");
  const hide = () => { values.textContent = "\u00a0"; line.setAttribute("visibility", "hidden"); };
  chart.addEventListener("pointerleave", hide);
  chart.addEventListener("pointermove", (event) => {
    const box = chart.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * width;
    if (x < left || x > right || places.length === 0) return hide();
    let nearest = 0;
    places.forEach(([at], place) => {
      if (Math.abs(at - x) < Math.abs(places[nearest][0] - x)) nearest = place;
    });
    const [at, name] = places[nearest];
    const shown = curves.filter(([, texts]) => texts[nearest] !== "");
    values.textContent = [name, ...shown.map(([curve, texts]) => `${curve} ${texts[nearest]}`)].join(" \u00b7 ");
    line.setAttribute("x1", at);
    line.setAttribute("x2", at);
    line.setAttribute("visibility", "visible");
  });
}
