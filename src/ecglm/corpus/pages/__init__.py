"""A folder of recordings, or a data set, goes in; a folder of drawn, distorted pages with their truth comes out.

`source` lists recordings, `item` makes one page, `engines` run over many, `build` keeps the folder: resumable, and the same
page for the same item whatever the engine and the number of workers.
"""

from ecglm.corpus.pages.build import build
from ecglm.corpus.pages.engines import ENGINES
from ecglm.corpus.pages.item import Request

__all__ = ["ENGINES", "Request", "build"]
