// A stand-in of Stripe.js for tests and the demo: the calls of the Payment Element that our pages
// make, with its promises and errors as documented (https://docs.stripe.com/js). It asks for test
// cards in the page itself; the real one does so in frames of its own.
(() => {
  "use strict";
  const base = new URL(document.currentScript.src).origin;
  const FIELDS = [
    ["number", "Card number", "cc-number", "4242 4242 4242 4242"],
    ["expiry", "Expiry date", "cc-exp", "12 / 34"],
    ["cvc", "Security code", "cc-csc", "123"],
  ];

  function paymentElement() {
    const inputs = {};
    const handlers = {};
    return {
      mount(selector) {
        const box = document.querySelector(selector);
        for (const [name, text, autocomplete, placeholder] of FIELDS) {
          const label = document.createElement("label");
          const input = document.createElement("input");
          Object.assign(input, { autocomplete, placeholder, inputMode: "numeric" });
          label.append(text, input);
          box.append(label);
          inputs[name] = input;
        }
        if (handlers.ready) handlers.ready();
      },
      on(event, handler) {
        handlers[event] = handler;
      },
      values() {
        const values = {};
        for (const name in inputs) values[name] = inputs[name].value.replace(/\s/g, "");
        return values;
      },
    };
  }

  async function call(key, method, path, values) {
    const body = new URLSearchParams({ key, ...values });
    const address = `${base}/v1/${path}`;
    const answer =
      method === "POST"
        ? await fetch(address, { method, body })
        : await fetch(`${address}?${body}`);
    const found = await answer.json();
    return found.error ? { error: found.error } : { paymentIntent: found };
  }

  function invalid(message) {
    return { error: { type: "validation_error", message } };
  }

  async function confirm(key, elements, returnUrl) {
    const { number, expiry, cvc } = elements.element.values();
    if (!number) return invalid("Your card number is incomplete.");
    if (!/^\d{1,2}\/\d{2}$/.test(expiry)) return invalid("Your card's expiration date is incomplete.");
    if (!cvc) return invalid("Your card's security code is incomplete.");
    const secret = elements.clientSecret;
    const [month, year] = expiry.split("/");
    const found = await call(key, "POST", `payment_intents/${secret.split("_secret_")[0]}/confirm`, {
      client_secret: secret,
      return_url: returnUrl,
      "payment_method_data[type]": "card",
      "payment_method_data[card][number]": number,
      "payment_method_data[card][exp_month]": month,
      "payment_method_data[card][exp_year]": `20${year}`,
      "payment_method_data[card][cvc]": cvc,
    });
    if (found.error) return found;
    const action = found.paymentIntent.next_action;
    const back = new URL(returnUrl);
    back.searchParams.set("payment_intent", found.paymentIntent.id);
    back.searchParams.set("payment_intent_client_secret", secret);
    back.searchParams.set("redirect_status", "succeeded");
    location.assign(action ? action.redirect_to_url.url : back);
    // The browser leaves; whoever waits goes on waiting.
    return new Promise(() => {});
  }

  window.Stripe = (key) => ({
    elements: ({ clientSecret }) => {
      const elements = { clientSecret };
      elements.create = () => (elements.element = paymentElement());
      return elements;
    },
    confirmPayment: ({ elements, confirmParams }) => confirm(key, elements, confirmParams.return_url),
    retrievePaymentIntent: (secret) =>
      call(key, "GET", `payment_intents/${secret.split("_secret_")[0]}`, { client_secret: secret }),
  });
})();
