const byId = id => document.getElementById(id);
const state = { key: 'max_width', descending: true, search: '', show: 'all', least: 0 };
const widest = Math.max(...ROWS.map(row => row.max_width || 0), 0);
let shown = [];
let current = 0;

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'onclick') made.addEventListener('click', value);
    else if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter(child => child !== null));
  return made;
}

const digits = value => (value >= 100 ? 0 : value >= 10 ? 1 : 2);
const format = value => value.toLocaleString('en', {
  minimumFractionDigits: digits(value), maximumFractionDigits: digits(value), useGrouping: true });
const withUnit = (value, square = false, unit = UNIT) => `${format(value)} ${unit}${square ? '²' : ''}`;

const interval = (values, name) => {
  const ends = (values.intervals || {})[name];
  return ends && ends[1] > 0 ? ` (${format(ends[0])}\u2013${format(ends[1])})` : '';
};
const chances = values => (values.above || []).map(([limit, chance]) =>
  `P(>\u00a0${limit}\u00a0mm)\u00a0=\u00a0${chance.toFixed(2)}`).join(', ');

function directionIcon(degrees) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '-13 -13 26 26');
  svg.setAttribute('class', 'direction');
  svg.setAttribute('aria-hidden', 'true');
  const circle = document.createElementNS(svg.namespaceURI, 'circle');
  circle.setAttribute('r', 12);
  const line = document.createElementNS(svg.namespaceURI, 'line');
  const x = 8 * Math.cos(degrees * Math.PI / 180), y = 8 * Math.sin(degrees * Math.PI / 180);
  for (const [name, value] of Object.entries({ x1: -x, y1: y, x2: x, y2: -y })) line.setAttribute(name, value);
  svg.append(circle, line);
  return svg;
}

// Table.

function showThumbnail(image) {
  image.src = PICTURES[image.dataset.name].thumbnail;
  thumbnails.unobserve(image);
}

const thumbnails = new IntersectionObserver(entries => {
  for (const entry of entries) if (entry.isIntersecting) showThumbnail(entry.target);
}, { rootMargin: '400px' });

function photoCell(row) {
  const image = row.status === 'ok'
    ? element('img', { alt: '', 'data-name': row.name, width: 92, height: 69 })
    : element('span', { class: 'no-image', 'aria-hidden': 'true' }, '!');
  if (row.status === 'ok') thumbnails.observe(image);
  const title = row.status === 'ok'
    ? element('button', { type: 'button' }, row.name) : element('strong', {}, row.name);
  const details = row.status === 'ok'
    ? (row.taken || '').replace('T', ' ') || `${row.width} × ${row.height} pixels` : row.error;
  const badge = row.status !== 'ok' ? element('span', { class: 'badge bad' }, 'not read')
    : row.too_blurred ? element('span', { class: 'badge' }, 'too blurred to judge')
      : row.unit !== UNIT ? element('span', { class: 'badge' }, 'no scale') : null;
  return element('td', { class: 'photo' }, element('div', { class: 'photo-cell' }, image,
    element('div', {}, title, element('small', {}, details), badge)));
}

function tableRow(row) {
  const cells = [photoCell(row)];
  const cell = (label, content, extra = '') => cells.push(
    element('td', { 'data-label': label, class: content === null ? `none ${extra}` : extra }, content ?? '–'));
  if (row.status === 'ok') {
    const some = row.crack_count > 0 && row.max_width !== null;
    cell('Widest', some ? withUnit(row.max_width) : null, 'key');
    cell('95 %', some ? withUnit(row.width_95) : null);
    cell('Mean', some ? withUnit(row.mean_width) : null, 'less');
    cell('Length', some ? withUnit(row.length) : null);
    cell('Area', some ? withUnit(row.area, true) : null, 'less');
    cell('Cracks', String(row.crack_count));
    const angle = row.orientation === null ? null : element('span', {},
      directionIcon(row.orientation), `${Math.round(row.orientation) % 180}°`);
    cell('Direction', angle);
    cell('Blur', row.blur_spread === null ? null : row.blur_spread.toFixed(1), 'less');
  } else {
    cells.push(element('td', { colspan: 8, class: 'none' }));
  }
  const made = element('tr', { class: row.status === 'ok' ? '' : 'failed', 'data-name': row.name }, ...cells);
  if (row.status === 'ok') made.addEventListener('click', () => openViewer(shown.indexOf(row)));
  return made;
}

const elements = new Map(ROWS.map(row => [row, tableRow(row)]));

function matches(row) {
  const kinds = {
    all: true, cracked: row.crack_count > 0, clear: row.status === 'ok' && row.crack_count === 0,
    blurred: Boolean(row.too_blurred), failed: row.status !== 'ok',
    open: row.status === 'ok' && openCracks(row) > 0, decided: said().some(one => one.photo === row.name),
  };
  const text = `${row.name} ${row.source}`.toLowerCase();
  return kinds[state.show] && text.includes(state.search)
    && (state.least <= 0 || (row.max_width || 0) >= state.least);
}

function compare(first, second) {
  const a = first[state.key], b = second[state.key];
  const missing = value => value === null || value === undefined;
  // Photos without a value stand at the end, whichever the direction.
  if (missing(a) || missing(b)) return missing(a) - missing(b) || first.name.localeCompare(second.name);
  const order = typeof a === 'string' ? a.localeCompare(b, undefined, { numeric: true }) : a - b;
  return (state.descending ? -order : order) || first.name.localeCompare(second.name, undefined, { numeric: true });
}

function refresh() {
  shown = ROWS.filter(matches).sort(compare);
  document.querySelector('#photos tbody').replaceChildren(...shown.map(row => elements.get(row)));
  const names = new Set(shown.map(row => row.name));
  for (const link of document.querySelectorAll('.map a')) link.classList.toggle('out', !names.has(link.dataset.photo));
  byId('nothing').hidden = shown.length > 0;
  byId('count').textContent = `${shown.length} of ${ROWS.length} photos`;
  for (const header of document.querySelectorAll('#photos th')) {
    const sorted = header.firstElementChild.dataset.key === state.key;
    if (sorted) header.setAttribute('aria-sort', state.descending ? 'descending' : 'ascending');
    else header.removeAttribute('aria-sort');
  }
  byId('sort').value = state.key;
  for (const bar of document.querySelectorAll('#histogram i')) {
    bar.classList.toggle('in', Number(bar.dataset.to) >= state.least);
  }
}

function sortBy(key) {
  state.descending = key === state.key ? !state.descending : key !== 'name';
  state.key = key;
  refresh();
}

function drawHistogram() {
  const bins = new Array(30).fill(0);
  for (const row of ROWS) {
    if (row.crack_count > 0 && row.max_width !== null) bins[Math.min(Math.floor(30 * row.max_width / (widest || 1)), 29)] += 1;
  }
  const most = Math.max(...bins, 1);
  byId('histogram').append(...bins.map((count, index) => {
    const bar = element('i', { 'data-to': (index + 1) * widest / 30 });
    bar.style.height = count ? `${15 + 85 * count / most}%` : '2px';
    return bar;
  }));
}

// Viewer.

function measureList(row) {
  const own = (name, square) => withUnit(row.own[name], square, row.unit) + (square ? '' : interval(row.own, name));
  const entries = [['Widest crack', own('max_width')], ['95 % width', own('width_95')],
    ['Mean width', own('mean_width')], ['Length', own('length')], ['Area', own('area', true)]];
  if (row.orientation !== null) entries.push(['Direction', `${row.orientation.toFixed(0)}°`]);
  if (row.blobs) entries.push(['Blobs, not counted', String(row.blobs)]);
  if (row.ignored) entries.push(['Too small or faint', String(row.ignored)]);
  if (row.blur_spread !== null) entries.push(['Blur', `${row.blur_spread.toFixed(2)} px`]);
  const chance = element('dt', { class: 'chances' }, chances(row.own));
  return [...entries.slice(0, 1), ...(row.own.above && row.crack_count ? [[null, chance]] : []), ...entries.slice(1)]
    .flatMap(([name, value]) => (name ? [element('dt', {}, name), element('dd', {}, value)] : [value]))
    .concat(classList(row));
}

function classList(row) {
  if (!row.own.class_lengths || !row.crack_count) return [];
  return CLASSES.flatMap(([name, color], index) => {
    const swatch = element('i', { class: 'swatch' });
    swatch.style.background = color;
    return [element('dt', {}, swatch, name),
      element('dd', {}, withUnit(row.own.class_lengths[index], false, row.unit))];
  });
}

function crackTable(row) {
  if (!row.crack_count) return element('p', {}, 'No cracks found.');
  const lines = row.cracks.map((crack, index) => {
    const line = element('tr', { 'data-index': index },
      element('td', {}, element('button', { type: 'button' }, String(index + 1)), element('span', { class: 'mark' })),
      element('td', { title: chances(crack) || null }, format(crack.max_width),
        element('small', {}, interval(crack, 'max_width'))), element('td', {}, format(crack.length)),
      element('td', {}, crack.orientation === null ? '–' : `${Math.round(crack.orientation) % 180}°`),
      element('td', {}, [crack.confidence == null ? '–' : crack.confidence.toFixed(2),
        crack.kind === 'joint?' ? ' joint?' : ''].join('')));
    line.addEventListener('click', () => {
      outline(row, crack, line);
      if (line.classList.contains('chosen')) showReview(row, crack, index + 1, line);
      else showReview(null);
    });
    return line;
  });
  const body = element('tbody', {}, ...lines);
  const columns = [['Crack', null], [`Widest (${row.unit})`, 'max_width'], [`Length (${row.unit})`, 'length'],
    ['Dir.', 'orientation'], ['Conf.', 'confidence']];
  const head = element('thead', {}, element('tr', {}, ...columns.map(([text, key]) => element('th', { scope: 'col' },
    element('button', { type: 'button', onclick: () => {
      // The largest first; the numbers bring back the order of the report.
      const order = row.cracks.map((crack, index) => [key ? crack[key] ?? -1 : -index, lines[index]]);
      body.replaceChildren(...order.sort((one, other) => other[0] - one[0]).map(([, line]) => line));
    } }, text)))));
  const more = row.crack_count > row.cracks.length
    ? element('p', {}, `The ${row.cracks.length} surest of ${row.crack_count}; all are in cracks.csv.`) : null;
  return element('div', {}, element('table', { class: 'cracks' }, head, body), more ?? '');
}

function markWidest(row, place) {
  byId('widest').hidden = !place;
  if (place) {
    Object.assign(byId('widest').style, { top: `${100 * place[0] / row.height}%`, left: `${100 * place[1] / row.width}%` });
  }
}

function outline(row, crack, line) {
  const box = byId('outline'), again = line.classList.contains('chosen');
  document.querySelectorAll('.cracks tr.chosen').forEach(other => other.classList.remove('chosen'));
  box.hidden = again;
  markWidest(row, (again ? row : crack).widest_at);
  if (again) return;
  line.classList.add('chosen');
  const [top, left, bottom, right] = crack.box;
  Object.assign(box.style, {
    top: `calc(${100 * top / row.height}% - 5px)`, left: `calc(${100 * left / row.width}% - 5px)`,
    height: `calc(${100 * (bottom - top) / row.height}% + 10px)`,
    width: `calc(${100 * (right - left) / row.width}% + 10px)`,
  });
}

function facts(row) {
  const parts = [`${row.width} × ${row.height} pixels`];
  if (row.taken) parts.push(row.taken.replace('T', ' '));
  if (row.scale) parts.push(row.scale);
  if (row.reading) parts.push(row.reading);
  const children = [parts.join(' · ')];
  if (row.latitude !== null) {
    const place = `${row.latitude.toFixed(6)}, ${row.longitude.toFixed(6)}`;
    const query = `mlat=${row.latitude}&mlon=${row.longitude}#map=19/${row.latitude}/${row.longitude}`;
    children.push(' · ', element('a', { href: `https://www.openstreetmap.org/?${query}`, target: '_blank',
      rel: 'noopener noreferrer' }, place));
    if (row.altitude !== null) children.push(` · ${row.altitude.toFixed(0)} m`);
  }
  return children;
}

function fileLinks(row) {
  const names = { overlay: 'Overlay', mask: 'Mask', probability: 'Probability', sr: 'Restored image', kernel: 'Blur kernel' };
  return Object.entries(names).filter(([kind]) => kind in row.files).map(([kind, name]) =>
    element('a', { href: row.files[kind].split('/').map(encodeURIComponent).join('/'), target: '_blank' }, name));
}

function fitStage(row) {
  const frame = document.querySelector('.stage-frame').getBoundingClientRect();
  const narrow = window.matchMedia('(max-width: 760px)').matches;
  const height = narrow ? Math.min(window.innerHeight * 0.6, frame.width * row.height / row.width) : frame.height;
  const scale = Math.min(frame.width / row.width, height / row.height);
  Object.assign(byId('stage').style, { width: `${row.width * scale}px`, height: `${row.height * scale}px` });
}

function openViewer(index) {
  current = index;
  const row = shown[index], pictures = PICTURES[row.name];
  byId('viewer-name').textContent = row.name;
  byId('viewer-facts').replaceChildren(...facts(row));
  byId('before').src = pictures.before;
  byId('after').src = pictures.after;
  byId('outline').hidden = true;
  markWidest(row, row.widest_at);
  byId('viewer-measures').replaceChildren(...measureList(row));
  byId('viewer-files').replaceChildren(...fileLinks(row));
  byId('crack-list').replaceChildren(crackTable(row));
  showReview(null);
  if (!byId('viewer').open) byId('viewer').showModal();
  setSplit(50);
  fitStage(row);
  showDecisions();
}

function setSplit(percent) {
  byId('split').value = percent;
  byId('stage').style.setProperty('--x', `${percent}%`);
}

function step(by) {
  const readable = shown.map((row, index) => (row.status === 'ok' ? index : -1)).filter(index => index >= 0);
  if (!readable.length) return;
  const place = readable.indexOf(current);
  openViewer(readable[(place + by + readable.length) % readable.length]);
}

// What the user does.

byId('search').addEventListener('input', event => { state.search = event.target.value.trim().toLowerCase(); refresh(); });
byId('show').addEventListener('change', event => { state.show = event.target.value; refresh(); });
byId('sort').addEventListener('change', event => {
  Object.assign(state, { key: event.target.value, descending: event.target.value !== 'name' }); refresh(); });
byId('least').addEventListener('input', event => {
  state.least = Number(event.target.value) || 0;
  byId('least-range').value = widest ? 1000 * state.least / widest : 0;
  refresh();
});
byId('least-range').addEventListener('input', event => {
  state.least = widest * event.target.value / 1000;
  byId('least').value = state.least.toFixed(2);
  refresh();
});
for (const button of document.querySelectorAll('#photos th button')) {
  button.addEventListener('click', () => sortBy(button.dataset.key));
}
for (const link of document.querySelectorAll('.map a')) {
  link.addEventListener('click', event => {
    const index = shown.findIndex(row => row.name === link.dataset.photo);
    if (index < 0) return;
    event.preventDefault();
    openViewer(index);
  });
}
byId('split').addEventListener('input', event => setSplit(event.target.value));
byId('previous').addEventListener('click', () => step(-1));
byId('next').addEventListener('click', () => step(1));
byId('close').addEventListener('click', () => byId('viewer').close());
byId('viewer').addEventListener('click', event => { if (event.target === byId('viewer')) byId('viewer').close(); });
byId('viewer').addEventListener('keydown', event => {
  if (event.target === byId('split') || event.target === byId('comment')) return;
  if (event.key === 'ArrowLeft') step(-1);
  if (event.key === 'ArrowRight') step(1);
});
window.addEventListener('beforeprint', () => {
  document.querySelectorAll('#photos img:not([src])').forEach(showThumbnail);
});
window.addEventListener('resize', () => { if (byId('viewer').open) fitStage(shown[current]); });

drawHistogram();
startDecisions();
refresh();
