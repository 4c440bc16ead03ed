"use strict";
const form = document.querySelector(".filters");
const rows = [...document.querySelectorAll("tbody tr")];
const shown = document.querySelector("output");
const fits = (row, name, wanted) =>
  !wanted || row.dataset[name] === wanted || (wanted === "any" && row.dataset[name] !== "covered");
const filter = () => {
  const words = form.elements.word.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !(
      ["detector", "surface", "gap"].every((name) => fits(row, name, form.elements[name].value)) &&
      words.every((word) => text.includes(word))
    );
  }
  shown.value = `${rows.filter((row) => !row.hidden).length} of ${rows.length} threats`;
};
form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(filter));
form.hidden = false;
filter();
