// Looks whether an order's payment was decided meanwhile, and shows the page anew once it was.
(() => {
  "use strict";
  const { status, state, done } = document.getElementById("wait").dataset;
  let left = 20;
  async function look() {
    const answer = await fetch(status, { headers: { accept: "application/json" } }).catch(() => null);
    if (answer && answer.ok && (await answer.json()).state !== state) {
      location.replace(done);
    } else if ((left -= 1) > 0) {
      setTimeout(look, 3000);
    }
  }
  setTimeout(look, 1500);
})();
