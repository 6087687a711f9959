// Of a promotion's effects only the chosen one's fields are shown. Without this, all are.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const choice = document.getElementById("id_effect_type");
  if (!choice) {
    return;
  }
  const show = () => {
    document.querySelectorAll("fieldset.effect").forEach((group) => {
      group.classList.toggle("bo-hidden", !group.classList.contains(`effect-${choice.value}`));
    });
  };
  choice.addEventListener("change", show);
  show();
});
