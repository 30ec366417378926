/* The key p prepares a page for the projector, and the next page as well; p or Escape ends it.
   Whoever does not want the key can switch it off where the course says what it does. */

(() => {
  const KEY = "mrp-course-present";
  const root = document.documentElement;
  const store = (where, name, value) => {
    try {
      if (value === undefined) return where().getItem(name);
      return where().setItem(name, value);
    } catch {
      return null;
    }
  };
  const session = () => sessionStorage;
  const browser = () => localStorage;
  const isOn = () => store(browser, `${KEY}-key`) !== "off";

  function present(yes) {
    root.toggleAttribute("data-present", yes);
    store(session, KEY, yes ? "yes" : "no");
    // Charts fit themselves to the room they have.
    dispatchEvent(new Event("resize"));
  }

  function typing(target) {
    return target.closest("input, textarea, select, [contenteditable], dialog, .explorer-view");
  }

  if (store(session, KEY) === "yes") present(true);

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key === "p" && isOn()) present(!root.hasAttribute("data-present"));
    if (event.key === "Escape" && root.hasAttribute("data-present")) present(false);
  });

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector(".present-key");
    if (!button) return;
    const say = () => {
      button.setAttribute("aria-pressed", isOn());
      button.textContent = `The key p presents: ${isOn() ? "on" : "off"}`;
    };
    button.hidden = false;
    button.addEventListener("click", () => {
      store(browser, `${KEY}-key`, isOn() ? "off" : "on");
      say();
    });
    say();
  });
})();
