// Forms marked data-passkey ("create" or "get"): the device is asked before the form is sent.
(() => {
  "use strict";
  const { credentials } = navigator;
  const Key = window.PublicKeyCredential;
  if (!credentials || !Key || !Key.parseCreationOptionsFromJSON) {
    return;
  }

  async function ask(form) {
    const { passkey, options: address } = form.dataset;
    const reply = await fetch(address, { method: "POST", body: new FormData(form) });
    const options = await reply.json();
    if (!reply.ok) {
      throw new Error(options.detail);
    }
    const publicKey =
      passkey === "create"
        ? Key.parseCreationOptionsFromJSON(options)
        : Key.parseRequestOptionsFromJSON(options);
    return credentials[passkey]({ publicKey });
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const alert = form.querySelector("[role=alert]");
    const button = form.querySelector("button");
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      alert.hidden = true;
      button.disabled = true;
      try {
        form.elements.credential.value = JSON.stringify((await ask(form)).toJSON());
        form.submit();
      } catch (error) {
        // Of the browser's own errors only the name is meant for programs; ours is a sentence.
        alert.textContent = error instanceof DOMException ? form.dataset.failed : error.message;
        alert.hidden = false;
        button.disabled = false;
      }
    });
  }
})();
