"use strict";

// Health: asked of this page's own host, which asks inside the cluster. 200 and 503 come from there; anything else is the
// login's or the network's.
const WORDS = { 200: ["up", "answers"], 503: ["down", "does not answer"], 401: ["", "unknown: reload to log in again"] };

async function ask(state) {
  let status = 0;
  try {
    status = (await fetch(state.dataset.health, { cache: "no-store" })).status;
  } catch { /* stays unknown */ }
  const [kind, text] = WORDS[status] ?? ["", "unknown"];
  state.dataset.state = kind;
  state.textContent = text;
}

function askAll() {
  if (!document.hidden) document.querySelectorAll("[data-health]").forEach(ask);
}

// The CA as this browser received it. Only the fingerprint that an operator gives says whether it is the right one.
async function showFingerprint(place) {
  try {
    const pem = await (await fetch(place.dataset.fingerprint)).text();
    const der = Uint8Array.from(atob(pem.replace(/-----[^-]+-----|\s/g, "")), (letter) => letter.charCodeAt(0));
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", der));
    place.textContent = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(":");
  } catch {
    place.textContent = "could not be read";
  }
}

for (const button of document.querySelectorAll("button[data-copies]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
}
document.querySelectorAll("[data-fingerprint]").forEach(showFingerprint);
askAll();
setInterval(askAll, 30_000);
document.addEventListener("visibilitychange", askAll);
