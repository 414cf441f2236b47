"""Cameras' data, written by Pillow into photos of known optics."""

import math

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from csbsr_mm.photos import camera
from csbsr_mm.photos.reader import EXIF_IFD, GPS_IFD, read_camera, read_photo

SIZE = (120, 80)
DJI_PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="DJI" '
    f'xmlns:drone-dji="{camera.DJI}" %s></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)


def dji(**values):
    return (DJI_PACKET % ' '.join(f'drone-dji:{name}="{value}"' for name, value in values.items())).encode()


def write(path, details=None, gps=None, xmp=None, size=SIZE):
    exif = Image.Exif()
    exif[EXIF_IFD] = details or {}
    exif[GPS_IFD] = gps or {}
    picture = Image.fromarray(np.zeros((size[1], size[0], 3), np.uint8))
    picture.save(path, exif=exif, **({} if xmp is None else xmp_options(path.suffix, xmp)))
    return path


def xmp_options(suffix, packet):
    if suffix == '.png':
        info = PngInfo()
        info.add_itxt('XML:com.adobe.xmp', packet.decode())
        return dict(pnginfo=info)
    return dict(tiffinfo={camera.XMP_TAG: packet}) if suffix == '.tif' else dict(xmp=packet)


def test_equivalent_focal_length_by_the_diagonal(tmp_path):
    """A photo 3:2 of 36 mm equivalent is as wide as its distance."""
    facts = read_camera(write(tmp_path / 'a.jpg', {camera.FOCAL_LENGTH_35: 36, camera.SUBJECT_DISTANCE: 2.5}))
    assert facts.focal_pixels == pytest.approx(120)
    assert facts.focal_std == pytest.approx(0.5 / math.sqrt(3) / 36)
    assert (facts.distance, facts.distance_std) == (2.5, None)
    assert read_photo(tmp_path / 'a.jpg').camera == facts


@pytest.mark.parametrize(('unit', 'factor'), [(2, 25.4), (3, 10), (4, 1)])
def test_resolution_of_the_focal_plane(tmp_path, unit, factor):
    """120 pixels on 24 mm, focal length 48 mm; after halving 120 were 240."""
    details = {camera.FOCAL_LENGTH: 48.0, camera.FOCAL_PLANE_UNIT: unit, camera.FOCAL_LENGTH_35: 10}
    details[camera.FOCAL_PLANE_X] = 120 / 24 * factor
    facts = read_camera(write(tmp_path / 'a.jpg', details))
    assert facts.focal_pixels == pytest.approx(240, rel=1e-4)
    details |= {camera.FOCAL_PLANE_X: 240 / 24 * factor, camera.PIXEL_X: 240, camera.PIXEL_Y: 160}
    assert read_camera(write(tmp_path / 'b.jpg', details)).focal_pixels == pytest.approx(240, rel=1e-4)


@pytest.mark.parametrize(
    ('details', 'doubt'),
    [
        ({camera.DIGITAL_ZOOM: 2.0}, 'digital zoom of 2'),
        ({camera.PIXEL_X: 300, camera.PIXEL_Y: 150}, 'the photo was cut: 120x80 pixels of 300x150'),
    ],
)
def test_zoomed_and_cut_photos_have_no_focal_length_in_pixels(tmp_path, details, doubt):
    facts = read_camera(write(tmp_path / 'a.jpg', {camera.FOCAL_LENGTH_35: 36, **details}))
    assert facts.focal_pixels is None
    assert doubt in facts.doubt
    turned = {camera.FOCAL_LENGTH_35: 36, camera.DIGITAL_ZOOM: 1.0, camera.PIXEL_X: 80, camera.PIXEL_Y: 120}
    assert read_camera(write(tmp_path / 'b.jpg', turned)).focal_pixels == pytest.approx(120)


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.webp', '.tif'])
def test_drone(tmp_path, suffix):
    packet = dji(
        CalibratedFocalLength='3666.666504', LRFStatus='Normal', LRFTargetDistance='+6.000',
        GimbalYawDegree='-97.50', GimbalPitchDegree='-10.00', GimbalRollDegree='0', RelativeAltitude='+30',
    )  # fmt: skip
    facts = read_camera(write(tmp_path / f'a{suffix}', xmp=packet))
    assert facts.focal_pixels == pytest.approx(3666.6665)
    assert (facts.heading, facts.pitch, facts.roll) == (262.5, -10, 0)
    assert (facts.distance, facts.distance_source) == (6, "DJI's laser range finder")
    assert facts.distance_std == pytest.approx(0.209 / math.sqrt(3))


@pytest.mark.parametrize(('pitch', 'distance'), [('-88.00', 12.5), ('-70.00', None)])
def test_height_is_the_distance_of_what_lies_below(tmp_path, pitch, distance):
    packet = dji(
        RelativeAltitude='+12.50', GimbalPitchDegree=pitch, LRFStatus='TooFar', LRFTargetDistance='0.1'
    )
    assert read_camera(write(tmp_path / 'a.jpg', xmp=packet)).distance == distance


def test_heading_from_gps(tmp_path):
    assert read_camera(write(tmp_path / 'a.jpg', gps={16: 'T', 17: 123.5})).heading == 123.5


@pytest.mark.parametrize(
    'packet',
    [
        b'\x00\xff no xml',
        dji(CalibratedFocalLength='nan', LRFTargetDistance='far', GimbalYawDegree=''),
        b'<!DOCTYPE a [<!ENTITY b "1">]>' + dji(GimbalYawDegree='&b;'),
        dji(GimbalYawDegree='1').decode().encode('utf-16'),
    ],
)
def test_malformed_packets_count_as_absent(tmp_path, packet):
    details = {camera.SUBJECT_DISTANCE: 0, camera.FOCAL_LENGTH: 0}
    assert read_camera(write(tmp_path / 'a.jpg', details, xmp=packet)) == camera.CameraFacts()
    assert read_camera(tmp_path / 'missing.jpg') == camera.CameraFacts()
