"""The report in a real browser: what one sees, sorts, filters and opens."""

import csv
import html
import json
import re

import numpy as np
import pytest
from helpers.browser import dump_dom, needs_browser
from PIL import Image

from csbsr_mm.inspection.prediction.photo_output import OutputFolder
from csbsr_mm.inspection.report.decisions import read_decisions
from csbsr_mm.inspection.report.pages import Report
from csbsr_mm.inspection.scale.scales import PhotoScale, ScaleTable, read_scales
from csbsr_mm.inspection.widths.classes import WidthClasses
from csbsr_mm.inspection.widths.errors import WIDTHS, ErrorCurve, WidthErrors
from csbsr_mm.inspection.widths.options import WidthOptions

EVIL = '<img src=x onerror=document.title="evil">'


def measures(width, length, orientation=30.0, box=(10.0, 5.0, 40.0, 90.0)):
    return dict(
        area=width * length,
        length=length,
        mean_width=width / 2,
        width_95=0.9 * width,
        max_width=width,
        orientation=orientation,
        box=box,
        widest_at=(30.0, 75.0) if width else None,
    )


def record(folder, name, width=0.0, spread=1.5, **changes):
    rng = np.random.default_rng(len(name))
    files = {}
    for kind in ('before', 'after'):
        files[kind] = f'preview/{name}_{kind}.webp'
        path = folder.path(files[kind])
        Image.fromarray(rng.integers(0, 256, (60, 100, 3), np.uint8)).save(path)
    cracks = [measures(width, 50.0)] if width else []
    nothing = measures(0.0, 0.0, None, None)
    return {
        **dict(name=name, source=f'/photos/{name}.jpg', status='ok', height=60, width=100, scale=4),
        **dict(taken='2024-05-01T10:20:30', latitude=35.5, longitude=139.25, altitude=12.0, files=files),
        **dict(total=measures(width, 50.0, box=None) if width else nothing, cracks=cracks, ignored=0),
        **dict(blur_spread=spread, seam_rms={}, tiles=1, seconds=1.0, fingerprint=''),
        **changes,
    }


@pytest.fixture
def records(tmp_path):
    folder = OutputFolder(tmp_path)
    failed = dict(name='broken', source='/photos/broken.jpg', status='failed', error=f'damaged {EVIL}')
    return [
        record(folder, 'wall_2', width=3.0),
        record(folder, 'wall_10', width=1.0, spread=4.2),
        record(folder, 'clear'),
        record(folder, 'evil', width=2.0, source=f'/photos/{EVIL}.jpg', taken=EVIL),
        failed,
    ]


def write(tmp_path, records, **kwargs):
    Report(OutputFolder(tmp_path), records, **kwargs).write()
    return tmp_path / 'index.html'


def run_in_browser(page, script, width=1280, height=900):
    """Run a script after the page's own; whatever it returns comes back."""
    tested = page.with_name('tested.html')
    probe = f"""<script>
    const log = [];
    window.addEventListener('error', event => log.push(event.message));
    const answer = content => {{
      document.body.innerHTML = '<pre id="result"></pre>';
      document.getElementById('result').textContent = JSON.stringify(content);
    }};
    (async () => {{ {script} }})().then(
      result => answer({{ result, log }}), error => answer({{ error: String(error) }}));
    </script>"""
    text = page.read_text(encoding='utf-8').replace('</body>', probe + '</body>')
    tested.write_text(text, encoding='utf-8')
    dom = dump_dom(tested.as_uri(), width=width, height=height)
    answer = json.loads(html.unescape(re.search(r'<pre id="result">(.*?)</pre>', dom, re.DOTALL)[1]))
    assert 'error' not in answer, answer
    assert answer['log'] == []
    return answer['result']


NAMES = "[...document.querySelectorAll('#photos tbody tr')].map(row => row.dataset.name)"


@needs_browser
def test_sorting(tmp_path, records):
    script = f"""
      const names = () => {NAMES};
      const click = key => {{
        document.querySelector(`#photos th button[data-key=${{key}}]`).click();
        return names();
      }};
      return {{ first: names(), again: click('max_width'), name: click('name'), back: click('name'),
                length: click('orientation'),
                aria: document.querySelector('#photos th[aria-sort]').getAttribute('aria-sort') }};"""
    found = run_in_browser(write(tmp_path, records), script)
    assert found['first'] == ['wall_2', 'evil', 'wall_10', 'clear', 'broken']
    assert found['again'] == ['clear', 'wall_10', 'evil', 'wall_2', 'broken']
    assert found['name'] == ['broken', 'clear', 'evil', 'wall_2', 'wall_10']
    assert found['back'] == found['name'][::-1]
    assert found['length'][-2:] == ['broken', 'clear']
    assert found['aria'] == 'descending'


@needs_browser
def test_filters(tmp_path, records):
    script = f"""
      const names = () => {NAMES};
      const set = (id, value, event = 'input') => {{
        const field = document.getElementById(id);
        field.value = value; field.dispatchEvent(new Event(event)); return names(); }};
      const result = {{ width: set('least', 1.5), slider: set('least-range', 900) }};
      result.number = document.getElementById('least').value;
      set('least', 0);
      for (const kind of ['cracked', 'clear', 'blurred', 'failed']) {{
        result[kind] = set('show', kind, 'change');
      }}
      set('show', 'all', 'change');
      result.search = set('search', 'WALL');
      result.none = set('search', 'nowhere');
      result.message = !document.getElementById('nothing').hidden;
      result.count = document.getElementById('count').textContent;
      return result;"""
    found = run_in_browser(write(tmp_path, records), script)
    assert found['width'] == ['wall_2', 'evil']
    assert found['slider'] == ['wall_2']
    assert float(found['number']) == pytest.approx(2.7)
    assert found['cracked'] == ['wall_2', 'evil', 'wall_10']
    assert found['clear'] == ['clear']
    assert found['blurred'] == ['wall_10']
    assert found['failed'] == ['broken']
    assert found['search'] == ['wall_2', 'wall_10']
    assert found['none'] == []
    assert found['message']
    assert found['count'] == '0 of 5 photos'


@needs_browser
def test_viewer(tmp_path, records):
    script = """
      document.querySelector('#photos tbody tr').click();
      const viewer = document.getElementById('viewer');
      const name = () => document.getElementById('viewer-name').textContent;
      const result = { open: viewer.open, names: [name()] };
      const after = document.getElementById('after');
      await after.decode();
      result.picture = after.naturalWidth;
      const clip = () => getComputedStyle(after).clipPath;
      result.half = clip();
      const split = document.getElementById('split');
      split.value = 20; split.dispatchEvent(new Event('input'));
      result.moved = clip();
      document.querySelector('.cracks tbody tr').click();
      const outline = document.getElementById('outline');
      const box = outline.getBoundingClientRect();
      const stage = document.getElementById('stage').getBoundingClientRect();
      result.outline = [!outline.hidden, (box.height - 10) / stage.height, (box.width - 10) / stage.width];
      const ring = document.getElementById('widest').getBoundingClientRect();
      result.ring = [(ring.top + ring.height / 2 - stage.top) / stage.height,
                     (ring.left + ring.width / 2 - stage.left) / stage.width];
      result.aspect = stage.width / stage.height;
      for (let k = 0; k < 4; k++) { document.getElementById('next').click(); result.names.push(name()); }
      viewer.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowLeft' }));
      result.names.push(name());
      document.getElementById('close').click();
      result.closed = !viewer.open;
      return result;"""
    found = run_in_browser(write(tmp_path, records), script)
    assert found['open']
    assert found['closed']
    assert found['names'] == ['wall_2', 'evil', 'wall_10', 'clear', 'wall_2', 'clear']
    assert found['picture'] == 100
    assert found['half'] == 'inset(0px 0px 0px 50%)'
    assert found['moved'] == 'inset(0px 0px 0px 20%)'
    assert found['outline'] == [True, pytest.approx(0.5, abs=0.02), pytest.approx(0.85, abs=0.02)]
    assert found['ring'] == [pytest.approx(0.5, abs=0.01), pytest.approx(0.75, abs=0.01)]
    assert found['aspect'] == pytest.approx(100 / 60, rel=0.01)


@needs_browser
def test_viewer_shows_intervals_chances_and_classes(tmp_path, records):
    """Widths are corrected by the bias of 0.4 pixels; a table of errors and classes are given."""
    curve = ErrorCurve([0.5, 20.0], [0.4, 0.4], [0.3, 0.3])
    about = dict(threshold=0.5, source='measured on 80 cracks', widths=[0.4, 6], blurs=[1, 4])
    errors = WidthErrors(dict.fromkeys(WIDTHS, curve), about=about)
    records = [dict(record, threshold=0.5) for record in records]
    widths = WidthOptions(errors, WidthClasses((0.2, 0.3)))
    script = """
      document.querySelector('#photos tbody tr').click();
      const text = id => document.getElementById(id).innerText.replace(/\\s+/g, ' ');
      const swatches = [...document.querySelectorAll('.swatch')].map(one => one.style.background);
      return [text('viewer-measures'), document.querySelector('.cracks tbody tr').innerText,
              document.querySelector('.cracks tbody td[title]').title, swatches];"""
    facts, crack, title, swatches = run_in_browser(
        write(tmp_path, records, mm_per_pixel=0.1, widths=widths), script
    )
    # 0.1 mm per pixel: 3.0 - 0.4 pixels, and 1.645 times 0.3 pixels to either side.
    assert 'Widest crack 0.26 mm (0.21\u20130.31)' in facts
    assert '(0.21\u20130.31)' in crack
    title = title.replace('\u00a0', ' ')
    assert title == 'P(> 0.2 mm) = 0.98, P(> 0.3 mm) = 0.09'
    assert title in facts
    assert ' up to 0.2 mm 5.00 mm' in facts
    assert len(set(swatches)) == 3


@needs_browser
@pytest.mark.parametrize('width', [1280, 390])
def test_nothing_is_cut_off(tmp_path, records, width):
    """No sideways scrolling, neither on a desktop nor on a phone, the viewer included."""
    page = write(tmp_path, records, mm_per_pixel=0.25)
    frame = tmp_path / 'frame.html'
    frame.write_text('<body></body>')
    # Windows of a headless browser have a least width; a frame has none.
    source = json.dumps(page.read_text(encoding='utf-8')).replace('</', '<\\/')
    script = f"""
      const frame = document.createElement('iframe');
      frame.style.cssText = 'width:{width}px;height:800px;border:0';
      const loaded = new Promise(resolve => frame.addEventListener('load', resolve));
      frame.srcdoc = {source};
      document.body.append(frame);
      await loaded;
      const inner = frame.contentDocument, root = inner.documentElement;
      const before = [root.scrollWidth, root.clientWidth];
      inner.querySelector('#photos tbody tr').click();
      const viewer = inner.getElementById('viewer');
      return {{ before, viewer: [viewer.scrollWidth, viewer.clientWidth], open: viewer.open,
                head: getComputedStyle(inner.querySelector('#photos thead')).display }};"""
    found = run_in_browser(frame, script)
    assert found['open']
    assert found['before'][0] == found['before'][1] <= width
    assert found['viewer'][0] <= found['viewer'][1] <= width
    assert (found['head'] == 'none') == (width == 390)


@needs_browser
def test_sorting_the_cracks_of_a_photo(tmp_path, records):
    lengths = (30.0, 90.0, 60.0)
    records[0]['cracks'] = [
        measures(width, length) for width, length in zip((3.0, 1.0, 2.0), lengths, strict=True)
    ]
    script = """
      document.querySelector('#photos tbody tr').click();
      const all = name => [...document.querySelectorAll(`.cracks ${name} button`)];
      const numbers = () => all('tbody').map(one => one.textContent).join('');
      const click = index => { all('th')[index].click(); return numbers(); };
      return [numbers(), click(2), click(1), click(0)];"""
    assert run_in_browser(write(tmp_path, records), script) == ['123', '231', '132', '123']


DECIDE = """
      const viewer = document.getElementById('viewer');
      const press = key => viewer.dispatchEvent(new KeyboardEvent('keydown', { key }));
      const byButton = id => document.getElementById(id).click();
      document.querySelector('#photos tbody tr').click();
      press('ArrowDown'); press('R');
      const field = document.getElementById('comment');
      field.value = '<b>a joint'; field.dispatchEvent(new Event('input'));
      press('ArrowDown'); byButton('accept');
      const marks = () => [...document.querySelectorAll('.cracks .mark')].map(one => one.textContent);"""


@needs_browser
def test_decisions_are_kept_and_exported(tmp_path, records):
    records[0]['cracks'] = [measures(3.0, 30.0, box=(10.0, 5.0, 40.5, top)) for top in (70.0, 80.0, 90.0)]
    script = (
        DECIDE
        + """
      const store = () => JSON.parse(localStorage.getItem('csbsr-decisions-' + REPORT.id));
      const result = { marks: marks(), kept: store(), remarks: document.getElementById('remarks').textContent,
                       count: document.getElementById('decided-count').textContent };
      document.getElementById('viewer').dispatchEvent(new KeyboardEvent('keydown', { key: 'a' }));
      result.undone = marks();
      const show = kind => {
        const field = document.getElementById('show');
        field.value = kind; field.dispatchEvent(new Event('change'));
        return [...document.querySelectorAll('#photos tbody tr')].map(row => row.dataset.name); };
      result.open = show('open'); result.decided = show('decided');
      result.exported = exportDecisions();
      return result;"""
    )
    found = run_in_browser(write(tmp_path, records), script)
    assert (found['marks'], found['undone']) == (['✗✎', '✓', ''], ['✗✎', '', ''])
    assert found['remarks'] == 'Crack 1: <b>a joint'
    assert found['count'] == '2 of 5 cracks'
    assert [one['decision'] for one in found['kept']] == ['reject', 'accept']
    assert found['open'] == ['wall_2', 'evil', 'wall_10']
    assert found['decided'] == ['wall_2']
    file = tmp_path / 'decisions.json'
    file.write_text(json.dumps(found['exported']))
    (decision,) = read_decisions(file)
    assert (decision.photo, decision.crack, decision.box) == ('wall_2', 1, (10, 5, 40.5, 70))
    assert (decision.decision, decision.comment) == ('reject', '<b>a joint')


@needs_browser
def test_decisions_that_come_with_the_page_or_a_file(tmp_path, records):
    records[0]['decisions'] = [
        dict(photo='wall_2', box=[10.0, 5.0, 40.0, 90.0], decision='accept', at='2026-01-02', in_effect=True),
        dict(
            photo='wall_2', box=[1.0, 1.0, 9.0, 9.0], decision='reject', comment=EVIL, at='', in_effect=True
        ),
    ]
    script = """
      document.querySelector('#photos tbody tr').click();
      const mark = () => document.querySelector('.cracks .mark').textContent;
      const remarks = document.getElementById('remarks');
      const result = { first: mark(), remarks: remarks.textContent };
      const one = (decision, at) => JSON.stringify({ format: 'csbsr-decisions', decisions: [
        { photo: 'wall_2', box: [10, 5, 40, 90], decision, comment: '', at }] });
      loadDecisions(one('reject', '2026-01-01')); result.older = mark();
      loadDecisions(one('reject', '2026-01-03')); result.newer = mark();
      loadDecisions('[]'); result.notice = document.getElementById('decisions-notice').textContent;
      remarks.querySelector('button').click(); result.restored = remarks.textContent;
      result.said = exportDecisions().decisions.map(one => one.decision + one.comment);
      return result;"""
    found = run_in_browser(write(tmp_path, records), script)
    assert (found['first'], found['older'], found['newer']) == ('✓', '✓', '✗')
    assert found['remarks'] == f'Rejected, no longer listed: {EVIL} Restore'
    assert 'Restore' not in found['restored']
    assert found['notice'].startswith('This file cannot be used')
    assert found['said'] == ['reject', EVIL]


ALIGNED = """
      const headers = [...document.querySelectorAll('#photos th')];
      const cells = [...document.querySelector('#photos tbody tr:not(.failed)').cells];
      const left = node => Math.round(node.getBoundingClientRect().left);
      const seen = headers.map((header, index) => ({
        name: header.textContent, label: cells[index].dataset.label,
        shown: getComputedStyle(header).display !== 'none',
        together: left(header) === left(cells[index]),
        both: getComputedStyle(header).display === getComputedStyle(cells[index]).display }));"""


@needs_browser
@pytest.mark.parametrize(('width', 'columns'), [(800, 6), (1000, 6), (1280, 9)])
def test_each_header_stands_over_its_cells(tmp_path, records, width, columns):
    found = run_in_browser(write(tmp_path, records), ALIGNED + 'return seen;', width)
    assert all(column['together'] and column['both'] for column in found)
    assert all(column.get('label') in (None, column['name']) for column in found)
    assert sum(column['shown'] for column in found) == columns


@needs_browser
def test_print_has_all_columns_settings_and_notes(tmp_path, records):
    """The style sheet's rules for print, applied to a window as wide as A4."""
    script = (
        """
      for (const rule of document.styleSheets[0].cssRules) {
        if (!(rule instanceof CSSMediaRule)) continue;
        const text = rule.media.mediaText;
        if (text === 'print') rule.media.mediaText = 'all';
        if (text.includes('screen')) rule.media.mediaText = 'not all';
      }
      window.dispatchEvent(new Event('beforeprint'));"""
        + ALIGNED
        + """
      const shown = name => document.querySelector(name).getBoundingClientRect().height > 0;
      return { seen, settings: shown('.settings'), notes: shown('.notes dl'), tools: shown('.tools'),
               overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
               pictures: document.querySelectorAll('#photos img:not([src])').length };"""
    )
    found = run_in_browser(write(tmp_path, records, settings={'Tile': 112}), script, 718)
    assert all(column['together'] and column['shown'] for column in found['seen'])
    assert (found['settings'], found['notes'], found['tools']) == (True, True, False)
    assert found['overflow'] == found['pictures'] == 0


@needs_browser
def test_names_are_text(tmp_path, records):
    script = """
      document.getElementById('search').value = '';
      for (const row of document.querySelectorAll('#photos tbody tr')) row.click();
      return { title: document.title, images: [...document.images].map(image => image.getAttribute('src')),
               text: document.body.textContent.includes('onerror=document.title') };"""
    page = write(tmp_path, records, title='A & B <script>', settings={'Config': EVIL})
    found = run_in_browser(page, script)
    assert found['title'] == 'A & B <script>'
    assert found['text']
    assert all(source is None or source.startswith('data:image/webp') for source in found['images'])


@needs_browser
def test_map(tmp_path, records):
    """Points follow the filters and open their photos."""
    records[0]['camera'] = dict(heading=45.0)
    for number, one in enumerate(records[:4]):
        one['latitude'] += 1e-4 * number
        one['files']['overlay'] = f'overlay/{one["name"]}.jpg'
    script = """
      const point = name => document.querySelector(`.map a[data-photo=${name}]`);
      const fill = name => getComputedStyle(point(name).querySelector('circle')).fill;
      const result = { points: document.querySelectorAll('.map circle').length,
        rays: document.querySelectorAll('.map line').length, colours: [fill('wall_2'), fill('clear')],
        links: [...document.querySelectorAll('.map a')].map(link => link.getAttribute('href')) };
      point('evil').dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }));
      const viewer = document.getElementById('viewer');
      result.opened = [viewer.open, viewer.querySelector('h2').textContent];
      const show = document.getElementById('show');
      show.value = 'clear'; show.dispatchEvent(new Event('change'));
      result.out = ['wall_2', 'clear'].map(name => point(name).classList.contains('out'));
      return result;"""
    found = run_in_browser(write(tmp_path, records), script)
    assert (found['points'], found['rays']) == (4, 1)
    assert found['colours'][0] != found['colours'][1]
    assert sorted(found['links'])[0] == 'overlay/clear.jpg'
    assert found['opened'] == [True, 'evil']
    assert found['out'] == [True, False]


def test_page_loads_nothing_from_elsewhere(tmp_path, records):
    text = write(tmp_path, records).read_text(encoding='utf-8')
    assert "default-src 'none'" in text
    assert not re.search(r'<(?:script|img|link|iframe)[^>]+(?:src|href)="(?!data:)', text)
    assert EVIL not in text
    assert '<' not in re.search(r'const ROWS = (.*)', text)[1]


def test_summary(tmp_path, records):
    write(tmp_path, records, mm_per_pixel=0.5, settings={'Tile': 112})
    summary = json.loads((tmp_path / 'summary.json').read_text())
    assert summary['settings'] == {'Tile': 112}
    assert summary['width_bias_in_output_pixels'][0] < 0
    first = summary['photos'][0]
    assert first['total_mm']['max_width'] == 1.5
    assert first['total_mm']['area'] == 0.25 * first['total']['area']
    assert first['cracks_mm'][0]['length'] == 25
    assert [photo.get('note') for photo in summary['photos']] == ['', 'too blurred to judge', '', '', None]


def table(path):
    with path.open(newline='', encoding='utf-8-sig') as file:
        return list(csv.DictReader(file))


def test_one_row_for_each_crack(tmp_path, records):
    write(tmp_path, records, mm_per_pixel=0.5)
    rows = table(tmp_path / 'cracks.csv')
    assert [row['photo'] for row in rows] == ['wall_2', 'wall_10', 'evil']
    assert float(rows[0]['max_width_mm']) == 0.5 * float(rows[0]['max_width_px']) == 1.5
    assert (rows[0]['widest_row_px'], rows[0]['widest_column_px'], rows[0]['right_px']) == (
        '30.0',
        '75.0',
        '90.0',
    )
    assert (tmp_path / 'cracks.csv').read_bytes().startswith(b'\xef\xbb\xbf')


def test_scale_of_each_photo(tmp_path, records):
    scales = tmp_path / 'scales.csv'
    scales.write_text('photo,mm_per_pixel,std\nwall_2.jpg,0.4,0.02\n/photos/wall_10.jpg,0.8,\n')
    write(tmp_path, records, mm_per_pixel=0.5, scales=read_scales(scales))
    rows = {row['photo']: row for row in table(tmp_path / 'summary.csv')}
    assert [float(rows[name]['max_width_mm']) for name in ('wall_2', 'wall_10', 'evil')] == [1.2, 0.8, 1.0]
    assert rows['wall_2']['scale_source'] == 'scales.csv'
    assert rows['evil']['scale_source'] == 'one number for all photos'
    summary = json.loads((tmp_path / 'summary.json').read_text())
    assert summary['photos'][0]['scale_of_photo']['std'] == 0.02
    assert rows['wall_2']['mm_per_pixel_std'] == '0.02'


def test_photos_without_a_scale_among_others(tmp_path, records):
    """They have pixels, and no millimetres that would be compared with those of others."""
    scales = {'/photos/wall_2.jpg': PhotoScale(0.4)}
    write(tmp_path, records, scales=scales, without_scale={'/photos/evil.jpg': 'no marker'})
    rows = {row['photo']: row for row in table(tmp_path / 'summary.csv')}
    assert rows['wall_10']['max_width_mm'] == rows['wall_10']['mm_per_pixel'] == ''
    assert float(rows['wall_10']['max_width_px']) == 1.0
    cracks = {row['photo']: row for row in table(tmp_path / 'cracks.csv')}
    assert (cracks['wall_2']['max_width_mm'], cracks['wall_10']['max_width_mm']) == ('1.200', '')
    summary = json.loads((tmp_path / 'summary.json').read_text())
    assert ['total_mm' in photo for photo in summary['photos'][:2]] == [True, False]
    assert summary['without_scale'] == {'/photos/evil.jpg': 'no marker'}


@needs_browser
def test_page_with_photos_without_a_scale(tmp_path, records):
    page = write(tmp_path, records, scales={'/photos/wall_2.jpg': PhotoScale(0.4)})
    script = f"""
      const names = {NAMES};
      const row = document.querySelector('tr[data-name=evil]');
      const result = {{ names, text: row.textContent, cells: row.cells[1].textContent }};
      row.click();
      result.own = document.getElementById('viewer-measures').textContent;
      result.facts = document.getElementById('viewer-facts').textContent;
      return result;"""
    found = run_in_browser(page, script)
    assert found['names'][0] == 'wall_2'
    assert found['cells'] == '–'
    assert 'no scale' in found['text']
    assert '2.00 px' in found['own']
    assert 'no scale' in found['facts']


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('photo,mm\na,1', 'needs the columns photo and mm_per_pixel'),
        ('photo,mm_per_pixel\na,-1', 'line 2: mm_per_pixel must be positive'),
        ('photo,mm_per_pixel\na,x', 'line 2: could not convert'),
        ('photo,mm_per_pixel\na', 'line 2: a has no mm_per_pixel'),
        ('photo,mm_per_pixel,std\na,1,-0.1', 'line 2: the standard deviation of mm_per_pixel must not'),
        ('photo,mm_per_pixel,std\na,1,nan', 'line 2: the standard deviation of mm_per_pixel must not'),
        ('photo,mm_per_pixel\na,1\na,2', 'line 3: a comes twice'),
    ],
)
def test_tables_of_scales_that_are_wrong(tmp_path, text, message):
    (tmp_path / 's.csv').write_text(text)
    with pytest.raises(ValueError, match=message):
        read_scales(tmp_path / 's.csv')


def test_tables_of_scales_from_spreadsheets(tmp_path):
    """Semicolons and decimal commas, as Excel writes them where commas are decimal; and parts of paths."""
    text = '\ufeffphoto; mm_per_pixel ;std\nnorth/a.jpg;0,4;0,01\na;0,5;\n'
    (tmp_path / 's.csv').write_text(text, encoding='utf-8')
    scales = ScaleTable(read_scales(tmp_path / 's.csv'))
    north, south = scales.of('/photos/north/a.jpg'), scales.of('/photos/south/a.jpg')
    assert (north.mm_per_pixel, north.std) == (0.4, 0.01)
    assert (south.mm_per_pixel, south.std) == (0.5, None)
    assert scales.of('/photos/b.jpg') is None


@pytest.mark.parametrize(('name', 'value'), [('mm_per_pixel', 0), ('mm_per_pixel', -1), ('blur_limit', 0)])
def test_units_must_be_positive(tmp_path, name, value):
    with pytest.raises(ValueError, match=f'{name} must be positive, got {value}'):
        Report(OutputFolder(tmp_path), [], **{name: value})


def test_no_photo_at_all_and_none_that_could_be_read(tmp_path, records):
    for some in ([], records[-1:]):
        page = write(tmp_path, some)
        assert 'widest crack' in page.read_text(encoding='utf-8')
