/* Shows the definition of a glossary term while its link is pointed at or has the focus. The pointer
   may move onto the definition; Escape closes it. */

function makeCard() {
  const card = document.createElement("div");
  card.className = "definition-card";
  card.hidden = true;
  document.querySelector("article").append(card);
  return card;
}

function place(card, link) {
  const line = link.getClientRects()[0];
  const ground = card.offsetParent.getBoundingClientRect();
  const room = ground.width - card.offsetWidth;
  card.style.left = `${Math.max(0, Math.min(line.left - ground.left, room))}px`;
  const below = line.bottom + card.offsetHeight < window.innerHeight;
  const top = below ? line.bottom : line.top - card.offsetHeight;
  card.style.top = `${top - ground.top}px`;
}

document.addEventListener("DOMContentLoaded", () => {
  const links = document.querySelectorAll("a.term");
  if (!links.length) return;
  const card = makeCard();
  let closing;

  const close = () => {
    card.hidden = true;
  };
  const open = (link) => {
    clearTimeout(closing);
    card.replaceChildren(
      ...document.getElementById(link.getAttribute("aria-describedby")).cloneNode(true).childNodes,
    );
    card.hidden = false;
    place(card, link);
  };
  const closeSoon = () => {
    closing = setTimeout(close, 250);
  };

  for (const link of links) {
    link.addEventListener("mouseenter", () => open(link));
    link.addEventListener("focus", () => open(link));
    link.addEventListener("mouseleave", closeSoon);
    link.addEventListener("blur", close);
  }
  card.addEventListener("mouseenter", () => clearTimeout(closing));
  card.addEventListener("mouseleave", closeSoon);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
});
