"""The page of two visits in a real browser."""

import html
import json
import re

import pytest
from helpers.browser import dump_dom, needs_browser
from helpers.visits import line, photo, report

from csbsr_mm.inspection.visits import compare_visits

SAME, NEW = line((40, 60), (200, 75), 4), line((40, 180), (200, 165), 4)
PROBE = """<script>
const log = [];
window.addEventListener('error', event => log.push(event.message));
const result = (() => {{ {script} }})();
document.body.innerHTML = '<pre id="result"></pre>';
document.getElementById('result').textContent = JSON.stringify({{ result, log }});
</script></body>"""


@pytest.fixture(scope='module')
def page(tmp_path_factory):
    root = tmp_path_factory.mktemp('page')
    views = {name: dict(wall=wall, size=200) for wall, name in ((1, 'grows'), (2, 'still'))}
    old = {name: photo([SAME], light=1, **view) for name, view in views.items()}
    new = {
        'grows': photo([SAME, NEW], light=2, **views['grows']),
        'still': photo([SAME], light=2, **views['still']),
    }
    compare_visits(report(root / 'a', old), report(root / 'b', new), root / 'out')
    return root / 'out' / 'index.html'


def run(page, script):
    tested = page.with_name('tested.html')
    text = page.read_text(encoding='utf-8').replace('</body>', PROBE.format(script=script))
    tested.write_text(text, encoding='utf-8')
    said = re.search(r'<pre id="result">(.*?)</pre>', dump_dom(tested.as_uri()), re.DOTALL)[1]
    answer = json.loads(html.unescape(said))
    assert answer['log'] == []
    return answer['result']


@needs_browser
def test_filters_and_marks(page):
    found = run(
        page,
        """
        const shown = () => sections.filter(section => !section.hidden).map(section => section.dataset.name);
        const set = (id, value, event) => {
          byId(id).value = value; byId(id).dispatchEvent(new Event(event)); return shown(); };
        const answer = { all: shown(), changed: set('show', 'changed', 'change') };
        set('show', 'all', 'change');
        answer.search = set('search', 'STILL', 'input');
        answer.count = byId('count').textContent;
        const row = document.querySelector('.changes tbody tr');
        const boxes = () => [...row.closest('.pair').querySelectorAll('.chosen-box')].map(box =>
          box.hasAttribute('hidden') ? null : Number(box.getAttribute('y')));
        answer.before = boxes();
        row.click();
        answer.chosen = boxes();
        row.click();
        answer.again = boxes();
        return answer;""",
    )
    assert found['all'] == ['grows grows', 'still still']
    assert found['changed'] == ['grows grows']
    assert found['search'] == ['still still']
    assert found['count'] == '1 of 2 places'
    assert found['before'] == found['again'] == [None, None]
    assert found['chosen'][0] == found['chosen'][1] == pytest.approx(163, abs=8)
