const byId = id => document.getElementById(id);
const sections = [...document.querySelectorAll('.pair')];

function refresh() {
  const text = byId('search').value.trim().toLowerCase(), changed = byId('show').value === 'changed';
  let shown = 0;
  for (const section of sections) {
    section.hidden = !section.dataset.name.toLowerCase().includes(text) || (changed && section.dataset.changed === '0');
    shown += section.hidden ? 0 : 1;
  }
  byId('nothing').hidden = shown > 0;
  byId('count').textContent = `${shown} of ${sections.length} places`;
}

// The same place in both pictures: they share one frame.
function point(section, event) {
  const frame = event.currentTarget.getBoundingClientRect();
  for (const svg of section.querySelectorAll('.sides svg')) {
    const circle = svg.querySelector('.pointer'), box = svg.viewBox.baseVal;
    circle.setAttribute('cx', box.width * (event.clientX - frame.left) / frame.width);
    circle.setAttribute('cy', box.height * (event.clientY - frame.top) / frame.height);
    circle.removeAttribute('hidden');
  }
}

function choose(section, row) {
  const again = row.classList.contains('chosen');
  section.querySelectorAll('.changes tr.chosen').forEach(other => other.classList.remove('chosen'));
  if (!again) row.classList.add('chosen');
  for (const svg of section.querySelectorAll('.sides svg')) {
    const rect = svg.querySelector('.chosen-box');
    if (again || !row.dataset.box) { rect.setAttribute('hidden', ''); continue; }
    const [top, left, bottom, right] = row.dataset.box.split(' ').map(Number), margin = svg.viewBox.baseVal.width / 100;
    const place = { x: left - margin, y: top - margin, width: right - left + 2 * margin, height: bottom - top + 2 * margin };
    for (const [name, value] of Object.entries(place)) rect.setAttribute(name, value);
    rect.removeAttribute('hidden');
  }
}

for (const section of sections) {
  for (const stage of section.querySelectorAll('.stage')) {
    stage.addEventListener('pointermove', event => point(section, event));
    stage.addEventListener('pointerleave', () => {
      section.querySelectorAll('.pointer').forEach(circle => circle.setAttribute('hidden', ''));
    });
  }
  for (const row of section.querySelectorAll('.changes tbody tr')) row.addEventListener('click', () => choose(section, row));
}
byId('search').addEventListener('input', refresh);
byId('show').addEventListener('change', refresh);
refresh();
