'use strict';
const byId = id => document.getElementById(id);
const EXPORTS = { 'results.zip': 'Everything (zip)', 'report.html': 'Report (HTML)', 'cracks.csv': 'Cracks (CSV)', 'summary.csv': 'Summary (CSV)',
  'cracks.geojson': 'Centre lines (GeoJSON)', 'coco.json': 'Outlines (COCO)' };
const IMAGES = { overlay: 'Overlay', mask: 'Mask', probability: 'Probability', sr: 'Restored image' };
const POLL = 700;
let photos = [], current = null, limits = null, picture = null, chosen = null, uploads = 0, messages = [];

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'onclick') made.addEventListener('click', value);
    else if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

async function ask(path, options = {}) {
  let answer;
  try { answer = await fetch(path, options); } catch { throw new Error('the server does not answer'); }
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.error);
  return content;
}

// Photos come one after the other.

async function upload(files) {
  for (const file of files) {
    if (limits && file.size > limits.upload_bytes) {
      messages.push(`${file.name}: larger than ${limits.upload_bytes / 1e6} MB`);
      continue;
    }
    uploads += 1;
    list();
    try {
      const photo = await ask('photos', { method: 'POST', headers: { 'X-File-Name': encodeURIComponent(file.name) }, body: file });
      current ??= photo.number;
    } catch (error) {
      messages.push(`${file.name}: ${error.message}`);
    }
    uploads -= 1;
    await refresh();
  }
  list();
}

async function refresh() {
  const before = photos.find(photo => photo.number === current);
  photos = await ask('photos');
  if (!photos.some(photo => photo.number === current)) current = photos.length ? photos[0].number : null;
  list();
  const now = photos.find(photo => photo.number === current);
  if (!now || !before || now.number !== before.number || now.state !== before.state || now.state === 'running') show();
}

function stateText(photo) {
  if (photo.state === 'running') return `${Math.round(100 * photo.progress)} %`;
  if (photo.state === 'done') return `${photo.crack_count} crack${photo.crack_count === 1 ? '' : 's'}`;
  return photo.state === 'failed' ? photo.error : 'waiting';
}

function list() {
  const lines = photos.map(photo => element('li', { class: photo.state === 'failed' ? 'bad' : null },
    element('button', { type: 'button', 'aria-current': photo.number === current, onclick: () => { current = photo.number; list(); show(); } },
      photo.title, element('small', {}, stateText(photo)))));
  if (uploads) lines.push(element('li', {}, element('button', { type: 'button', disabled: '' }, 'Uploading …')));
  messages.forEach((text, index) => lines.push(element('li', { class: 'bad' },
    element('button', { type: 'button', title: 'Dismiss', onclick: () => { messages.splice(index, 1); list(); } }, element('small', {}, text)))));
  byId('photos').replaceChildren(...lines);
}

// The chosen photo.

const digits = value => (value >= 100 ? 0 : value >= 10 ? 1 : 2);
const number = value => value.toLocaleString('en', { minimumFractionDigits: digits(value), maximumFractionDigits: digits(value) });
const scale = () => (Number(byId('mm').value) > 0 ? Number(byId('mm').value) : null);
const unit = () => (scale() ? 'mm' : 'px');
const inUnit = value => value * (scale() ?? 1);

function show() {
  const photo = photos.find(one => one.number === current);
  byId('empty').hidden = Boolean(photo);
  byId('result').hidden = !photo || photo.state !== 'done';
  byId('waiting').hidden = !photo || photo.state === 'done';
  if (!photo) return;
  if (photo.state !== 'done') {
    byId('waiting-title').textContent = photo.title;
    byId('waiting-text').textContent = photo.state === 'failed' ? photo.error
      : photo.state === 'running' ? 'The model looks at the photo.' : 'Waiting for the model.';
    byId('waiting-bar').hidden = photo.state === 'failed';
    byId('waiting-bar').value = photo.progress;
    return;
  }
  chosen = null;
  byId('title').textContent = photo.title;
  byId('facts').textContent = [`${photo.width} × ${photo.height} pixels`, `enlarged ${photo.scale} times`, photo.reading,
    photo.blur_spread === null ? null : `blur ${photo.blur_spread.toFixed(1)} px`].filter(Boolean).join(' · ');
  byId('threshold').value = photo.threshold;
  byId('min-length').value = photo.min_length;
  numbers(photo);
  downloads(photo);
  load(photo);
}

function numbers(photo) {
  byId('threshold-shown').textContent = Number(byId('threshold').value).toFixed(2);
  const total = photo.total, entries = [[String(photo.crack_count), '', 'cracks'], [number(inUnit(total.max_width)), unit(), 'widest'],
    [number(inUnit(total.mean_width)), unit(), 'mean width'], [number(inUnit(total.length)), unit(), 'length']];
  byId('totals').replaceChildren(...entries.map(([value, of, name]) => element('div', { class: 'total' },
    element('b', {}, value, ' ', element('small', {}, of)), element('span', {}, name))));
  if (!photo.cracks.length) { byId('cracks').replaceChildren('No cracks at this threshold.'); return; }
  const rows = photo.cracks.map((crack, index) => {
    const row = element('tr', {}, element('td', {}, element('button', { type: 'button' }, String(index + 1))),
      element('td', {}, number(inUnit(crack.max_width))), element('td', {}, number(inUnit(crack.mean_width))),
      element('td', {}, number(inUnit(crack.length))), element('td', {}, crack.confidence === null ? '–' : crack.confidence.toFixed(2)));
    row.addEventListener('click', () => {
      const again = row.classList.contains('chosen');
      byId('cracks').querySelectorAll('.chosen').forEach(other => other.classList.remove('chosen'));
      if (!again) row.classList.add('chosen');
      chosen = again ? null : crack;
      draw(photo);
    });
    return row;
  });
  const heads = ['Crack', `Widest (${unit()})`, `Mean (${unit()})`, `Length (${unit()})`, 'Conf.'];
  const table = element('table', { class: 'cracks' }, element('thead', {}, element('tr', {},
    ...heads.map(text => element('th', { scope: 'col' }, text)))), element('tbody', {}, ...rows));
  byId('cracks').replaceChildren(table);
  if (photo.crack_count > photo.cracks.length) {
    byId('cracks').append(element('p', {}, `The ${photo.cracks.length} surest of ${photo.crack_count}; all are in the downloads.`));
  }
}

function downloads(photo) {
  const query = scale() ? `?mm_per_pixel=${scale()}` : '';
  const links = Object.entries(EXPORTS).map(([file, text]) =>
    element('li', {}, element('a', { href: `photos/${photo.number}/export/${file}${query}`, download: file }, text)));
  for (const kind of photo.images.filter(name => name in IMAGES)) {
    links.push(element('li', {}, element('a', { href: `photos/${photo.number}/image/${kind}`, download: '' }, IMAGES[kind])));
  }
  byId('downloads').replaceChildren(...links);
}

// The picture: the photo, and red where the probability exceeds the threshold that the slider shows.

function pixels(source) {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: source.naturalWidth, height: source.naturalHeight });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(source, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

async function load(photo) {
  if (picture && picture.number === photo.number) { draw(photo); return; }
  const open = async kind => { const image = new Image(); image.src = `photos/${photo.number}/image/${kind}`; await image.decode(); return pixels(image); };
  const [before, levels] = await Promise.all([open('before'), open('levels')]);
  picture = { number: photo.number, before, levels };
  if (photo.number === current) draw(photo);
}

function draw(photo) {
  if (!picture || picture.number !== photo.number) return;
  const canvas = byId('picture'), { before, levels } = picture;
  Object.assign(canvas, { width: before.width, height: before.height });
  const shown = new ImageData(new Uint8ClampedArray(before.data), before.width, before.height);
  const threshold = 255 * Number(byId('threshold').value);
  if (byId('show-cracks').checked) {
    for (let at = 0; at < shown.data.length; at += 4) {
      if (levels.data[at] <= threshold) continue;
      shown.data[at] = 0.3 * shown.data[at] + 161;
      shown.data[at + 1] = 0.3 * shown.data[at + 1] + 21;
      shown.data[at + 2] = 0.3 * shown.data[at + 2] + 21;
    }
  }
  const context = canvas.getContext('2d');
  context.putImageData(shown, 0, 0);
  if (chosen) {
    const [top, left, bottom, right] = chosen.box, x = canvas.width / photo.width, y = canvas.height / photo.height;
    context.strokeStyle = '#ffd54a';
    context.lineWidth = Math.max(canvas.width / 400, 1);
    context.strokeRect(left * x - 4, top * y - 4, (right - left) * x + 8, (bottom - top) * y + 8);
  }
}

const shownPhoto = () => photos.find(photo => photo.number === current);

let asked = 0;
async function measure() {
  const photo = shownPhoto(), own = ++asked;
  byId('busy').textContent = 'measuring …';
  try {
    const body = JSON.stringify({ threshold: Number(byId('threshold').value), min_length: Number(byId('min-length').value) || 0 });
    const changed = await ask(`photos/${photo.number}/measure`, { method: 'POST', body });
    photos = photos.map(one => (one.number === changed.number ? changed : one));
    if (own === asked) byId('busy').textContent = '';
    if (own === asked && changed.number === current) { chosen = null; numbers(changed); draw(changed); list(); }
  } catch (error) {
    byId('busy').textContent = error.message;
  }
}

async function remove() {
  try { await ask(`photos/${current}`, { method: 'DELETE' }); } catch (error) { messages.push(error.message); }
  await refresh();
}

byId('files').addEventListener('change', event => { upload([...event.target.files]); event.target.value = ''; });
for (const name of ['dragover', 'drop']) window.addEventListener(name, event => event.preventDefault());
byId('drop').addEventListener('dragover', () => byId('drop').classList.add('over'));
byId('drop').addEventListener('dragleave', () => byId('drop').classList.remove('over'));
window.addEventListener('drop', event => { byId('drop').classList.remove('over'); upload([...event.dataTransfer.files]); });
byId('threshold').addEventListener('input', event => { byId('threshold-shown').textContent = Number(event.target.value).toFixed(2); draw(shownPhoto()); });
byId('threshold').addEventListener('change', measure);
byId('min-length').addEventListener('change', measure);
byId('mm').addEventListener('input', () => { numbers(shownPhoto()); downloads(shownPhoto()); });
byId('show-cracks').addEventListener('change', () => draw(shownPhoto()));
byId('remove').addEventListener('click', remove);
byId('cancel').addEventListener('click', remove);

async function poll() {
  if (photos.some(photo => photo.state === 'waiting' || photo.state === 'running')) {
    try { await refresh(); } catch (error) { byId('waiting-text').textContent = error.message; }
  }
  setTimeout(poll, POLL);
}

ask('limits').then(content => {
  limits = content;
  byId('limits').textContent = `up to ${limits.upload_bytes / 1e6} MB and ${limits.pixels / 1e6} megapixels each`;
});
refresh().then(poll);
