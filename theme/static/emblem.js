/* The identity on the front page: the slider sets how many of the people are women, and the style
   sheet makes bars of it; here is only what is written. */

document.addEventListener("DOMContentLoaded", () => {
  const figure = document.querySelector(".emblem");
  if (!figure) return;
  const [ofWomen, ofMen] = ["--of-women", "--of-men"].map((name) =>
    Number(figure.style.getPropertyValue(name)),
  );
  const shares = figure.querySelectorAll(".emblem-share");
  const slider = figure.querySelector("input");

  function show() {
    const women = slider.valueAsNumber;
    const estimate = `${((women * ofWomen + (100 - women) * ofMen) / 100).toFixed(1)}%`;
    figure.style.setProperty("--women", women);
    shares[0].textContent = `${women.toFixed(0)}%`;
    shares[1].textContent = `${(100 - women).toFixed(0)}%`;
    figure.querySelector("output").textContent = estimate;
    slider.setAttribute("aria-valuetext", `${women.toFixed(0)}% women: estimate ${estimate}`);
  }

  figure.querySelector(".emblem-slider").hidden = false;
  slider.addEventListener("input", show);
  show(); // a browser may come back to where the slider was
});
