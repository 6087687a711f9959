// Stripe's Payment Element in the page templates/shop/pay.html. Card data goes to Stripe alone.
(() => {
  "use strict";
  const form = document.getElementById("pay");
  const { key, secret, returnUrl, locale, failed } = form.dataset;
  const button = form.querySelector("button");
  const alert = form.querySelector("[role=alert]");

  function tell(message) {
    alert.textContent = message;
    alert.hidden = !message;
  }

  if (typeof Stripe === "undefined") {
    tell(failed);
    return;
  }
  const stripe = Stripe(key, { locale });
  const look = getComputedStyle(document.documentElement);
  const appearance = {
    variables: {
      colorPrimary: look.getPropertyValue("--main").trim(),
      colorText: look.getPropertyValue("--ink").trim(),
      colorDanger: look.getPropertyValue("--bad").trim(),
      borderRadius: "8px",
    },
  };
  const elements = stripe.elements({ clientSecret: secret, appearance, locale });
  const element = elements.create("payment");
  element.on("ready", () => {
    button.disabled = false;
  });
  element.on("loaderror", () => tell(failed));
  element.mount("#payment-element");

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    tell("");
    // Comes back only when it failed: else the browser goes to the return address.
    const { error } = await stripe
      .confirmPayment({ elements, confirmParams: { return_url: returnUrl } })
      .catch(() => ({ error: { message: failed } }));
    tell(error.message || failed);
    button.disabled = false;
  });
})();
