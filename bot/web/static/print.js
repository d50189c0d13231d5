// Printing, where there is script: the buttons are hidden without it.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    for (const folded of document.querySelectorAll("details")) folded.open = true;
    window.print();
  });
}
