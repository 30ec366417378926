/* Explorers: charts that readers move. mrp_course/explorer.py writes the markup; here the chart is
   drawn, follows the controls, and gives the sentence and the table their numbers. Vega computes;
   this script only carries values to it and back. Vega comes when a reader is near. */

const shownAs = {
  percent: (x) => `${(100 * x).toFixed(1)}%`,
  points: (x) => {
    const written = (100 * x).toFixed(1).replace("-", "−");
    if (/^−?0\.0$/.test(written)) return "0.0";
    return x > 0 ? `+${written}` : written;
  },
  // By hand: a phone takes longer to prepare the browser's own way than to draw a small chart.
  number: (x) => x.toFixed(0).replace(/\B(?=(\d{3})+$)/g, ","),
  width: (x) => (100 * x).toFixed(1),
  text: (x) => x,
};
// A slider with more places than these is dragged, and what follows it may not lag behind.
const FEW = 20;
const NEAR = "600px";
// As wide as a chart is on its own page on a large screen.
const ON_A_PAGE = 760;
const explorerSpecs = (window.explorerSpecs = {}); // the files of the charts add to it
const loading = new Map();

function load(address) {
  if (!loading.has(address)) {
    const done = new Promise((resolve, reject) => {
      const script = document.createElement("script");
      Object.assign(script, { src: address, onload: resolve, onerror: reject });
      document.head.append(script);
    });
    loading.set(address, done);
  }
  return loading.get(address);
}

// Between two steps of a long work the browser can answer its reader.
const pause = () => new Promise((resolve) => setTimeout(resolve));

async function draw(box, spec) {
  await pause();
  const flow = vega.parse(spec);
  await pause();
  const view = new vega.View(flow, { renderer: "none", logLevel: vega.Warn }).initialize(box);
  await pause();
  await view.runAsync(); // computes where each mark is
  await pause();
  await view.renderer("svg").initialize(box).runAsync();
  await pause();
  return view;
}

// Vega-Lite called the marks of a layer by the layer's name, and their source as it liked.
function sourceOf(spec, layer) {
  return spec.marks.find((mark) => mark.name === `${layer}_marks`).from.data;
}

function fillSentence(sentence, row) {
  for (const data of sentence.querySelectorAll("data")) {
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

function placesOf(slider) {
  return Math.round((slider.max - slider.min) / slider.step);
}

function showValue(control) {
  if (!control.dataset.words) return;
  const place = Math.round((control.value - control.min) / control.step);
  const text = JSON.parse(control.dataset.words)[place];
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
    if (value === undefined || value === control.value || control.form.hidden) return;
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

// Buttons that add to a slider's number, and buttons that call the chosen one.
function followButtons(form, update) {
  for (const button of form.querySelectorAll("[data-adds]")) {
    const control = document.getElementById(button.dataset.control);
    button.addEventListener("click", () => {
      control.valueAsNumber += Number(button.dataset.adds);
      update(true);
    });
  }
  for (const button of form.querySelectorAll("[data-calls]")) {
    const kept = form.elements[button.dataset.calls];
    const chosen = form.elements[button.dataset.of];
    button.addEventListener("click", () => {
      if (button.ariaDisabled === "true") return;
      kept.value += `${chosen.value}:${button.dataset.value} `;
      update(true);
    });
  }
}

function closeCalls(form) {
  for (const button of form.querySelectorAll("[data-calls]")) {
    const { calls, of } = button.dataset;
    button.ariaDisabled = form.elements[calls].value.includes(`${form.elements[of].value}:`);
  }
}

// A question comes before the controls; its answer is what the chart then shows.
function askFirst(panel, form, update, readingRow) {
  const guess = panel.querySelector(".explorer-guess");
  if (!guess) return;
  const answer = panel.querySelector(".explorer-answer");
  form.hidden = true;
  guess.hidden = false;
  guess.addEventListener("change", () => {
    guess.querySelector("[type=submit]").disabled = false;
  });
  const open = () => {
    guess.hidden = true;
    form.hidden = false;
    form.querySelector("input, select").focus();
  };
  guess.querySelector("[type=button]").addEventListener("click", open);
  guess.addEventListener("submit", async (event) => {
    event.preventDefault();
    const chosen = guess.querySelector(":checked");
    for (const [name, value] of Object.entries(JSON.parse(guess.dataset.then))) {
      form.elements[name].value = value;
    }
    await update(true);
    const verdict = chosen.value === guess.dataset.right ? "You were right." : "Not this time.";
    answer.querySelector("strong").textContent = `${verdict} You said: ${chosen.parentElement.textContent}.`;
    fillSentence(answer, readingRow());
    answer.hidden = false;
    open();
  });
}

// On a projector a chart is drawn as for a page, and enlarged with its letters and marks.
function drawnWidth(box) {
  const presented = document.documentElement.hasAttribute("data-present");
  return presented ? Math.min(box.clientWidth, ON_A_PAGE) : box.clientWidth;
}

async function mount(panel) {
  await Promise.all([load(panel.dataset.vega), load(panel.dataset.spec)]);
  const spec = explorerSpecs[panel.dataset.name];
  const form = panel.querySelector(".explorer-controls");
  const box = panel.querySelector(".explorer-view");
  const view = await draw(box, spec);
  // The box has a name, and the sentence says in words what the chart shows: no need to hear its marks.
  box.querySelector("svg").setAttribute("aria-hidden", "true");
  const controls = [...form.querySelectorAll("input, select")];
  const rowsOf = (layer) => view.data(sourceOf(spec, layer));

  async function update(eased) {
    panel.toggleAttribute("data-eased", eased);
    for (const control of controls) {
      showValue(control);
      const value = control.type === "range" ? Number(control.value) : control.value;
      view.signal(control.name, value);
    }
    closeCalls(form);
    await view.runAsync();
    fillSentence(panel.querySelector(".explorer-reading"), rowsOf("reading")[0]);
    fillTable(panel, rowsOf("table"));
    panel.dataset.updates = Number(panel.dataset.updates || 0) + 1;
  }

  form.addEventListener("input", ({ target }) => {
    update(target.type !== "range" || placesOf(target) <= FEW);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(update, 0, true)); // once the values are back
  followButtons(form, update);
  let found = box.clientWidth; // by Vega, so that the observer's first call need not draw again
  new ResizeObserver(() => {
    const width = drawnWidth(box);
    if (width === found) return;
    found = null;
    panel.removeAttribute("data-eased");
    view.signal("width", width).runAsync();
  }).observe(box);
  if (box.dataset.pick) followPointerAndArrows(panel, view, rowsOf);
  askFirst(panel, form, update, () => rowsOf("reading")[0]);
  await update(false);
}

// A browser need not read a megabyte for a chart that nobody scrolls to.
const near = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      mount(target);
    }
  },
  { rootMargin: NEAR },
);
for (const panel of document.querySelectorAll(".explorer")) {
  const asks = panel.querySelector(".explorer-guess");
  panel.querySelector(".explorer-view").hidden = false; // its place is kept until it is drawn
  (asks || panel.querySelector(".explorer-controls")).hidden = false;
  panel.querySelector(".explorer-static").remove();
  near.observe(panel);
}
