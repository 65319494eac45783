"""What is known of a recording goes in (`Report`), a document for people or programs comes out.

`Report` gathers the record's facts, measurements, findings, answers and page;
`Report.save` writes .html, .md or .json by extension. `plot.plot` draws a recording with all
that is marked on it as .png or .html. Nothing is interpreted here: what
was not measured, found or given is said to be so.
"""

from ecglm.reporting.report import QuestionAnswer, RecordSummary, Report
from ecglm.reporting.save import FORMATS, save_html

__all__ = ["FORMATS", "QuestionAnswer", "RecordSummary", "Report", "save_html"]
