/* Draws charts after the page is there: fetches what draws them and what they show, and draws again when the theme or
   the width changes. Every number and moment comes in words from the box; keys move along the points. */
(() => {
  "use strict";
  const DASHES = [[], [8, 4], [2, 4], [12, 4, 2, 4], [4, 2]];
  const LOCALES = { en: "en-GB", es: "es-ES" };
  const DRAWING_MS = 300, REST_MS = 300, HEIGHT = 260, WIDE = 760;
  const GAP = "\u00a0", MISSING = "\u2014", GROUP = "\u202f", MINUS = "\u2212";

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const script = (address) => new Promise((resolve, reject) => {
    if (window.uPlot) return resolve();
    const element = document.createElement("script");
    element.src = address;
    element.onload = resolve;
    element.onerror = reject;
    document.head.append(element);
  });
  const style = (address) => {
    if (document.querySelector(`link[href="${address}"]`)) return;
    const element = document.createElement("link");
    element.rel = "stylesheet";
    element.href = address;
    document.head.append(element);
  };
  const made = (name, text, of) => {
    const element = document.createElement(name);
    element.textContent = text;
    if (of) element.className = of;
    return element;
  };
  const number = (value, decimals, point) => {
    if (value === null || value === undefined) return MISSING;
    const [whole, rest] = Math.abs(value).toFixed(decimals).split(".");
    const grouped = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, GROUP) : whole;
    const digits = grouped + (rest ? point + rest : "");
    return (value < 0 && /[1-9]/.test(digits) ? MINUS : "") + digits;
  };

  const chart = (figure) => {
    const { drawing, failed, nothing, reset } = figure.dataset;
    const legend = figure.querySelector(".legend"), plots = figure.querySelector(".plots");
    const at = figure.querySelector(".at"), spoken = figure.querySelector("[role=status]");
    let content = null, drawn = [], place = null, resting = null;

    const say = (index) => {
      const parts = [];
      content.plots.forEach((plot, p) => plot.lines.forEach((line, l) => {
        const said = number(line.value[index], plot.decimals, content.point);
        const value = said === MISSING || !plot.unit ? said : said + GAP + plot.unit;
        parts.push(`${line.label} ${value}`);
        legend.querySelector(`[data-line="${p}.${l}"] b`).textContent = value;
      }));
      const gap = content.gaps.find(([start, stop]) => start < content.ends[index] && content.ends[index] <= stop);
      const isEmpty = content.plots.every((plot) => plot.lines.every((line) => line.value[index] === null));
      at.textContent = content.times[index] + (gap ? `. ${gap[2]}` : "");
      return `${content.times[index]}: ${gap && isEmpty ? gap[2] : parts.join(", ")}`;
    };
    const latest = () => {
      let index = content.ends.length - 1;
      while (index > 0 && !content.plots.some((plot) => plot.lines.some((line) => line.value[index] !== null))) index -= 1;
      return index;
    };
    const show = (index) => { if (index !== null && index !== undefined) say(index); };

    const swatch = (dash) => {
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      for (const [name, value] of [["viewBox", "0 0 28 8"], ["class", "dash"], ["aria-hidden", "true"]]) svg.setAttribute(name, value);
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      path.setAttribute("d", "M0 4H28");
      path.setAttribute("stroke-dasharray", dash.join(" "));
      svg.append(path);
      return svg;
    };

    const bands = (u) => {
      u.ctx.save();
      u.ctx.fillStyle = colour("--sunken");
      for (const [start, stop] of content.alone ? content.gaps : []) {
        const left = Math.max(u.valToPos(start, "x", true), u.bbox.left);
        const right = Math.min(u.valToPos(stop, "x", true), u.bbox.left + u.bbox.width);
        if (right > left) u.ctx.fillRect(left, u.bbox.top, Math.max(right - left, 1), u.bbox.height);
      }
      u.ctx.restore();
    };
    const zero = (u) => {
      const { min, max } = u.scales.y;
      if (!(min < 0 && max > 0)) return;
      const y = u.valToPos(0, "y", true);
      u.ctx.save();
      u.ctx.strokeStyle = colour("--edge");
      u.ctx.lineWidth = devicePixelRatio;
      u.ctx.beginPath();
      u.ctx.moveTo(u.bbox.left, y);
      u.ctx.lineTo(u.bbox.left + u.bbox.width, y);
      u.ctx.stroke();
      u.ctx.restore();
    };
    const labels = (u, plot, series) => {
      if (plot.lines.length < 2 || u.width < WIDE - 100) return;
      const taken = [];
      u.ctx.save();
      u.ctx.font = `${12 * devicePixelRatio}px sans-serif`;
      u.ctx.textAlign = "right";
      plot.lines.forEach((line, l) => {
        let index = line.value.length - 1;
        while (index >= 0 && line.value[index] === null) index -= 1;
        if (index < 0) return;
        const x = Math.min(u.valToPos(content.ends[index], "x", true), u.bbox.left + u.bbox.width);
        let y = u.valToPos(line.value[index], "y", true) - 6 * devicePixelRatio;
        while (taken.some((other) => Math.abs(other - y) < 14 * devicePixelRatio)) y -= 14 * devicePixelRatio;
        taken.push(y);
        u.ctx.lineWidth = 4 * devicePixelRatio;
        u.ctx.strokeStyle = colour("--surface");
        u.ctx.strokeText(line.label, x, y);
        u.ctx.fillStyle = colour("--ink");
        u.ctx.fillText(line.label, x, y);
      });
      u.ctx.restore();
    };
    const alone = (run) => (u, i) => run.reduce((found, value, index) => {
      const isAlone = value !== null && (run[index - 1] ?? null) === null && (run[index + 1] ?? null) === null;
      return isAlone ? [...found, index] : found;
    }, []);

    const draw = () => {
      for (const each of drawn) each.destroy();
      plots.replaceChildren();
      legend.replaceChildren();
      drawn = content.plots.map((plot, p) => {
        const box = document.createElement("div");
        if (plot.unit) plots.append(made("p", plot.unit, "unit meta"));
        plots.append(box);
        const values = [content.ends], series = [{}], between = [];
        plot.lines.forEach((line, l) => {
          const dash = DASHES[l % DASHES.length];
          values.push(line.value);
          series.push({
            label: line.label, stroke: colour("--ink"), width: 2, dash, spanGaps: false,
            points: { show: true, size: 5, width: 1, fill: colour("--ink"), filter: alone(line.value) },
          });
          const item = document.createElement("li");
          item.dataset.line = `${p}.${l}`;
          item.append(swatch(dash), made("span", line.label), made("b", "", "readout"));
          legend.append(item);
        });
        plot.lines.forEach((line) => {
          if (!line.least.length || plot.lines.length > 2) return;
          const edge = { width: 0, stroke: "transparent", points: { show: false }, spanGaps: false };
          values.push(line.most, line.least);
          series.push({ ...edge }, { ...edge });
          between.push({ series: [series.length - 2, series.length - 1], fill: colour("--band") });
        });
        const axis = { stroke: colour("--ink2"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 } };
        const clock = (form) => new Intl.DateTimeFormat(LOCALES[document.documentElement.lang], { timeZone: content.zone, ...form });
        const time = clock({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }), day = clock({ day: "numeric", month: "short" });
        const plain = (u, splits) => splits.map((each) => number(each, Math.max(0, ...splits.map((s) => (String(+s.toFixed(4)).split(".")[1] || "").length)), content.point));
        const ticks = (u, splits) => {
          let before = "";
          return splits.map((each) => {
            const when = new Date(each * 1000), date = day.format(when), hour = time.format(when);
            const said = date === before ? hour : hour === "00:00" || splits[1] - splits[0] >= 86400 ? date : `${hour}\n${date}`;
            before = date;
            return said;
          });
        };
        return new window.uPlot({
          width: box.clientWidth || plots.clientWidth, height: HEIGHT, series, bands: between, legend: { show: false },
          tzDate: (stamp) => window.uPlot.tzDate(new Date(stamp * 1e3), content.zone),
          cursor: { sync: { key: "chart" }, points: { size: 7 }, drag: { x: true, y: false } },
          scales: {
            x: { time: true },
            y: { range: (u, min, max) => {
              if (min === null || max === null) return [0, 1];
              const low = plot.zero ? Math.min(0, min) : min, high = plot.zero ? Math.max(0, max) : max;
              const room = (high - low || Math.abs(high) || 1) * 0.06;
              return [low === 0 && plot.zero ? 0 : low - room, high === 0 && plot.zero && low < 0 ? 0 : high + room];
            } },
          },
          axes: [{ ...axis, values: ticks }, { ...axis, size: 64, values: plain }],
          hooks: {
            drawClear: [bands],
            draw: [zero, (u) => labels(u, plot)],
            setCursor: [(u) => { if (u.cursor.idx !== null && u.cursor.idx !== undefined) { place = u.cursor.idx; show(place); } }],
            setSelect: [(u) => back.toggleAttribute("hidden", !(u.select.width > 0))],
          },
        }, values, box);
      });
      const index = place ?? latest();
      say(index);
    };

    const move = (to) => {
      place = Math.min(Math.max(to, 0), content.ends.length - 1);
      for (const each of drawn) {
        const left = each.valToPos(content.ends[place], "x");
        each.setCursor({ left, top: each.over.clientHeight / 2 }, false);
      }
      const said = say(place);
      clearTimeout(resting);
      resting = setTimeout(() => { spoken.textContent = said; }, REST_MS);
    };
    const KEYS = {
      ArrowLeft: () => move((place ?? latest() + 1) - 1),
      ArrowRight: () => move((place ?? latest() - 1) + 1),
      Home: () => move(0),
      End: () => move(content.ends.length - 1),
      PageUp: () => figure.dataset.earlier && location.assign(figure.dataset.earlier),
      PageDown: () => figure.dataset.later && location.assign(figure.dataset.later),
    };
    figure.addEventListener("keydown", (event) => {
      if (!content || !KEYS[event.key] || event.target !== figure) return;
      event.preventDefault();
      KEYS[event.key]();
    });

    const back = made("button", reset, "button");
    back.type = "button";
    back.hidden = true;
    back.addEventListener("click", () => {
      for (const each of drawn) each.setData(each.data);
      back.hidden = true;
    });
    at.before(back);

    const load = async (source) => {
      figure.hidden = false;
      const late = setTimeout(() => { at.textContent = drawing; }, DRAWING_MS);
      try {
        style(figure.dataset.style);
        const [answer] = await Promise.all([fetch(source), script(figure.dataset.script)]);
        if (!answer.ok) throw new Error(String(answer.status));
        content = await answer.json();
        place = null;
        if (content.plots.some((plot) => plot.lines.some((line) => line.value.some((value) => value !== null)))) {
          draw();
        } else {
          for (const each of drawn.splice(0)) each.destroy();
          plots.replaceChildren();
          legend.replaceChildren();
          at.textContent = nothing;
        }
        figure.dataset.drawn = String(drawn.length);
      } catch (error) {
        at.textContent = failed;
        figure.dataset.drawn = "0";
      } finally {
        clearTimeout(late);
      }
    };

    const again = () => { if (content && drawn.length) draw(); };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
    let width = figure.clientWidth;
    addEventListener("resize", () => {
      if (figure.clientWidth === width) return;
      width = figure.clientWidth;
      for (const each of drawn) each.setSize({ width: plots.clientWidth, height: HEIGHT });
    });
    const choice = document.querySelector("select[data-chart]");
    if (choice) {
      choice.addEventListener("change", () => {
        const source = new URL(figure.dataset.source, location.href);
        source.searchParams.set("variable", choice.value);
        load(source.pathname + source.search);
      });
    }
    load(figure.dataset.source);
  };

  const begin = () => { for (const figure of document.querySelectorAll("figure.chart")) chart(figure); };
  // After the first paint: nobody waits for a chart to read the page.
  requestAnimationFrame(() => setTimeout(begin));
})();
