/* Remembers, in this browser alone, which pages have been read to their end and where the reader has
   stopped; ticks the former in the contents, and offers to go on at the latter. */

(() => {
  const KEY = "mrp-course-reading";
  const root = new URL(document.documentElement.dataset.content_root || "./", location.href);
  const reduced = matchMedia("(prefers-reduced-motion: reduce)").matches;

  // The browser may refuse to remember anything; then the pages are as without this script.
  function remembered() {
    try {
      return { read: [], place: {}, ...JSON.parse(localStorage.getItem(KEY)) };
    } catch {
      return { read: [], place: {} };
    }
  }
  function remember(change) {
    const known = remembered();
    change(known);
    try {
      localStorage.setItem(KEY, JSON.stringify(known));
    } catch {
      /* Nothing is remembered. */
    }
  }

  const nameOf = (address) =>
    new URL(address, location.href).pathname.slice(root.pathname.length).replace(/\.html$/, "");
  const here = nameOf(location.pathname);

  // --- Ticks.

  function element(tag, name, text) {
    const made = document.createElement(tag);
    made.className = name;
    made.textContent = text;
    return made;
  }

  function tick(item) {
    if (item.classList.contains("is-read")) return;
    item.classList.add("is-read");
    item.querySelector("a").append(element("span", "visually-hidden", " (read)"));
  }

  function showProgress() {
    const { read } = remembered();
    const done = new Set(read);
    const items = [...document.querySelectorAll(".bd-docs-nav li, .front-parts li")];
    const pageOf = new Map(items.map((item) => [item, nameOf(item.querySelector("a").href)]));
    items.filter((item) => done.has(pageOf.get(item))).forEach(tick);
    const chapters = new Set([...pageOf.values()].filter((name) => name.startsWith("chapters/")));
    const finished = [...chapters].filter((name) => done.has(name)).length;
    const shown = document.querySelector(".course-progress");
    if (!shown || !done.size) return;
    shown.querySelector("progress").max = chapters.size;
    shown.querySelector("progress").value = finished;
    shown.querySelector("span").textContent = `${finished} of ${chapters.size} chapters read`;
    shown.hidden = false;
  }

  function forget() {
    try {
      localStorage.removeItem(KEY);
    } catch {
      /* There is nothing to forget. */
    }
    document.querySelectorAll(".is-read").forEach((item) => {
      item.classList.remove("is-read");
      item.querySelector("a > .visually-hidden").remove();
    });
    document.querySelector(".course-progress").hidden = true;
  }

  function noteTheEnd() {
    const end = document.querySelector(".prev-next-area");
    if (!end || !here.includes("/")) return;
    const watcher = new IntersectionObserver((seen) => {
      if (!seen.some((one) => one.isIntersecting)) return;
      watcher.disconnect();
      remember((known) => {
        if (!known.read.includes(here)) known.read.push(here);
        delete known.place[here];
      });
      showProgress();
    });
    watcher.observe(end);
  }

  // --- Where the reader is.

  const headings = () => [...document.querySelectorAll(".bd-article section[id] > :is(h2, h3)")];

  function currentSection() {
    const passed = headings().filter((one) => one.getBoundingClientRect().top < 120);
    return passed.at(-1)?.parentElement.id;
  }

  function keepThePlace() {
    const section = currentSection();
    const atTheEnd = scrollY + innerHeight > document.documentElement.scrollHeight - 400;
    remember((known) => {
      if (section && !atTheEnd) known.place[here] = section;
      else delete known.place[here];
    });
  }

  function offerToGoOn() {
    const heading = document
      .getElementById(remembered().place[here])
      ?.querySelector(":scope > :is(h2, h3)");
    const article = document.querySelector(".bd-article");
    if (!heading || !article || location.hash) return;
    const title = heading.cloneNode(true);
    title.querySelectorAll(".headerlink").forEach((link) => link.remove());
    const box = element("p", "go-on", "");
    const link = element("a", "", `Go on at ${title.textContent.trim()}`);
    link.href = `#${heading.parentElement.id}`;
    const close = element("button", "", "×");
    close.setAttribute("aria-label", "Stay at the beginning");
    box.append(link, close);
    article.prepend(box);
    const leave = () => box.remove();
    [link, close].forEach((one) => one.addEventListener("click", leave));
    addEventListener("scroll", () => scrollY > innerHeight && leave(), { passive: true });
  }

  function showPosition() {
    const bar = document.querySelector(".reading-position");
    const title = document.querySelector(".bd-article h1");
    if (!bar || !title) return;
    new IntersectionObserver(([seen]) => {
      document.documentElement.classList.toggle("past-title", !seen.isIntersecting);
    }).observe(title);
    const draw = () => {
      const all = document.documentElement.scrollHeight - innerHeight;
      bar.style.transform = `scaleX(${all > 0 ? Math.min(1, scrollY / all) : 0})`;
    };
    addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
    requestAnimationFrame(draw);
    if (reduced) bar.style.transition = "none";
  }

  document.addEventListener("DOMContentLoaded", () => {
    showProgress();
    showPosition();
    offerToGoOn();
    noteTheEnd();
    document.querySelector(".course-progress button")?.addEventListener("click", forget);
    addEventListener("pagehide", keepThePlace);
    document.addEventListener("visibilitychange", () => document.hidden && keepThePlace());
  });
})();
