/* Explorers: charts that readers move. mrp_course/explorer.py writes the markup; here the chart is
   drawn, follows the controls, and gives the sentence and the table their numbers. Vega and Vega-Lite
   compute; this script only carries values to them and back. */

const shownAs = {
  percent: (x) => `${(100 * x).toFixed(1)}\u00a0%`,
  points: (x) => {
    const written = (100 * x).toFixed(1).replace("-", "−");
    if (/^−?0\.0$/.test(written)) return "0.0";
    return x > 0 ? `+${written}` : written;
  },
  number: (x) => Number(x.toFixed(0)).toLocaleString("en"),
  width: (x) => (100 * x).toFixed(1),
  text: (x) => x,
};

// Vega-Lite calls the marks of a layer by the layer's name, and their source as it likes.
function sourceOf(vegaSpec, layer) {
  return vegaSpec.marks.find((mark) => mark.name === `${layer}_marks`).from.data;
}

function fillReading(panel, row) {
  for (const data of panel.querySelectorAll(".explorer-reading data")) {
    const value = row[data.dataset.field];
    const text = shownAs[data.dataset.kind](value);
    data.value = value;
    if (data.textContent !== text) data.textContent = text;
  }
}

function fillTable(panel, rows) {
  const heads = [...panel.querySelectorAll("th")];
  // Groups come in the order in which Vega met them, unless a column says their place.
  const ordered = [...rows].sort((one, other) => (one.place ?? 0) - (other.place ?? 0));
  const lines = ordered.map((row) => {
    const line = document.createElement("tr");
    for (const { dataset } of heads) {
      const cell = document.createElement("td");
      cell.textContent = shownAs[dataset.kind](row[dataset.field]);
      line.append(cell);
    }
    return line;
  });
  panel.querySelector("tbody").replaceChildren(...lines);
}

function showValue(control) {
  if (!control.dataset.shown) return;
  const text = control.dataset.shown.replace("{}", control.value.replace("-", "−"));
  control.nextElementSibling.textContent = text;
  control.setAttribute("aria-valuetext", text);
}

// Of the marks, the nearest one in the direction of an arrow key; sideways distance counts double.
function neighbour(marks, from, key) {
  const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
  const distance = (mark) => {
    const [x, y] = [mark.x - from.x, mark.y - from.y];
    const ahead = x * dx + y * dy;
    return ahead > 1e-6 ? ahead + 2 * Math.abs(x * dy) + 2 * Math.abs(y * dx) : Infinity;
  };
  const best = marks.reduce((one, other) => (distance(other) < distance(one) ? other : one));
  return distance(best) < Infinity ? best : from;
}

function followPointerAndArrows(panel, view, rowsOf) {
  const box = panel.querySelector(".explorer-view");
  const field = box.dataset.pick;
  const control = panel.querySelector(`[name="${field}"]`);
  const choose = (value) => {
    if (value === undefined || value === control.value) return;
    control.value = value;
    control.dispatchEvent(new Event("input", { bubbles: true }));
  };
  for (const kind of ["mouseover", "click"]) {
    view.addEventListener(kind, (event, item) => choose(item?.datum?.[field]));
  }
  box.addEventListener("keydown", (event) => {
    if (!event.key.startsWith("Arrow")) return;
    event.preventDefault();
    const marks = rowsOf("table").map((row) => ({ value: row[field], x: row.column, y: row.row }));
    const from = marks.find((mark) => mark.value === control.value);
    choose(neighbour(marks, from, event.key).value);
  });
}

async function mount(panel) {
  const spec = JSON.parse(panel.querySelector("script").textContent);
  const form = panel.querySelector("form");
  const box = panel.querySelector(".explorer-view");
  form.hidden = box.hidden = false;
  panel.querySelector(".explorer-static").remove();
  const options = { renderer: "svg", actions: false, tooltip: false, defaultStyle: false };
  const { view, vgSpec } = await vegaEmbed(box, spec, options);
  // The box has a name, and the sentence says in words what the chart shows: no need to hear its marks.
  box.querySelector("svg").setAttribute("aria-hidden", "true");
  const controls = [...form.querySelectorAll("input, select")];
  const rowsOf = (layer) => view.data(sourceOf(vgSpec, layer));

  async function update() {
    for (const control of controls) {
      showValue(control);
      const value = control.type === "range" ? Number(control.value) : control.value;
      view.signal(control.name, value);
    }
    await view.runAsync();
    fillReading(panel, rowsOf("reading")[0]);
    fillTable(panel, rowsOf("table"));
    panel.dataset.updates = Number(panel.dataset.updates || 0) + 1;
  }

  form.addEventListener("input", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(update)); // once the values are back
  for (const button of form.querySelectorAll("[data-adds]")) {
    const control = document.getElementById(button.dataset.control);
    button.addEventListener("click", () => {
      control.valueAsNumber += Number(button.dataset.adds);
      update();
    });
  }
  new ResizeObserver(() => view.signal("width", box.clientWidth).runAsync()).observe(box);
  if (box.dataset.pick) followPointerAndArrows(panel, view, rowsOf);
  await update();
}

document.querySelectorAll(".explorer").forEach(mount);
