/* On a phone, code is folded away behind a button that says how long it is. Nothing is folded where
   the page already does so, and nothing anywhere else: see reading.css. */

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("div.cell > div.cell_input").forEach((code, number) => {
    const lines = code.textContent.trim().split("\n").length;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "code-fold";
    code.id ||= `code-${number}`;
    button.setAttribute("aria-controls", code.id);
    const show = (open) => {
      button.setAttribute("aria-expanded", open);
      button.textContent = `${open ? "Hide" : "Show"} the code (${lines} line${lines > 1 ? "s" : ""})`;
    };
    show(false);
    button.addEventListener("click", () => {
      show(button.getAttribute("aria-expanded") === "false");
    });
    code.before(button);
  });
});
