"use strict";
/* Looks up what results.json holds for the chosen settings; computes nothing but the range. */
for (const box of document.querySelectorAll(".sliders")) {
  const data = JSON.parse(box.querySelector("script").textContent);
  const control = (name) => box.querySelector(`[name="${name}"]`);
  const place = (name) => (control(name) ? Number(control(name).value) : 0);
  const size = (name) => data.axes[name].length;
  const probability = (p) => (p <= 0 ? "< 0.001" : p >= 1000 ? "> 0.999" : (p / 1000).toFixed(3));
  const model = () => {
    if (control("model")) return place("model");
    if (!control("path")) return data.main;
    return place("path") === 0 ? data.main : data.grid.at[place("path") - 1][place("phi")];
  };
  const show = () => {
    for (const range of box.querySelectorAll("input[type=range]")) {
      const text = range.dataset.texts.split("|")[Number(range.value)];
      range.nextElementSibling.textContent = text;
      range.setAttribute("aria-valuetext", text);
    }
    if (control("phi")) {
      control("phi").disabled = place("path") === 0;
      if (place("path") === 0) control("phi").nextElementSibling.textContent = data.averaged;
    }
    const [k, s, r] = ["inflation", "prior", "rope"].map(place);
    const moment = (m) => (m * size("inflation") + k) * size("prior") + s;
    const cell = (m) => moment(m) * size("rope") + r;
    const m = model();
    const all = data.models.map((_, other) => data.p[cell(other)]);
    const said = new Set([...all, data.p[cell(m)]].map((value) => probability(value)));
    const range = data.models.length === 1 ? "" : said.size === 1
      ? ` by each of the ${data.models.length} models that count`
      : `, and ${probability(Math.min(...all))} to ${probability(Math.max(...all))} over the ${data.models.length} models that count`;
    const rope = r === 0 ? "" : ` Within ±${data.axes.rope[r]}: P ${probability(data.inside[cell(m)])}.`;
    const asked = r === 0 ? data.asks : data.asks_beyond.replace("{}", data.axes.rope[r]);
    const trends = control("mbar") ? ` ${data.robust[place("mbar")]}` : "";
    box.querySelector(".answer").textContent =
      `${data.models[m]}: ${data.mean[moment(m)]} (${data.percent} interval ${data.interval[moment(m)]}). ` +
      `That it is ${asked} is ${data.vocabulary[data.words[cell(m)]]}: ` +
      `P ${probability(data.p[cell(m)])}${range}.${rope}${trends}`;
  };
  box.addEventListener("input", show);
  show();
}
