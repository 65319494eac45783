"""A `Record` goes in, an ECG page comes out: pixels and the exact truth about them.

`render` draws one page, `pages` a long record page by page, `annotate` marks evidence on
a page, `mark` waves, intervals and kinds of beats. Nothing here filters, measures or
interprets a signal, and nothing imports torch.
"""

from ecglm.paper.annotate import annotate
from ecglm.paper.draw import pages, render
from ecglm.paper.gallery import gallery
from ecglm.paper.header import PageHeader
from ecglm.paper.layout import LAYOUTS
from ecglm.paper.marks import Caliper, Marks, mark
from ecglm.paper.page import Page, save_image
from ecglm.paper.style import STYLES, Style
from ecglm.paper.truth import Box, LeadTruth, PageTruth, TextBox

__all__ = ["LAYOUTS", "STYLES", "Box", "Caliper", "LeadTruth", "Marks", "Page", "PageHeader", "PageTruth", "Style", "TextBox",
           "annotate", "gallery", "mark", "pages", "render", "save_image"]
