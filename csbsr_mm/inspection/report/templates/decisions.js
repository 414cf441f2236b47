// Decisions of a person about cracks: those that came with the page, and above them those made in this browser.

const STORE = `csbsr-decisions-${REPORT.id}`;
const crackKey = (photo, box) => `${photo}|${box.join()}`;
const decided = new Map();
const made = new Map();
let reviewed = null;

function newer(one, other) { return !other || (one.at || '') >= (other.at || ''); }

function take(decisions, into) {
  let count = 0;
  for (const one of decisions) {
    const key = crackKey(one.photo, one.box);
    if (!newer(one, decided.get(key))) continue;
    count += 1;
    decided.set(key, one);
    if (into) into.set(key, one);
  }
  return count;
}

function notice(text) {
  byId('decisions-notice').textContent = text;
  byId('decisions-notice').hidden = !text;
}

function keep() {
  try {
    localStorage.setItem(STORE, JSON.stringify([...made.values()]));
  } catch {
    notice('This browser keeps nothing: export the decisions before you close the page.');
  }
}

function remember() {
  take(DECISIONS);
  try {
    take(JSON.parse(localStorage.getItem(STORE) || '[]'), made);
  } catch {
    notice('What this browser kept of the decisions cannot be read.');
  }
}

const decisionOn = (row, crack) => decided.get(crackKey(row.name, crack.box));
const isDecided = (row, crack) => Boolean(decisionOn(row, crack)?.decision);
const openCracks = row => (row.cracks || []).filter(crack => !isDecided(row, crack)).length;
const said = () => [...decided.values()].filter(one => one.decision || one.comment);

function decide(photo, box, crack, change) {
  const before = decided.get(crackKey(photo, box)) || {};
  const one = { photo, crack, box, decision: before.decision || '', comment: before.comment || '', ...change,
    at: new Date().toISOString() };
  take([one], made);
  keep();
  showDecisions();
}

// What is shown.

const MARKS = { accept: '✓', reject: '✗' };

function mark(line, row, crack) {
  const one = decisionOn(row, crack) || {};
  line.classList.toggle('rejected', one.decision === 'reject');
  line.querySelector('.mark').textContent = (MARKS[one.decision] || '') + (one.comment ? '✎' : '');
  line.title = one.comment || '';
}

function showReview(row, crack, number, line) {
  reviewed = row && { row, crack, number, line };
  byId('review').hidden = !reviewed;
  if (!reviewed) return;
  byId('review-name').textContent = `Crack ${number}`;
  byId('comment').value = (decisionOn(row, crack) || {}).comment || '';
  showPressed();
}

function showPressed() {
  const one = decisionOn(reviewed.row, reviewed.crack) || {};
  byId('accept').setAttribute('aria-pressed', one.decision === 'accept');
  byId('reject').setAttribute('aria-pressed', one.decision === 'reject');
}

function press(decision) {
  if (!reviewed) return;
  const { row, crack, number } = reviewed;
  const again = (decisionOn(row, crack) || {}).decision === decision;
  decide(row.name, crack.box, number, { decision: again ? '' : decision });
}

function remark(text, ...more) {
  const item = document.createElement('li');
  item.append(text, ...more);
  return item;
}

function restoreButton(one) {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = 'Restore';
  button.addEventListener('click', () => decide(one.photo, one.box, one.crack, { decision: '' }));
  return button;
}

// Comments, and cracks that are not in the list because they were rejected before.
function showRemarks(row) {
  const listed = new Map(row.cracks.map((crack, index) => [crackKey(row.name, crack.box), index + 1]));
  const own = [...decided.entries()].filter(([, one]) => one.photo === row.name);
  const items = [];
  for (const [key, one] of own) {
    const comment = one.comment ? `: ${one.comment}` : '';
    if (listed.has(key)) {
      if (one.comment) items.push(remark(`Crack ${listed.get(key)}${comment}`));
    } else if (one.decision === 'reject') {
      items.push(remark(`Rejected, no longer listed${comment} `, restoreButton(one)));
    } else if (one.decision || one.comment) {
      items.push(remark(`${one.decision || 'comment'}, no such crack any more${comment}`));
    }
  }
  const list = document.createElement('ul');
  list.append(...items);
  byId('remarks').replaceChildren(...(items.length ? [list] : []));
}

function showDecisions() {
  const cracks = ROWS.flatMap(row => (row.cracks || []).map(crack => isDecided(row, crack)));
  byId('decided-count').textContent = `${cracks.filter(Boolean).length} of ${cracks.length} cracks`;
  if (!byId('viewer').open) return;
  const row = shown[current];
  document.querySelectorAll('.cracks tbody tr').forEach(line => mark(line, row, row.cracks[line.dataset.index]));
  if (reviewed) showPressed();
  showRemarks(row);
}

// In and out.

function exportDecisions() {
  const content = { format: 'csbsr-decisions', report: REPORT.id, title: REPORT.title,
    exported: new Date().toISOString(), decisions: said() };
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([JSON.stringify(content, null, 1)], { type: 'application/json' }));
  link.download = 'decisions.json';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  return content;
}

function loadDecisions(text) {
  try {
    const content = JSON.parse(text);
    if (content.format !== 'csbsr-decisions') throw new Error('it holds no decisions');
    const photos = new Set(ROWS.map(row => row.name));
    const own = content.decisions.filter(one => photos.has(one.photo) && Array.isArray(one.box));
    const count = take(own, made);
    keep();
    const all = content.decisions.length;
    notice(`${count} of ${all} decisions taken over.`
      + (count < all ? ' The others are older than those here, or of another report.' : ''));
    showDecisions();
    refresh();
  } catch (error) {
    notice(`This file cannot be used: ${error.message}.`);
  }
}

function chooseNext(by) {
  const lines = [...document.querySelectorAll('.cracks tbody tr')];
  const place = lines.findIndex(line => line.classList.contains('chosen'));
  const next = lines[place < 0 ? (by > 0 ? 0 : lines.length - 1) : place + by];
  if (!next) return;
  next.click();
  next.scrollIntoView({ block: 'nearest' });
}

function startDecisions() {
  remember();
  byId('accept').addEventListener('click', () => press('accept'));
  byId('reject').addEventListener('click', () => press('reject'));
  byId('review').addEventListener('submit', event => event.preventDefault());
  byId('comment').addEventListener('input', event => {
    const { row, crack, number } = reviewed;
    decide(row.name, crack.box, number, { comment: event.target.value });
  });
  byId('viewer').addEventListener('close', refresh);
  byId('viewer').addEventListener('keydown', event => {
    if (event.target === byId('comment') || event.ctrlKey || event.metaKey || event.altKey) return;
    const actions = { a: () => press('accept'), r: () => press('reject'),
      ArrowDown: () => chooseNext(1), ArrowUp: () => chooseNext(-1) };
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action || (event.target === byId('split') && event.key.startsWith('Arrow'))) return;
    event.preventDefault();
    action();
  });
  byId('export-decisions').addEventListener('click', exportDecisions);
  byId('load-decisions').addEventListener('click', () => byId('decisions-file').click());
  byId('decisions-file').addEventListener('change', async event => {
    const [file] = event.target.files;
    event.target.value = '';
    if (file) loadDecisions(await file.text());
  });
  showDecisions();
}
