"""Cut DIV2K and Flickr2K photos: ``csbsr convert-data sub-images``."""

import sys

from csbsr_mm.cli import main

if __name__ == '__main__':
    sys.exit(main(['convert-data', 'sub-images', *sys.argv[1:]]))
