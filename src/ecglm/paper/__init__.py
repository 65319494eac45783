"""A `Record` goes in, an ECG page comes out: pixels and the exact truth about them.

`render` draws one page, `pages` a long record page by page, `distort.distort` makes it look
used, scanned or photographed, `annotate` marks evidence on a page, `mark` waves, intervals
and kinds of beats. Nothing here filters, measures or
interprets a signal, and nothing imports torch.
"""

from ecglm.paper.annotate import annotate
from ecglm.paper.draw import pages, render
from ecglm.paper.gallery import Cell, gallery
from ecglm.paper.header import ARRANGEMENTS, PageHeader
from ecglm.paper.layout import LAYOUT_NAMES, ORDERS
from ecglm.paper.marks import Caliper, Marks, mark
from ecglm.paper.page import Page, check_sheet, save_image
from ecglm.paper.style import STYLES, Style
from ecglm.paper.truth import Applied, Box, LeadTruth, PageTruth, TextBox
from ecglm.paper.warp import Warp

__all__ = ["ARRANGEMENTS", "LAYOUT_NAMES", "ORDERS", "STYLES", "Applied", "Box", "Caliper", "Cell", "LeadTruth", "Marks",
           "Page", "PageHeader", "PageTruth", "Style", "TextBox", "Warp", "annotate", "check_sheet", "gallery", "mark", "pages",
           "render", "save_image"]
